"""Watching runs: the list, one run in full, its log, called as the plain functions that they are."""

from __future__ import annotations

import json
import time

import gradio as gr
import numpy as np
import pytest
from run_folders import make_run, trees

from backend import store
from backend.analysis import GoesOn
from backend.config import config_from
from backend.jobs import lifecycle
from backend.jobs.processes import this_host
from backend.records import Progress
from backend.store import Event
from iterit_ui.tune import log_view as log
from iterit_ui.tune import run_list, run_panel, timeline_view, views
from iterit_ui.tune.review.state import VIEW


@pytest.fixture
def home(tmp_path):
    store.save_pool(tmp_path, trees(), inputs=("trees.jsonl",))
    return tmp_path


def look(home, run="", seen=None, tab="tune"):
    answer = views.run_values(home, run, tab, dict(VIEW), seen or {})
    return dict(zip([*views.NAMES, "seen"], answer, strict=True))


def skipped(value) -> bool:
    return value == gr.skip()


def started(home, **values) -> str:
    config = config_from({"pool": ("trees.jsonl",), "model": "nowhere/tiny", "budget": 10, **values})
    run = store.create_run(home, config, trees())
    store.claim_next(home, this_host())
    return run


def keys(shown) -> list[str]:
    return [action["key"] for action in shown["run"]["actions"]]


def test_without_runs_the_page_says_what_to_do(home):
    shown = look(home)
    assert shown["runs"] is None and shown["note"]["steps"] and shown["details"].visible is False


def test_a_finished_run_is_shown_and_told_once(home):
    run = make_run(home)
    shown = look(home, run)
    assert shown["runs"]["selected"] == run and shown["run"]["state"] == "done"
    assert keys(shown) == ["open"]
    held_out = next(card for card in shown["cards"]["cards"] if card["label"] == "Held-out loss")
    assert held_out["value"] == "1.700" and "-0.300" in held_out["hint"]
    assert [row["label"] for row in shown["run"]["rows"]] == [
        "Before",
        "Epoch 0",
        "Epoch 1",
        "Epoch 2",
        "After",
    ]
    json.dumps([shown[name] for name in ("runs", "run", "cards", "course", "log")], allow_nan=False)
    again = look(home, run, shown["seen"])
    assert all(skipped(again[name]) for name in views.NAMES)


def test_only_what_changed_is_sent(home):
    run = make_run(home)
    shown = look(home, run)
    with open(store.log_path(home, run), "a") as file:
        file.write("12:00:00 more\n")
    again = look(home, run, shown["seen"])
    assert [name for name in views.NAMES if not skipped(again[name])] == ["log"]


def test_other_tabs_are_not_bothered(home):
    run = make_run(home)
    shown = look(home, run, tab="data")
    assert all(skipped(shown[name]) for name in views.NAMES)


def test_a_failed_run_shows_its_error_and_where_it_would_go_on(home):
    run = make_run(home, epochs=1, state="failed")
    shown = look(home, run)
    assert shown["run"]["error"] == "out of memory"
    resume = next(action for action in shown["run"]["actions"] if action["key"] == "resume")
    assert "from the beginning of training" in resume["hint"]


def test_an_old_link_says_that_the_run_is_not_here(home):
    make_run(home)
    shown = look(home, "20250101-000000-aaaaaa")
    assert shown["note"]["tone"] == "error" and "not found" in shown["note"]["title"] and shown["run"] is None


def test_a_running_run_shows_its_stage_and_both_ways_to_stop(home):
    run = started(home)
    store.take(home, run, host=this_host(), pid=1, process_started=0.0, claimed=True)
    store.heartbeat(home, run, Progress("score", 0, 30, 120))
    shown = look(home, run)["run"]
    assert [action["key"] for action in shown["actions"]] == ["stop", "kill"]
    assert shown["actions"][1]["confirm"] and "from the beginning" in shown["actions"][1]["hint"]
    score = shown["rows"][1]["cells"][0]
    assert score["state"] == "now" and score["share"] == 0.25 and score["text"] == "25 %"
    assert shown["rows"][2]["cells"][0]["state"] == "next"


def test_a_worker_that_was_killed_shows_as_failed(home):
    run = started(home)
    store.take(home, run, host=this_host(), pid=2**22 + 1, process_started=1.0, claimed=True)
    views._pumped.clear()
    views.pump(home)
    shown = look(home, run)["run"]
    assert shown["state"] == "failed" and "exited" in shown["error"]


