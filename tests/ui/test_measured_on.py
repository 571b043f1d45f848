"""Wherever a held-out loss stands on a screen, what it was measured on stands beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_folders import make_run, trees

from backend import store
from iterit_ui.compare import runs_table, start_plan, views
from iterit_ui.epochs import draw
from iterit_ui.epochs.state import EpochsState
from iterit_ui.shared.session import first_pool
from iterit_ui.tune import charts, form_fields
from iterit_ui.tune.form_check import verdict

ASIDE = "6 samples held out from pool trees"


@pytest.fixture
def run(tmp_path: Path) -> str:
    return make_run(tmp_path, epochs=2, planned=2)


def test_a_run_on_tune(tmp_path: Path, run: str) -> None:
    info, metrics = store.run_info(tmp_path, run), store.read_metrics(tmp_path, run)
    card = next(c for c in charts.figures(tmp_path, info, metrics)["cards"] if c["label"] == "Held-out loss")
    assert ASIDE in card["hint"] and "against the untouched model" in card["hint"]
    assert ASIDE in charts.course_figure(tmp_path, info, metrics)["note"]


def test_a_run_on_epochs(tmp_path: Path, run: str) -> None:
    drawn = dict(zip(draw.DRAWN, draw.all_values(tmp_path, EpochsState(run=run))))
    card = next(c for c in drawn["figures"]["cards"] if c["label"] == "Held-out loss")
    assert ASIDE in card["hint"]


def test_runs_and_their_comparison(tmp_path: Path, run: str) -> None:
    row = runs_table.table_value(tmp_path, runs_table.ASKED, "")["rows"][0]
    assert row["measured"] == ASIDE and row["loss"]["title"] == f"on {ASIDE}"
    results = views.results(tmp_path, "", [run], "", "epoch", -1)
    final, course, strategies = results[2], results[4], results[5]
    for shown in (final, course, strategies):
        assert ASIDE in shown["note"]


def test_compare_measures_another_pool_on_itself(tmp_path: Path) -> None:
    store.save_pool(tmp_path, trees(), inputs=("trees.jsonl",))

    def asked(pool: str) -> tuple[str, str]:
        given = [pool, "demo", "demo", ["random"], False, "0,1", "10", ""]
        configs = start_plan.asked_for(tmp_path, [], *given).configs
        return configs[0].held_out, start_plan.plan_of(tmp_path, [], *given)[0]["text"]

    held_out, words = asked(trees().id)
    assert held_out == "0.05" and "Held-out loss: on 6 samples held out from the pool." in words
    held_out, words = asked(first_pool())
    assert held_out == "demo" and "Held-out loss: on the demo's held-out rows." in words


def test_the_form_of_a_run_does_so_too(tmp_path: Path) -> None:
    store.save_pool(tmp_path, trees(), inputs=("trees.jsonl",))
    preset = next(one for one in form_fields.schema()["presets"] if one["name"] == "demo")
    assert preset["values"]["held_out"] == "demo" and preset["elsewhere"] == {"held_out": "0.05"}

    def measured(pool: str, held_out: str) -> str:
        values = {**preset["values"], "held_out": held_out}
        found = verdict(tmp_path, (), (), {"pool": pool, "model": "demo", "preset": "demo", "values": values})
        assert "--held-out" not in found["command"] and found["ready"]
        return next(row["hint"] for row in found["plan"]["rows"] if row["label"] == "Held-out loss measured")

    assert measured(trees().id, "0.05") == "on 6 samples held out from the pool"
    assert measured(first_pool(), "demo") == "on the demo's 360 held-out rows"
