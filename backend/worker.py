"""The process that works on one run: `python -m backend.worker HOME RUN`.

It reads the run's configuration and pool, and appends records until the run is done, somebody asks it to stop, or
something goes wrong. Whatever happens, the run's state says so in the end, and the next run in the queue is started.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import metadata
from pathlib import Path
from types import FrameType

import psutil

from backend import jobs, store
from backend.config import RunConfig
from backend.errors import Stopped, StudioError
from backend.records import EpochRecord, Metrics, Pool, Progress
from backend.review_gate import wait_for_review
from backend.store import Planned

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
            text += f", {rescored:,} scored" if rescored else ""
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


def work(home: Path, run_id: str, *, claimed: bool = False) -> int:
    """Work on a run until it ends, and return the exit code: 0 done, 1 failed, 130 stopped.

    claimed : the run was claimed for this process by `jobs.pump`.

    Raises
    ------
    RunError : there is no such run, or another process works on it.
    """
    pid = os.getpid()
    process_started = psutil.Process(pid).create_time()
    store.take(home, run_id, host=platform.node(), pid=pid, process_started=process_started, claimed=claimed)
    report = Reporting(home, run_id)

    def stop(number: int, frame: FrameType | None) -> None:
        report.asked_to_stop.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        with store.held_open(home), report:
            _run(home, run_id, report)
        _end(home, run_id, "done", "done")
        return 0
    except Stopped:
        _end(home, run_id, "stopped", "stopped as asked")
        return 130
    except StudioError as error:
        logger.error("%s", error)
        _end(home, run_id, "failed", str(error))
        return 1
    except Exception as error:
        # the one place that catches everything: the person at the screen gets a line, the log the traceback
        logger.exception("the run failed")
        first = (str(error).strip().splitlines() or [""])[0]
        _end(home, run_id, "failed", f"{type(error).__name__}: {first}" if first else type(error).__name__)
        return 1
    finally:
        jobs.pump(home)


def _run(home: Path, run_id: str, report: Reporting) -> None:
    """Read what the run needs and iterate."""
    report(Progress("load", 0, 0, 0, "models"))
    config = store.read_config(home, run_id)
    pools = store.read_run_pool(home, run_id)
    pool = store.load_pool_from_store(home, pools.id)
    held_out = store.load_pool_from_store(home, pools.held_out_id) if pools.held_out_id else None
    if config.make_map:
        jobs.start_map(home, pool.id)

    # nothing asks for the n-grams before the first selection: they are counted while the model is loaded and reads
    aside = ThreadPoolExecutor(1, thread_name_prefix="n-grams")
    counts = aside.submit(store.ngram_counts, home, pool, suffix=config.response_suffix)
    aside.shutdown(wait=False)

    # torch takes seconds to import: signs of life come first
    from backend import iterate, model
    from backend.training import last_checkpoint

    logger.info("loading model %s", config.model)
    language_model, tokenizer = model.load_for(config)
    report(Progress("load", 0, 0, 0, "models"))
    store.set_plan(home, run_id, plan(config, pool, held_out))
    folder = store.run_folder(home, run_id)
    store.write_json(folder / "environment.json", environment(str(language_model.device)))
    resume = store.run_info(home, run_id).resume
    if resume and last_checkpoint(folder / "checkpoints") is None:
        store.remove_epochs(home, run_id, after=0)
    iterate.run(
        config,
        pool,
        language_model,
        tokenizer,
        report=report,
        folder=folder,
        counts=counts.result,
        held_out_pool=held_out,
        resume=resume,
        review=partial(wait_for_review, home, run_id, minutes=config.review_minutes, report=report)
        if config.review
        else None,
        done=[store.read_epoch(home, run_id, epoch) for epoch in store.epochs(home, run_id)]
        if resume
        else (),
    )


def plan(config: RunConfig, pool: Pool, held_out: Pool | None) -> list[Planned]:
    """The stages that a run goes through and roughly how long each is; what a stage reports itself counts."""
    from backend.selection import course

    ahead = course(config, len(pool), held_out_rows=len(held_out) if held_out else None)
    measured = ahead.held_out or 0
    stages = [Planned("score", 0, ahead.scored[0])]
    if config.epochs:
        stages.append(Planned("evaluate", 0, measured))
    for epoch, steps in enumerate(ahead.steps):
        if epoch:
            stages.append(Planned("score", epoch, ahead.scored[epoch]))
        stages.append(Planned("train", epoch, steps))
        stages.append(Planned("evaluate", epoch + 1, measured))
    return [stage for stage in stages if stage.total]


def environment(device: str) -> dict[str, object]:
    """What a run was computed with: versions, machine, device."""
    names = (
        "torch",
        "transformers",
        "accelerate",
        "peft",
        "tokenizers",
        "numpy",
        "pyarrow",
        "scikit-learn",
        "numba",
    )
    return {
        "python": platform.python_version(),
        "machine": platform.platform(),
        "cpus": os.cpu_count(),
        "device": device,
        "packages": {name: metadata.version(name) for name in names},
    }


def _end(home: Path, run_id: str, state: store.EndState, text: str) -> None:
    """Write down how the run ended, unless somebody has taken it away since."""
    error = text if state == "failed" else None
    store.set_state(home, run_id, state, error=error, expect=store.ACTIVE, pid=os.getpid(), note=text)
    logger.info("%s", state)


def _metrics_line(metrics: Metrics) -> str:
    if metrics.held_out is not None:
        return (
            f"step {metrics.step}: held-out loss {metrics.held_out:.4f} after {metrics.held_out_epoch} epochs"
        )
    loss = "unknown" if metrics.loss is None else f"{metrics.loss:.4f}"
    return f"step {metrics.step}: loss {loss}"


def main(words: Sequence[str] | None = None) -> int:
    """The command line of a worker."""
    parser = argparse.ArgumentParser(prog="python -m backend.worker", description="Works on one run.")
    parser.add_argument("home", type=Path, help="the folder of runs")
    parser.add_argument("run", help="the run's id")
    parser.add_argument(
        "--claimed", action="store_true", help="the queue has claimed the run for this process"
    )
    given = parser.parse_args(words)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s", datefmt="%H:%M:%S"
    )
    # what libraries log below a warning is not about this run
    for name in ("httpx", "datasets", "filelock", "numba"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return work(given.home.resolve(), given.run, claimed=given.claimed)
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
