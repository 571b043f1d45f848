"""Starting, queueing, stopping and burying workers, with a small script in the worker's place."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from small_runs import small_config, small_pool

from backend import store
from backend.errors import ConfigError, RunError
from backend.jobs import lifecycle, processes, run_launch
from backend.jobs.processes import ROOT, STARTING_SECONDS, exit_code, is_gone, process_of
from backend.records import Progress
from backend.store import Job

FAKE = """
    import os, signal, sys, time
    from pathlib import Path
    import psutil
    from backend import store
    from backend.jobs import lifecycle
    from backend.records import Progress

    def command(home, job):
        return [sys.executable, __file__, str(home), job.id, store.run_info(home, job.id).name]

    lifecycle.command_of = command
    home, run, mode = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    signal.signal(signal.SIGTERM, signal.SIG_IGN if mode == "deaf" else lambda *args: sys.exit(143))
    store.take(home, run, host=os.uname().nodename, pid=os.getpid(),
               process_started=psutil.Process().create_time(), claimed=True)
    print("threads", os.environ.get("OMP_NUM_THREADS"), "input", sys.stdin.read(), flush=True)
    if mode == "quick":
        store.set_state(home, run, "done")
        lifecycle.pump(home)
        sys.exit()
    store.heartbeat(home, run, Progress("score", 1, 120, 2200))
    if mode == "dies":
        print("last words", flush=True)
        os._exit(3)
    try:
        while True:
            time.sleep(0.05)
            store.heartbeat(home, run)
    finally:
        store.set_state(home, run, "stopped")
"""


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A runs folder whose workers are the fake one; what is left of them is killed at the end."""
    script = tmp_path / "fake.py"
    script.write_text(textwrap.dedent(FAKE))
    home = tmp_path / "runs"
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    store.save_pool(home, small_pool())

    def command(home: Path, job: Job) -> list[str]:
        return [sys.executable, str(script), str(home), job.id, store.run_info(home, job.id).name]

    monkeypatch.setattr(lifecycle, "command_of", command)
    yield home
    for info in store.runs(home):
        if info.pid and process_of(info):
            os.kill(info.pid, signal.SIGKILL)
            wait_for(lambda info=info: process_of(info) is None)


def launch(home: Path, mode: str, **options) -> str:
    values = {"name": mode, **options.pop("config", {})}
    return run_launch.launch(home, small_config(**values), pool=small_pool().id, **options)


def state(home: Path, run_id: str) -> str:
    return store.run_info(home, run_id).state


def works(home: Path, run_id: str) -> bool:
    return store.run_info(home, run_id).stage == "score"


def test_a_second_run_waits_and_starts_when_the_first_has_stopped(home):
    first = launch(home, "long", config={"threads": 3})
    second = launch(home, "quick")
    assert (state(home, first), state(home, second)) == ("running", "queued")
    wait_for(lambda: works(home, first))
    info = store.run_info(home, first)
    assert lifecycle.alive(info)
    assert os.getsid(info.pid) == info.pid
    lifecycle.stop(home, first)
    wait_for(lambda: state(home, first) == "stopped")
    wait_for(lambda: lifecycle.pump(home) == [second])
    wait_for(lambda: state(home, second) == "done")
    assert not lifecycle.alive(store.run_info(home, first))
    assert store.read_log(home, first).split() == ["threads", "3", "input"]
    kinds = [event.kind for event in store.events(home, first)]
    assert kinds == ["queued", "started", "stopping"]


def test_a_worker_that_ends_starts_the_next(home):
    first = launch(home, "long")
    second, third = launch(home, "quick"), launch(home, "quick")
    wait_for(lambda: works(home, first))
    lifecycle.kill(home, first)
    assert state(home, first) == "stopped"
    assert lifecycle.pump(home) == [second]
    wait_for(lambda: state(home, third) == "done")


def test_runs_may_be_allowed_beside_each_other(home):
    first, second = launch(home, "long"), launch(home, "long", allow_parallel=True)
    wait_for(lambda: works(home, first) and works(home, second))
    for run in (first, second):
        lifecycle.stop(home, run)
        wait_for(lambda run=run: state(home, run) == "stopped")


