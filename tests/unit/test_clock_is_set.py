"""Somebody sets the machine's clock while runs wait and are at work: they stay what they are, in their order."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from small_runs import small_config, small_pool, small_record

from backend import store
from backend.iterate.review_gate import wait_for_review
from backend.jobs import lifecycle, processes
from tools.soak.set_clock import install

HOUR = 3600.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    store.save_pool(tmp_path, small_pool())
    return tmp_path


def new_run(home: Path) -> str:
    return store.create_run(home, small_config(), small_pool())


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[float], None]:
    """Sets this process's clock so many seconds ahead, and when the machine was started with it, as Linux does."""
    for module, name in ((time, "time"), (time, "time_ns"), (psutil._psplatform, "boot_time")):
        monkeypatch.setattr(module, name, getattr(module, name))
    offset = tmp_path / "offset"
    install(offset)

    def set_to(seconds: float) -> None:
        offset.write_text(str(seconds))

    return set_to


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_a_process_is_still_the_one_that_was_written_down(
    set_clock: Callable[[float], None], seconds: float
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        written = SimpleNamespace(
            host=processes.this_host(),
            pid=process.pid,
            process_started=processes.start_time(process.pid),
            last_seen=time.time(),
        )
        created = psutil.Process(process.pid).create_time()
        set_clock(seconds)
        assert abs(psutil.Process(process.pid).create_time() - created - seconds) < 1
        assert processes.process_of(written) is not None and not processes.is_gone(written)
        written.process_started -= 100  # another one, that had its id
        assert processes.process_of(written) is None
        process.communicate(b"\n")
    assert processes.is_gone(written)


def test_a_runs_folder_of_an_earlier_version_has_seconds_since_1970() -> None:
    created = psutil.Process().create_time()
    assert processes.is_same(os.getpid(), created)
    assert not processes.is_same(os.getpid(), created - 100)


def test_who_is_queued_later_starts_later(home: Path, set_clock: Callable[[float], None]) -> None:
    order = []
    for seconds in (HOUR, 0.0, -HOUR):
        set_clock(seconds)
        order.append(new_run(home))
    assert [store.run_info(home, run).ahead for run in order] == [0, 1, 2]
    assert store.claim_next(home, processes.this_host()) == order[0]
    store.set_state(home, order[0], "failed", error="ended")
    set_clock(-2 * HOUR)
    store.queue_again(home, order[0])
    assert [store.claim_next(home, processes.this_host())] == [order[1]]
    assert [store.run_info(home, run).ahead for run in (order[2], order[0])] == [1, 2]


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_a_review_waits_for_as_long_as_it_said(
    home: Path, set_clock: Callable[[float], None], seconds: float
) -> None:
    run = new_run(home)
    store.take(home, run, host=processes.this_host(), pid=os.getpid(), process_started=1.0)
    began = time.monotonic()

    def report(progress: object) -> None:
        set_clock(seconds)

    assert wait_for_review(home, run, small_record(), "", minutes=1.5 / 60, report=report) == {}
    assert 1.4 < time.monotonic() - began < 6


def test_who_looks_after_the_clock_was_set_sees_a_run_at_work(
    home: Path, set_clock: Callable[[float], None]
) -> None:
    run = new_run(home)
    pid = os.getpid()
    store.take(home, run, host=processes.this_host(), pid=pid, process_started=processes.start_time(pid))
    for seconds in (HOUR, -HOUR, 0.0):
        set_clock(seconds)
        assert lifecycle.refresh(home) == []
        assert store.run_info(home, run).state == "running"
        store.heartbeat(home, run, pid=pid)
        assert lifecycle.alive(store.run_info(home, run))
