"""A response corrected on the page, find and replace over a list, and what both screens say of it."""

from __future__ import annotations

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
from backend.jobs import pool_work
from backend.records import Pool, Status
from iterit_ui.curate import draw, events, job_status
from iterit_ui.curate import mark_events as marking
from iterit_ui.curate.state import CurateState, selection_view
from iterit_ui.data import bulk_marks, lists, sample_panel, views
from iterit_ui.data import events as data_events
from iterit_ui.epochs.run_history import read_history
from iterit_ui.samples import edit_response, replace_all
from iterit_ui.shared import pool_health, selections
from iterit_ui.shared.session import get_pool

WHO = "Ada"
SETTINGS = {"strategy": "diversity", "budget": 5.0}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def pool(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pool:
    rows = [{"instruction": f"q{i}", "output": f"the oak {i} and the elm {i % 5}"} for i in range(20)]
    rows[3]["output"] = "n/a"
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows))
    made = load_pool([path])
    store.save_pool(home, made)
    monkeypatch.setattr(pool_work.lifecycle, "pump", lambda home, **_: [])  # no process is started
    return made


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    for name in ("Info", "Warning"):
        monkeypatch.setattr(gr, name, lambda words, *a, **k: said.append(words))
    return said


def at(home: Path, pool: Pool, **given: Any) -> CurateState:
    return draw.normalised(home, CurateState(pool=pool.id, settings=SETTINGS, who=WHO, **given))


def test_a_response_is_edited_shown_and_taken_back(home: Path, pool: Pool, told: list[str]) -> None:
    sample = str(pool.ids[4])
    here = at(home, pool, sample=sample)
    typed = "<script>x</script> other words"
    there = marking.on_edit(home, here, {"id": sample, "text": typed})
    assert there.marked == store.curation_revision(home, pool.id) > here.marked
    drawn = draw.all_values(home, draw.normalised(home, there))
    panel, tools = drawn[9], drawn[10]
    assert panel["response"] == typed  # as text: the page never reads it as HTML
    assert "edited" in [badge["label"] for badge in panel["badges"]]
    assert panel["edit"]["edited"]["who"] == WHO
    assert panel["edit"]["edited"]["original"] == pool.response(4)
    assert tools["left"][0]["text"] == "1 edited" and tools["actions"][0]["label"] == "Undo: edited 1 sample"
    # others see it in their panel, in the list and by the filter
    assert events.on_refresh(home, here, {}).marked == there.marked
    listed = draw.filter_values(home, events.on_tool(home, there, {"key": "edited"}))[-1]
    assert listed["ids"] == [sample] and listed["marks"][sample] == ["edited"]
    # the same text again, a refused one and an unknown sample change nothing
    for text in (typed, "  ", 7):
        assert marking.on_edit(home, there, {"id": sample, "text": text}) == there
    assert marking.on_edit(home, there, {"id": "nobody", "text": "x"}) == there
    assert told[-2] == "The response is the same as before." and "cannot be empty" in told[-1]
    back = marking.on_edit(home, there, {"id": sample, "text": None})
    assert draw.all_values(home, draw.normalised(home, back))[9]["edit"]["edited"] is None
    marking.on_undo(False)(home, back, {})
    assert told[-1] == "Taken back: took back the edit of 1 sample."
    assert get_pool(home, pool.id).response(4) == typed


def test_the_text_area_gets_the_response_as_it_is_and_keeps_its_line_ends(home: Path, pool: Pool) -> None:
    response, check = edit_response.functions(home)
    sample = str(pool.ids[4])
    assert response([pool.id, sample]) == {"text": pool.response(4), "hides": False}
    assert check([pool.id, sample, "fine"]) == {"error": ""}
    assert "cannot be empty" in check([pool.id, sample, " "])["error"]
    assert "not in this pool" in response([pool.id, "nobody"])["error"] and "error" in response([])
    assert edit_response.as_typed("a\r\nb", "a\nb") == "a\r\nb"
    assert edit_response.as_typed("a\r\nb", "a\nc") == "a\r\nc"
    assert edit_response.as_typed("a\nb", "a\r\nc") == "a\nc"


