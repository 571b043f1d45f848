"""The callbacks of Curate: values in, values out."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from run_folders import make_run, trees

from backend import store
from backend.data import load_pool
from backend.errors import ConfigError, StudioError
from backend.records import Pool
from backend.store import Job
from iterit_ui import layout
from iterit_ui.curate import draw, events, job_status, score_import, tab
from iterit_ui.curate import mark_events as marking
from iterit_ui.curate import settings_form as settings
from iterit_ui.curate.state import CurateState, selection_of
from iterit_ui.samples import marks as actions
from iterit_ui.shared import cutting_hint
from iterit_ui.shared.session import VIEW, settings_of
from iterit_ui.tune.setup_panel import carried

DIVERSITY = {"strategy": "diversity", "budget": 5.0}
WHO = "Ada"
NAMES = (
    "panel",
    "note",
    "cards",
    "complexity",
    "diversity",
    "lengths",
    "bar",
    "map",
    "table",
    "sample",
    "tools",
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def pool(home: Path, tmp_path: Path) -> Pool:
    words = ["oak", "elm", "ash", "fir", "yew", "box", "bay"]
    rows = [
        {
            "instruction": f"q{i}",
            "output": " ".join(words[(i * k) % 7] for k in range(1, 2 + i % 5)),
            "source": "ab"[i % 2],
        }
        for i in range(40)
    ]
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows))
    made = load_pool([path])
    store.save_pool(home, made)
    store.build_search(home, made)
    return made


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What visitors were told in passing."""
    said: list[str] = []
    for name in ("Info", "Warning"):
        monkeypatch.setattr(gr, name, lambda words, *a, **k: said.append(words))
    return said


def at(home: Path, pool: Pool, changed: dict, **given: Any) -> CurateState:
    """Where a visitor is, once the selection of these settings is on screen."""
    return draw.normalised(home, CurateState(pool=pool.id, settings=changed, who=WHO, **given))


def shown_at(home: Path, here: CurateState) -> dict[str, Any]:
    return dict(zip(NAMES, draw.all_values(home, here), strict=True))


def drawn(home: Path, pool: Pool, changed: dict, **given: Any) -> dict[str, Any]:
    """Everything that the tab shows, by name."""
    return shown_at(home, at(home, pool, changed, **given))


def card(shown: dict[str, Any], label: str) -> dict[str, Any]:
    return next(one for one in shown["cards"]["cards"] if one["label"] == label)


def test_a_pool_without_scores_says_what_to_do(home: Path, pool: Pool) -> None:
    shown = drawn(home, pool, {})
    assert "not been scored" in shown["note"]["title"]
    assert card(shown, "Selected")["value"] == "0"
    assert shown["panel"]["groups"][0]["fields"][0]["name"] == "strategy"


def test_diversity_needs_no_scores_and_a_change_is_told(home: Path, pool: Pool) -> None:
    here = at(home, pool, DIVERSITY)
    first = shown_at(home, here)
    assert card(first, "Selected")["value"] == "5" and first["table"]["total"] == 5
    assert card(first, "Last change")["value"] == "–"
    second = draw.normalised(home, replace(here, settings={**DIVERSITY, "budget": 8.0}))
    change = card(shown_at(home, second), "Last change")
    assert (change["value"], change["hint"]) == ("5", "3 added, 0 dropped")


def test_figures_that_nobody_measured_are_said_to_be_unknown(home: Path, pool: Pool) -> None:
    shown = drawn(home, pool, DIVERSITY)
    assert card(shown, "Training time")["value"] == "unknown"
    assert card(shown, "Response tokens")["value"] == "–"
    share = card(shown, "Wording covered")["bar"]
    assert 0 < share < 1
    assert card(drawn(home, pool, {**DIVERSITY, "budget": 40.0}), "Wording covered")["bar"] == pytest.approx(
        1
    )


