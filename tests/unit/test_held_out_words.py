"""Every held-out loss says what it was measured on, and another pool than the demo is measured on a share of itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend import analysis, store
from backend.analysis.comparison import measured_words
from backend.analysis.held_out_words import held_out_words, planned_words
from backend.cli.commands import app
from backend.config import config_from
from backend.jobs import comparison_start
from backend.preflight.checks import preflight
from tests.unit.compared import labelled, made_run, settings


@pytest.mark.parametrize(
    ("values", "held_out"),
    [
        ({"pool": ("demo",)}, "demo"),
        ({"pool": "demo"}, "demo"),
        ({}, "demo"),
        ({"pool": ("birds.jsonl",)}, "0.05"),
        ({"pool": ("demo", "birds.jsonl")}, "0.05"),
        ({"pool": ()}, "0.05"),  # read from what is not there any more
        ({"pool": ("birds.jsonl",), "held_out": "demo"}, "demo"),  # asked for
        ({"pool": ("birds.jsonl",), "held_out": "0.2"}, "0.2"),
    ],
)
def test_the_demo_preset_measures_another_pool_on_a_share_of_it(values: dict, held_out: str) -> None:
    assert config_from({"model": "demo", **values}, preset="demo").held_out == held_out


def test_measuring_another_pool_on_the_demo_is_noted() -> None:
    def noted(pool: str) -> list[str]:
        config = config_from({"model": "demo", "pool": (pool,), "held_out": "demo"}, preset="demo")
        return [problem.text for problem in preflight(config, 2200) if problem.field == "held_out"]

    assert noted("demo") == []
    assert len(noted("birds.jsonl")) == 1 and "says nothing about this pool" in noted("birds.jsonl")[0]


def test_what_a_run_was_measured_on(tmp_path: Path) -> None:
    pool = labelled(name="birds")
    file = made_run(tmp_path, (3.0,), pool=pool)
    share = made_run(tmp_path, (3.0,), pool=pool, kept_aside=(10, 11, 12, 13))
    demo = made_run(tmp_path, (3.0,), pool=pool, held_out="demo")
    waiting = store.create_run(tmp_path, settings(held_out="0.1"), pool)
    nothing = store.create_run(tmp_path, settings(held_out="0"), pool)
    said = {run: held_out_words(tmp_path, run) for run in (file, share, demo, waiting, nothing)}
    assert said == {
        file: "the 7 samples of aside.json",
        share: "4 samples held out from pool birds",
        demo: "the demo's 7 held-out rows",
        waiting: "10 % of pool birds, not drawn yet",
        nothing: "",
    }
    shown = CliRunner().invoke(app, ["show", share, "--runs-dir", str(tmp_path)])
    assert "held-out loss measured on: 4 samples held out from pool birds" in shown.output


def test_what_a_run_will_be_measured_on() -> None:
    assert planned_words(settings(held_out="0.05"), 2200) == "110 samples held out from the pool"
    assert planned_words(settings(held_out="demo"), 2200) == "the demo's held-out rows"
    assert planned_words(settings(held_out="0"), 2200) == "nothing: no sample is held out"


def test_a_comparison_says_what_it_will_measure_on(tmp_path: Path) -> None:
    pool = labelled()
    store.save_pool(tmp_path, pool)
    configs = comparison_start.configurations(settings(held_out="0.1"), 40, strategies=["random"], seeds=[0])
    assert (
        comparison_start.plan(tmp_path, configs, pool.id, 40).measured_on
        == "4 samples held out from the pool"
    )


def test_runs_measured_on_different_things_are_not_compared_silently(tmp_path: Path) -> None:
    pool = labelled(name="birds")
    one = made_run(tmp_path, (3.0, 2.0, 1.9), pool=pool, strategy="random", kept_aside=(10, 11, 12, 13))
    other = made_run(tmp_path, (3.0, 2.0, 1.8), pool=pool, strategy="iterit", held_out="demo")
    found = analysis.compare(tmp_path, [one, other])
    assert len(found.measured.counted) == 1
    warned = " ".join(remark.text for remark in found.remarks if remark.level == "warn")
    assert "measured on other held-out samples" in warned
    left_out = next(run for run in found.runs if run.id in found.measured.left_out)
    assert left_out.held_out_words in warned and measured_words(found) not in ("", left_out.held_out_words)


def test_seeds_measured_on_different_things_are_said(tmp_path: Path) -> None:
    pool = labelled(name="birds")
    ids = []
    for strategy in ("random", "iterit"):
        ids.append(
            made_run(tmp_path, (3.0, 2.0, 1.9), pool=pool, strategy=strategy, seed=0, kept_aside=(10, 11))
        )
        ids.append(made_run(tmp_path, (3.0, 2.0, 1.9), pool=pool, strategy=strategy, seed=1, held_out="demo"))
    warned = [remark.text for remark in analysis.compare(tmp_path, ids).remarks if remark.level == "warn"]
    assert any("2 samples held out from pool birds and the demo's 7 held-out rows" in text for text in warned)