def test_a_worker_that_was_killed_shows_as_failed_with_the_last_thing_it_did(home):
    run = launch(home, "long")
    wait_for(lambda: works(home, run))
    os.kill(store.run_info(home, run).pid, signal.SIGKILL)
    wait_for(lambda: lifecycle.refresh(home) == [run])
    info = store.run_info(home, run)
    assert info.state == "failed" and info.ended is not None
    assert "was ended by SIGKILL (somebody killed it, or the machine ran out of memory)" in info.error
    assert "at: score, epoch 1, 120 of 2,200 samples" in info.error
    assert store.events(home, run)[-1].text == info.error
    assert lifecycle.refresh(home) == []


def test_a_worker_that_fell_silent_shows_as_failed_with_what_it_printed(home):
    run = launch(home, "dies")
    wait_for(lambda: lifecycle.refresh(home) == [run])
    error = store.run_info(home, run).error
    assert "exited with code 3 " in error and error.endswith("It printed last: last words")


def test_a_failed_run_is_resumed(home):
    run = launch(home, "dies")
    wait_for(lambda: lifecycle.refresh(home))
    lifecycle.resume(home, run)
    info = store.run_info(home, run)
    assert (info.resume, info.attempt, info.error) == (True, 2, None)
    assert store.events(home, run)[-1].kind == "resumed"
    wait_for(lambda: lifecycle.refresh(home))


def test_only_a_run_that_ended_early_is_resumed(home):
    run = launch(home, "long")
    with pytest.raises(RunError, match="is running; only a stopped or failed run can be resumed"):
        lifecycle.resume(home, run)
    lifecycle.kill(home, run)


def test_a_queued_run_is_stopped_without_a_worker(home):
    first, second = launch(home, "long"), launch(home, "long")
    lifecycle.stop(home, second)
    assert state(home, second) == "stopped"
    with pytest.raises(RunError, match="is stopped already"):
        lifecycle.stop(home, second)
    with pytest.raises(RunError, match="there is no worker to kill"):
        lifecycle.kill(home, second)
    lifecycle.kill(home, first)


def test_a_deaf_worker_is_killed_in_a_second_step(home):
    run = launch(home, "deaf")
    wait_for(lambda: works(home, run))
    lifecycle.stop(home, run)
    assert state(home, run) == "stopping"
    assert store.run_info(home, run).stopping is not None
    pid = store.run_info(home, run).pid
    lifecycle.kill(home, run)
    assert state(home, run) == "stopped"
    assert [event.text for event in store.events(home, run)][-2:] == ["asked to stop", "killed"]
    wait_for(lambda: exit_code(pid) == -signal.SIGKILL)


def test_a_worker_that_dies_while_it_is_asked_to_stop_has_stopped(home):
    run = launch(home, "deaf")
    wait_for(lambda: works(home, run))
    lifecycle.stop(home, run)
    os.kill(store.run_info(home, run).pid, signal.SIGKILL)
    wait_for(lambda: lifecycle.refresh(home) == [run])
    assert state(home, run) == "stopped"


def test_another_process_with_the_same_number_is_neither_alive_nor_signalled(home):
    run = launch(home, "long")
    wait_for(lambda: works(home, run))
    lifecycle.kill(home, run)
    with contextlib.closing(_bystander()) as bystander:
        started = psutil.Process(bystander.pid).create_time()
        store.take(home, run, host=os.uname().nodename, pid=bystander.pid, process_started=started - 100)
        assert not lifecycle.alive(store.run_info(home, run))
        with pytest.raises(RunError, match="is failed already"):
            lifecycle.stop(home, run)
        assert bystander.poll() is None
    assert "exited without an error message" in store.run_info(home, run).error


def test_a_silent_worker_is_not_alive_but_keeps_its_place(home):
    """Its process is there: starting another beside it would want the same memory."""
    run = launch(home, "long")
    wait_for(lambda: works(home, run))
    info = store.run_info(home, run)
    old = dataclasses.replace(info, last_seen=time.time() - 2 * lifecycle.FRESH_SECONDS)
    assert lifecycle.alive(info) and not lifecycle.alive(old) and not is_gone(old)
    lifecycle.kill(home, run)