def test_sources_are_shown_with_their_shares(home: Path, pool: Pool) -> None:
    parts = card(drawn(home, pool, DIVERSITY), "Sources")["parts"]
    assert sum(part["share"] for part in parts) == pytest.approx(1)


def test_pins_and_excludes_are_honoured_at_once_and_taken_back(
    home: Path, pool: Pool, told: list[str]
) -> None:
    def picks() -> list[str]:
        return drawn(home, pool, DIVERSITY)["table"]["ids"]

    first = picks()
    outside = next(str(i) for i in pool.ids if i not in first)
    here = at(home, pool, DIVERSITY)
    there = marking.on_mark("pin")(home, here, {"id": outside})
    assert there.marked == store.curation_revision(home, pool.id) > 0 and picks()[0] == outside
    # another page sees it, once
    seen = events.on_refresh(home, here, {})
    assert seen == draw.normalised(home, there) != here and events.on_refresh(home, seen, {}) == seen
    marking.on_mark("exclude")(home, here, {"id": first[0]})
    assert first[0] not in picks()
    assert settings_of(home, pool.id, {}).pinned == (outside,)
    tools = drawn(home, pool, DIVERSITY)["tools"]
    assert [one["text"] for one in tools["left"]] == ["1 pinned", "1 excluded"]
    assert tools["actions"][0]["label"] == "Undo: excluded 1 sample" and tools["actions"][1]["disabled"]
    for _ in range(2):
        marking.on_undo(False)(home, here, {})
    assert picks() == first
    events.on_tool(home, here, {"key": "redo"})
    assert picks()[0] == outside
    marking.on_undo(True)(home, here, {})
    assert marking.on_undo(True)(home, here, {}) == here
    assert told[-1] == "There is nothing to do again."


def test_a_sample_says_why_and_who_covered_it(home: Path, pool: Pool) -> None:
    shown = drawn(home, pool, DIVERSITY)
    picked = drawn(home, pool, DIVERSITY, sample=shown["table"]["ids"][1])["sample"]
    assert "pick 2 of 5" in picked["why"][0] and picked["terms"]
    assert picked["actions"] == ["pin", "exclude"] and picked["position"] == {"at": 2, "of": 5}
    assert picked["neighbours"] and picked["note"] is None and picked["reach"] is None
    every = drawn(home, pool, DIVERSITY, view={**VIEW, "which": "candidates"})
    others = [i for i in every["table"]["ids"] if i not in shown["table"]["ids"]]
    told = [drawn(home, pool, DIVERSITY, sample=i)["sample"] for i in others]
    assert all("Not selected" in one["why"][0] and one["position"]["at"] is None for one in told)
    covering = {one["id"] for sample in told for one in sample["covered"]}
    assert covering and covering <= set(shown["table"]["ids"])
    assert all(0 <= one["left"] < 1 for sample in told for one in sample["covered"])


def test_from_where_on_a_sample_would_be_picked_is_true(home: Path, pool: Pool) -> None:
    first = drawn(home, pool, DIVERSITY)
    outside = next(str(i) for i in pool.ids if str(i) not in first["table"]["ids"])
    ((there, sample),) = draw.asked_for(home, "reach", at(home, pool, DIVERSITY, sample=outside))
    assert there.asked["sample"] == outside
    answer = sample["reach"][0]["value"]
    budget = float(answer.split()[0].replace(",", ""))
    assert outside in drawn(home, pool, {**DIVERSITY, "budget": budget})["table"]["ids"]
    assert outside not in drawn(home, pool, {**DIVERSITY, "budget": budget - 1})["table"]["ids"]


