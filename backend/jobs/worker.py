"""The process that works on one run: `python -m backend.jobs.worker HOME RUN`, or several of them that `accelerate launch` starts.

It reads the run's configuration and pool, and appends records until the run is done, somebody asks it to stop, or
something goes wrong. Whatever happens, the run's state says so in the end, and the next run in the queue is started.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from backend import store
from backend.config import RunConfig
from backend.distributed.ranks import (
    GRACE_SECONDS,
    Rank,
    Watch,
    end_with_launcher,
    identity,
    leave,
    meet,
    rank_here,
)
from backend.errors import AnotherFailed, ProcessGone, Stopped, StudioError, in_a_line
from backend.iterate.review_gate import wait_for_review
from backend.jobs.lifecycle import pump
from backend.jobs.pool_work import start_work
from backend.jobs.reporting import at_work, end, take
from backend.records import EpochRecord, Pool, Progress
from backend.store import Planned

if TYPE_CHECKING:
    from backend.diversity import NgramCounts
    from backend.iterate import Reporter

logger = logging.getLogger("backend.worker")


def work(home: Path, run_id: str, *, claimed: bool = False, here: Rank | None = None) -> int:
    """Work on a run until it ends, and return the exit code: 0 done, 1 failed, 130 stopped.

    claimed : the run was claimed for this process by `lifecycle.pump`.
    here : this process among those of the run; by default it is the only one.

    Raises
    ------
    RunError : there is no such run, or another process works on it.
    """
    here = here or rank_here()
    end_with_launcher(here)
    if not here.first:
        return _assist(home, run_id, here)
    if here.launched:  # who is asked to stop reads so in the database
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
    take(home, run_id, pid=here.pid, claimed=claimed)
    try:
        with at_work(home, run_id, pid=here.pid, hears_signals=not here.launched) as report:
            try:
                _run(home, run_id, report, here)
            except AnotherFailed:
                _wait_for_its_word(home, run_id)
                raise
        return 0
    except Stopped:
        # a launcher takes anything else for a failure, and says so at length
        return 0 if here.launched else 130
    except AnotherFailed:
        return 1
    except StudioError as error:
        logger.error("%s", error)
        return 1
    except Exception:
        # a mistake of ours or of a library: `at_work` has written its line for the screen, the log gets the traceback
        logger.exception("the run failed")
        return 1
    finally:
        pump(home)


def _assist(home: Path, run_id: str, here: Rank) -> int:
    """Work beside the first process, which alone reports; returns the exit code."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # the first process says when to stop
    # the first process learns only that another failed, so that it is said here what went wrong, and where
    failed = partial(end, home, run_id, "failed", pid=here.pid if here.launched else None)
    try:
        _run(home, run_id, lambda record: None, here)
    except Stopped:
        return 0
    except AnotherFailed:
        return 1
    except ProcessGone as error:
        failed(str(error))
        return 1
    except StudioError as error:
        logger.error("process %d of %d: %s", here.number + 1, here.size, error)
        failed(f"process {here.number + 1} of {here.size}: {error}")
        return 1
    except Exception as error:
        # a mistake of ours or of a library: the screen gets a line with the process it came from, the log the traceback
        logger.exception("process %d of %d failed", here.number + 1, here.size)
        failed(f"process {here.number + 1} of {here.size}: {in_a_line(error)}")
        return 1
    return 0


