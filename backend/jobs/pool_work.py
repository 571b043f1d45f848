"""Background work on a stored pool: its map, its findings, its lengths under a model's tokenizer, its overlaps with
evaluation data.

Each kind runs in a process of its own, at low priority, one at a time per pool, and goes on when whoever started it
ends.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol, get_args

from backend import store
from backend.errors import RunError
from backend.jobs import lifecycle
from backend.jobs.reporting import at_work, take
from backend.records import Progress
from backend.store import Job
from backend.store.findings import has_findings
from backend.store.maps import has_whole_map
from backend.store.paths import pool_folder

PoolKind = Literal["map", "findings", "lengths", "overlaps"]
# by what can be told that the work is done, whatever was written down about it
_MADE: dict[PoolKind, Callable[[Path, str], bool]] = {"map": has_whole_map, "findings": has_findings}


class Report(Protocol):
    """Tells those who wait how far the work is: the stage in words, and `done` of `total` where it counts."""

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None: ...


def start_work(home: Path, pool_id: str, kind: PoolKind, arguments: Sequence[str] = ()) -> Job:
    """Do a kind of work on a stored pool in a process of its own; returns how far it is.

    Nothing is started where it is running or done. After a failure it is started again.

    arguments : words for its command line, such as ("--model", "demo").

    Raises
    ------
    PoolError : there is no such pool.
    RunError : the kind is unknown, or that kind of work is running for other arguments.
    """
    home = Path(home).resolve()
    pool_id = _subject(home, pool_id, kind)
    store.pool_info(home, pool_id)
    arguments = tuple(map(str, arguments))
    known = work_info(home, pool_id, kind)
    other = _of_other_edits(home, pool_id, kind) if kind == "findings" else None
    if other is not None:
        return other
    # of lengths a pool may have some that were counted for other arguments; a file of evaluation data may have changed
    if known.state == "done" and (
        kind in ("map", "findings") or (kind == "lengths" and known.arguments == arguments)
    ):
        return known
    if store.queue_job(home, known.id, kind, pool_id, arguments=arguments, allow_parallel=True):
        lifecycle.pump(home, kinds=(kind,))
    found = work_info(home, pool_id, kind)
    if found.unfinished and found.arguments != arguments:
        raise RunError(
            f"{kind} of pool {pool_id} is running with other arguments ({' '.join(found.arguments)});"
            " start it again when it has finished"
        )
    return found


def work_info(home: Path, pool_id: str, kind: PoolKind) -> Job:
    """How far a kind of work on a pool is; work whose process is gone has failed, at its last stage.

    What it makes is looked for where that can be seen: whoever made it, it is done.

    Raises
    ------
    RunError : the kind is unknown.
    """
    if kind not in get_args(PoolKind):
        raise RunError(f"kind of work is {kind!r}; allowed: {', '.join(get_args(PoolKind))}")
    pool_id = _subject(home, pool_id, kind)
    job_id = f"{kind}-{pool_id}"
    job = store.find_job(home, job_id)
    if job is not None and job.active and lifecycle.refresh(home):
        job = store.find_job(home, job_id)
    made = _MADE[kind](home, pool_id) if kind in _MADE else job is not None and job.state == "done"
    if made:
        arguments = () if job is None else job.arguments
        return Job(id=job_id, kind=kind, subject=pool_id, state="done", arguments=arguments)
    if job is None or job.state == "done":  # done, and then what it made was removed
        return Job(id=job_id, kind=kind, subject=pool_id, state="absent")
    return job


def _subject(home: Path, pool_id: str, kind: PoolKind) -> str:
    """The pool to work on. An edited pool shares the map of its original."""
    pool_folder(home, pool_id)
    return store.root_of(home, pool_id) if kind == "map" else pool_id


def _of_other_edits(home: Path, pool_id: str, kind: PoolKind) -> Job | None:
    """The same work on the pool with other edits, while it goes on: every edit makes another pool, and one after the other
    is enough."""
    root = store.root_of(home, pool_id)
    for job in store.list_jobs(home, kind=kind, states=("queued", *store.ACTIVE)):
        if (
            job.subject != pool_id
            and store.root_of(home, job.subject) == root
            and work_info(home, job.subject, kind).unfinished
        ):
            return job
    return None


@contextlib.contextmanager
def reporting(home: Path, pool_id: str, kind: PoolKind, arguments: Sequence[str] = ()) -> Iterator[Report]:
    """The work itself, in the process that does it: within the block it is running, after it done or failed.

    Raises
    ------
    RunError : another process is at this work.
    """
    lifecycle.refresh(home)  # one that died is out of the way
    pool_id = _subject(home, pool_id, kind)
    job_id = f"{kind}-{pool_id}"
    # started by hand it takes the place of what was there; claimed for this process, it is there already
    store.queue_job(home, job_id, kind, pool_id, arguments=arguments, allow_parallel=True)
    take(home, job_id, pid=os.getpid())
    with at_work(home, job_id, pid=os.getpid()) as report:
        yield lambda stage, done=0, total=0: report(Progress(stage, 0, done, total))