def test_notes_are_kept_with_who(home: Path, pool: Pool) -> None:
    sample = str(pool.ids[3])
    here = at(home, pool, DIVERSITY, sample=sample)
    marking.on_note(home, here, {"id": sample, "text": " look at this \n"})
    shown = shown_at(home, here)
    assert shown["sample"]["note"]["text"] == "look at this" and shown["sample"]["note"]["who"] == WHO
    listed = drawn(home, pool, DIVERSITY, view={**VIEW, "which": "all"}, filter={"noted": True})["table"]
    assert listed["ids"] == [sample] and listed["marks"] == {sample: ["noted"]}
    marking.on_note(home, here, {"id": sample, "text": ""})
    assert store.notes(home, pool.id) == {}


def test_what_is_ticked_or_the_whole_list_is_marked_in_one_step(
    home: Path, pool: Pool, told: list[str]
) -> None:
    here = at(home, pool, DIVERSITY, filter={"text": "yew"}, view={**VIEW, "which": "all"})
    shown = shown_at(home, here)["table"]
    expected = [str(pool.ids[row]) for row in range(len(pool)) if "yew" in pool.response(row).split()]
    assert sorted(shown["ids"]) == sorted(expected)
    data = {"action": "exclude", "ids": [], "all": True, "list_key": shown["list_key"]}
    assert marking.on_action(home, here, {**data, "list_key": "another"}) == here
    assert "changed in the meantime" in told[-1] and store.marks(home, pool.id) == {}
    marking.on_action(home, here, data)
    assert store.marks(home, pool.id) == dict.fromkeys(expected, "excluded")
    assert not set(expected) & set(drawn(home, pool, DIVERSITY)["table"]["ids"])
    store.undo(home, pool.id, WHO)
    assert store.marks(home, pool.id) == {}
    marking.on_action(home, here, {"action": "note", "ids": expected[:2], "all": False, "text": "twins"})
    assert {note.text for note in store.notes(home, pool.id).values()} == {"twins"}
    assert marking.ids_of_list(home)([shown["list_key"]]) == {"ids": shown["ids"]}
    assert "error" in marking.ids_of_list(home)(["nothing"])


def test_rows_are_exported_as_they_are_listed(home: Path, pool: Pool) -> None:
    here = at(home, pool, DIVERSITY)
    shown = shown_at(home, here)
    ticked = {"action": "export", "ids": shown["table"]["ids"][:3], "all": False}
    values = [getattr(here, name) for name in tab.NAMES]
    with pytest.raises(StudioError, match="open the export again"):
        marking.on_export(home, ticked, *values)
    path = marking.on_export(
        home, {**ticked, "export": {"which": "", "format": "prompt_completion", "ending": "parquet"}}, *values
    )
    again = load_pool([path])
    rows = [pool.row_of[i] for i in shown["table"]["ids"][:3]]
    assert [again.response(k) for k in range(3)] == [pool.response(row) for row in rows]


def test_only_samples_of_the_pool_are_marked(home: Path, pool: Pool) -> None:
    here = at(home, pool, DIVERSITY)
    for data in ({"id": "nobody"}, {"id": ["x"]}, {"id": {"a": 1}}, {}):
        assert marking.on_mark("pin")(home, here, data) == here
        assert events.on_row(home, here, data) == here
    assert store.marks(home, pool.id) == {}


# the filter


def test_a_filter_is_shared_by_table_map_and_charts(home: Path, pool: Pool) -> None:
    shown = drawn(home, pool, DIVERSITY, filter={"sources": ["a"]}, view={**VIEW, "which": "all"})
    assert shown["bar"]["count"] == 20 and shown["table"]["total"] == 20
    assert [chip["label"] for chip in shown["bar"]["chips"]] == ["source a"]
    filtered = [trace for trace in shown["diversity"]["data"] if trace["name"] == "filtered"]
    assert filtered


