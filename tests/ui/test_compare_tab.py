"""The Compare tab's callbacks as plain functions: what is shown, started, written into runs, and deleted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from backend import store
from backend.errors import StudioError
from backend.jobs import comparison_start, lifecycle
from iterit_ui.compare import run_deletion, runs_table, start_form, start_plan, tab, views
from iterit_ui.plots import comparison_losses as plots
from iterit_ui.shared.session import first_pool, get_pool
from tests.unit.compared import made_run, random_ladder, two_strategies

ORDER = ("note", "answer", "final", "differ", "course", "strategies", "against", "worth", "curve", "multipliers", "ladder", "overlap", "lengths", "sources", "noise", "settings", "missing", "body")  # fmt: skip


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is started."""
    monkeypatch.setattr(lifecycle, "pump", lambda home, **_: [])


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was told to the visitor."""
    said: list[str] = []
    for module in (runs_table, run_deletion, tab):
        monkeypatch.setattr(module.gr, "Warning", said.append)
        monkeypatch.setattr(module.gr, "Info", said.append)
    return said


def shown(
    home: Path, ids: list[str], *, reference: str = "", over: str = "epoch", epoch: int = -1
) -> dict[str, Any]:
    values = views.results(home, "", ids, reference, over, epoch)
    assert len(values) == len(ORDER)
    parts = dict(zip(ORDER, values, strict=True))
    assert all(isinstance(parts[name], gr.Column) for name in ("ladder", "body"))  # a layout takes no None
    return parts


def test_results_of_a_comparison(tmp_path: Path) -> None:
    parts = shown(tmp_path, two_strategies(tmp_path))
    assert parts["note"] is None
    assert parts["answer"]["title"] == "Lowest at the end: IterIT, 1.6100 ± 0.1100 (3 seeds)"
    assert "lower, by more than the spread between seeds" in parts["answer"]["text"]
    assert [row["arm"] for row in parts["strategies"]["rows"]] == ["IterIT", "Random"]
    assert parts["against"]["rows"][0]["verdict"] == {"text": "lower", "tone": "pinned"}
    assert parts["missing"] is None
    strategy = next(row for row in parts["settings"]["rows"] if row["name"] == "strategy")
    assert set(strategy.values()) == {"strategy", "IterIT", "Random"}
    json.dumps(
        {name: value for name, value in parts.items() if name not in ("body", "ladder")}
    )  # no NaN objects of other kinds
    assert [item["label"] for item in parts["course"]["legend"]] == ["IterIT", "Random"]
    assert parts["noise"]["data"][0]["y"] == ["IterIT", "Random"]


def test_nothing_is_compared_yet(tmp_path: Path) -> None:
    for parts in (shown(tmp_path, []), shown(tmp_path, ["20200101-000000-abcdef"])):
        assert parts["note"]["title"] and not parts["ladder"].visible and not parts["body"].visible
        assert all(value is None for name, value in parts.items() if name not in ("note", "ladder", "body"))


def test_one_seed_shows_no_difference(tmp_path: Path) -> None:
    parts = shown(tmp_path, two_strategies(tmp_path, seeds=1))
    assert "one seed: differences cannot be judged" in parts["answer"]["text"]
    assert parts["against"]["rows"][0]["verdict"]["text"] == "unknown"
    assert "error_x" not in parts["differ"]["data"][0]


def test_without_a_random_ladder_it_says_how_to_get_one(tmp_path: Path) -> None:
    parts = shown(tmp_path, two_strategies(tmp_path))
    assert start_form.LABEL["ladder"] in parts["worth"]["text"]
    assert parts["curve"] is None and parts["multipliers"] is None and parts["ladder"].visible is False


def test_whether_selecting_is_worth_it(tmp_path: Path) -> None:
    ids = [*two_strategies(tmp_path), *random_ladder(tmp_path, {1: 3.0, 2: 2.5, 4: 2.0, 8: 1.5, 16: 1.0})]
    parts = shown(tmp_path, ids)
    assert parts["ladder"].visible
    assert parts["worth"]["tone"] == "good"
    assert parts["worth"]["text"].startswith("IterIT ends where fresh random draws need 2.0 times the steps")
    iterit, random = parts["multipliers"]["rows"]
    assert (iterit["arm"], iterit["times"], iterit["compute"]) == ("IterIT", "2.0", "2.0")
    assert (random["times"], random["steps"]) == ("1", "4")
    # the ladder is a curve, and no clutter among the strategies
    assert [row["arm"] for row in parts["strategies"]["rows"]] == [
        "IterIT",
        "Random",
        "Random, redrawn each epoch",
    ]
    line = next(trace for trace in parts["curve"]["data"] if trace["mode"] == "lines+markers")
    assert line["x"] == [1, 2, 4, 8, 16] and line["error_y"]["array"][0] == pytest.approx(0.1)
    crossings = [trace for trace in parts["curve"]["data"] if trace["marker"].get("symbol") == "diamond-open"]
    assert crossings[0]["x"][0] == pytest.approx(4 * 2 ** (0.49 / 0.5)) and len(crossings) == 2
    json.dumps([parts["worth"], parts["curve"], parts["multipliers"]], allow_nan=False)


def test_what_does_not_pay_is_said_without_praise(tmp_path: Path) -> None:
    ids = [*two_strategies(tmp_path), *random_ladder(tmp_path, {1: 1.0, 4: 1.2})]
    parts = shown(tmp_path, ids)
    assert parts["worth"]["tone"] == "info" and "did not pay here" in parts["worth"]["text"]
    one = shown(tmp_path, ids[:2] + random_ladder(tmp_path, {1: 1.0, 4: 1.2}, seeds=1, decay=0.3))
    assert "two lengths are needed" in one["worth"]["text"] and one["curve"]["empty"]


def test_what_is_missing_is_said_first(tmp_path: Path) -> None:
    ids = two_strategies(tmp_path)
    ids.append(made_run(tmp_path, (3.0,), strategy="longest", state="failed"))
    parts = shown(tmp_path, ids)
    assert parts["note"]["tone"] == "warn" and "1 of 7 runs are not done" in parts["note"]["text"]
    assert parts["missing"]["rows"][0]["why"] == "failed: out of memory"
    assert parts["strategies"]["rows"][-1]["final"] == "–"


def test_nothing_chosen_says_what_to_do(tmp_path: Path) -> None:
    parts = shown(tmp_path, [])
    assert parts["note"]["tone"] == "empty" and parts["final"] is None
    assert "cannot be compared" in shown(tmp_path, ["20200101-000000-abcdef"])["note"]["title"]


def test_colours_stay_with_the_strategy() -> None:
    look = plots.looks([("iterit, decay 0.5", "iterit"), ("random", "random"), ("iterit", "iterit")])
    assert (
        look["iterit"][0] == look["iterit, decay 0.5"][0]
        and look["iterit"][1] != look["iterit, decay 0.5"][1]
    )
    assert look["random"][0] != look["iterit"][0]


def test_the_newest_comparison_is_shown_and_changes_are_seen(tmp_path: Path) -> None:
    ids = two_strategies(tmp_path)
    made = store.create_comparison(tmp_path, "mine")
    store.add_to_comparison(tmp_path, made, ids)
    comparison, mark, _ = tab.comparison_values(tmp_path, "compare", "", [], "")
    assert comparison == made
    store.label_run(tmp_path, ids[0], tags=["x"])
    _, other, _ = tab.comparison_values(tmp_path, "compare", made, [], mark)
    assert isinstance(other, str) and other != mark
    assert views.runs_of(tmp_path, made, []) == ids
    assert views.runs_of(tmp_path, "c20200101-000000-abcdef", ids) == []


def test_chosen_runs_are_kept_under_a_name(tmp_path: Path, warned: list[str]) -> None:
    ids = two_strategies(tmp_path)
    made, _ = tab.keep(tmp_path, "mine", ids, "me")
    assert store.comparison_info(tmp_path, made).runs == tuple(ids)
    tab.keep(tmp_path, " ", ids, "me")
    assert "Not saved" in warned[0]


def test_a_reference_of_another_comparison_is_not_asked_for(tmp_path: Path) -> None:
    values = tab.comparison_parts(tmp_path, "compare", "", two_strategies(tmp_path), "longest", "epoch", -1)
    assert values[0] is None  # no error


def test_the_form_says_what_it_would_run(tmp_path: Path) -> None:
    given = [first_pool(), "demo", "demo", ["random", "iterit"], True, "0,1", "", ""]
    note, button, ready = start_plan.plan_of(tmp_path, [], *given)
    assert "3 strategies with 2 seeds: 6 runs" in note["text"] and "full is stopped after 84" in note["text"]
    assert ready and button == "Queue 6 runs"
    for at, wrong, words in ((5, "x", "seeds"), (6, "much", "budget is 'much'"), (1, "/etc", "is not in a folder"), (0, None, "no pool")):  # fmt: skip
        note, _, ready = start_plan.plan_of(tmp_path, [], *given[:at], wrong, *given[at + 1 :])
        assert note["tone"] == "error" and words in note["text"] and not ready
    more, button, _ = start_plan.plan_of(tmp_path, [], *given, True)
    assert "Of these 8 runs and 1,134 steps are for the compute multiplier" in more["text"]
    assert "4 strategies with 2 seeds: 16 runs" in more["text"] and button == "Queue 16 runs"
    one, _, _ = start_plan.plan_of(tmp_path, [], *given[:5], "0", *given[6:])
    assert "With one seed there is no spread" in one["text"]


def test_the_form_holds_what_was_typed_and_says_what_is_wrong(tmp_path: Path) -> None:
    start = start_form.starting_values(tmp_path, [])
    there = {**start, "seeds": "x"}
    values, seq, form, note = start_form.on_change(
        tmp_path, [], {"name": "seeds", "values": there, "seq": 3}, start
    )
    fields = {field["name"]: field for field in form["fields"]}
    assert values == there and seq == form["seq"] == 3 and not form["ready"] and "seed" in note["text"]
    assert (fields["seeds"]["value"], fields["seeds"]["default"]) == ("x", "0-4")
    assert set(start_form.HELP) | set(start_form.PLACEHOLDER) <= set(fields) == set(start)
    # what is typed stays when the tab is opened again
    again = start_form.on_open(tmp_path, [], "", values, seq)
    assert again[0] == there and again[2]["seq"] == 3


@pytest.mark.parametrize("wrong", [None, {}, {"seeds": 3}, {"seeds": "1" * 5000}, {"equal": "yes"}])
def test_what_the_form_does_not_have_is_refused(tmp_path: Path, wrong: Any) -> None:
    start = start_form.starting_values(tmp_path, [])
    with pytest.raises(StudioError, match="the page sent"):
        start_form.checked_values(tmp_path, [], {**start, **wrong} if wrong else wrong)


def test_arms_may_train_on_as_much_text_as_a_run_did(tmp_path: Path) -> None:
    run = made_run(tmp_path, (3.0, 2.5, 2.0))
    start = start_form.starting_values(tmp_path, [])
    asked = {
        "name": "base",
        "values": {**start, "base": f"run {run}", "strategies": "iterit", "seeds": "0,1"},
    }
    values, _, form, _ = start_form.on_change(tmp_path, [], {**asked, "seq": 1}, start)
    field = next(field for field in form["fields"] if field["name"] == "tokens")
    assert [option["value"] for option in field["options"]] == ["", run]
    configs = start_plan.asked_for(tmp_path, [], *start_form.given({**values, "tokens": run})).configs
    made = [(one.strategy, one.seed) for one in configs]
    assert made == [
        ("iterit", 0), ("random-each-epoch", 0), ("full", 0), ("iterit", 1), ("random-each-epoch", 1), ("full", 1),
    ]  # fmt: skip
    assert all(("response tokens" in one.name) == (one.strategy != "iterit") for one in configs)


def test_a_run_brings_its_pool_and_model_to_the_form(tmp_path: Path) -> None:
    run = made_run(tmp_path, (3.0,))
    info, start = store.run_info(tmp_path, run), start_form.starting_values(tmp_path, [])
    asked = {"name": "base", "values": {**start, "base": f"run {run}"}, "seq": 1}
    values, _, form, _ = start_form.on_change(tmp_path, [], asked, start)
    fields = {field["name"]: field for field in form["fields"]}
    assert (values["pool"], values["model"]) == (info.pool_id, info.model)
    assert fields["pool"]["off"] and fields["model"]["off"]
    assert info.pool_id in [option["value"] for option in fields["pool"]["options"]]
    gone = {"name": "base", "values": {**start, "base": "run 20200101-000000-abcdef"}, "seq": 2}
    kept, _, form, note = start_form.on_change(tmp_path, [], gone, values)
    assert kept == values and form["seq"] == 2 and note["tone"] == "error"
    # the page's other pool does not change that; a preset does
    assert start_form.on_open(tmp_path, [], first_pool(), values, 1)[0] == values
    back = {"name": "base", "values": {**values, "base": "paper"}, "seq": 3}
    values, _, form, _ = start_form.on_change(tmp_path, [], back, values)
    assert (values["pool"], values["model"]) == (start["pool"], start["model"])
    assert not any(field.get("off") for field in form["fields"])


def test_the_form_starts_a_comparison(tmp_path: Path) -> None:
    given = [first_pool(), "demo", "demo", ["random", "iterit"], False, "0", "20", "1"]
    store.save_pool(tmp_path, get_pool(tmp_path, first_pool()), inputs=["demo"])
    made, note = start_plan.started(tmp_path, [], [], "me", "", *given)
    assert note["tone"] == "good"
    info = store.comparison_info(tmp_path, made)
    assert (info.name, info.who, len(info.runs)) == ("2 strategies on demo", "me", 2)
    configs = [store.read_config(tmp_path, run) for run in info.runs]
    assert {(one.budget, one.epochs, one.held_out) for one in configs} == {(20, 1, "demo")}


def test_settings_and_samples_of_a_run_are_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison_start.analysis, "preflight", lambda one, rows, home=None: [])
    run = made_run(tmp_path, (3.0,), decay=0.5)
    made, _ = start_plan.started(
        tmp_path, [], [], "", "again", None, None, f"run {run}", ["random"], False, "7", "", ""
    )
    again = store.comparison_info(tmp_path, made).runs[0]
    config = store.read_config(tmp_path, again)
    assert (config.decay, config.seed, config.strategy) == (0.5, 7, "random")
    assert store.read_run_pool(tmp_path, again) == store.read_run_pool(tmp_path, run)


def test_runs_are_listed_searched_and_sorted(tmp_path: Path) -> None:
    ids = two_strategies(tmp_path)
    failed = made_run(tmp_path, (), picks=(), state="failed", name="<img src=x>")
    asked = dict(runs_table.ASKED)
    value = runs_table.table_value(tmp_path, asked, "")
    assert value["ids"][0] == failed and value["total"] == 7 and value["rows"][0]["name"] == "<img src=x>"
    by_loss = runs_table.asking("sort", asked, {"column": "loss"})
    assert (
        runs_table.table_value(tmp_path, by_loss, "")["ids"][-1] == failed
    )  # not measured: last, either way round
    again = runs_table.asking("sort", by_loss, {"column": "loss"})
    assert runs_table.table_value(tmp_path, again, "")["ids"][-1] == failed
    words = runs_table.asking("search", asked, {"text": "iterit"})
    assert len(runs_table.table_value(tmp_path, words, "")["ids"]) == 4  # the failed one is iterit too
    for name, data in (("sort", {"column": "pid"}), ("filter", {"key": "x"}), ("search", {"text": 3})):
        assert runs_table.asking(name, asked, data) == asked
    assert set(ids) < set(value["ids"])


def test_texts_are_written_in_their_cells(tmp_path: Path, warned: list[str]) -> None:
    run = two_strategies(tmp_path, seeds=1)[0]
    for column, text in (("name", "other"), ("tags", "a,  b,,a"), ("notes", "why")):
        runs_table.edited(tmp_path, 0, {"id": run, "column": column, "text": text})
    info = store.run_info(tmp_path, run)
    assert (info.name, info.tags, info.notes) == ("other", ("a", "b"), "why")
    for data in ({"id": run, "column": "name", "text": "  "}, {"id": run, "column": "state", "text": "done"}, {"id": "../x", "column": "name", "text": "x"}, {}):  # fmt: skip
        runs_table.edited(tmp_path, 0, data)
    assert len(warned) == 4 and store.run_info(tmp_path, run).name == "other"


def test_ticked_runs_are_compared_and_added(tmp_path: Path) -> None:
    ids = two_strategies(tmp_path)
    asked = dict(runs_table.ASKED)
    comparison, chosen, _, _ = runs_table.acted(
        tmp_path, asked, "c1", [], 0, {"action": "compare", "ids": [*ids[:2], "x"], "all": False}
    )
    assert comparison == "" and set(chosen) == set(ids[:2])
    _, more, _, _ = runs_table.acted(tmp_path, asked, "", chosen, 0, {"action": "add", "ids": ids[1:3]})
    assert set(more) == set(ids[:3])
    _, every, _, _ = runs_table.acted(
        tmp_path, asked, "", [], 0, {"action": "compare", "ids": [], "all": True}
    )
    assert set(every) == set(ids)


def test_deleting_asks_first_and_twice_for_what_was_exported(tmp_path: Path, warned: list[str]) -> None:
    a, b = two_strategies(tmp_path, seeds=1)
    queued = made_run(tmp_path, (), picks=(), state="queued", name="in the queue")
    store.note_export(tmp_path, a, 1, rows=4, file="/tmp/picked.jsonl", who="somebody")
    asked = dict(runs_table.ASKED)
    _, _, pending, _ = runs_table.acted(
        tmp_path, asked, "", [], 0, {"action": "delete", "ids": [a, b, queued]}
    )
    assert len(store.runs(tmp_path)) == 3  # asked, not done
    box, words, _ = run_deletion.question(tmp_path, pending)
    assert box.visible and words["title"] == "Delete 2 runs?"
    assert any("exported 1 time" in line for line in words["steps"])
    assert any("in the queue is queued and cannot be deleted" in line for line in words["steps"])
    pending, _ = run_deletion.confirmed(tmp_path, pending, "me", 0)
    assert {info.id for info in store.runs(tmp_path)} == {a, queued}  # the exported one is asked about again
    box, words, button = run_deletion.question(tmp_path, pending)
    assert (
        "only record" in words["text"]
        and "picked.jsonl" in words["steps"][0]
        and "only record" in button.value
    )
    pending, _ = run_deletion.confirmed(tmp_path, pending, "me", 0)
    assert pending == {} and [info.id for info in store.runs(tmp_path)] == [queued]


def test_deleted_runs_come_back_or_are_erased(tmp_path: Path, warned: list[str]) -> None:
    a, b = two_strategies(tmp_path, seeds=1)
    for run in (a, b):
        store.delete_run(tmp_path, run)
    asked = runs_table.asking("filter", dict(runs_table.ASKED), {"key": "deleted"})
    assert set(runs_table.table_value(tmp_path, asked, "")["ids"]) == {a, b}
    runs_table.acted(tmp_path, asked, "", [], 0, {"action": "restore", "ids": [a]})
    assert [info.id for info in store.runs(tmp_path)] == [a]
    # an action of the other list is not taken
    runs_table.acted(tmp_path, asked, "", [], 0, {"action": "delete", "ids": [b]})
    assert "asked for" in warned[-1]
    _, _, pending, _ = runs_table.acted(tmp_path, asked, "", [], 0, {"action": "erase", "ids": [b]})
    assert "for good" in run_deletion.question(tmp_path, pending)[1]["title"]
    run_deletion.confirmed(tmp_path, pending, "me", 0)
    assert store.runs(tmp_path, deleted=True) == []


def test_a_run_is_opened_on_another_tab(tmp_path: Path) -> None:
    run = two_strategies(tmp_path, seeds=1)[0]
    assert runs_table.bar_value(tmp_path, run)["actions"][1]["disabled"] is False  # type: ignore[index]
    opened, epoch, tabs = runs_table.opening(tmp_path, run, {"key": "epochs"})
    assert (opened, epoch, tabs.selected) == (run, 1, "epochs")
    assert runs_table.bar_value(tmp_path, "x") is None


def test_damaged_files_of_runs_are_named_above_the_list(tmp_path: Path) -> None:
    ids = two_strategies(tmp_path)
    assert runs_table.damage_value(tmp_path) is None
    (tmp_path / ids[0] / "config.json").write_text("{")
    value = runs_table.damage_value(tmp_path)
    assert value is not None and value["title"] == "1 file of runs cannot be read"
    assert value["steps"][0].startswith(f"{ids[0]}/config.json is damaged (")
    assert set(ids) == set(runs_table.table_value(tmp_path, dict(runs_table.ASKED), "")["ids"])
