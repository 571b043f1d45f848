"""The queue in a terminal: listing and moving what waits, stopping, running again."""

import json
from pathlib import Path

import pytest
from small_runs import small_config, small_pool, small_record
from typer.testing import CliRunner

from backend import store
from backend.analysis.queue_state import queue_of
from backend.cli import running
from backend.cli.commands import app
from backend.jobs import lifecycle
from backend.jobs.processes import this_host


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def home(tmp_path) -> Path:
    store.save_pool(tmp_path, small_pool())
    return tmp_path


def new_run(home: Path, **values) -> str:
    return store.create_run(home, small_config(**values), small_pool())


def at_work(home: Path, **values) -> str:
    """A run that a worker on another machine is at, so that none of this one is looked for."""
    found = new_run(home, **values)
    assert store.claim_next(home, "another.machine") == found
    return found


def test_an_empty_queue_says_so(home):
    result = run("queue", "--runs-dir", home)
    assert result.exit_code == 0 and result.stdout == "" and "is running or queued" in result.stderr


def test_the_queue_is_listed_in_order_and_a_run_moves(home):
    first, *waiting = at_work(home), new_run(home), new_run(home), new_run(home)
    result = run("queue", "--runs-dir", home)
    places = [result.stdout.index(i) for i in (first, *waiting)]
    assert places == sorted(places)
    assert "when the current runs have ended" in result.stderr
    moved = json.loads(run("queue", "--runs-dir", home, "--move", waiting[2], "--to", 1, "--json").stdout)
    assert [info["id"] for info in moved["at_work"]] == [first]
    assert [info["id"] for info in moved["waiting"]] == [waiting[2], waiting[0], waiting[1]]
    assert [info["ahead"] for info in moved["waiting"]] == [1, 2, 3]
    assert moved["held_by_review"] == []
    assert run("queue", "--runs-dir", home, "--move", waiting[2], "--to", 99).exit_code == 0
    assert [info.id for info in queue_of(store.runs(home)).waiting] == [waiting[0], waiting[1], waiting[2]]


def test_a_review_holds_the_queue_and_that_is_said(home):
    first, _ = at_work(home), new_run(home)
    store.ask_review(home, first, small_record(), until=None)
    result = run("queue", "--runs-dir", home)
    assert f"run {first} waits for a review and holds the queue" in result.stderr
    assert json.loads(run("queue", "--runs-dir", home, "--json").stdout)["held_by_review"] == [first]


def test_a_place_needs_a_run_and_a_run_a_place(home):
    assert run("queue", "--runs-dir", home, "--to", 1).exit_code == 2
    assert run("queue", "--runs-dir", home, "--move", "last").exit_code == 2
    assert run("queue", "--runs-dir", home, "--move", "last", "--to", 0).exit_code == 2


def test_only_what_waits_is_moved(home):
    first = at_work(home)
    result = run("queue", "--runs-dir", home, "--move", first, "--to", 1)
    assert result.exit_code == 1 and "does not wait in the queue" in result.stderr


@pytest.mark.parametrize("now", [[], ["--now"]])
def test_a_waiting_run_is_taken_out_and_can_be_queued_again(home, now):
    at_work(home)
    waiting = new_run(home)
    result = run("stop", waiting, "--runs-dir", home, *now)
    assert result.exit_code == 0, result.stderr
    assert "taken out of the queue" in result.stderr and f"resume {waiting}" in result.stderr
    assert store.run_info(home, waiting).state == "stopped"
    lifecycle.resume(home, waiting)
    assert store.run_info(home, waiting).state == "queued"


def test_a_run_at_work_is_asked_to_stop(home):
    first = at_work(home)
    told = json.loads(run("stop", first, "--runs-dir", home, "--json").stdout)
    assert told == {"id": first, "state": "stopping"}


def test_now_ends_the_worker_at_once(home, monkeypatch):
    first = new_run(home)
    store.claim_next(home, this_host())
    ended = []
    monkeypatch.setattr(lifecycle, "end_at_once", lambda info: ended.append(info.id))
    result = run("stop", first, "--now", "--runs-dir", home)
    assert result.exit_code == 0, result.stderr
    assert ended == [first] and store.run_info(home, first).state == "stopped"


def test_what_has_ended_cannot_be_stopped(home):
    done = at_work(home)
    store.set_state(home, done, "done")
    for words in ([], ["--now"]):
        result = run("stop", done, "--runs-dir", home, *words)
        assert result.exit_code == 1 and "done" in result.stderr


def test_again_queues_the_same_configuration_as_a_new_run(home):
    first = at_work(home, name="as it was", budget=3)
    result = run("again", first, "--runs-dir", home, "--detach")
    assert result.exit_code == 0, result.stderr
    again = result.stdout.strip()
    assert again != first and "1 run is ahead" in result.stderr
    assert store.run_info(home, again).parent == first
    assert store.read_config(home, again) == store.read_config(home, first)


def test_again_is_watched_unless_told_otherwise(home, monkeypatch):
    first, watched = at_work(home), []
    monkeypatch.setattr(running, "_follow", lambda home, run, *, watch, as_json: watched.append((run, watch)))
    run("again", first, "--runs-dir", home)
    assert [watch for _, watch in watched] == [True] and watched[0][0] != first


def test_the_commands_are_told_of_in_the_help():
    for name in ("queue", "stop", "again"):
        assert name in run("--help").stdout
        assert run(name, "--help").exit_code == 0