def test_a_drawn_set_is_named_by_a_key_that_a_link_can_hold(home: Path, pool: Pool) -> None:
    mask = np.zeros(len(pool), dtype=bool)
    mask[[3, 5, 8]] = True
    bits = base64.b64encode(np.packbits(mask, bitorder="little").tobytes()).decode()
    data = {"key": f"{pool.id}/1", "n": len(pool), "count": 3, "bits": bits}
    here = events.on_lasso(home, at(home, pool, DIVERSITY), data)
    assert here.view["which"] == "all" and len(json.dumps(here.filter)) < 60
    shown = shown_at(home, here)
    assert sorted(shown["table"]["ids"]) == sorted(str(pool.ids[row]) for row in (3, 5, 8))
    assert shown["bar"]["chips"][0]["label"] == "3 inside your outline" and shown["map"].get("drawn", 3) == 3
    cleared = events.on_chips_cleared(home, here, {})
    assert cleared.filter == {} and cleared.view["which"] == "selected"
    other = {**data, "key": "ffffffffffffffff/1"}
    assert events.on_lasso(home, here, other) == here


def test_a_range_of_a_chart_lists_its_samples(home: Path, pool: Pool) -> None:
    found = drawn(home, pool, DIVERSITY)
    edges = found["diversity"]["data"][0]["customdata"]
    assert found["diversity"]["brushable"] and not found["complexity"].get("brushable")
    here = at(home, pool, DIVERSITY)
    there = events.on_brush("diversity")(home, here, {"low": 1.0, "high": 2.0})
    assert there.filter == {"diversity": [1.0, 2.0]} and edges
    listed = shown_at(home, there)
    assert listed["diversity"]["brush"]["low"] == 1.0
    assert events.on_brush_removed("diversity")(home, there, {}) == here
    assert events.on_brush("diversity")(home, here, {"low": "x", "high": 2}) == here
    cell = events.on_cell(home, here, {"custom": [0.5, 0.6, 1.0, 2.0, "words"]})
    assert cell.filter == {"complexity": [0.5, 0.6], "diversity": [1.0, 2.0]}


def test_a_search_that_cannot_be_understood_says_so_and_changes_nothing(home: Path, pool: Pool) -> None:
    here = at(home, pool, DIVERSITY, filter={"text": "oak"})
    bad = events.on_search(home, here, {"text": "-"})
    assert (
        bad.filter == here.filter and bad.error and bad.error in shown_at(home, bad)["bar"]["search"]["error"]
    )
    good = events.on_search(home, bad, {"text": "oak -elm"})
    assert good.filter == {"text": "oak -elm"} and not good.error
    assert events.on_search(home, good, {"text": ""}).filter == {}
    assert "characters" in events.on_search(home, here, {"text": "x" * 999}).error


def test_a_link_to_what_is_not_here_keeps_the_page_up_and_says_so(home: Path, pool: Pool) -> None:
    wanted = {"rows": "0" * 16, "sources": ["nowhere"], "text": "oak"}
    shown = drawn(home, pool, DIVERSITY, filter=wanted, view={**VIEW, "which": "all"})
    assert [chip["key"] for chip in shown["bar"]["chips"]] == ["text"]
    assert (
        "0000000000000000" in shown["bar"]["search"]["error"] and "nowhere" in shown["bar"]["search"]["error"]
    )


def test_another_pool_drops_filter_and_view(home: Path, pool: Pool) -> None:
    elsewhere = {"now": "", "before": "", "pool": "ffffffffffffffff"}
    here = at(home, pool, DIVERSITY, filter={"text": "oak"}, view={**VIEW, "page": 7}, seen=elsewhere)
    assert here.filter == {} and here.view == VIEW
    linked = at(home, pool, DIVERSITY, filter={"text": "oak"}, view={**VIEW, "page": 7})
    assert linked.filter == {"text": "oak"} and linked.view["page"] == 7


# the table


def test_the_table_turns_sorts_and_filters() -> None:
    here, home = CurateState(), Path()
    assert events.on_table(home, here, {"page": 2}).view["page"] == 2
    assert events.on_table(home, here, {"column": "complexity"}).view["descending"] is True
    assert events.on_table(home, here, {"key": "all"}).view["which"] == "all"
    assert events.on_table(home, here, {"column": "__class__"}) == here


