"""Starting, watching and stopping the processes that jobs have: one at a time of a kind unless a job allows more.

Nothing is kept in this process's memory: whoever opens the runs folder, the app, a second app or a terminal, sees
the same jobs and may stop them. A job is alive when its process id and that process's start time both match what was
written down, and its last sign of life is fresh.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import get_args

import psutil

from backend import store
from backend.distributed import launcher
from backend.errors import DiskError, RunError, StudioError
from backend.jobs import budget_end
from backend.jobs.processes import (
    end_at_once,
    exit_code,
    how_it_ended,
    is_gone,
    process_of,
    reap,
    send,
    spawn,
    start_time,
    this_host,
)
from backend.store import Job, JobKind
from backend.store.evaluations import evaluation_log
from backend.store.paths import log_path, pool_folder
from backend.store.run_reading import read_tail

_LOG = logging.getLogger(__name__)
FRESH_SECONDS = 30.0  # a process gives a sign of life about every second; a loaded machine may hold it back
GRACE_SECONDS = 60.0  # after this long in "stopping" a screen may offer to kill
LITTLE_ROOM = 16 << 20  # bytes on the disk below which that may be why a process ended
NICENESS = 10  # of work on a pool, which nobody should notice


def pump(home: Path, *, kinds: tuple[JobKind, ...] = get_args(JobKind)) -> list[str]:
    """Start what may start now; returns the ids of the jobs started. Call it as often as you like, from anywhere.

    Before, runs that nobody needs any more leave the queue: whoever ends a run calls this, so a search ends by itself.
    """
    home = Path(home).resolve()
    if store.is_read_only(home):
        return []
    refresh(home)
    started = []
    if "run" in kinds and store.list_jobs(home, kind="run", states=("queued",)):
        budget_end.end_early_all(home)
    # looking is cheap; claiming holds every other writer up
    while store.list_jobs(home, states=("queued",)):
        job_id = store.claim_next(home, this_host(), kinds=kinds)
        if job_id is None:
            break
        job = find(home, job_id)
        of_run = job.kind == "run"
        try:
            log = log_of(home, job)
            if not of_run:
                log.unlink(missing_ok=True)  # it begins anew; a run that is resumed goes on
            threads = store.read_config(home, job_id).threads if of_run else 0
            process = spawn(command_of(home, job), log, threads=threads)
        except (
            OSError,
            StudioError,
        ) as error:  # of what it is about, too: the next in the queue has its turn
            text = f"the process could not be started: {error}"
            store.set_state(home, job_id, "failed", error=text, note=text)
            continue
        pid = process.pid
        store.set_process(home, job_id, host=this_host(), pid=pid, process_started=start_time(pid))
        if job.kind in ("map", "findings", "lengths", "overlaps"):
            with contextlib.suppress(psutil.Error):  # gone already: its state says why
                psutil.Process(pid).nice(NICENESS)
        started.append(job_id)
    return started


def command_of(home: Path, job: Job) -> list[str]:
    """The command that does a claimed job."""
    if job.kind == "run":
        return launcher.worker_command(home, job.id, store.read_config(home, job.id))
    if job.kind == "evaluation":
        return [sys.executable, "-m", "backend.jobs.evaluator", str(home), job.id]
    return [sys.executable, "-m", "backend", job.kind, job.subject, *job.arguments, "--runs-dir", str(home)]


def log_of(home: Path, job: Job) -> Path:
    """The file that a job's process prints to."""
    if job.kind == "run":
        return log_path(home, job.id)
    if job.kind == "evaluation":
        return evaluation_log(home, job.subject, job.id)
    return pool_folder(home, job.subject) / f"{job.kind}.txt"


def find(home: Path, job_id: str) -> Job:
    """A job.

    Raises
    ------
    RunError : there is none of this id.
    """
    job = store.find_job(home, job_id)
    if job is None:
        raise RunError(f"run {job_id} not found in {home}")
    return job


