"""This process among those of one run, where `accelerate launch` has started several."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from datetime import timedelta

PARENT_SECONDS = 0.5


@dataclass(frozen=True)
class Rank:
    """Which process of how many this is, and which process stands for the run.

    number : 0 reports, selects and writes. size : 1 where there is one process.
    pid : whose id and start time say whether the run is alive: the launcher's where our queue started one (all others
        end with it), else this process's own.
    launched : our queue's launcher has started this process. It passes no signal on: it would not wait for the end of
        an optimizer step. Who is asked to stop reads so in the database.
    """

    number: int
    size: int
    pid: int
    launched: bool

    @property
    def first(self) -> bool:
        """Whether this is the process that reports."""
        return self.number == 0


def rank_here(*, launched: bool = False) -> Rank:
    """This process's place, from what a launcher has written into the environment."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    number = int(os.environ.get("RANK", "0")) if size > 1 else 0
    return Rank(number, size, os.getppid() if launched else os.getpid(), launched)


def end_with_launcher(here: Rank) -> None:
    """Let this process end at once when its launcher is gone, however that ended."""
    if not here.launched:
        return

    def watch() -> None:
        while os.getppid() == here.pid:
            time.sleep(PARENT_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="launcher", daemon=True).start()


def meet(here: Rank, *, threads: int, patience: timedelta) -> None:
    """Become one of the processes that exchange numbers; nothing where there is one.

    threads : CPU threads of each; 0 shares out the cores.
    patience : how long one may wait for the others.
    """
    if here.size == 1:
        return
    import torch
    from accelerate import PartialState

    on_cpu = not torch.cuda.is_available()
    PartialState(cpu=on_cpu, timeout=patience)
    if on_cpu:
        torch.set_num_threads(threads or max(1, (os.cpu_count() or 1) // here.size))