def test_stepping_goes_through_the_list_and_its_pages(home: Path, pool: Pool) -> None:
    here = at(home, pool, DIVERSITY)
    ids = shown_at(home, here)["table"]["ids"]

    def step(sample: str, by: int) -> str:
        return events.on_step(home, replace(here, sample=sample), {"by": by}).sample

    assert (step("", 1), step(ids[1], 1), step(ids[1], -1), step(ids[4], 1)) == (
        ids[0],
        ids[2],
        ids[0],
        ids[4],
    )
    everybody = at(home, pool, {**DIVERSITY, "budget": 40.0})
    first = shown_at(home, everybody)["table"]["ids"]
    assert events.on_step(home, replace(everybody, sample=first[3]), {"by": -50}).sample == first[0]


# settings


def test_settings_are_differences_from_the_default(home: Path, pool: Pool) -> None:
    assert settings.differences(home, pool.id, {}, decay=0.1, budget=0.05) == {}
    changed = settings.differences(home, pool.id, {}, decay=0.5)
    assert changed == {"decay": 0.5}
    assert settings.differences(home, pool.id, changed, decay=0.1) == {}


def test_budget_as_share_and_as_number(home: Path, pool: Pool) -> None:
    def to(value: Any) -> dict[str, Any]:
        return settings.set_to(home, pool.id, {}, {"name": "budget", "value": value})

    assert to(0.5) == {"budget": 0.5} and to(10) == {"budget": 10.0}
    assert to(2 / 40) == {}  # two samples, which is this pool's default share
    for refused in (1000, 0, -1, 0.01, 1.5, float("nan")):
        with pytest.raises(ConfigError, match=r"allowed: 2 to 40 samples, or 5 % to 100 %"):
            to(refused)
    with pytest.raises(ConfigError, match="number"):
        to("many")


