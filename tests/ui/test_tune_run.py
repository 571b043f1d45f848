"""Watching runs: the list, one run's state and figures, called as the plain functions that they are."""

from __future__ import annotations

import json
from types import SimpleNamespace

import gradio as gr
import pytest
from run_folders import make_run, trees

from backend import jobs, store
from backend.config import config_from
from backend.processes import this_host
from backend.store import RunInfo
from iterit_ui import tune_run as tab
from iterit_ui import tune_watch as watch


@pytest.fixture
def home(tmp_path):
    store.save_pool(tmp_path, trees(), inputs=("trees.jsonl",))
    return tmp_path


def info(**changes) -> RunInfo:
    plain = {
        "id": "20260101-000000-abcdef",
        "name": "iterit 5 %",
        "state": "running",
        "strategy": "iterit",
        "budget": 0.05,
        "pool_id": "0" * 16,
        "pool_name": "trees",
        "pool_rows": 120,
        "model": "demo",
        "epochs": 3,
        "created": 0.0,
        "started": 10.0,
        "last_seen": 1e12,
        "pid": None,
    }
    return RunInfo(**{**plain, **changes})


def test_without_runs_the_page_says_what_to_do(home):
    listed, note, *_ = tab.look(home, "", "tune", "")
    assert listed is None and note["steps"]


def test_a_finished_run_is_shown_and_told_once(home):
    run = make_run(home)
    shown = tab.look(home, run, "tune", "")
    listed, note, status, stop, resume, epochs, figures, loss, *_ = shown
    assert listed["selected"] == run and note is None and status["state"] == "done"
    assert (stop.visible, resume.visible, epochs.visible) == (False, False, True)
    held_out = next(card for card in figures["cards"] if card["label"] == "Held-out loss")
    assert held_out["value"] == "1.700" and "-0.300" in held_out["hint"]
    assert len(loss["data"]) == 2
    assert tab.look(home, run, "tune", shown[-1]) == (gr.skip(),) * len(shown)
    json.dumps([listed, status, figures, loss], allow_nan=False)


def test_other_tabs_are_not_bothered(home):
    run = make_run(home)
    assert tab.look(home, run, "data", "") == (gr.skip(),) * 13


def test_a_failed_run_shows_its_error_and_can_be_resumed(home):
    run = make_run(home, epochs=1, state="failed")
    _, _, status, stop, resume, *_ = tab.look(home, run, "tune", "")
    assert status["error"] == "out of memory" and resume.visible is True and stop.visible is False


def test_an_old_link_says_that_the_run_is_not_here(home):
    make_run(home)
    note = tab.look(home, "20250101-000000-aaaaaa", "tune", "")[1]
    assert note["tone"] == "error" and "not here" in note["title"]


def test_a_worker_that_was_killed_shows_as_failed(home, monkeypatch):
    monkeypatch.setattr(jobs, "pump", jobs.refresh)
    run = store.create_run(home, config_from({"pool": ("trees.jsonl",), "model": "nowhere/tiny"}), trees())
    store.claim_next(home, this_host())
    store.take(home, run, host=this_host(), pid=2**22 + 1, process_started=1.0, claimed=True)
    _, _, status, *_ = tab.look(home, run, "tune", "")
    assert status["state"] == "failed" and "ended" in status["error"]


def test_stages_follow_the_run():
    def now(**changes):
        found = [stage["label"] for stage in watch.stages(info(**changes)) if stage["state"] == "now"]
        return found[0] if found else None

    assert now(stage="load", epoch=0) == "load"
    assert now(stage="evaluate", epoch=0) == "measure untouched"
    assert now(stage="train", epoch=0) == "train"
    assert now(stage="evaluate", epoch=1) == "measure"
    assert now(stage="score", epoch=1) == "score again"
    assert now(stage="save", epoch=3) == "save"
    assert now(state="queued", stage=None) is None
    done = watch.stages(info(state="done", stage="save", epoch=3))
    assert [stage["label"] for stage in done] == ["epoch 0", "epoch 1", "epoch 2"]
    assert {stage["state"] for stage in done} == {"done"}


def test_time_left_is_unknown_until_it_is_measured():
    assert watch.time_left(info()) == "time left: not known yet"
    assert watch.time_left(info(eta=42.0)) == "about 42 s left"
    assert "in this stage" in watch.time_left(info(stage_eta=7.0))
    assert watch.time_left(info(state="done")) == ""


def test_durations():
    assert [watch.duration(s) for s in (None, 0, 89, 125, 7800)] == [
        "–",
        "0 s",
        "89 s",
        "2 min 05 s",
        "2 h 10 min",
    ]


def test_only_runs_that_are_here_can_be_picked(home):
    run = make_run(home)
    assert tab.pick_run(home, "", SimpleNamespace(_data={"id": run})) == run
    assert tab.pick_run(home, run, SimpleNamespace(_data={"id": "../x"})) == run


def test_stopping_what_has_ended_is_a_message_and_no_error(home):
    run = make_run(home)
    with pytest.warns(UserWarning, match="already"):
        tab.stop_run(home, run)