def _run(home: Path, run_id: str, report: Reporter, here: Rank) -> None:
    """Read what the run needs and iterate."""
    # whoever is asked to stop before the processes have met says so when they have: the others would wait for it
    with contextlib.suppress(Stopped) if here.size > 1 else contextlib.nullcontext():
        report(Progress("load", 0, 0, 0, "models"))
    config = store.read_config(home, run_id)
    pools = store.read_run_pool(home, run_id)
    store.check_column(home, run_id)
    pool = store.load_pool_from_store(home, pools.id)
    held_out = store.load_pool_from_store(home, pools.held_out_id) if pools.held_out_id else None
    if config.make_map and here.first:
        start_work(home, pool.id, "map")

    # nothing asks for the n-grams before the first selection: they are counted while the model is loaded and reads
    counts = _counting(home, pool, config) if here.first else None

    # torch takes seconds to import: signs of life come first
    from backend import iterate
    from backend.complexity import kept_losses
    from backend.distributed.process_group import PATIENCE, ProcessGroup
    from backend.model import load

    meet(here, threads=config.threads, patience=PATIENCE, trains=bool(config.epochs))
    group = ProcessGroup()
    with (
        Watch(here, group.gather(identity()), partial(_tell, home, run_id, here)) as others,
        others.named(),
    ):
        group.from_rank0(lambda: report(Progress("load", 0, 0, 0, "models")))
        logger.info("loading model %s", config.model)
        language_model, tokenizer = group.on_all_ranks(lambda: load.load_for(config))
        group.from_rank0(lambda: report(Progress("load", 0, 0, 0, "models")))
        folder = store.run_folder(home, run_id)
        resume = store.run_info(home, run_id).resume
        done: list[EpochRecord] = []
        measured: list[int] = []
        if here.first:
            store.set_plan(home, run_id, plan(config, pool, held_out, processes=here.size))
            device = str(language_model.device)
            store.write_json(folder / "environment.json", environment(device, processes=here.size))
            if resume:
                done = [store.read_epoch(home, run_id, epoch) for epoch in store.epochs(home, run_id)]
                decided = {record.epoch: len(record.selection) for record in done}
                start = iterate.start_of(config, folder, decided, processes=here.size)
                for text in iterate.passed_over(folder, start):
                    logger.warning("%s", text)
                    store.add_event(home, run_id, "note", text)
                # later ones were selected by a model that is trained once more
                store.remove_epochs(home, run_id, after=start.epoch)
                damaged = store.forget_metrics(
                    home, run_id, after=start.checkpoint.step if start.checkpoint else -1
                )
                if damaged:
                    logger.warning("%d damaged lines of metrics.jsonl are left out", damaged)
                measured = [m.step for m in store.read_metrics(home, run_id) if m.held_out is not None]
        iterate.run(
            config,
            pool,
            language_model,
            tokenizer,
            report=report,
            folder=folder,
            counts=counts,
            held_out_pool=held_out,
            resume=resume,
            done=done,
            review=partial(wait_for_review, home, run_id, minutes=config.review_minutes, report=report)
            if config.review
            else None,
            measured=group.from_rank0(lambda: measured),
            group=group,
            kept=lambda: kept_losses(
                home,
                config,
                language_model,
                tokenizer,
                # those that were kept since the run was asked for are new: a comparison scores once
                since=store.run_info(home, run_id).created if config.rescore else 0.0,
                given=store.given_losses(home, run_id),
            ),
        )
        if here.first:
            _leave_receipt(home, run_id)


def _leave_receipt(home: Path, run_id: str) -> None:
    """Write down what the run was made from and selected; the run is done without it too."""
    from backend.analysis.receipt import (
        write_receipt,  # with the tables of the screens, which nothing else here needs
    )

    try:
        logger.info("the receipt is in %s", write_receipt(home, run_id).name)
    except (StudioError, OSError) as error:
        logger.warning("no receipt was written (%s); the command receipt makes it later", error)


def _tell(home: Path, run_id: str, here: Rank, text: str) -> None:
    """Write down that a process is gone, where this one's work waits for it and does not notice."""
    logger.error("%s", text)
    end(home, run_id, "failed", text, pid=here.pid if here.first or here.launched else None)


def _counting(home: Path, pool: Pool, config: RunConfig) -> Callable[[], NgramCounts]:
    """Count the pool's n-grams beside everything else; the result is waited for where it is asked for."""
    aside = ThreadPoolExecutor(1, thread_name_prefix="n-grams")
    counts = aside.submit(store.ngram_counts, home, pool, suffix=config.response_suffix, words=config.words)
    aside.shutdown(wait=False)
    return counts.result


def _wait_for_its_word(home: Path, run_id: str) -> None:
    """Give the process that failed the time to write down why."""
    until = time.monotonic() + GRACE_SECONDS
    while store.run_info(home, run_id).active and time.monotonic() < until:
        time.sleep(0.05)


def plan(config: RunConfig, pool: Pool, held_out: Pool | None, *, processes: int = 1) -> list[Planned]:
    """The stages that a run goes through and roughly how long each is; what a stage reports itself counts."""
    from backend.selection import course

    ahead = course(config, len(pool), held_out_rows=len(held_out) if held_out else None, processes=processes)
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


def environment(device: str, *, processes: int = 1) -> dict[str, object]:
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
        "processes": processes,
        "packages": {name: metadata.version(name) for name in names},
    }


def main(words: Sequence[str] | None = None) -> int:
    """The command line of a worker."""
    parser = argparse.ArgumentParser(prog="python -m backend.jobs.worker", description="Works on one run.")
    parser.add_argument("home", type=Path, help="the folder of runs")
    parser.add_argument("run", help="the run's id")
    parser.add_argument(
        "--claimed", action="store_true", help="the queue has claimed the run for this process"
    )
    parser.add_argument(
        "--launched",
        action="store_true",
        help="this is one of the processes that the queue's launcher starts",
    )
    given = parser.parse_args(words)
    here = rank_here(launched=given.launched)
    logging.basicConfig(
        level=logging.INFO if here.first else logging.WARNING,
        stream=sys.stdout,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
    )
    # what libraries log below a warning is not about this run
    for name in ("httpx", "datasets", "filelock", "numba"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        code = work(given.home.resolve(), given.run, claimed=given.claimed, here=here)
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return code if here.first else leave(code)


if __name__ == "__main__":
    sys.exit(main())
