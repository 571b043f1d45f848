"""How much of the hardest samples changes: the share of the hardest that were not among the hardest before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.analysis.quadrants import not_compared, scored_twice
from backend.records import EpochRecord


@dataclass(frozen=True)
class Hardest:
    """The hardest samples before an epoch, and which of them were not among the hardest before an earlier one.

    The samples compared are those scored before both epochs with a complexity below the ceiling at both: those that
    could be selected at either. Among them the k most complex of each epoch are its *hardest*, k being the number
    that the epoch selected; ties go to the smaller row number.

        share = (hardest at `epoch` that are not among the hardest at `earlier`) / k

    The paper (arXiv 2412.17365) reports 55 % after one epoch. Two things bound what a run can show: where only the
    top (update_ratio x budget) was rescored, the comparison is among those (`whole_pool` is False), and the share
    cannot exceed (n - k) / k. A ranking that has nothing to do with the earlier one would give `chance` = 1 - k / n.

    compared : n. k : size of either set. rows : the hardest at `epoch`, hardest first. new : (k,) bool, which of
    them were not among the hardest at `earlier`. share, chance : NaN where `reason` says why there is none.
    """

    earlier: int
    epoch: int
    compared: int
    k: int
    rows: np.ndarray
    new: np.ndarray
    share: float
    chance: float
    whole_pool: bool
    reason: str = ""

    @property
    def new_rows(self) -> np.ndarray:
        """(m,) int64: the hardest now that were not among the hardest before, hardest first."""
        return self.rows[self.new]


def hardest(then: EpochRecord, now: EpochRecord, *, ceiling: float) -> Hardest:
    """Which of the hardest before `now` were not among the hardest before `then`; see `Hardest`.

    ceiling : the run's max_complexity.
    """
    k = len(now.selection)
    rows = scored_twice(then, now) if then.epoch < now.epoch else np.empty(0, dtype=np.int64)
    before, after = then.scores.complexity[rows], now.scores.complexity[rows]
    below = (before < ceiling) & (after < ceiling)
    n = int(below.sum())
    whole = bool(now.rescored.any()) and not bool((then.rescored & ~now.rescored).any())
    reason = ""
    if not len(rows):
        reason = not_compared(then, now)
    elif not k:
        reason = f"epoch {now.epoch} selected nothing"
    elif n <= k:
        reason = (
            f"only {n:,} samples were scored before both epochs with a complexity below {ceiling:g}, and the {k:,} "
            "hardest of them are all of them"
        )
    if reason:
        nothing = np.empty(0, dtype=np.int64)
        nan = float("nan")
        return Hardest(then.epoch, now.epoch, n, k, nothing, nothing.astype(bool), nan, nan, whole, reason)
    rows = rows[below]
    was = _top(before[below], k)
    top = _top(after[below], k)
    new = ~np.isin(top, was)
    share = float(new.mean())
    return Hardest(then.epoch, now.epoch, n, k, rows[top], new, share, 1 - k / n, whole)


def _top(complexity: np.ndarray, k: int) -> np.ndarray:
    """(k,) int64: positions of the k largest, the largest first, ties in their order."""
    return np.argsort(-complexity.astype(np.float64), kind="stable")[:k]
