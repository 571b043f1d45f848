"""Background work on a pool, with a small script in its place: started once, watched, buried, started again."""

import os
import signal
import sys
import textwrap
import threading
import time

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest
from small_runs import small_pool
from test_jobs import wait_for

from backend import projection, store
from backend.data import load_pool
from backend.errors import PoolError, RunError
from backend.findings import LOWEST, NearPairs, content_findings
from backend.jobs import lifecycle, pool_work, reporting
from backend.jobs.processes import ROOT, STARTING_SECONDS, process_of
from backend.records import Progress

POOL = small_pool().id
SCRIPT = """
    import os, sys, time
    from pathlib import Path
    from backend.jobs import pool_work
    from backend.errors import PoolError

    home, kind, pool, mode = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
    print("first words", flush=True)
    if mode == "dies":
        sys.exit(3)
    with pool_work.reporting(home, pool, kind, sys.argv[4:]) as report:
        report("counting", 1234, 5000)
        if mode == "raises":
            raise PoolError("the pool is too green")
        if mode == "breaks":
            raise ZeroDivisionError
        while mode == "long":
            time.sleep(0.05)
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A runs folder with a pool, whose work is the script's; what is left of it is killed at the end."""
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    home = tmp_path / "runs"
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    store.save_pool(home, small_pool())

    def command(home, job):
        return [sys.executable, str(script), str(home), job.kind, job.subject, *job.arguments]

    monkeypatch.setattr(lifecycle, "command_of", command)
    yield home
    for info in store.list_jobs(home):
        if info.active and process_of(info):
            os.kill(info.pid, signal.SIGKILL)
            wait_for(lambda info=info: process_of(info) is None)


def at_work(home, kind="lengths"):
    wait_for(lambda: pool_work.work_info(home, POOL, kind).stage == "counting")
    return pool_work.work_info(home, POOL, kind)


def ended(home, kind="lengths"):
    wait_for(lambda: not pool_work.work_info(home, POOL, kind).unfinished)
    return pool_work.work_info(home, POOL, kind)


def test_work_runs_in_a_process_of_its_own_at_low_priority(home):
    assert pool_work.work_info(home, POOL, "lengths").state == "absent"
    info = pool_work.start_work(home, POOL, "lengths", ("long", "--model", "m"))
    assert (info.state, info.kind, info.arguments) == ("running", "lengths", ("long", "--model", "m"))
    info = at_work(home)
    assert (info.done, info.total, info.error) == (1234, 5000, None)
    assert os.getsid(info.pid) == info.pid != os.getpid()
    assert psutil.Process(info.pid).nice() == lifecycle.NICENESS
    again = pool_work.start_work(home, POOL, "lengths", ("long", "--model", "m"))
    assert (again.pid, again.started) == (info.pid, info.started)


def test_work_for_other_arguments_says_that_it_has_to_wait(home):
    pool_work.start_work(home, POOL, "lengths", ("long", "--model", "one"))
    at_work(home)
    with pytest.raises(
        RunError, match=r"other arguments \(long --model one\); start it again when it has finished"
    ):
        pool_work.start_work(home, POOL, "lengths", ("long", "--model", "two"))
    assert pool_work.work_info(home, POOL, "lengths").arguments == ("long", "--model", "one")


def test_lengths_are_ready_for_their_arguments_only(home):
    pool_work.start_work(home, POOL, "lengths", ("quick", "--model", "one"))
    first = ended(home)
    assert (first.state, first.arguments) == ("done", ("quick", "--model", "one"))
    assert pool_work.start_work(home, POOL, "lengths", ("quick", "--model", "one")) == first
    assert pool_work.start_work(home, POOL, "lengths", ("quick", "--model", "two")).state == "running"
    assert ended(home).arguments == ("quick", "--model", "two")


def test_kinds_of_work_run_beside_each_other(home):
    pool_work.start_work(home, POOL, "lengths", ("long",))
    pool_work.start_work(home, POOL, "map", ("long",))
    assert at_work(home).pid != at_work(home, "map").pid


def test_work_that_was_killed_has_failed_at_its_last_stage_and_starts_again(home):
    pool_work.start_work(home, POOL, "lengths", ("long",))
    os.kill(at_work(home).pid, signal.SIGKILL)
    info = ended(home)
    assert (info.state, info.stage, info.done) == ("failed", "counting", 1234)
    assert "was ended by SIGKILL" in info.error and "at: counting, 1,234 of 5,000 samples." in info.error
    assert pool_work.start_work(home, POOL, "lengths", ("quick",)).state == "running"
    info = ended(home)
    assert (info.state, info.error) == ("done", None)


