"""Searches for the smallest budget on the Compare tab: verdict, figure and table, and the form that starts one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend import store
from backend.config import RunConfig
from backend.errors import StudioError
from backend.jobs import lifecycle
from iterit_ui.compare import budget_form as form
from iterit_ui.compare import budget_panel as panel
from iterit_ui.compare import own_answers, tab
from iterit_ui.shared.session import get_pool
from tests.unit.compared import made_run, two_strategies
from tests.unit.searches import made_search

PARTS = ("box", "answer", "figure", "budgets")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is started."""
    monkeypatch.setattr(lifecycle, "pump", lambda home, **_: [])


def loss(one: RunConfig) -> float:
    """Half of the pool ends as low as all of it, a quarter much higher."""
    rise = 0.0 if one.strategy == "full" or one.budget >= 20 else 0.4
    return 2.0 + 0.1 * one.seed + rise


def shown(home: Path, comparison: str) -> dict[str, Any]:
    parts = dict(zip(PARTS, panel.budget_parts(home, "compare", comparison), strict=True))
    json.dumps([parts[name] for name in PARTS[1:]], allow_nan=False)
    return parts


def verdicts(parts: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(row["budget"], row["verdict"]["text"], row["missing"]) for row in parts["budgets"]["rows"]]


def test_a_search_that_ended_early(tmp_path: Path) -> None:
    made = made_search(
        tmp_path, loss, state=lambda one: "stopped" if one.strategy != "full" and one.budget < 10 else "done"
    )
    parts = shown(tmp_path, made)
    answer = parts["answer"]
    assert parts["box"].visible and answer["tone"] == "good"
    assert answer["title"] == "How small may the budget be? 20 samples an epoch do as well as the full pool"
    assert answer["text"] == (
        "Their mean loss differs from the full pool's by +0.0000, within the spread between seeds (0.0707). Half of that is "
        "too few: 10 samples ended 0.4000 above it. Ended early: 6 of 8 runs are done. 2 that could no longer change the verdict "
        "left the queue."
    )
    assert verdicts(parts) == [
        ("full pool", "the baseline", ""),
        ("20", "the smallest", ""),
        ("10", "too small", ""),
        ("5", "not needed", "2 taken out of the queue"),
    ]
    assert parts["budgets"]["rows"][2]["difference"] == "+0.4000"
    assert [note["text"] for note in parts["figure"]["layout"]["annotations"]] == ["not needed"]


def test_the_figure_shows_every_seed_and_what_counts_as_no_worse(tmp_path: Path) -> None:
    figure = shown(tmp_path, made_search(tmp_path, loss))["figure"]
    dots, means = figure["data"]
    assert figure["layout"]["xaxis"]["ticktext"] == ["full pool", "20", "10", "5"]
    assert means["y"] == pytest.approx([2.05, 2.05, 2.45, 2.45]) and len(dots["y"]) == 8
    assert means["marker"]["symbol"] == ["circle", "diamond", "circle", "circle"]
    line, band = figure["layout"]["shapes"]
    assert line["y0"] == band["y0"] == pytest.approx(2.05) and band["y1"] == pytest.approx(
        2.05 + 0.1 / 2**0.5
    )
    assert "#" not in json.dumps(figure)


@pytest.mark.parametrize(
    ("state", "title", "words"),
    [
        (lambda one: "queued", "Nothing can be said yet", "The full pool and half of it have to be done first. Still running: 0 of 8 runs are done. 8 are queued."),
        (
            lambda one: "done" if one.strategy == "full" or one.budget == 20 else "queued",
            "20 samples an epoch do as well as the full pool, so far",
            "4 of 8 runs are done. 4 are queued.",
        ),
        (
            lambda one: "failed" if one.seed and one.budget == 20 else "done",
            "Nothing can be said yet",
            "The verdict needs the run of 20 samples, seed 1 (failed: out of memory): resume what stopped or failed",
        ),
    ],
)  # fmt: skip
def test_a_search_that_has_not_ended(tmp_path: Path, state: Any, title: str, words: str) -> None:
    parts = shown(tmp_path, made_search(tmp_path, loss, state=state))
    assert parts["answer"]["title"].endswith(title) and words in parts["answer"]["text"]
    assert parts["answer"]["tone"] == ("warn" if "failed" in words else "info")


def test_no_smaller_budget_does_as_well(tmp_path: Path) -> None:
    parts = shown(tmp_path, made_search(tmp_path, lambda one: loss(one) + (one.strategy != "full")))
    assert parts["answer"]["title"].endswith("No smaller budget does as well as the full pool")
    assert "20 samples ended 1.0000 above it, which is more than the spread" in parts["answer"]["text"]
    assert "Complete: 8 of 8 runs are done." in parts["answer"]["text"]
    assert verdicts(parts)[1][1] == "too small"


