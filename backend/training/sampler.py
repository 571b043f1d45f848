"""The order in which an epoch reads its selection, and who reads what."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler


class SelectionSampler(Sampler[int]):
    """Yields the rows of the current selection, shuffled anew each epoch, always `length` of them.

    The length is fixed because the Trainer lays its learning rate over all epochs before the later selections are
    known. A selection that came out smaller (fewer re-scored samples are candidates) is gone through again, in
    another order, until the epoch is full: the number of steps stays, and no sample outside the selection is read.

    length : rows an epoch reads.
    seed : with the epoch, decides the order.
    """

    def __init__(self, length: int, *, seed: int) -> None:
        self.length, self.seed = length, seed
        self.epoch = 0
        self.rows = np.zeros(0, dtype=np.int64)

    def choose(self, epoch: int, rows: np.ndarray) -> None:
        """Take the selection of an epoch: (k,) int64, 1 <= k <= length."""
        if not 0 < len(rows) <= self.length:
            raise ValueError(f"an epoch of {self.length} samples cannot read a selection of {len(rows)}")
        self.epoch, self.rows = epoch, np.asarray(rows, dtype=np.int64)

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[int]:
        draw = np.random.default_rng((self.seed, self.epoch))
        left = self.length
        while left > 0:
            order = draw.permutation(self.rows)[:left]
            yield from order.tolist()
            left -= len(order)


class SelectionBatches(Sampler[list[int]]):
    """The rows of each forward pass of one process.

    An optimizer step reads the next `step` rows of the order, whatever the number of processes, which share them
    `size` at a time in turn: every row is read once. So that all processes make the same number of passes, one may
    get an empty list at the end of an epoch. (Accelerate's own sharding would read some rows twice instead.)

    size : rows of a forward pass. step : rows of an optimizer step, a multiple of `size * processes`.
    """

    def __init__(
        self, sampler: SelectionSampler, *, size: int, step: int, processes: int = 1, process: int = 0
    ) -> None:
        if step % (size * processes):
            raise ValueError(
                f"{step} samples are no whole number of passes of {size} in {processes} processes"
            )
        self.sampler, self.size, self.step = sampler, size, step
        self.processes, self.process = processes, process

    def __len__(self) -> int:
        together = self.size * self.processes
        return len(self.sampler) // self.step * (self.step // together) + -(
            -(len(self.sampler) % self.step) // together
        )

    def __iter__(self) -> Iterator[list[int]]:
        rows = list(self.sampler)
        for first in range(0, len(rows), self.step):
            of_step = rows[first : first + self.step]
            for at in range(0, len(of_step), self.size * self.processes):
                mine = at + self.process * self.size
                yield of_step[mine : mine + self.size]