def test_work_that_ends_before_it_said_anything_has_failed_with_what_it_printed(home):
    pool_work.start_work(home, POOL, "map", ("dies",))
    error = ended(home, "map").error
    assert error == (
        "The process exited with code 3 before it reported anything. It printed last: first words"
    )
    started = pool_work.work_info(home, POOL, "map").started
    pool_work.start_work(home, POOL, "map", ("dies",))
    assert ended(home, "map").started != started
    assert (store.pool_folder(home, POOL) / "map.txt").read_text() == "first words\n"


@pytest.mark.parametrize(
    ("mode", "error"), [("raises", "the pool is too green"), ("breaks", "ZeroDivisionError")]
)
def test_an_error_is_what_the_work_failed_with(home, mode, error):
    pool_work.start_work(home, POOL, "lengths", (mode,))
    info = ended(home)
    assert (info.state, info.stage, info.error) == ("failed", "counting", error)


def test_many_that_start_at_once_start_one(home, monkeypatch):
    spawned, barrier = [], threading.Barrier(6)
    spawn = lifecycle.spawn
    monkeypatch.setattr(lifecycle, "spawn", lambda *given, **more: spawned.append(1) or spawn(*given, **more))

    def start() -> None:
        barrier.wait()
        pool_work.start_work(home, POOL, "map", ("long",))

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert spawned == [1]


def test_work_that_cannot_be_started_says_so(home, monkeypatch):
    monkeypatch.setattr(lifecycle, "command_of", lambda *given: ["/nowhere/python"])
    info = pool_work.start_work(home, POOL, "map")
    assert info.state == "failed" and "could not be started" in info.error


def test_work_needs_a_pool_and_a_kind(home):
    with pytest.raises(PoolError, match=r"pool .* not found"):
        pool_work.start_work(home, "0" * 16, "map")
    with pytest.raises(RunError, match="kind of work is 'coffee'; allowed: map, findings, lengths"):
        pool_work.start_work(home, POOL, "coffee")
    with pytest.raises(PoolError, match="not a pool id"):
        pool_work.work_info(home, "../x", "map")


def test_a_second_process_at_the_same_work_is_turned_away_and_changes_nothing(home):
    pool_work.start_work(home, POOL, "map", ("long",))
    info = at_work(home, "map")
    with pytest.raises(RunError, match=f"process {info.pid} on .* already works on map of pool"):  # noqa: SIM117
        with pool_work.reporting(home, POOL, "map"):
            raise AssertionError("it got in")
    assert pool_work.work_info(home, POOL, "map").pid == info.pid


def taken(home, pid=1, **more):
    store.queue_job(home, f"map-{POOL}", "map", POOL)
    store.take(home, f"map-{POOL}", **{"host": "here", "pid": pid, "process_started": 1.0, **more})


def test_a_process_whose_work_was_taken_over_reports_nothing_more(home):
    taken(home, 11)
    store.set_state(home, f"map-{POOL}", "failed", error="gone")
    taken(home, 12, process_started=time.time())
    assert store.heartbeat(home, f"map-{POOL}", Progress("late", 0, 3, 0), pid=11) == "stopped"
    assert not store.set_state(home, f"map-{POOL}", "failed", error="late", pid=11)
    job = store.find_job(home, f"map-{POOL}")
    assert (job.state, job.stage, job.done, job.pid) == ("running", None, 0, 12)


def test_reports_on_one_stage_are_written_now_and_then(home, monkeypatch):
    written = []
    beat = store.heartbeat
    monkeypatch.setattr(
        store, "heartbeat", lambda *given, **more: written.append(given[2].done) or beat(*given, **more)
    )
    monkeypatch.setattr(reporting, "PROGRESS_SECONDS", 1000)
    monkeypatch.setattr(reporting, "HEARTBEAT_SECONDS", 1000)
    with pool_work.reporting(home, POOL, "lengths") as report:
        for done in range(100):
            report("reading", done, 99)
        report("saving")
    assert written == [0, 99, 0]
    assert pool_work.work_info(home, POOL, "lengths").state == "done"


