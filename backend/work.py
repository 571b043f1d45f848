"""Background work on a stored pool (its map, its findings, its lengths under a model's tokenizer).

Each kind runs in a process of its own, at low priority, one at a time per pool, and goes on when whoever started it
ends. Nothing is kept in this process's memory: what was written down is what every app and terminal sees.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import psutil

from backend import store
from backend.errors import RunError, StudioError
from backend.processes import (
    how_it_ended,
    is_gone,
    reap,
    spawn,
    start_time,
    this_host,
)
from backend.store import WorkInfo, WorkKind

REPORT_SECONDS = 0.5  # between two reports on one stage
NICENESS = 10
_FOR_ARGUMENTS = ("lengths",)  # kinds of which a pool may have one that was made for other arguments


class Report(Protocol):
    """Tells those who wait how far the work is: the stage in words, and `done` of `total` where it counts."""

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None: ...


def start_work(home: Path, pool_id: str, kind: WorkKind, arguments: Sequence[str] = ()) -> WorkInfo:
    """Do a kind of work on a stored pool in a process of its own; returns how far it is.

    Nothing is started where it is running or done. After a failure it is started again.

    arguments : words for its command line, such as ("--model", "demo").

    Raises
    ------
    PoolError : there is no such pool.
    RunError : the kind is unknown, or that kind of work is running for other arguments.
    """
    home = Path(home).resolve()
    store.pool_info(home, pool_id)
    arguments = tuple(map(str, arguments))
    known = work_info(home, pool_id, kind)
    if known.state == "ready" and (kind not in _FOR_ARGUMENTS or known.arguments == arguments):
        return known
    claimed = known.state != "running" and store.claim_work(
        home, pool_id, kind, arguments=arguments, host=this_host(), known=known
    )
    if not claimed:
        present = store.work_info(home, pool_id, kind)
        if present.state == "running" and present.arguments != arguments:
            raise RunError(
                f"{kind} of pool {pool_id} is being worked on for other arguments ({' '.join(present.arguments)});"
                " start it again when that is done"
            )
        return present
    log = store.work_log(home, pool_id, kind)
    log.unlink(missing_ok=True)
    try:
        process = spawn(work_command(home, pool_id, kind, arguments), log)
    except OSError as error:
        store.set_work(home, pool_id, kind, "failed", error=f"the process could not be started: {error}")
        return store.work_info(home, pool_id, kind)
    store.set_work_process(
        home,
        pool_id,
        kind,
        host=this_host(),
        pid=process.pid,
        process_started=start_time(process.pid),
    )
    with contextlib.suppress(psutil.Error):  # gone already: its state says why
        psutil.Process(process.pid).nice(NICENESS)
    return store.work_info(home, pool_id, kind)


def work_info(home: Path, pool_id: str, kind: WorkKind) -> WorkInfo:
    """How far a kind of work on a pool is; work whose process is gone has failed, at its last stage.

    Raises
    ------
    RunError : the kind is unknown.
    """
    reap()
    info = store.work_info(home, pool_id, kind)
    if info.state == "running" and is_gone(info):
        store.set_work(home, pool_id, kind, "failed", error=_obituary(home, info), pid=info.pid)
        info = store.work_info(home, pool_id, kind)
    return info


def start_map(home: Path, pool_id: str) -> WorkInfo:
    """Lay out a stored pool's map and find its clusters."""
    return start_work(home, pool_id, "map")


def map_info(home: Path, pool_id: str) -> WorkInfo:
    """How far a pool's map is."""
    return work_info(home, pool_id, "map")


def work_command(home: Path, pool_id: str, kind: WorkKind, arguments: Sequence[str] = ()) -> list[str]:
    """The command that does a kind of work on a stored pool."""
    return [sys.executable, "-m", "backend", kind, pool_id, *arguments, "--runs-dir", str(home)]


@contextlib.contextmanager
def reporting(home: Path, pool_id: str, kind: WorkKind, arguments: Sequence[str] = ()) -> Iterator[Report]:
    """The work itself, in the process that does it: within the block it is running, after it ready or failed.

    Raises
    ------
    RunError : another process is at this work.
    """
    work_info(home, pool_id, kind)  # one that died is out of the way
    pid = os.getpid()
    store.take_work(
        home,
        pool_id,
        kind,
        arguments=tuple(arguments),
        host=this_host(),
        pid=pid,
        process_started=start_time(pid),
    )
    told: tuple[str, float] = ("", 0.0)

    def report(stage: str, done: int = 0, total: int = 0) -> None:
        nonlocal told
        now = time.monotonic()
        if stage == told[0] and now - told[1] < REPORT_SECONDS and done != total:
            return
        told = stage, now
        store.set_work(home, pool_id, kind, "running", stage=stage, done=done, total=total, pid=pid)

    with store.held_open(home):
        try:
            yield report
        except BaseException as error:
            words = str(error) if isinstance(error, StudioError) else f"{type(error).__name__}: {error}"
            store.set_work(home, pool_id, kind, "failed", error=words.rstrip(": "), pid=pid)
            raise
        store.set_work(home, pool_id, kind, "ready", pid=pid)


def _obituary(home: Path, info: WorkInfo) -> str:
    """The last thing that a dead process did, for a person."""
    at = info.stage or "starting"
    if info.total:
        at += f", {info.done:,} of {info.total:,}"
    text = f"The process {how_it_ended(info.pid)} while at: {at}."
    log = store.work_log(home, info.pool_id, info.kind)
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.is_file() else []
    said = [line.strip() for line in lines if line.strip()]
    return f"{text} It printed last: {said[-1]}" if said else text