def test_other_comparisons_show_no_search(tmp_path: Path) -> None:
    made = store.create_comparison(tmp_path, "strategies")
    store.add_to_comparison(tmp_path, made, two_strategies(tmp_path, seeds=1))
    assert not shown(tmp_path, made)["box"].visible and not shown(tmp_path, "")["box"].visible
    broken = made_search(tmp_path, loss)
    store.change_plan(tmp_path, broken, {})
    assert "cannot be read" in shown(tmp_path, broken)["answer"]["text"]


def test_a_search_is_measured_against_the_full_pool(tmp_path: Path) -> None:
    made = made_search(tmp_path, loss, state=lambda one: "stopped" if one.budget == 5 else "done")
    _, reference, *_ = tab.offer(tmp_path, "compare", made, [], "", -1)
    assert reference.choices[0][0] == "Full pool (default)"
    parts = tab.comparison_parts(tmp_path, "compare", made, [], "", "epoch", -1)
    assert parts[0] is None and parts[-2] is None  # that budgets differ and runs are missing is no news here
    assert parts[1] is None and parts[6]["title"] == "Against Full pool, at the end"
    rows = own_answers.rows_shown(tmp_path, "compare", made)
    assert [row.visible for row in rows] == [False, False, True, True]


def asked(**values: Any) -> dict[str, Any]:
    return {**form.starting_values([]), **values}


def test_the_form_says_what_it_would_run_and_cost(tmp_path: Path) -> None:
    values = asked(smallest="10 %", epochs="1")
    note, button, ready = form.plan_of(tmp_path, [], values)
    assert "The full pool, then 1,100, 550 and 275 samples an epoch, with 2 seeds: 8 runs" in note["text"]
    assert "At most 1,034 optimizer steps in all, 550 of them on the full pool." in note["text"]
    assert "Time in all:" in note["text"] and "held-out rows" in note["text"]
    assert ready and button == "Queue 8 runs"
    for wrong, words in (
        ({"seeds": "0"}, "Seeds: a search needs two or more, and 1 is given"),
        ({"seeds": "x"}, "'x' is not a seed"),
        ({"smallest": "much"}, "Smallest budget is 'much'; expected a number"),
        ({"smallest": "0"}, "Smallest budget is 0; give a share"),
        ({"smallest": "90 %"}, "there is no budget to try"),
        ({"strategy": "full"}, "Strategy is full: it has no budget"),
        ({"epochs": "0"}, "Epochs is 0: nothing is trained"),
        ({"model": "/etc"}, "is not in a folder"),
    ):
        note, _, ready = form.plan_of(tmp_path, [], {**values, **wrong})
        assert note["tone"] == "error" and words in note["text"] and not ready, note["text"]


def test_the_form_takes_a_runs_strategy_over(tmp_path: Path) -> None:
    start = form.starting_values([])
    run = made_run(tmp_path, (3.0,), strategy="diversity")
    data = {"name": "base", "values": {**start, "base": f"run {run}"}, "seq": 2}
    values, seq, drawn, _ = form.on_change(tmp_path, [], data, start)
    fields = {field["name"]: field for field in drawn["fields"]}
    assert (values["strategy"], seq, drawn["prefix"]) == ("diversity", 2, "budget")
    assert set(fields) == set(form.LABEL) == set(form.HELP) == set(start) and fields["pool"]["off"]
    assert "full" not in [option["value"] for option in fields["strategy"]["options"]]
    full = made_run(tmp_path, (3.0,), strategy="full")
    data = {"name": "base", "values": {**values, "base": f"run {full}"}, "seq": 3}
    assert form.on_change(tmp_path, [], data, values)[0]["strategy"] == "diversity"
    with pytest.raises(StudioError, match="the page sent"):
        form.on_change(tmp_path, [], {"name": "x", "values": {**start, "seeds": 3}, "seq": 5}, start)
    gone = {"name": "base", "values": {**start, "base": "run 20200101-000000-abcdef"}, "seq": 6}
    assert form.on_change(tmp_path, [], gone, start)[-1]["tone"] == "error"


def test_the_form_starts_a_search(tmp_path: Path) -> None:
    values = asked(smallest="20 %", epochs="1", strategy="longest")
    store.save_pool(tmp_path, get_pool(tmp_path, values["pool"]), inputs=["demo"])
    made, *_, note = form.on_start(tmp_path, [], [], {"values": values, "seq": 1}, "me")
    assert note["tone"] == "good" and note["title"] == "6 runs queued"
    info = store.comparison_info(tmp_path, made)
    assert (info.name, info.who, info.kind) == ("Budget search on demo: longest", "me", "budget")
    assert info.plan == {"strategy": "longest", "budgets": [1100, 550], "seeds": [0, 1]}
    assert "Still running" in shown(tmp_path, made)["answer"]["text"]
    _, note = form.started(tmp_path, [], [], "me", asked(seeds="1"))
    assert note["title"] == "Nothing was queued"
