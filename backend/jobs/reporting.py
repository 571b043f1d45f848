"""How a process writes down what its job reports and how it ends, gives signs of life, and learns that it should stop."""

from __future__ import annotations

import contextlib
import logging
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from backend import store
from backend.errors import DiskError, Stopped, in_a_line
from backend.jobs.processes import start_time, this_host
from backend.records import EpochRecord, Metrics, Progress

HEARTBEAT_SECONDS = 1.0
PROGRESS_SECONDS = 0.25  # progress is written down at most this often, and whenever a stage begins
AT_WORK = ("running", "waiting")  # in any other state somebody wants the process to stop

logger = logging.getLogger("backend.worker")


def take(home: Path, job_id: str, *, pid: int, claimed: bool = False) -> None:
    """Say that a process works on a job: this one, or the launcher that started it.

    claimed : the job was claimed for it by `lifecycle.pump`.

    Raises
    ------
    RunError : there is no such job, or another process works on it.
    """
    store.take(home, job_id, host=this_host(), pid=pid, process_started=start_time(pid), claimed=claimed)


@contextlib.contextmanager
def at_work(home: Path, job_id: str, *, pid: int, hears_signals: bool = False) -> Iterator[Reporting]:
    """The block works on a job that its process has taken; after it the job is done, stopped (`Stopped`) or failed.

    hears_signals : SIGTERM and SIGINT ask it to stop.
    """
    report = Reporting(home, job_id, pid=pid)
    if hears_signals:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: report.asked_to_stop.set())
    try:
        with store.held_open(home), report:
            yield report
    except Stopped:
        end(home, job_id, "stopped", "stopped as asked", pid=pid)
        raise
    except BaseException as error:
        end(home, job_id, "failed", in_a_line(error), pid=pid)
        raise
    end(home, job_id, "done", "done", pid=pid)


def end(home: Path, job_id: str, state: store.EndState, text: str, *, pid: int | None) -> None:
    """Write down how a job ended, unless somebody has taken it away since."""
    error = text if state == "failed" else None
    try:
        store.set_state(home, job_id, state, error=error, expect=store.ACTIVE, pid=pid, note=text)
    except DiskError as full:  # whoever looks when there is room again sees that this process is gone
        logger.error("%s: %s", state, full)
        return
    logger.info("%s", state)


class Reporting:
    """Takes a job's records and writes them to the store; raises `Stopped` once somebody has asked to stop.

    A thread of its own gives the signs of life, so that they come while the model is busy, too.
    """

    def __init__(self, home: Path, job_id: str, *, pid: int | None = None) -> None:
        self.home, self.job_id, self.pid = home, job_id, pid
        self.asked_to_stop = threading.Event()
        self._ended = threading.Event()
        self._stage: tuple[str, int] | None = None
        self._written = 0.0
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Reporting:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def __call__(self, record: Progress | Metrics | EpochRecord) -> None:
        """Write a record down."""
        if isinstance(record, Progress):
            self._progress(record)
        elif isinstance(record, Metrics):
            store.append_metrics(self.home, self.job_id, record)
            logger.info("%s", _metrics_line(record))
        else:
            store.write_epoch(self.home, self.job_id, record)
            text = (
                f"epoch {record.epoch}: {len(record.selection):,} of {len(record.scores):,} samples selected"
            )
            rescored = int(record.rescored.sum())
            if record.taken is not None:
                text += f", scores {record.taken.words}"
                rescored -= record.taken.samples
            text += f", {rescored:,} scored" if rescored else ""
            # at epoch 0 the pool is read for the first time; later the same samples are left out again
            unscored = record.scores.unscored() if record.epoch == 0 else {}
            if unscored:
                reasons = "; ".join(f"{count:,} {reason}" for reason, count in unscored.items())
                text += f"; {sum(unscored.values()):,} cannot be scored: {reasons}"
            store.add_event(self.home, self.job_id, "selected", text)
            logger.info("%s", text)
        if self.asked_to_stop.is_set():
            raise Stopped("stopped as asked")

    def _progress(self, progress: Progress) -> None:
        stage, now = (progress.stage, progress.epoch), time.monotonic()
        changed = stage != self._stage
        if changed:
            logger.info("%s, epoch %d", *stage)
        # the last report of a stage is written too: it tells how long the whole stage took
        complete = bool(progress.total) and progress.done >= progress.total
        if changed or complete or now - self._written >= PROGRESS_SECONDS:
            self._stage, self._written = stage, now
            if store.heartbeat(self.home, self.job_id, progress, pid=self.pid) not in AT_WORK:
                self.asked_to_stop.set()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            try:
                if store.heartbeat(self.home, self.job_id, pid=self.pid) not in AT_WORK:
                    self.asked_to_stop.set()
            except (
                sqlite3.OperationalError,
                DiskError,
            ) as error:  # held for long by another process, or full: try again
                logger.warning("the heartbeat could not be written: %s", error)


def _metrics_line(metrics: Metrics) -> str:
    if metrics.held_out is not None:
        epochs = "epoch" if metrics.epoch == 1 else "epochs"
        return f"step {metrics.step}: held-out loss {metrics.held_out:.4f} after {metrics.epoch:g} {epochs}"
    loss = "unknown" if metrics.loss is None else f"{metrics.loss:.4f}"
    return f"step {metrics.step}: loss {loss}"