def test_an_edited_sample_is_unscored_until_it_is_scored_anew(
    home: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    run, pool = make_run(home, epochs=1), trees()
    settings = {"strategy": "iterit", "budget": 5.0}
    here = CurateState(pool=pool.id, settings=settings, scores=f"{run}/0", who=WHO)
    picked = int(selection_view(home, here).shown.what.selection.rows[0])
    store.set_responses(home, pool.id, {str(pool.ids[picked]): "words that nobody scored"})
    shown = selection_view(home, here).shown
    assert picked not in shown.what.selection.rows
    assert shown.what.selection.status[picked] == Status.UNSCORABLE
    opened = draw.all_values(home, replace(here, sample=str(pool.ids[picked])))[9]
    assert opened["badges"][0]["label"] == "not scored" and "edited since it was scored" in opened["why"][0]
    counts = {part["label"]: int(part["value"]) for part in draw.all_values(home, here)[2]["legend"]}
    assert counts["edited, not scored anew"] == 1
    assert counts["unscorable"] + 1 == (shown.what.selection.status == Status.UNSCORABLE).sum()
    edited = draw.trade_offs(home, pool.id, here.scores, settings)[3]
    assert edited["title"].startswith("1 edited sample has no score")
    assert edited["action"]["label"] == "Score 1 edited sample anew"
    started: list[Any] = []
    monkeypatch.setattr(job_status, "score_edited", lambda *given: started.append(given) or run)
    after = job_status.edited_scored(home, pool.id, here.scores)
    assert started == [(home, pool.id, here.scores)] and (after[0], after[3]) == (run, None)
    # scores of the edited pool are offered first: nothing of them is stale
    new = store.create_run(home, store.read_config(home, run), store.edited_pool(home, pool.id))
    store.write_epoch(home, new, store.read_epoch(home, run, 0))
    assert selections.scores_key(home, pool.id, "") == f"{new}/0"
    assert job_status.edited_value(home, pool.id, f"{new}/0") is None
    labels = {key: label for label, key in selections.scores_choices(home, pool.id)}
    assert "(1 edited since)" in labels[f"{run}/0"]
    # the run that was there before shows what it was trained on
    history = read_history(home, run)
    assert history is not None and history.pool.response(picked) == pool.response(picked)


def test_find_and_replace_is_previewed_and_one_step_of_undo(home: Path, pool: Pool, told: list[str]) -> None:
    here = at(home, pool)
    table = draw.list_values(home, here)[0]
    preview = replace_all.preview_function(home, marking.list_of_key(home))
    asked = {"find": "THE", "replacement": "a", "regex": False, "case": False}
    found = preview([table["list_key"], None, asked])
    assert (found["samples"], found["listed"], found["pool"]) == (found["listed"], 5, pool.id)
    assert found["shown"][0]["before"][1] == "the" and found["shown"][0]["after"][1] == "a"
    two = table["ids"][:2]
    assert preview([table["list_key"], two, asked])["samples"] == 2
    assert "no longer on screen" in preview(["gone", None, asked])["error"]
    assert "type what to find" in preview([table["list_key"], None, {**asked, "find": ""}])["error"].lower()
    for bad in ([], [table["list_key"], None, None], [table["list_key"], None, {"find": 1}]):
        assert preview(bad)["error"]
    act = {"action": "replace", "ids": [], "all": True, "list_key": table["list_key"]}
    there = marking.on_action(home, here, {**act, "text": json.dumps({**asked, "pool": found["pool"]})})
    assert len(store.edits(home, pool.id)) == 5 and told[-1].startswith("Replaced 10 places in 5 samples")
    # what was previewed is another pool now
    late = {**act, "ids": two, "all": False, "text": json.dumps({**asked, "pool": found["pool"]})}
    assert marking.on_action(home, there, late) == there and "since the preview" in told[-1]
    assert marking.on_action(home, there, {**late, "text": "not json"}) == there
    marking.on_undo(False)(home, there, {})
    assert store.edits(home, pool.id) == {}


def test_data_shows_edits_and_no_longer_what_they_mended(home: Path, pool: Pool, told: list[str]) -> None:
    from backend import findings

    store.build_search(home, pool)
    texts = findings.prompt_texts(pool), findings.response_texts(pool)
    store.save_content(home, pool.id, findings.content_findings(*texts))
    view = dict(lists.VIEW)
    cards = lambda: {card["key"]: card for card in views.cards_value(home, pool.id, view)["cards"]}  # noqa: E731
    assert "edited" not in cards() and cards()["no_content"]["value"] == "1"
    sample = str(pool.ids[3])
    revision, did = data_events.edited(home, pool.id, WHO, {"id": sample, "text": "the yew and the box"})
    assert revision == store.curation_revision(home, pool.id) and did["text"] == "Edited 1 sample."
    assert cards()["edited"]["value"] == "1" and cards()["no_content"]["value"] == "0"
    assert pool_health.finding_rows(home, pool.id, "no_content").tolist() == []
    listed = views.table_value(home, pool.id, {**view, "which": "edited"}, sample)
    assert listed["ids"] == [sample] and listed["rows"][0]["response"] == "the yew and the box"
    head = bulk_marks.finding_value(home, pool.id, {**view, "which": "edited"}, sample, did)
    assert head["title"] == "Edited responses" and head["buttons"] == [] and head["done"]["undo"] == "Undo"
    found = lists.samples(home, pool.id, {**view, "text": "yew"})
    assert found.rows.tolist() == [3]
    shown = sample_panel.sample_value(home, pool.id, sample, view, asked=False, read=None)
    assert shown["edit"]["edited"]["original"] == "n/a" and shown["response"] == "the yew and the box"
    # over the list of a search, from Data
    key = views.table_value(home, pool.id, {**view, "text": "yew"}, "")["list_key"]
    asked = {"find": "yew", "replacement": "bay", "regex": True, "case": True}
    previewed = replace_all.preview_function(home, bulk_marks.list_of_key(home))([key, None, asked])
    assert (previewed["samples"], previewed["listed"]) == (1, 1)
    event = {
        "action": "replace",
        "ids": [sample],
        "all": False,
        "text": json.dumps({**asked, "pool": previewed["pool"]}),
    }
    bulk_marks.table_act(home, pool.id, view, WHO, event)
    assert get_pool(home, pool.id).response(3) == "the bay and the box"
    bulk_marks.taken_back(home, pool.id, WHO)
    bulk_marks.taken_back(home, pool.id, WHO)
    assert get_pool(home, pool.id) is not None and cards()["no_content"]["value"] == "1"


def test_work_on_one_edited_pool_waits_for_that_on_another(home: Path, pool: Pool) -> None:
    first = pool_work.start_work(home, pool.id, "findings")
    store.set_responses(home, pool.id, {str(pool.ids[0]): "other words"})
    made = store.edited_pool_id(home, pool.id)
    assert pool_work.start_work(home, made, "findings").id == first.id
    assert pool_work.work_info(home, made, "findings").state == "absent"
    assert pool_work.start_work(home, made, "map").subject == pool.id  # one map for both
    assert np.array_equal(get_pool(home, pool.id).ids, pool.ids)
