"""This process among those of one run, where `accelerate launch` has started several."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn

from backend.errors import ProcessGone
from backend.jobs.processes import is_same, start_time

PARENT_SECONDS = 0.5
GRACE_SECONDS = 3.0  # for a process whose work was broken off to say so itself


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


def leave(code: int) -> NoReturn:
    """End this process with an exit code, without Python taking itself down first.

    For one that has done nothing of its own since it last exchanged numbers with others: a thread of gloo may hold tensors
    of that exchange a moment longer, and a process where it lets go of them while Python is being taken down aborts, its
    work done as it is (pytorch issue 190489). A launcher would then end all others, within what they are writing.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


class Watch:
    """Looks from a thread whether the other processes of a run on this machine are there.

    A process that dies breaks its connections to the others, which learn so at once on a CPU. On a GPU they may wait for it
    instead, and none of them can know who it was.

    everybody : for each process its machine, id and start time.
    on_gone : called with words for one that is gone; this process ends after it, unless its work raised before.
    """

    def __init__(
        self, here: Rank, everybody: Sequence[tuple[str, int, float]], on_gone: Callable[[str], None]
    ) -> None:
        self._size = here.size
        self._others = [
            (number, pid, started)
            for number, (host, pid, started) in enumerate(everybody)
            if number != here.number and host == platform.node()
        ]
        self._on_gone = on_gone
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="others", daemon=True)

    def __enter__(self) -> Watch:
        if self._others:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    @contextlib.contextmanager
    def named(self) -> Iterator[None]:
        """Within the block an error that comes from another process's end names that process.

        Raises
        ------
        ProcessGone : in place of a broken connection.
        """
        try:
            yield
        except RuntimeError as error:
            until = time.monotonic() + GRACE_SECONDS if self._others else 0.0
            while not (words := self._gone()) and time.monotonic() < until:
                time.sleep(0.05)
            if words:
                raise ProcessGone(words) from error
            raise

    def _gone(self) -> str:
        """Words for a process that has ended; "" while all are there."""
        for number, pid, started in self._others:
            if not is_same(pid, started):
                return (
                    f"process {number + 1} of {self._size} exited without an error message (somebody killed it, or the machine ran "
                    "out of memory)"
                )
        return ""

    def _look(self) -> None:
        while not self._ended.wait(PARENT_SECONDS):
            words = self._gone()
            if words and not self._ended.wait(GRACE_SECONDS):
                self._on_gone(words)
                os._exit(1)


def identity() -> tuple[str, int, float]:
    """This process's machine, id and start time."""
    return platform.node(), os.getpid(), start_time(os.getpid())


def meet(here: Rank, *, threads: int, patience: timedelta, trains: bool) -> None:
    """Become one of the processes that exchange numbers; nothing where there is one.

    threads : CPU threads of each; 0 shares out the cores.
    patience : how long one may wait for the others.
    trains : they exchange gradients. Scoring has only a few numbers to tell, so that two may share a GPU.
    """
    if here.size == 1:
        return
    import torch
    from accelerate import PartialState

    on_cpu = not torch.cuda.is_available()
    if trains:
        PartialState(cpu=on_cpu, timeout=patience)
    else:
        if not on_cpu:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
        torch.distributed.init_process_group("gloo", timeout=patience)
    if on_cpu:
        torch.set_num_threads(threads or max(1, (os.cpu_count() or 1) // here.size))
