"""Sensitivity studies on the Compare tab: their figure, table and answer, and the form that starts one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend import store
from backend.analysis import sensitivity as analysis
from backend.config import STRATEGY_HELP, RunConfig
from backend.errors import StudioError
from backend.jobs import lifecycle
from backend.jobs.sensitivity_start import VARIED, WITHOUT_EFFECT
from iterit_ui.compare import own_answers, sensitivity_plan, tab
from iterit_ui.compare import sensitivity_form as form
from iterit_ui.compare import sensitivity_panel as panel
from iterit_ui.plots.setting_panels import heat_map, setting_panels
from iterit_ui.shared.session import get_pool
from iterit_ui.shared.strategies import without_effect
from tests.unit.compared import two_strategies
from tests.unit.studies import made_study

PARTS = ("box", "answer", "figure", "values", "pair", "heat_box", "heat")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is started."""
    monkeypatch.setattr(lifecycle, "pump", lambda home, **_: [])


def loss(one: RunConfig) -> float:
    """Decay 0.5 ends 0.3 higher in every seed, a budget of 8 differs by chance alone, random ends at 1.9."""
    chance = 0.02 * (one.seed - 1) * (one.budget - 4) / 4
    return (1.9 if one.strategy == "random" else 2.0) + 0.1 * one.seed + 0.75 * abs(one.decay - 0.1) + chance


def shown(home: Path, comparison: str, pair: str | None = None) -> dict[str, Any]:
    parts = panel.study_parts(home, "compare", comparison, pair)
    return dict(zip(PARTS, parts, strict=True))


def test_a_study_is_answered_setting_by_setting(tmp_path: Path) -> None:
    made = made_study(tmp_path, {"decay": [0.5], "budget": [8]}, loss, references=["random"])
    parts = shown(tmp_path, made)
    assert parts["box"].visible and not parts["heat_box"].visible and parts["heat"] is None
    assert parts["answer"]["title"] == "A difference from the base is shown for: diversity decay"
    assert parts["answer"]["steps"] == [
        "Budget: no difference from the base (4 samples) is shown. Means from 2.1000 to 2.1000.",
        "Diversity decay: higher than the base (0.1) at 0.5 (+0.3000). Means from 2.1000 to 2.4000.",
    ]
    cells = [(row["setting"], row["value"], row["verdict"]["text"]) for row in parts["values"]["rows"]]
    assert cells == [
        ("Budget", "4 samples", "the base"),
        ("Budget", "8 samples", "not shown"),
        ("Diversity decay", "0.1", "the base"),
        ("Diversity decay", "0.5", "higher"),
        ("Random", "–", "lower"),
    ]
    json.dumps([parts[name] for name in ("answer", "figure", "values")], allow_nan=False)


def test_a_panel_for_each_setting_on_one_axis(tmp_path: Path) -> None:
    made = made_study(tmp_path, {"decay": [0, 0.5], "budget": [8]}, loss, references=["random"])
    found = analysis.sensitivity(tmp_path, store.comparison_info(tmp_path, made))
    figure = setting_panels(
        analysis.sensitivity_table(found),
        analysis.seed_table(found),
        analysis.reference_table(found),
        strategy="iterit",
    )
    layout = figure["layout"]
    assert layout["xaxis"]["ticktext"] == ["4", "8"] and layout["xaxis2"]["ticktext"] == ["0", "0.1", "0.5"]
    assert layout["xaxis2"]["tickvals"] == [0, 1, 2]  # at equal distances
    assert all(trace.get("yaxis", "y") == "y" for trace in figure["data"])
    assert layout["xaxis"]["domain"][1] < layout["xaxis2"]["domain"][0]
    dots, means = (trace for trace in figure["data"] if trace["xaxis"] == "x2")
    assert means["y"] == pytest.approx([2.175, 2.1, 2.4]) and means["error_y"]["array"] == pytest.approx(
        [0.1] * 3
    )
    assert means["marker"]["symbol"] == ["circle", "diamond", "circle"] and len(dots["y"]) == 9
    low, high = layout["yaxis"]["range"]
    assert low < min(dots["y"]) and high > max(dots["y"])
    lines = [shape["y0"] for shape in layout["shapes"] if shape["type"] == "line"]
    assert lines == pytest.approx([2.1, 2.0])  # the base's mean, and random's
    assert "#" not in json.dumps(figure)