def test_work_on_another_machine_is_judged_by_its_signs_of_life(home):
    taken(home, host="elsewhere")
    assert pool_work.work_info(home, POOL, "map").state == "running"
    with store.database.writing(home) as connection:
        connection.execute("UPDATE jobs SET last_seen = ?", (time.time() - 2 * STARTING_SECONDS,))
    assert pool_work.work_info(home, POOL, "map").state == "failed"


def test_findings_are_ready_when_they_are_there_whoever_made_them(home):
    pool_work.start_work(home, POOL, "findings", ("quick",))
    assert ended(home, "findings").state == "absent"  # it said so, and made nothing
    store.build_search(home, small_pool())
    assert pool_work.work_info(home, POOL, "findings").state == "absent"
    none = np.array([], np.int32)
    store.save_near(home, POOL, NearPairs(none, none, none.astype(np.float32), LOWEST))
    assert pool_work.work_info(home, POOL, "findings").state == "absent"
    store.save_content(home, POOL, content_findings([], []))
    assert pool_work.start_work(home, POOL, "findings").state == "done"


# --- the map ---


def some_clusters(n: int = 6) -> projection.Clusters:
    codes = np.array([0, 0, 1, 1, -1, -1][:n], dtype=np.int16)
    xy = np.array([[0.5, 1], [2, 3]], dtype=np.float32)
    return projection.Clusters(
        codes, ["red", "grün"], xy, [[("red", 0.5)], [("grün", 0.25), ("x", 0.1)]], "how"
    )


def test_clusters_come_back_and_go_with_their_map(home):
    xy = np.zeros((6, 2), np.float32)
    assert store.load_clusters(home, POOL) is None
    store.save_map(home, POOL, store.PoolMap(xy, "none", {}))
    store.save_clusters(home, POOL, some_clusters())
    back, given = store.load_clusters(home, POOL), some_clusters()
    assert back.codes.dtype == np.int16 and back.xy.dtype == np.float32
    assert np.array_equal(back.codes, given.codes) and np.array_equal(back.xy, given.xy)
    assert (back.labels, back.terms, back.method) == (given.labels, given.terms, given.method)
    store.save_map(home, POOL, store.PoolMap(xy, "other", {}))
    assert store.load_clusters(home, POOL) is None


def test_no_clusters_come_back_as_none_of_them(home):
    none = projection.Clusters(np.full(6, -1, np.int16), [], np.empty((0, 2), np.float32), [], "too few")
    store.save_clusters(home, POOL, none)
    back = store.load_clusters(home, POOL)
    assert back.xy.shape == (0, 2) and back.labels == back.terms == []


def test_a_map_is_ready_when_it_is_final_and_has_clusters(home):
    xy = np.zeros((6, 2), np.float32)
    for final in (False, True):
        store.save_map(home, POOL, store.PoolMap(xy, "none", {}, final))
        assert store.load_map(home, POOL).final == final
        assert pool_work.work_info(home, POOL, "map").state == "absent"
    store.save_clusters(home, POOL, some_clusters())
    assert pool_work.work_info(home, POOL, "map").state == "done"
    assert pool_work.start_work(home, POOL, "map").state == "done"
    store.save_map(home, POOL, store.PoolMap(xy, "none", {}, final=False))
    store.save_clusters(home, POOL, some_clusters())
    assert pool_work.work_info(home, POOL, "map").state == "absent"


def test_a_map_of_before_is_final(home):
    path = store.pool_folder(home, POOL) / "map.parquet"
    store.save_map(home, POOL, store.PoolMap(np.zeros((6, 2), np.float32), "old", {}))
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({"method": "old", "seconds": "{}"}), path)
    assert store.load_map(home, POOL).final


def test_the_embedded_pool_brings_its_map_along_and_its_clusters_are_found(tmp_path):
    store.save_pool(tmp_path, load_pool(["demo"]), inputs=["demo"])
    pool = store.list_pools(tmp_path)[0]
    shipped = store.load_map(tmp_path, pool.id)
    assert shipped.placed.all() and shipped.final
    pool_work.start_work(tmp_path, pool.id, "map")
    wait_for(lambda: pool_work.work_info(tmp_path, pool.id, "map").state != "running", 120)
    assert pool_work.work_info(tmp_path, pool.id, "map").state == "done"
    assert np.array_equal(store.load_map(tmp_path, pool.id).xy, shipped.xy)
    found = store.load_clusters(tmp_path, pool.id)
    assert len(found.codes) == pool.rows and len(found.labels) == found.codes.max() + 1 > 1
