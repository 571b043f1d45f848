"""What the command `score` computes: in this process, or in several that the launcher starts and that this one listens to.

Each of several is `python -m backend.cli.scoring FOLDER`. They end when this process does, however that ends: they read a
pipe whose other end only this process holds.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from backend.cli import console
from backend.config import RunConfig
from backend.distributed import launcher
from backend.distributed.ranks import Watch, end_with_launcher, identity, leave, meet, rank_here
from backend.errors import AnotherFailed, ModelError, ProcessGone, Stopped, StudioError, in_a_line
from backend.records import Pool, Progress, Scores, Taken

TASK, SCORES, ERROR = "task.pickle", "scores.pickle", "error.txt"
GRACE_SECONDS = 10.0  # for a batch that is being read, and to keep what was read before
FEWER = "--processes 1 (and no --accelerate-config) scores in one process, with less memory"

Show = Callable[[Progress], None]


class Found(NamedTuple):
    """What scoring a pool gives. taken : how many samples' scores were kept before; None for none of them.

    depends_on : see `complexity.scores_depend_on`.
    """

    scores: Scores
    taken: Taken | None
    depends_on: dict[str, Any]


def score_pool(home: Path, config: RunConfig, pool: Pool) -> Found:
    """Scores of the whole pool, with a progress bar.

    Raises
    ------
    ModelError : the model cannot be loaded, or one of several processes ended before its work was done.
    """
    begun = time.time()
    # read once, when torch is loaded; threads that spin while they wait make each other slow on shared cores
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with console.progress_bar() as bar:
        bar.show("loading the model", 0, 0)

        def show(progress: Progress) -> None:
            bar.show(console.STAGES[progress.stage], progress.done, progress.total, progress.unit)

        if launcher.several(config):
            return _in_several(home, config, pool, begun, show)
        return _in_this(home, config, pool, begun, show)


def _in_this(home: Path, config: RunConfig, pool: Pool, begun: float, show: Show) -> Found:
    """This process's part, where there are several; the same result in each.

    begun : seconds since 1970; `rescore` passes over what was kept before.
    """
    import numpy as np
    import torch

    from backend import complexity, prompts
    from backend.distributed.process_group import ProcessGroup
    from backend.model import load

    group = ProcessGroup()
    if config.threads:
        torch.set_num_threads(config.threads)
    model, tokenizer = group.on_all_ranks(lambda: load.load(config.model, precision=config.precision))
    encoded = group.on_all_ranks(
        lambda: prompts.encode(
            pool,
            tokenizer,
            system_prompt=config.system_prompt,
            max_length=load.usable_length(model, config.max_length),
            on_progress=show,
        ).readable(load.embedding_rows(model))
    )
    since = begun if config.rescore else 0.0
    depends_on = group.from_rank0(lambda: complexity.scores_depend_on(home, config, model, tokenizer))
    kept = group.from_rank0(lambda: complexity.kept_losses(home, config, model, tokenizer, since=since))
    scores, taken = complexity.score_unknown(
        model, encoded, np.arange(len(encoded)), config, kept=kept, group=group, on_progress=show
    )
    return Found(scores, taken, depends_on)


def _in_several(home: Path, config: RunConfig, pool: Pool, begun: float, show: Show) -> Found:
    """Start the processes, show how far they are, and return what they found."""
    with tempfile.TemporaryDirectory(prefix="iterit-") as name:
        folder = Path(name)
        (folder / TASK).write_bytes(pickle.dumps((home, config, pool, begun)))
        process = subprocess.Popen(
            launcher.command(config, ["backend.cli.scoring", name]),
            env={**launcher.environment(), "TOKENIZERS_PARALLELISM": "false"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl+C in a terminal is for this process, which tells the others
        )
        assert process.stdin is not None and process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith("{"):
                    show(Progress(**json.loads(line)))
        finally:
            process.stdin.close()  # ends them, wherever they are
            try:
                process.wait(timeout=2 * GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()  # and they end with it
                process.wait()
            process.stdout.close()
        if (folder / SCORES).is_file():
            return Found(*pickle.loads((folder / SCORES).read_bytes()))
        if (folder / ERROR).is_file():
            raise ModelError((folder / ERROR).read_text(encoding="utf-8"))
        raise ModelError(f"the scoring processes ended (exit code {process.returncode}); {FEWER}")


def main(words: Sequence[str] | None = None) -> int:
    """What one of several processes does."""
    parser = argparse.ArgumentParser(prog="python -m backend.cli.scoring", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(launcher.LAUNCHED, action="store_true")
    given = parser.parse_args(words)
    here = rank_here(launched=given.launched)
    end_with_launcher(here)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the command says when to stop
    asked_to_stop = _watch_command()
    which = f"process {here.number + 1} of {here.size}"

    def tell(text: str) -> None:
        with open(given.folder / ERROR, "a", encoding="utf-8") as file:
            file.write(text)

    def show(progress: Progress) -> None:
        if asked_to_stop.is_set():
            raise Stopped("the command has ended")
        if here.first:
            print(json.dumps(dataclasses.asdict(progress)), flush=True)

    from backend.distributed.process_group import PATIENCE, ProcessGroup

    task: tuple[Path, RunConfig, Pool, float] = pickle.loads((given.folder / TASK).read_bytes())
    try:
        meet(here, threads=task[1].threads, patience=PATIENCE, trains=False)
        everybody = ProcessGroup().gather(identity())
        with Watch(here, everybody, lambda text: tell(f"{text}; {FEWER}")) as others, others.named():
            found = _in_this(*task, show)
            if here.first:
                # a tuple: this module has another name in the process that reads it
                (given.folder / SCORES).write_bytes(pickle.dumps(tuple(found)))
    except (Stopped, AnotherFailed):
        return 0
    except ProcessGone as error:
        tell(f"{error}; {FEWER}")
    except StudioError as error:
        tell(str(error) if here.first else f"{which}: {error}")
    except Exception as error:
        # a mistake of ours or of a library: the command ends with this line as its error, below the traceback
        logging.getLogger(__name__).exception("%s failed", which)
        tell(f"{which}: {in_a_line(error)}")
    return 0  # a launcher takes anything else for a death, and says so at length


def _watch_command() -> threading.Event:
    """Set once the command has ended; soon after, this process ends too."""
    ended = threading.Event()

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)  # nothing is ever written: this returns at the pipe's end
        ended.set()
        time.sleep(GRACE_SECONDS)
        os._exit(0)

    threading.Thread(target=watch, name="command", daemon=True).start()
    return ended


if __name__ == "__main__":
    leave(main())