def test_what_has_no_result_is_marked(tmp_path: Path) -> None:
    made = made_study(
        tmp_path, {"decay": [0.5]}, loss, state=lambda one: "queued" if one.decay == 0.5 else "done"
    )
    parts = shown(tmp_path, made)
    assert parts["answer"]["title"] == "How much do the settings matter? Nothing can be said yet"
    assert [a["text"] for a in parts["figure"]["layout"]["annotations"]] == ["Diversity decay", "no result"]
    assert parts["values"]["rows"][1]["missing"] == "3 still queued"
    assert parts["values"]["rows"][1]["verdict"]["text"] == "no result"
    keys = [column["key"] for column in parts["values"]["columns"]]
    assert keys[-2] == "missing" and "interval" not in keys  # there is room for one of them
    nothing = made_study(tmp_path, {"decay": [0.5]}, loss, state=lambda one: "queued", name="nothing yet")
    assert shown(tmp_path, nothing)["figure"]["empty"]


def test_crossed_settings_are_a_heat_map_of_the_pair_that_is_chosen(tmp_path: Path) -> None:
    made = made_study(
        tmp_path, {"decay": [0.5], "budget": [8], "update_ratio": [1]}, loss, seeds=(0, 1), cross=True
    )
    parts = shown(tmp_path, made)
    assert parts["heat_box"].visible and parts["pair"].value == "budget update_ratio"
    assert parts["heat"]["data"][0]["x"] == ["1 (whole pool)", "3"]
    parts = shown(tmp_path, made, "update_ratio decay")
    assert (
        parts["heat"]["data"][0]["x"] == ["0.1", "0.5"]
        and parts["heat"]["title"] == "Update ratio and diversity decay together"
    )
    assert "(base)" in parts["heat"]["data"][0]["text"][1][0]
    found = analysis.sensitivity(tmp_path, store.comparison_info(tmp_path, made))
    grid = analysis.grid_table(found, "budget", "decay")
    assert heat_map(grid.assign(final=float("nan")), "budget", "decay")["empty"]


def test_other_comparisons_show_no_study(tmp_path: Path) -> None:
    made = store.create_comparison(tmp_path, "strategies")
    store.add_to_comparison(tmp_path, made, two_strategies(tmp_path, seeds=1))
    assert not panel.study_parts(tmp_path, "compare", made, None)[0].visible
    assert all(row.visible for row in own_answers.rows_shown(tmp_path, "compare", made))
    assert tab.comparison_parts(tmp_path, "compare", made, [], "", "epoch", -1)[1]["title"].startswith(
        "Lowest"
    )


def test_a_study_is_measured_against_its_base(tmp_path: Path) -> None:
    made = made_study(tmp_path, {"decay": [0.5]}, loss, references=["random"])
    _, reference, *_ = tab.offer(tmp_path, "compare", made, [], "", -1)
    assert reference.choices[0][0] == "IterIT (default)"
    parts = tab.comparison_parts(tmp_path, "compare", made, [], "", "epoch", -1)
    assert parts[1] is None  # the lowest of many values is no headline
    assert parts[7] is None  # nor is there a hint at a random ladder
    assert parts[6]["title"] == "Against IterIT, at the end"
    # its figure says what two of the usual rows do; with few arms the others stay
    assert [row.visible for row in own_answers.rows_shown(tmp_path, "compare", made)] == [
        False,
        False,
        True,
        True,
    ]
    other = tab.comparison_parts(tmp_path, "compare", made, [], "Random", "epoch", -1)
    assert other[6]["title"] == "Against Random, at the end"


