"""A runs folder that version 3 of the schema has written (`stored_before/`) opens as it was; nothing in it is lost."""

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from backend import store
from backend.jobs import evaluation_jobs, lifecycle, pool_work
from backend.store import database

BEFORE = Path(__file__).parent / "stored_before"
POOL = "8cf480b3fc226b0d"
SAMPLES = [f"{i:032x}-0" for i in range(6)]
FINISHED, FAILED, REVIEWED, DELETED, CUT_OFF, QUEUED, QUEUED_TOO = (
    f"20251124-03000{i}-00000{i}" for i in range(1, 8)
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A copy of the folder, its database made from the dump beside it."""
    home = tmp_path / "runs"
    shutil.copytree(BEFORE, home)
    dump = home / "studio.sql"
    with contextlib.closing(sqlite3.connect(home / "studio.sqlite")) as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))
    dump.unlink()
    return home


def test_runs_are_in_their_states(home: Path) -> None:
    found = {info.id: info for info in store.runs(home)}
    assert {one: (info.name, info.state) for one, info in found.items()} == {
        FINISHED: ("finished", "done"),
        FAILED: ("failed", "failed"),
        REVIEWED: ("reviewed", "stopped"),
        CUT_OFF: ("cut off", "running"),
        QUEUED: ("queued", "queued"),
        QUEUED_TOO: ("queued too", "queued"),
    }
    finished, failed = found[FINISHED], found[FAILED]
    assert (finished.tags, finished.notes) == (("kept", "first try"), "the one to beat")
    assert (finished.stage, finished.epoch, finished.done, finished.total) == ("train", 1, 2, 2)
    assert (finished.attempt, finished.host, finished.pid) == (1, "old-machine", 4242)
    assert finished.created < finished.started < finished.last_seen < finished.ended  # type: ignore[operator]
    assert (failed.error, failed.parent) == ("memory ran out", FINISHED)
    assert [found[one].ahead for one in (QUEUED_TOO, QUEUED)] == [1, 2]
    assert [found[one].allow_parallel for one in (QUEUED_TOO, QUEUED)] == [True, False]
    assert found[REVIEWED].stopping is not None and found[CUT_OFF].eta is not None


def test_a_run_whose_machine_was_lost_has_failed(home: Path) -> None:
    assert CUT_OFF in lifecycle.refresh(home)
    info = store.run_info(home, CUT_OFF)
    assert info.state == "failed" and "at: train, epoch 0, 2 of 2 steps" in (info.error or "")
    assert "It printed last: 03:00:01 the last line" in (info.error or "")


def test_the_queue_goes_on(home: Path) -> None:
    assert [store.claim_next(home, "here"), store.claim_next(home, "here")] == [QUEUED_TOO, None]
    lifecycle.refresh(home)
    store.set_state(home, QUEUED_TOO, "done")
    assert store.claim_next(home, "here") == QUEUED


def test_a_stopped_run_can_be_resumed(home: Path) -> None:
    store.queue_again(home, REVIEWED)
    info = store.run_info(home, REVIEWED)
    assert (info.state, info.resume, info.ahead) == ("queued", True, 3)


def test_what_runs_recorded_is_there(home: Path) -> None:
    assert store.epochs(home, FINISHED) == [0, 1]
    assert list(store.read_epoch(home, FINISHED, 1).selection.rows) == [3, 1]
    assert [metrics.loss for metrics in store.read_metrics(home, FINISHED)] == [2.5, 1.5]
    assert [event.kind for event in store.events(home, FINISHED)] == [
        "queued",
        "started",
        "selected",
        "selected",
        "done",
    ]
    times = store.stage_times(home, FINISHED)
    assert [(time.stage, time.epoch, time.done) for time in times][:3] == [
        ("load", 0, 0),
        ("score", 0, 6),
        ("train", 0, 2),
    ]
    assert [(one.epoch, one.who, one.changes) for one in store.reviews(home, REVIEWED)] == [
        (1, "ben", {"decay": 0.5})
    ]
    assert [(one.epoch, one.rows, one.who) for one in store.exports(home, FINISHED)] == [(1, 2, "anna")]
    (comparison,) = store.comparisons(home)
    assert (comparison.name, comparison.notes) == ("two seeds", "before the holidays")
    assert comparison.runs == (FINISHED, FAILED)


def test_a_deleted_run_is_restored(home: Path) -> None:
    assert [info.id for info in store.runs(home, deleted=True)] == [DELETED]
    store.restore_run(home, DELETED)
    info = store.run_info(home, DELETED)
    assert (info.name, info.state) == ("deleted", "done") and store.epochs(home, DELETED) == [0]
    assert [(one.state, len(one.results)) for one in evaluation_jobs.evaluations(home, DELETED)] == [
        ("done", 3)
    ]


def test_marks_notes_and_saved_settings_are_there(home: Path) -> None:
    assert store.marks(home, POOL) == {
        SAMPLES[0]: "pinned",
        SAMPLES[1]: "pinned",
        SAMPLES[2]: "excluded",
    }
    assert store.notes(home, POOL)[SAMPLES[0]].text == "a fine answer"
    redone = store.redo(home, POOL)
    assert redone is not None and redone.samples == (SAMPLES[3],)
    (saved,) = store.saved_settings(home, POOL)
    assert (saved.name, saved.settings, saved.who) == ("narrow", {"budget": 2, "decay": 0.1}, "anna")


def test_pool_work_is_as_far_as_it_was(home: Path) -> None:
    states = {kind: pool_work.work_info(home, POOL, kind) for kind in ("map", "lengths", "findings")}
    assert {kind: info.state for kind, info in states.items()} == {
        "map": "done",
        "lengths": "done",
        "findings": "failed",
    }
    assert states["lengths"].arguments == ("--model", "no/where", "--max-length", "64")
    failed = states["findings"]
    assert (failed.error, failed.stage, failed.done, failed.total) == ("the disk is full", "counting", 3, 6)
    assert len(store.stored_lengths(home, POOL)) == 1
    pool_map = store.load_map(home, POOL)
    assert pool_map is not None and pool_map.placed.all()


def test_evaluations_have_their_results(home: Path) -> None:
    found = {one.id[-2:]: one for one in evaluation_jobs.evaluations(home, FINISHED)}
    assert {one: value.state for one, value in found.items()} == {
        "e1": "done",
        "e2": "failed",
        "e3": "stopped",
        "e4": "failed",
    }
    assert found["e1"].plan.tasks == ("arc_easy",) and found["e1"].harness == "0.4.13"
    assert next((row.task, row.metric, row.value) for row in found["e1"].results) == ("arc", "acc", 0.5)
    assert found["e2"].error == "The harness does not know a task: arc_easy" and found["e2"].plan.of == "base"
    assert found["e4"].error  # its machine was lost
    assert found["e1"].created < found["e1"].started < found["e1"].ended  # type: ignore[operator]


def test_it_is_migrated_once_and_whole(home: Path) -> None:
    with database.reading(home) as connection:
        assert connection is not None
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert len(store.runs(home)) == 6


def test_an_evaluation_whose_state_cannot_be_read_has_failed(home: Path) -> None:
    (home / FINISHED / "evaluations" / "20251124-031000-0000e1" / "state.json").write_text("{")
    (found,) = [one for one in evaluation_jobs.evaluations(home, FINISHED) if one.id.endswith("e1")]
    assert found.state == "failed" and "state.json cannot be read" in (found.error or "")