def stop(home: Path, job_id: str) -> None:
    """Ask a job to stop: a queued one is stopped at once, a running one when its current step is done.

    Its process is told by SIGTERM, or, on another machine, at its next sign of life. A run can be resumed.

    Raises
    ------
    RunError : the job has ended already.
    """
    if store.set_state(home, job_id, "stopped", expect=("queued",), note="stopped before it started"):
        return
    refresh(home)
    asked = store.set_state(home, job_id, "stopping", expect=("running", "waiting"), note="asked to stop")
    job = find(home, job_id)
    if job.active:
        # a launcher would end its processes before their step is done; theirs is to look into the database
        if job.kind != "run" or not _in_several(home, job_id):
            send(job, signal.SIGTERM)
    elif not asked:  # else its process saw it at a sign of life and has stopped already
        raise RunError(f"{job.kind} {job_id} is {job.state} already")


def _in_several(home: Path, job_id: str) -> bool:
    """Whether a run works in several processes; where its configuration is damaged by now, they hear of it all the same."""
    try:
        return launcher.several(store.read_config(home, job_id))
    except RunError:
        return True


def kill(home: Path, job_id: str) -> None:
    """End a job's process at once, with all that it started; what it had stored stays, and a run can be resumed.

    Raises
    ------
    RunError : no process is at work on it, or it runs on another machine.
    """
    job = find(home, job_id)
    if not job.active:
        raise RunError(f"{job.kind} {job_id} is {job.state}; there is no worker to kill")
    if job.host not in (None, this_host()):
        raise RunError(f"{job.kind} {job_id} runs on {job.host}; kill it there")
    store.set_state(home, job_id, "stopping", expect=("running", "waiting"))
    end_at_once(job)
    store.set_state(home, job_id, "stopped", expect=("stopping",), note="killed")


def resume(home: Path, job_id: str) -> None:
    """Queue a stopped or failed run again, to go on after its last checkpoint, and start it if its turn has come.

    Raises
    ------
    RunError : the run is in another state.
    """
    refresh(home)
    store.queue_again(home, job_id)
    pump(home)


def refresh(home: Path) -> list[str]:
    """Mark jobs whose process is gone as failed, with the last thing it did; returns their ids.

    A process that was asked to stop and is gone has stopped. One that is there but has no heartbeat stays as it is
    (`alive` is False): its memory is not free, so nothing else may start in its place.
    """
    home = Path(home).resolve()
    reap()
    if store.is_read_only(home):
        return []
    gone = [job for job in store.list_jobs(home, states=store.ACTIVE) if is_gone(job)]
    try:
        return [job.id for job in gone if _mark_as_gone(home, job)]
    except DiskError as error:  # looking must go on; whoever looks when there is room again marks it
        _LOG.warning("a job whose process is gone cannot be marked: %s", error)
        return []


def _mark_as_gone(home: Path, job: Job) -> bool:
    """Write down how a job whose process is gone has ended; False where it ended in order between the two looks."""
    note = "the process ended while it was asked to stop"
    if store.set_state(home, job.id, "stopped", expect=("stopping",), pid=job.pid, note=note):
        return True
    error = describe_exit(home, job)
    return store.set_state(
        home, job.id, "failed", error=error, expect=("running", "waiting"), pid=job.pid, note=error
    )


def alive(job: Job) -> bool:
    """Whether a process is at work: it exists, is the one that was started, and its last sign of life is fresh."""
    if not job.active or time.time() - (job.last_seen or 0) > FRESH_SECONDS:
        return False
    starting = job.pid is None  # claimed a moment ago
    return starting or job.host not in (None, this_host()) or process_of(job) is not None


def describe_exit(home: Path, job: Job) -> str:
    """How the process of a job ended, the last thing it did and the last it printed, for a person."""
    last = "before it reported anything"
    if job.stage is not None:
        epoch = f", epoch {job.epoch}" if job.kind == "run" else ""
        counted = f", {job.done:,} of {job.total:,} {job.unit}" if job.total else ""
        last = f"at: {job.stage}{epoch}{counted}"
    lines = [line.strip() for line in read_tail(log_of(home, job), 5).splitlines() if line.strip()]
    said = f" It printed last: {lines[-1]}" if lines else ""
    free = shutil.disk_usage(home).free
    full = f" The disk has {free >> 20:,} MiB left: make room, then resume." if free < LITTLE_ROOM else ""
    return f"The process {how_it_ended(exit_code(job.pid), printed=bool(lines))} {last}.{said}{full}"