def test_the_panels_budget_is_a_share_of_what_is_not_held_out(tmp_path: Path) -> None:
    make_run(tmp_path)
    pool = trees()
    here = CurateState(pool=pool.id, settings={"budget": 0.5})
    total = draw.panel_value(tmp_path, here)["total"]
    assert total == len(pool) - 6
    assert card(shown_at(tmp_path, here), "Selected")["value"] == str(total // 2)


def test_looking_ahead_is_offered_to_the_strategy_that_remembers(tmp_path: Path) -> None:
    make_run(tmp_path)
    pool = trees()

    def fields(changed: dict[str, Any]) -> list[str]:
        value = settings.settings_value(tmp_path, pool.id, changed, settings.PAST)
        return [field["name"] for field in value["groups"][0]["fields"]]

    assert "ahead" not in fields({}) and "earlier_samples" not in fields({})
    changed = settings.set_to(tmp_path, pool.id, {}, {"name": "strategy", "value": "iterit-cumulative"})
    assert "ahead" in fields(changed) and "earlier_samples" in fields(changed)
    changed = settings.set_to(tmp_path, pool.id, {**changed, "budget": 0.1}, {"name": "ahead", "value": 1})
    assert changed["ahead"] == 1
    here = CurateState(pool=pool.id, settings=changed)
    first = selection_of(tmp_path, replace(here, settings={**changed, "ahead": 0}))
    later = selection_of(tmp_path, here)
    assert not set(later.what.selection.rows) & set(first.what.selection.rows)
    assert later.what.earlier.rows.tolist() == first.what.selection.rows.tolist()
    note = shown_at(tmp_path, draw.normalised(tmp_path, here))["note"]
    assert note["title"] == "What epoch 1 would take" and str(len(first.what.selection)) in note["text"]
    with pytest.raises(ConfigError, match="allowed: 0 to 20"):
        settings.set_to(tmp_path, pool.id, changed, {"name": "ahead", "value": 21})
    # another strategy has nothing to look ahead to
    assert "ahead" not in settings.set_to(tmp_path, pool.id, changed, {"name": "strategy", "value": "random"})


def test_scores_from_a_file_are_kept_chosen_and_told(
    home: Path, pool: Pool, tmp_path: Path, told: list[str]
) -> None:
    file = tmp_path / "0_alpaca.jsonl"
    n = len(pool)
    file.write_text(json.dumps({"index": [*range(n - 1), n], "score": [0.1 + row / 100 for row in range(n)]}))
    key = score_import.on_scores_file(home, pool.id, str(file), "ada")
    assert f"{n - 1} of {n} samples matched by row" in told[-1] and f"no sample: row {n}" in told[-1]
    source = events.score_source(home, pool.id, key)
    assert source.value == key and ("0_alpaca, imported", key) in source.choices
    shown = drawn(home, pool, {"strategy": "complexity", "budget": 2}, scores=key)
    assert shown["table"]["ids"] == [str(pool.ids[n - 2]), str(pool.ids[n - 3])]
    # what is no scores file changes nothing, and says so without the server's folders
    file.write_text("nonsense")
    assert score_import.on_scores_file(home, pool.id, str(file), "ada") == gr.skip()
    assert told[-1].startswith("No scores were imported: 0_alpaca.jsonl cannot be read as JSON")


def test_a_weight_of_a_source(home: Path, pool: Pool) -> None:
    changed = settings.weighed(home, pool.id, {}, {"index": 1, "weight": 0})
    assert changed == {"source_weights": {"b": 0.0}}
    assert settings.weighed(home, pool.id, changed, {"index": 1, "weight": 1}) == {}
    for data in ({"index": 9, "weight": 1}, {"index": True, "weight": 1}, {"index": 0, "weight": "x"}):
        with pytest.raises(ConfigError):
            settings.weighed(home, pool.id, {}, data)


def test_bounds_on_the_share_of_a_source(home: Path, pool: Pool) -> None:
    changed = settings.weighed(home, pool.id, {}, {"index": 1, "least": 10, "most": 30})
    assert changed == {"source_shares": {"b": "0.1-0.3"}}
    rows = settings.settings_value(home, pool.id, changed, settings.PAST)["sources"]["items"]
    assert [(row["least"], row["most"]) for row in rows] == [(0, 100), (10, 30)]
    assert settings.weighed(home, pool.id, changed, {"index": 1, "least": 0, "most": 100}) == {}
    for data in (
        {"index": 9, "least": 1, "most": 2},
        {"index": 0, "least": "x", "most": 2},
        {"index": 0, "least": 1},
    ):
        with pytest.raises(ConfigError):
            settings.weighed(home, pool.id, {}, data)
    weigh = events.on_settings("weigh")
    here = weigh(home, at(home, pool, {}), {"index": 1, "least": 60, "most": 100, "seq": 1})
    refused = weigh(home, here, {"index": 0, "least": 50, "most": 100, "seq": 2})
    assert refused.settings == here.settings == {"source_shares": {"b": "0.6-"}}
    told = draw.panel_value(home, refused)["sources"]["items"]
    assert "110 % together" in told[0]["message"] and told[0]["least"] == 0 and not told[1]["message"]
    shown = drawn(
        home, pool, {"strategy": "diversity", "budget": 4.0, "source_shares": {"a": "-0.25", "b": "-0.25"}}
    )
    assert "2 of 4 places stay empty" in shown["cards"]["cards"][0]["hint"]


def test_every_event_of_the_panel_is_answered(home: Path, pool: Pool) -> None:
    change = events.on_settings("set")
    here = change(home, at(home, pool, {}), {"name": "decay", "value": 0.5, "seq": 4})
    assert here.settings == {"decay": 0.5} and draw.panel_value(home, here)["seq"] == 4
    assert draw.panel_value(home, change(home, here, {"name": "decay", "value": 0.5, "seq": 5}))["seq"] == 5
    bad = change(home, here, {"name": "decay", "value": 7, "seq": 6})
    told = next(f for f in draw.panel_value(home, bad)["groups"][0]["fields"] if f["name"] == "decay")
    assert (
        bad.settings == here.settings
        and "largest allowed value is 1" in told["message"]
        and told["value"] == 0.5
    )
    unknown = change(home, here, {"name": "pinned", "value": "x", "seq": 7})
    assert unknown.settings == here.settings and draw.panel_value(home, unknown)["seq"] == 7


def test_settings_are_taken_back_and_done_again_and_a_drag_is_one_step(home: Path, pool: Pool) -> None:
    here = at(home, pool, {})
    for name, value in (("decay", 0.2), ("decay", 0.3), ("decay", 0.4), ("budget", 0.5)):
        here = events.on_settings("set")(home, here, {"name": name, "value": value})
    assert here.settings == {"decay": 0.4, "budget": 0.5} and len(here.past["undo"]) == 2
    undo, redo = events.on_settings("undo"), events.on_settings("redo")
    here = undo(home, here, {})
    assert here.settings == {"decay": 0.4}
    here = undo(home, here, {})
    assert here.settings == {} and not here.past["undo"]
    here = redo(home, here, {})
    assert here.settings == {"decay": 0.4} and len(here.past["redo"]) == 1
    here = events.on_settings("reset")(home, here, {"name": None})
    assert here.settings == {} and not here.past["redo"]


@pytest.mark.parametrize(("later", "steps"), [(0.1, 1), (60.0, 2), (-3600.0, 2)])
def test_a_change_long_after_another_is_a_step_of_its_own_as_is_one_after_the_clock_was_set_back(
    later: float, steps: int
) -> None:
    once = settings.stepped(settings.PAST, {}, "decay", now=1000.0)
    again = settings.stepped(once, {"decay": 0.2}, "decay", now=1000.0 + later)
    assert len(again["undo"]) == steps


def test_limits_that_cross_are_refused(home: Path, pool: Pool) -> None:
    with pytest.raises(ConfigError, match="above the longest"):
        settings.set_to(
            home, pool.id, {"max_response_tokens": 10}, {"name": "min_response_tokens", "value": 50}
        )


def test_settings_are_saved_compared_and_recalled(home: Path, pool: Pool, told: list[str]) -> None:
    here = at(home, pool, DIVERSITY)
    there = events.on_save(home, here, {"name": "  five   trees ", "seq": 1})
    assert [one["name"] for one in draw.panel_value(home, there)["saved"]] == ["five trees"]
    # neither a name nor a note makes another selection of it, so that ticked rows stay ticked
    assert draw.normalised(home, there).seen == here.seen
    table = draw.compared(home, pool.id, "", {**DIVERSITY, "budget": 8.0}, True)
    assert [row["picked"] for row in table["rows"]] == ["8", "5"] and table["rows"][1]["same"].startswith(
        "5 "
    )
    back = events.on_recall(home, at(home, pool, {}), {"name": "five trees"})
    assert back.settings == DIVERSITY and back.past["undo"] == [{}]
    gone = events.on_forget(home, here, {"name": "five trees"})
    assert draw.panel_value(home, gone)["saved"] == [] and draw.compared(home, pool.id, "", {}, False) is None
    assert events.on_compare(home, here, {}).compared


def test_the_reason_why_nothing_is_selected_is_named(home: Path, pool: Pool) -> None:
    shown = drawn(home, pool, {"strategy": "diversity", "source_weights": {"a": 0.0, "b": 0.0}})
    assert shown["note"]["tone"] == "warn" and "from switched-off sources" in shown["note"]["text"]


def test_the_frontier_marks_the_present_budget(home: Path, pool: Pool) -> None:
    density, frontier, *_ = draw.trade_offs(home, pool.id, "", DIVERSITY)
    assert frontier["data"] and "empty" in density  # without scores there is no complexity
    assert ["empty" in one for one in draw.trade_offs(home, pool.id, "", {})[:2]] == [True, True]


def test_a_name_is_one_short_line() -> None:
    assert actions.name_of("  Ada\n Lovelace ") == "Ada Lovelace"
    assert actions.name_of("") == actions.name_of(None) == "visitor"
    assert len(actions.name_of("x" * 500)) == 40


def test_a_link_to_an_unknown_pool_falls_back(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gr, "Warning", lambda *a, **k: None)
    values = layout.restored(home, {"pool": "ffffffffffffffff", "tab": "curate"})
    assert values[0] == "curate" and values[1] != "ffffffffffffffff"


@pytest.mark.parametrize("stage", ["tfidf", "svd", "umap", "something else", None])
def test_a_map_under_way_says_what_is_done_in_words(stage: str | None) -> None:
    info = Job(id="map-x", kind="map", subject="x", state="running", stage=stage)
    words = job_status.map_job_value(info)["text"]
    assert words and words not in ("tfidf", "svd", "umap")


def chinese_pool(home: Path, tmp_path: Path) -> Pool:
    rows = [
        {"instruction": "问", "output": f"{'天地玄黄宇宙洪荒'[i % 8]}日月盈昃{'辰宿列张寒来暑往'[i // 8]}"}
        for i in range(40)
    ]
    path = tmp_path / "chinese.json"
    path.write_text(json.dumps(rows))
    made = load_pool([path])
    store.save_pool(home, made)
    return made


def test_words_that_fit_better_are_one_click_away(home: Path, tmp_path: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(cutting_hint.pool_work, "start_work", lambda *_: None)
    made = chinese_pool(home, tmp_path)
    assert cutting_hint.note_value(home, pool.id, {}) is None
    hint = cutting_hint.note_value(home, made.id, {})
    assert hint["title"].startswith("100 %") and hint["action"]["key"] == "unicode"
    before = draw.all_values(home, at(home, made, DIVERSITY))[8]
    assert cutting_hint.on_choice(home, made.id, {"words": "paper", "decay": 0.5}, {"key": "unicode"}) == [1, {"decay": 0.5}]  # fmt: skip
    assert cutting_hint.note_value(home, made.id, {}) is None
    assert cutting_hint.note_value(home, made.id)["action"]["key"] == "paper"  # Data: it can be taken back
    assert cutting_hint.note_value(home, made.id, {"words": "paper"})["action"]["key"] == "unicode"
    assert settings_of(home, made.id, {}).words == "unicode"
    shown = at(home, made, DIVERSITY)
    assert draw.all_values(home, shown)[8] != before
    panel = draw.all_values(home, shown)[0]
    (field,) = [one for group in panel["groups"] for one in group["fields"] if one["name"] == "words"]
    assert field["value"] == field["default"] == "unicode" and len(field["options"]) == 2
    assert settings.set_to(home, made.id, {}, {"name": "words", "value": "paper"}) == {"words": "paper"}
    assert carried(home, made.id, {})["words"] == "unicode"
    assert carried(home, made.id, {"words": "paper"})["words"] == "paper"
    assert [gr.skip()] * 2 == cutting_hint.on_choice(home, made.id, {}, {"key": "letters"})


def test_saved_settings_keep_their_words(home: Path, tmp_path: Path, told: list[str]) -> None:
    made = chinese_pool(home, tmp_path)
    plain = events.on_save(home, at(home, made, DIVERSITY), {"name": "plain"})
    store.set_pool_words(home, made.id, "unicode")
    events.on_save(home, at(home, made, DIVERSITY), {"name": "by character"})
    assert events.on_recall(home, plain, {"name": "plain"}).settings == {**DIVERSITY, "words": "paper"}
    assert events.on_recall(home, plain, {"name": "by character"}).settings == DIVERSITY
