"""Complexity at an earlier epoch against complexity now: what was learned, what is still hard, what got harder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.records import EpochRecord

QUADRANTS = ("learned", "still hard", "got harder", "rejected", "easy both times")
"""What a code of `Quadrants.code` means: four names, and what was hard at neither epoch, so that all add up."""


@dataclass(frozen=True)
class Quadrants:
    """Samples that were scored before two epochs, by what happened to their complexity between them.

    *Hard* is a complexity at or above `line`, the median of these samples' complexity at the earlier epoch. The line
    is the same for both epochs: against each epoch's own median half of the samples would be hard at either, and as
    many would have "got harder" as were "learned" whatever training did. By definition half of the samples are hard
    at the earlier epoch; what is informative is how many still are.

        learned           hard then, below the line now
        still hard        hard then, at or above the line now
        got harder        below the line then, at or above it now
        easy both times   below the line then and now
        rejected          at or above `ceiling` now, whatever it was then: the prompt no longer helps, so the sample
                          cannot be selected; counted here and in none of the others

    Not a random part of the pool: after epoch 0 a run rescores only the top (update_ratio x budget).

    earlier, epoch : the two epochs; "now" is before training on `epoch`.
    ceiling : the run's max_complexity. line : NaN where no sample was scored before both.
    rows : (m,) int64 ascending. before, after : (m,) float64, complexity. code : (m,) uint8 into QUADRANTS.
    reason : why there is nothing to compare; "" where there is.
    """

    earlier: int
    epoch: int
    ceiling: float
    line: float
    rows: np.ndarray
    before: np.ndarray
    after: np.ndarray
    code: np.ndarray
    reason: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    def rows_of(self, name: str) -> np.ndarray:
        """(k,) int64: the rows of one of QUADRANTS, the most complex now first."""
        inside = self.code == QUADRANTS.index(name)
        rows = self.rows[inside]
        return rows[np.argsort(-self.after[inside], kind="stable")]

    def counts(self) -> dict[str, int]:
        """Samples by name; they add up to all of them."""
        found = np.bincount(self.code, minlength=len(QUADRANTS))
        return {name: int(found[i]) for i, name in enumerate(QUADRANTS)}


def scored_twice(then: EpochRecord, now: EpochRecord) -> np.ndarray:
    """(m,) int64 ascending: rows rescored before both epochs, with a complexity that both times is defined."""
    known = then.rescored & now.rescored
    known &= np.isfinite(then.scores.complexity) & np.isfinite(now.scores.complexity)
    return np.flatnonzero(known)


def quadrants(then: EpochRecord, now: EpochRecord, *, ceiling: float) -> Quadrants:
    """What became of the complexity of the samples that were scored before both epochs; see `Quadrants`.

    ceiling : the run's max_complexity.
    """
    if then.epoch >= now.epoch:
        nothing = np.empty(0)
        return Quadrants(
            then.epoch, now.epoch, ceiling, float("nan"), nothing.astype(np.int64), nothing, nothing,
            nothing.astype(np.uint8), not_compared(then, now),
        )  # fmt: skip
    rows = scored_twice(then, now)
    before = then.scores.complexity[rows].astype(np.float64)
    after = now.scores.complexity[rows].astype(np.float64)
    line = float(np.median(before)) if len(rows) else float("nan")
    hard_then, hard_now = before >= line, after >= line
    code = np.full(len(rows), QUADRANTS.index("easy both times"), dtype=np.uint8)
    code[hard_then & ~hard_now] = QUADRANTS.index("learned")
    code[hard_then & hard_now] = QUADRANTS.index("still hard")
    code[~hard_then & hard_now] = QUADRANTS.index("got harder")
    code[after >= ceiling] = QUADRANTS.index("rejected")
    reason = "" if len(rows) else not_compared(then, now)
    return Quadrants(then.epoch, now.epoch, ceiling, line, rows, before, after, code, reason)


def not_compared(then: EpochRecord, now: EpochRecord) -> str:
    """Why no sample has a complexity from before both epochs."""
    if not np.isfinite(now.scores.complexity).any():
        return "this strategy needs no model, so no sample was scored"
    if then.epoch >= now.epoch:
        return "there is no earlier epoch to compare with" if now.epoch == then.epoch == 0 else (
            f"epoch {then.epoch} is not earlier than epoch {now.epoch}"
        )  # fmt: skip
    if not now.rescored.any():
        return f"no sample was rescored before epoch {now.epoch}: this strategy scores the pool once"
    return f"none of the samples scored before epoch {now.epoch} was also scored before epoch {then.epoch}"