def test_the_settings_that_a_strategy_ignores_are_those_of_the_form() -> None:
    for strategy in STRATEGY_HELP:
        ignored = {name for name in VARIED if without_effect(name, strategy)}
        assert ignored == WITHOUT_EFFECT.get(strategy, set()) - {"budget"}, strategy


def asked(home: Path, **values: Any) -> dict[str, Any]:
    return {**form.starting_values(home, []), **values}


def test_the_form_says_what_it_would_run(tmp_path: Path) -> None:
    note, button, ready = sensitivity_plan.plan_of(tmp_path, [], asked(tmp_path))
    assert note == sensitivity_plan.NOTHING and not ready
    values = asked(tmp_path, decay="0, 0.1, 0.5", budget="5 %", references="random")
    note, button, ready = sensitivity_plan.plan_of(tmp_path, [], values)
    assert "The base, 3 other values and 1 reference, with 3 seeds: 15 runs" in note["text"]
    assert ready and button == "Queue 15 runs"
    _, _, crossed = sensitivity_plan.plan_of(tmp_path, [], {**values, "cross": True})
    assert crossed
    for wrong, words in (
        ({"decay": "x"}, "Diversity decay: 'x' is not a number"),
        ({"decay": "0, 5"}, "Diversity decay is 5; allowed: 0 to 1"),
        ({"budget": "-1"}, "Budget is -1; allowed: above 0"),
        ({"seeds": "x"}, "'x' is not a seed"),
        ({"epochs": "many"}, "epochs is 'many'"),
        ({"model": "/etc"}, "is not in a folder"),
        ({"seeds": "0-49", "cross": True, "update_ratio": "1, 2"}, "are queued at once"),
    ):
        note, _, ready = sensitivity_plan.plan_of(tmp_path, [], {**values, **wrong})
        assert note["tone"] == "error" and words in note["text"] and not ready


def test_the_form_shows_the_bases_values(tmp_path: Path) -> None:
    start = form.starting_values(tmp_path, [])
    values, seq, drawn, _ = form.on_change(
        tmp_path, [], {"name": "decay", "values": asked(tmp_path, decay="5"), "seq": 4}, start
    )
    fields = {field["name"]: field for field in drawn["fields"]}
    assert values["decay"] == "5" and seq == drawn["seq"] == 4 and not drawn["ready"]
    assert fields["decay"]["placeholder"] == "base 0.1; such as 0, 0.1, 0.5"
    assert fields["budget"]["placeholder"].startswith("base 10 %")
    assert set(fields) == set(start) and drawn["prefix"] == "study"
    with pytest.raises(StudioError, match="the page sent"):
        form.on_change(tmp_path, [], {"name": "x", "values": {**start, "seeds": 3}, "seq": 5}, start)
    gone = {"name": "base", "values": {**start, "base": "run 20200101-000000-abcdef"}, "seq": 6}
    assert form.on_change(tmp_path, [], gone, start)[-1]["tone"] == "error"


def test_the_form_starts_a_study(tmp_path: Path) -> None:
    values = asked(tmp_path, decay="0.5", seeds="0", epochs="1")
    store.save_pool(tmp_path, get_pool(tmp_path, values["pool"]), inputs=["demo"])
    made, *_, note = form.on_start(tmp_path, [], [], {"values": values, "seq": 1}, "me")
    assert note["tone"] == "good"
    info = store.comparison_info(tmp_path, made)
    assert (info.name, info.who, info.kind, len(info.runs)) == (
        "diversity decay on demo",
        "me",
        "sensitivity",
        2,
    )
    assert info.plan["vary"] == {"decay": [0.1, 0.5]} and info.plan["seeds"] == [0]
    _, note = sensitivity_plan.started(tmp_path, [], [], "me", asked(tmp_path))
    assert note["title"] == "Nothing was queued" and "no setting has values" in note["text"]
