"""Whether the scores say that the model may not know a language of the pool.

A model that cannot read a language is helped by no prompt in it, so complexity is about 1 or above for all its samples, and
the limit rejects them together. Languages are told by their letters, which tell Chinese from English and not German.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.config import SelectionSettings
from backend.data.writing import UNKNOWN, writings
from backend.records import Pool, Scores
from backend.selection.candidates import BY_COMPLEXITY

LEAST = 20  # scored samples: fewer say nothing
SHARE = 0.5  # of them rejected
TIMES = 2.0  # as large a share as among all other samples, or more
SURE = 3.0  # standard errors that the two shares differ by
RULE = (
    f"Shown where at least {LEAST} samples are in one writing, at least {SHARE:.0%} of them are at or above the complexity limit, "
    f"and that is {TIMES:g} times the share of all others or more, by more than chance would do ({SURE:g} standard errors)."
)


@dataclass(frozen=True)
class UnknownLanguage:
    """Samples of one writing that are rejected together.

    name : "Chinese", "Cyrillic", ... rejected of samples are at or above the limit; others is the share of the other samples
    that are, NaN where there are none.
    """

    name: str
    rejected: int
    samples: int
    others: float

    @property
    def title(self) -> str:
        """ "47 of 48 Chinese samples are rejected: the model may not know this language"."""
        what = f"{self.name} samples" if not self.name.endswith("letters") else f"samples in {self.name}"
        return (
            f"{self.rejected:,} of {self.samples:,} {what} are rejected: the model may not know this language"
        )


def unknown_languages(pool: Pool, scores: Scores, settings: SelectionSettings) -> list[UnknownLanguage]:
    """Languages of which so many samples are rejected that the model may not know them, the most samples first.

    Nothing where the strategy does not go by complexity, or nothing is scored.
    """
    if settings.strategy not in BY_COMPLEXITY:
        return []
    scored = np.isfinite(scores.complexity)
    if not scored.any():
        return []
    names = writings(pool)[scored]
    with np.errstate(invalid="ignore"):
        rejected = (scores.complexity >= settings.max_complexity)[scored]
    found = []
    for name in sorted(set(names) - {UNKNOWN}):
        mine = names == name
        n, hits = int(mine.sum()), int(rejected[mine].sum())
        others, other_hits = len(names) - n, int(rejected[~mine].sum())
        if _stands_out(hits, n, other_hits, others):
            found.append(UnknownLanguage(name, hits, n, other_hits / others if others else float("nan")))
    return sorted(found, key=lambda one: -one.samples)


def _stands_out(hits: int, n: int, other_hits: int, others: int) -> bool:
    if n < LEAST or hits < SHARE * n:
        return False
    if not others:  # a pool in one language has nothing to be compared with
        return False
    share, other = hits / n, other_hits / others
    if share < TIMES * other:
        return False
    together = (hits + other_hits) / (n + others)
    error = float(np.sqrt(together * (1 - together) * (1 / n + 1 / others)))
    return share - other > SURE * error