def test_a_worker_on_another_machine_is_judged_by_its_heartbeat(home):
    run = store.create_run(home, small_config(), small_pool())
    store.take(home, run, host="elsewhere", pid=1, process_started=1.0)
    assert lifecycle.refresh(home) == []
    assert lifecycle.alive(store.run_info(home, run))
    with pytest.raises(RunError, match="runs on elsewhere; kill it there"):
        lifecycle.kill(home, run)
    lifecycle.stop(home, run)
    assert store.heartbeat(home, run, Progress("train", 0, 1, 2)) == "stopping"
    info = store.run_info(home, run)
    assert is_gone(dataclasses.replace(info, last_seen=time.time() - 2 * STARTING_SECONDS))


def test_a_worker_that_cannot_be_started_fails_its_run_and_the_next_has_its_turn(home, monkeypatch):
    fine = lifecycle.command_of
    broken = store.create_run(home, small_config(), small_pool())
    second = store.create_run(home, small_config(name="quick"), small_pool())
    monkeypatch.setattr(
        lifecycle,
        "command_of",
        lambda home, job: ["/nowhere/python"] if job.id == broken else fine(home, job),
    )
    assert lifecycle.pump(home) == [second]
    assert "could not be started" in store.run_info(home, broken).error
    wait_for(lambda: state(home, second) == "done")


def test_each_kind_has_its_own_turn_and_pool_work_waits_for_nobody(home):
    run = store.create_run(home, small_config(), small_pool())
    store.create_run(home, small_config(), small_pool())
    for one in ("first", "second"):
        store.queue_job(home, one, "evaluation", run)
    for pool in ("a", "b"):
        store.queue_job(home, f"map-{pool}", "map", pool, allow_parallel=True)
    claimed = [store.claim_next(home, "here") for _ in range(5)]
    assert claimed == [run, "first", "map-a", "map-b", None]
    assert not store.queue_job(home, "first", "evaluation", run)  # it has not ended
    store.set_state(home, "first", "done")
    assert store.claim_next(home, "here", kinds=("run",)) is None
    assert store.claim_next(home, "here", kinds=("evaluation",)) == "second"


def test_a_run_needs_a_model(home):
    with pytest.raises(ConfigError, match="model is empty"):
        run_launch.launch(home, small_config(model=""), pool=small_pool().id)


def test_paths_that_exist_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()
    (tmp_path / "held.json").write_text("[]")
    config = small_config(pool=("held.json", "owner/name"), model="tiny", held_out="held.json")
    config = run_launch.with_absolute_paths(config)
    assert config.pool == (str(tmp_path / "held.json"), "owner/name")
    assert (config.model, config.held_out) == (str(tmp_path / "tiny"), str(tmp_path / "held.json"))
    assert run_launch.with_absolute_paths(small_config(model="demo", held_out="0.05")).held_out == "0.05"


@pytest.mark.parametrize(
    ("held_out", "share"), [("0.05", True), ("0", True), ("", True), ("demo", False), ("a.json", False)]
)
def test_what_is_held_out_is_a_share_or_a_file(held_out, share):
    assert run_launch.is_share(held_out) == share


def test_a_run_that_was_claimed_a_moment_ago_is_alive(home):
    run = store.create_run(home, small_config(), small_pool())
    store.claim_next(home, "here")
    assert lifecycle.alive(store.run_info(home, run)) and lifecycle.refresh(home) == []


class _Bystander(subprocess.Popen):
    def close(self) -> None:
        self.kill()
        self.wait()


def _bystander() -> _Bystander:
    return _Bystander([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)


def test_windows_has_no_signals_and_a_process_is_ended_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As far as this can be seen elsewhere: no signal is sent, and ending at once does without."""
    monkeypatch.setattr(processes, "WINDOWS", True)
    process = processes.spawn([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path / "log")
    written = SimpleNamespace(
        host=processes.this_host(),
        pid=process.pid,
        process_started=processes.start_time(process.pid),
        last_seen=time.time(),
    )
    processes.send(written, signal.SIGTERM)
    assert processes.process_of(written) is not None
    processes.end_at_once(written)
    assert processes.process_of(written) is None
    process.wait()