def test_the_stamp_changes_with_what_is_shown_and_not_with_signs_of_life(home):
    run = started(home)
    store.take(home, run, host=this_host(), pid=1, process_started=0.0, claimed=True)
    store.heartbeat(home, run, Progress("score", 0, 30, 120))
    before = views.stamp(home, run)
    store.heartbeat(home, run)
    assert views.stamp(home, run) == before and before[1]
    store.heartbeat(home, run, Progress("score", 0, 31, 120))
    assert views.stamp(home, run) != before


def test_where_a_run_goes_on_in_words():
    words = timeline_view.goes_on_words
    assert words(GoesOn(1200, 1.5, True)) == "from the checkpoint at step 1,200, 1.50 epochs trained"
    assert "selection are kept" in words(GoesOn(0, 0.0, True)) and words(GoesOn(0, float("nan"), False)) == "from the beginning"  # fmt: skip


def test_only_runs_that_are_here_can_be_picked(home):
    run = make_run(home)
    assert run_panel.pick_run(home, "", {"id": run}) == run
    assert run_panel.pick_run(home, run, {"id": "../x"}) == run and run_panel.pick_run(home, run, None) == run


def test_stopping_what_has_ended_is_a_message_and_no_error(home):
    run = make_run(home)
    with pytest.warns(UserWarning, match="already"):
        run_panel.act(home, run, {"key": "stop"})
    assert run_panel.act(home, run, {"key": "nonsense"}) == (gr.skip(), gr.skip())


def test_a_queued_run_can_be_cancelled(home, monkeypatch):
    monkeypatch.setattr(lifecycle, "pump", lambda home, **_: [])
    started(home)
    second = store.create_run(
        home, config_from({"pool": ("trees.jsonl",), "model": "m", "budget": 9}), trees()
    )
    shown = look(home, second)
    assert shown["runs"]["rows"][0]["state"]["text"] == "queued, 1 ahead"
    run_panel.act(home, second, {"key": "stop"})
    assert store.run_info(home, second).state == "stopped"


def test_time_left_is_unknown_until_it_is_measured(home):
    run = started(home)
    assert run_list.time_left(store.run_info(home, run)) == "time left: not known yet"


# ---------------------------------------------------------------- the log


def midnight() -> float:
    return time.mktime((2026, 3, 4, 0, 0, 0, 0, 0, -1))


def test_events_stand_among_the_lines_by_time_also_past_midnight():
    moments = np.array([86390, -1, 86399, 5, 20], dtype=np.int32)
    day = midnight()
    events = [Event(day + s, "note", str(s)) for s in (86380, 86395, 86400 + 10, 86400 + 99)]
    assert log.places_of(events, moments).tolist() == [0, 3, 6, 8]
    assert log.places_of(events, np.empty(0, dtype=np.int32)).tolist() == [0, 1, 2, 3]


def test_rows_are_the_same_whatever_the_window_and_found_where_they_are(home):
    run = make_run(home)
    now = time.strftime("%H:%M:%S")
    lines = [f"{now} step {i} <b>loss</b>" for i in range(40)]
    store.log_path(home, run).write_text("\n".join(lines) + "\n")
    store.add_event(home, run, "note", "a note about STEP 7")
    total = log.log_value(home, run)["total"]
    everything = log.log_rows(home, run, 0, 1000)
    assert len(everything) == total and [row["text"] for row in everything if not row["kind"]] == lines
    for start in range(0, total, 7):
        assert log.log_rows(home, run, start, 7) == everything[start : start + 7]
    rows, count = log.find_rows(home, run, "step 7")
    assert rows.tolist() == [i for i, row in enumerate(everything) if "step 7" in row["text"].lower()]
    assert count == 2


def test_what_the_page_asks_of_the_log_is_checked(home):
    run = make_run(home)
    rows, find = log.log_functions(home)
    assert (
        "error" in rows(["../../etc/passwd", 0, 5]) and "error" in rows([run, "x", 5]) and "error" in rows([])
    )
    assert find([run, "nothing like it"]) == {"count": 0, "rows": []}
    assert len(rows([run, -5, 10**9])["rows"]) == 1


def test_a_log_can_be_downloaded(home):
    run = make_run(home)
    with pytest.raises(gr.Error, match="no output yet"):
        run_panel.log_file(home, run)
    store.log_path(home, run).write_text("hello\n")
    with open(run_panel.log_file(home, run)) as file:
        assert file.read() == "hello\n"
