"""How a worker writes down what its run reports, gives signs of life, and learns that it should stop."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from pathlib import Path

from backend import store
from backend.errors import Stopped
from backend.records import EpochRecord, Metrics, Progress

HEARTBEAT_SECONDS = 1.0
PROGRESS_SECONDS = 0.25  # progress is written down at most this often, and whenever a stage begins
AT_WORK = ("running", "waiting")  # in any other state somebody wants the worker to stop

logger = logging.getLogger("backend.worker")


class Reporting:
    """Takes a run's records and writes them to the store; raises `Stopped` once somebody has asked to stop.

    A thread of its own gives the signs of life, so that they come while the model is busy, too.
    """

    def __init__(self, home: Path, run_id: str) -> None:
        self.home, self.run_id = home, run_id
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
            store.append_metrics(self.home, self.run_id, record)
            logger.info("%s", _metrics_line(record))
        else:
            store.write_epoch(self.home, self.run_id, record)
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
            store.add_event(self.home, self.run_id, "selected", text)
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
            if store.heartbeat(self.home, self.run_id, progress) not in AT_WORK:
                self.asked_to_stop.set()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            try:
                if store.heartbeat(self.home, self.run_id) not in AT_WORK:
                    self.asked_to_stop.set()
            except sqlite3.OperationalError as error:  # another process held the database for long: try again
                logger.warning("no sign of life could be given: %s", error)


def _metrics_line(metrics: Metrics) -> str:
    if metrics.held_out is not None:
        return f"step {metrics.step}: held-out loss {metrics.held_out:.4f} after {metrics.epoch:g} epochs"
    loss = "unknown" if metrics.loss is None else f"{metrics.loss:.4f}"
    return f"step {metrics.step}: loss {loss}"
