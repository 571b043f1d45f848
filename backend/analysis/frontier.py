"""What a larger budget would bring: the whole order of picks, of which any budget takes the beginning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backend import diversity, selection
from backend.analysis.coverage import Vocabulary, covered_curve
from backend.config import SelectionSettings
from backend.diversity import NgramCounts, Tfidf
from backend.records import Pool, Scores

if TYPE_CHECKING:
    from backend.analysis.what_if import TfidfCache

POINTS = 160


@dataclass(frozen=True)
class FullOrder:
    """The picks if the budget were the whole pool; the first B of them are the picks at the budget B.

    rows : (k,) int64, in pick order, pinned first.
    gain : (k,) float64 at the moment of each pick; NaN where the strategy has none.
    covered : (k,) float64, share of the pool's vocabulary covered by the picks so far.
    whole : False where the order was made to a limit only, so that further picks exist.
    """

    rows: np.ndarray
    gain: np.ndarray
    covered: np.ndarray
    whole: bool

    def __len__(self) -> int:
        return len(self.rows)

    def rank_of(self, row: int) -> int | None:
        """A row's place, from 1: the smallest budget at which it is picked; None where it is not in the order."""
        places = np.flatnonzero(self.rows == row)
        return int(places[0]) + 1 if len(places) else None


def full_order(
    pool: Pool,
    counts: NgramCounts,
    scores: Scores,
    settings: SelectionSettings,
    *,
    vocabulary: Vocabulary,
    cache: TfidfCache,
    held_out: np.ndarray | None = None,
    rows: np.ndarray | None = None,
    earlier: np.ndarray | None = None,
    limit: int | None = None,
) -> FullOrder:
    """Every candidate in the order in which it would be picked; reads no `settings.budget`, and no `source_shares`: where
    these bound sources, the picks at a small budget are not the first of those at a large one.

    Holds before the first epoch, and for every strategy but ``full``, which takes all candidates whatever the budget
    is: its order is that of the rows. (Before later epochs the candidates themselves depend on the budget.)

    vocabulary : of `counts`. held_out, rows, earlier : see `selection.candidates`.
    limit : how many picks are enough; the pinned are in it in any case.

    Raises
    ------
    ConfigError : as `what_if`.
    """
    settings = replace(settings, source_shares={})
    chosen, tfidf = weighed(
        pool, counts, scores, settings, cache=cache, held_out=held_out, rows=rows, earlier=earlier
    )
    size = len(chosen.open) + len(chosen.pinned)
    budget = size if limit is None else min(size, max(limit, len(chosen.pinned), 1))
    made = selection.select_of_pool(
        pool, counts, scores, settings,
        budget=budget, rows=rows, held_out=held_out, tfidf=tfidf, earlier=earlier,
    )  # fmt: skip
    return FullOrder(made.rows, made.gain, covered_curve(vocabulary, made.rows), len(made) == size)


def weighed(
    pool: Pool,
    counts: NgramCounts,
    scores: Scores,
    settings: SelectionSettings,
    *,
    cache: TfidfCache,
    held_out: np.ndarray | None = None,
    rows: np.ndarray | None = None,
    earlier: np.ndarray | None = None,
) -> tuple[selection.Candidates, Tfidf]:
    """Who may be picked under these settings, and the TF-IDF of exactly these, as selecting uses them."""
    chosen = selection.candidates_of_pool(
        pool, scores, settings, rows=rows, held_out=held_out, earlier=earlier
    )
    tfidf = cache.get(pool.id, settings, chosen.rows, lambda: diversity.tfidf(counts, chosen.rows))
    return chosen, tfidf


def frontier(order: FullOrder, budget: int, *, points: int = POINTS) -> pd.DataFrame:
    """The order as a curve of about `points` budgets: budget, gain (of the last pick at it), covered, present.

    present : True in the one row of the current budget, or of the last pick where there are fewer; nowhere where the
        order was made to a limit below it. Half of the points are spread evenly, half lie at the beginning, where
        the curves bend.
    """
    k = len(order)
    if not k:
        return pd.DataFrame({"budget": [], "gain": [], "covered": [], "present": np.empty(0, dtype=bool)})
    known = budget <= k or order.whole
    present = min(max(int(budget), 1), k)
    even = np.linspace(1, k, max(points // 2, 2))
    early = np.geomspace(1, k, max(points - points // 2, 2))
    wanted = np.unique(np.rint(np.concatenate([even, early, [present] if known else []])).astype(np.int64))
    return pd.DataFrame(
        {
            "budget": wanted,
            "gain": order.gain[wanted - 1],
            "covered": order.covered[wanted - 1],
            "present": known & (wanted == present),
        }
    )
