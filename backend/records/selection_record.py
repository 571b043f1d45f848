"""What was picked, in which order, and why the rest was not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np


class Status(IntEnum):
    """Why a sample is in a selection or not; one code per row and epoch."""

    SELECTED = 0
    PINNED = 1  # selected because a person pinned it
    OUTRANKED = 2  # a candidate whose gain was too small for the budget
    NOT_CANDIDATE = 3  # outside the update ratio's top, so not re-scored before this epoch
    TOO_COMPLEX = 4  # complexity at or above max_complexity
    UNSCORABLE = 5  # complexity undefined; Scores.reason says why
    TOO_SHORT = 6  # fewer response tokens than min_response_tokens
    TOO_LONG = 7  # more response tokens than max_response_tokens
    EXCLUDED = 8  # a person excluded it
    SOURCE_OFF = 9  # its source's weight is 0
    HELD_OUT = 10  # held out to measure the held-out loss
    TRAINED = 11  # trained on in an earlier epoch of this round, and left out for that (iterit-cumulative)
    NO_VALUE = 12  # has no value in the column that is a factor of the gain


@dataclass(frozen=True)
class Selection:
    """What one selection picked, in order, and why the rest was not.

    rows : (k,) int64, picked rows in pick order (pinned first).
    gain : (k,) float64, the score that won each pick (complexity^a * diversity^b * source weight * value of a column^w); NaN where
        the strategy has no gain (random, longest, full).
    diversity : (k,) float64, diversity of the pick at the moment it was picked; NaN likewise.
    status : (n,) uint8, a `Status` per row of the pool.
    explain : gives `terms` and `parts`; called when they are first read, because a dragged slider never reads them.
    """

    rows: np.ndarray
    gain: np.ndarray
    diversity: np.ndarray
    status: np.ndarray
    explain: Callable[[], tuple[np.ndarray, np.ndarray]]

    @property
    def terms(self) -> np.ndarray:
        """(k, t) object of str, the n-grams that contributed most to the pick's diversity, "" padded."""
        return self._explained[0]

    @property
    def parts(self) -> np.ndarray:
        """(k, t) float32, contributions tfidf * weight of `terms` at the moment of the pick, 0 padded."""
        return self._explained[1]

    @cached_property
    def _explained(self) -> tuple[np.ndarray, np.ndarray]:
        return self.explain()

    def __len__(self) -> int:
        return len(self.rows)
