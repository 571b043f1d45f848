"""The queue on the Tune tab, called as the plain functions that it is made of."""

from __future__ import annotations

import json

import gradio as gr
import pytest
from run_folders import PAYLOAD, trees

from backend import store
from backend.analysis.queue_state import queue_of
from backend.config import config_from
from backend.jobs import lifecycle
from iterit_ui.tune import queue_panel, views


@pytest.fixture
def home(tmp_path):
    store.save_pool(tmp_path, trees(), inputs=("trees.jsonl",))
    return tmp_path


@pytest.fixture
def said(monkeypatch):
    """The messages of the page: warnings, then the others."""
    told: dict[str, list[str]] = {"warning": [], "info": []}
    monkeypatch.setattr(gr, "Warning", told["warning"].append)
    monkeypatch.setattr(gr, "Info", told["info"].append)
    return told


def new_run(home, **values) -> str:
    config = config_from({"pool": ("trees.jsonl",), "model": "nowhere/tiny", "budget": 10, **values})
    return store.create_run(home, config, trees())


def at_work(home) -> str:
    run = new_run(home, name="at work")
    assert store.claim_next(home, "another.machine") == run
    return run


def order(home) -> list[str]:
    return [info.id for info in queue_of(store.runs(home)).waiting]


def act(home, action, run, *, load="", shown=""):
    return queue_panel.act(home, shown, load, {"action": action, "id": run})


def unchanged(answer) -> bool:
    return answer == (gr.skip(), gr.skip())


def test_nothing_is_shown_where_there_is_no_run(home):
    assert queue_panel.panel_value([], "") is None
    assert queue_panel.panel_value(store.runs(home), "20250101-000000-aaaa") is None


def test_a_run_that_is_shown_can_be_run_again_where_nothing_waits(home):
    run = at_work(home)
    value = queue_panel.panel_value(store.runs(home), "")
    assert value["rows"] == [] and value["title"] == ""
    assert value["chosen"]["id"] == run and [a["key"] for a in value["chosen"]["actions"]] == [
        "again",
        "copy",
    ]


def test_what_waits_is_listed_in_order_with_what_it_waits_for(home):
    at_work(home)
    runs = [new_run(home, name=f"run {i}") for i in range(3)]
    store.move_in_queue(home, runs[2], 0)
    value = queue_panel.panel_value(store.runs(home), runs[0])
    assert [row["id"] for row in value["rows"]] == [runs[2], runs[0], runs[1]]
    assert [row["chosen"] for row in value["rows"]] == [False, True, False]
    assert "3 runs" in value["title"] and "“at work” has ended" in value["text"] and value["held"] == ""


def test_a_review_that_holds_the_queue_is_named(home):
    first, _ = at_work(home), new_run(home)
    store.set_state(home, first, "waiting")
    value = queue_panel.panel_value(store.runs(home), "")
    assert (
        "“at work” waits for a review: nothing in the queue starts" in value["held"] and value["text"] == ""
    )


@pytest.mark.parametrize(
    ("action", "which", "expected"),
    [
        ("front", 2, [2, 0, 1]),
        ("up", 2, [0, 2, 1]),
        ("up", 0, [0, 1, 2]),
        ("down", 0, [1, 0, 2]),
        ("down", 2, [0, 1, 2]),
    ],
)
def test_a_waiting_run_moves(home, said, action, which, expected):
    at_work(home)
    runs = [new_run(home) for _ in range(3)]
    before = views.stamp(home, "")
    assert unchanged(act(home, action, runs[which]))
    assert order(home) == [runs[i] for i in expected] and not said["warning"]
    # the page's watcher notices, so that other pages draw it, too
    assert (views.stamp(home, "") != before) == (expected != [0, 1, 2])


def test_a_cancelled_run_can_be_queued_again(home, said):
    at_work(home)
    run = new_run(home)
    assert unchanged(act(home, "cancel", run))
    assert store.run_info(home, run).state == "stopped" and order(home) == []
    assert "Nothing is lost" in said["info"][0]
    act(home, "cancel", run)  # as from another page
    assert len(said["warning"]) == 1 and "is no longer queued: it is stopped" in said["warning"][0]
    lifecycle.resume(home, run)
    assert order(home) == [run]
    assert "goes on" not in queue_panel.panel_value(store.runs(home), "")["rows"][0]["about"]


@pytest.mark.parametrize("action", ["cancel", "front", "up", "down"])
def test_a_run_that_has_started_in_the_meantime_is_left_alone(home, said, action):
    run = at_work(home)
    assert unchanged(act(home, action, run))
    assert store.run_info(home, run).state == "running"
    assert len(said["warning"]) == 1 and "in the meantime" in said["warning"][0]


def test_a_name_in_a_message_is_text(home, said):
    at_work(home)
    run = new_run(home, name=PAYLOAD)
    act(home, "cancel", run)
    act(home, "again", run)
    act(home, "<b>", run)
    assert len([*said["info"], *said["warning"]]) == 3
    assert not any("<" in text for text in [*said["info"], *said["warning"]])


def test_run_again_shows_the_new_run(home, said):
    first = at_work(home)
    again, load = act(home, "again", first)
    assert load == gr.skip() and order(home) == [again]
    assert store.run_info(home, again).parent == first and "as a new run" in said["info"][0]


def test_each_copy_is_a_change_of_load(home):
    first = at_work(home)
    loads = [""]
    for _ in range(3):
        run, load = act(home, "copy", first, load=loads[-1])
        assert run == gr.skip() and load.partition("#")[0] == first
        loads.append(load)
    assert len(set(loads)) == 4 and len(store.runs(home)) == 1


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"action": "cancel"},
        {"action": "cancel", "id": "../x"},
        {"action": "again", "id": 3},
        {"action": ["up"], "id": "x"},
    ],
)
def test_what_the_page_sends_is_checked(home, said, data):
    at_work(home)
    waiting = new_run(home)
    assert unchanged(queue_panel.act(home, "", "", data))
    assert said["warning"] and order(home) == [waiting]
    assert queue_panel.pick(home, "before", data) == "before"


def test_an_unknown_action_is_refused(home, said):
    at_work(home)
    waiting = new_run(home)
    assert unchanged(act(home, ["delete"], waiting)) and "are known" in said["warning"][0]
    assert order(home) == [waiting]
    assert queue_panel.pick(home, "", {"id": waiting}) == waiting


def test_only_what_changed_is_sent(home):
    at_work(home)
    waiting = new_run(home)
    value, seen = queue_panel.queue_values(home, "", "tune", "")
    assert value["rows"][0]["id"] == waiting
    json.dumps(value, allow_nan=False)
    assert queue_panel.queue_values(home, "", "tune", seen) == (gr.skip(), seen)
    assert queue_panel.queue_values(home, "", "data", "") == (gr.skip(), "")
    store.set_state(home, waiting, "stopped")
    value, _ = queue_panel.queue_values(home, "", "tune", seen)
    assert value["rows"] == []
