"""Scoring in several processes: who reads what, how far they are together, and one stopping for all.

Where no process group of torch.distributed is initialised, there is one process, and none of this costs anything.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import distributed

from backend.distributed.process_group import FAILED, STOPPED
from backend.errors import AnotherFailed, Stopped


class Shards:
    """This process's part in a scoring; every process makes the same calls in the same order.

    Messages are numbers on the CPU, through gloo whatever the group's backend is, so that they neither wait for a
    GPU nor keep it waiting. What is agreed is known one call later: nobody waits for the slowest after every batch.
    """

    def __init__(self) -> None:
        there = distributed.is_available() and distributed.is_initialized()
        self.size = distributed.get_world_size() if there else 1
        self.rank = distributed.get_rank() if there else 0
        self._group: distributed.ProcessGroup | None = None
        self._sent: tuple[distributed.Work, torch.Tensor] | None = None
        self._broken = False  # a process is gone without a word

    @contextmanager
    def together(self) -> Iterator[None]:
        """Whoever leaves by an error tells the others: they leave by `Stopped` where it was that, else by AnotherFailed."""
        own = self.size > 1 and distributed.get_backend() != "gloo"
        if own:
            self._group = distributed.new_group(backend="gloo")
        try:
            yield
        except _Told as told:
            if told.failed:
                raise AnotherFailed(FAILED) from told
            raise Stopped(STOPPED) from told
        except BaseException as error:
            if self.size > 1 and not self._broken:
                self._leave(failed=not isinstance(error, (Stopped, KeyboardInterrupt)))
            raise
        finally:
            if own:
                distributed.destroy_process_group(self._group)

    def deal(self, costs: Sequence[float]) -> list[np.ndarray]:
        """Indices of the pieces of work by process, (k,) int64 each, the costliest first: each in turn goes to the
        process with the least to do."""
        hands: list[list[int]] = [[] for _ in range(self.size)]
        loads = [(0.0, rank) for rank in range(self.size)]
        for piece in np.argsort(-np.asarray(costs, dtype=float), kind="stable").tolist():
            load, rank = heapq.heappop(loads)
            hands[rank].append(piece)
            heapq.heappush(loads, (load + costs[piece], rank))
        return [np.array(hand, dtype=np.int64) for hand in hands]

    def agree(self, done: int, tokens: int) -> tuple[int, int]:
        """How much all processes together had done when each made this call the last time.

        Raises what `together` turns into Stopped where another process has left.
        """
        if self.size == 1:
            return done, tokens
        before = self._receive()
        self._send(torch.tensor([done, tokens, 0, 0]))
        return before

    def settle(self, done: int, tokens: int) -> None:
        """The last call: returns once everybody has made it, and nobody has left."""
        self.agree(done, tokens)
        self._receive()

    def gather(self, values: np.ndarray) -> np.ndarray:
        """Each process's own numbers, 0 in all others', -> all of them, the same in every process."""
        if self.size > 1:
            distributed.all_reduce(torch.from_numpy(values), group=self._group)
        return values

    def _send(self, message: torch.Tensor) -> None:
        work = distributed.all_reduce(message, group=self._group, async_op=True)
        assert work is not None
        self._sent = work, message

    def _receive(self) -> tuple[int, int]:
        if self._sent is None:
            return 0, 0
        work, message = self._sent
        self._sent = None
        try:
            work.wait()
        except RuntimeError:
            self._broken = True
            raise
        done, tokens, stopped, failed = message.tolist()
        if stopped or failed:
            raise _Told(failed=bool(failed))
        return done, tokens

    def _leave(self, *, failed: bool) -> None:
        """Tell the others, at the call they are at or come to next, unless somebody else has told them there."""
        try:
            self._receive()
        except _Told:
            return
        self._send(torch.tensor([0, 0, int(not failed), int(failed)]))
        work, _ = self._sent  # type: ignore[misc]
        work.wait()


class _Told(Exception):
    """Another process has left."""

    def __init__(self, *, failed: bool) -> None:
        super().__init__()
        self.failed = failed
