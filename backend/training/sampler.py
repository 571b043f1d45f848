"""The order in which an epoch reads its selection."""

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
