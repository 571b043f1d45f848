"""What the epochs before one trained on, for strategies that remember it: of a run, or as the scores at hand would have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backend import diversity, selection
from backend.config import SelectionSettings
from backend.diversity import NgramCounts
from backend.records import EpochRecord, Pool, Scores, Selection

if TYPE_CHECKING:
    from backend.analysis.what_if import TfidfCache

MOST_EPOCHS = 50  # that are gone through for a look ahead


@dataclass(frozen=True)
class Earlier:
    """What this round's epochs before one trained on, in the order in which it was picked.

    epochs, picks, rows : (t,) int64: in which epoch, as which pick of it (from 1), and the row of the pool.
    round : how often the pool had been used up before.
    """

    epochs: np.ndarray
    picks: np.ndarray
    rows: np.ndarray
    round: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    def times(self, n: int) -> np.ndarray:
        """(n,) int32: how often each sample of the pool is among them."""
        return np.bincount(self.rows, minlength=n).astype(np.int32)


def nothing_earlier() -> Earlier:
    """Before the first epoch of a round."""
    none = np.empty(0, dtype=np.int64)
    return Earlier(none, none, none)


def earlier_epochs(records: Sequence[EpochRecord], epoch: int) -> Earlier | None:
    """What a run had trained on in the round of one of its epochs before it; None where its strategy does not ask.

    records : the run's, in order, those before `epoch` and itself among them.
    """
    record = next(one for one in records if one.epoch == epoch)
    if record.earlier is None:
        return None
    same = [one for one in records if one.epoch < epoch and one.round == record.round]
    return _joined([(one.epoch, one.selection.rows) for one in same], record.round)


@dataclass(frozen=True)
class Ahead:
    """An epoch as it would be if the scores did not change by training.

    candidates : (m,) int64, rows that the epoch chooses from; None for all of the pool.
    """

    earlier: Earlier
    candidates: np.ndarray | None


def look_ahead(
    pool: Pool,
    counts: NgramCounts,
    scores: Scores,
    settings: SelectionSettings,
    *,
    epoch: int,
    budget: int,
    cache: TfidfCache,
    held_out: np.ndarray | None = None,
    rows: np.ndarray | None = None,
) -> Ahead:
    """What would have been trained on before an epoch, and who would be a candidate then, with the scores at hand.

    A run scores the top of its ranking anew before each epoch, so what it really picks then is known only when it gets
    there: of this, the coverage of earlier picks is exact and complexity is as it was.

    rows : (m,) int64, the only rows that may be picked; all where None.

    Raises
    ------
    ConfigError : see `select`.
    """
    order = None
    records: list[EpochRecord] = []
    ahead = Ahead(nothing_earlier(), rows)
    for now in range(min(epoch, MOST_EPOCHS) + 1):
        if now:
            last = records[-1]
            order = selection.rank_for_next_epoch(
                last.selection, scores, settings=settings, previous_order=order
            )
            round_, times = selection.round_and_earlier(
                records, settings, pool, budget=len(records[0].selection)
            )
            left = order[times[order] == 0] if selection.leaves_out(settings) else order
            if rows is not None:
                left = left[np.isin(left, rows)]
            top = selection.top_rows(
                left, update_ratio=settings.update_ratio, budget=budget, always=_pins(pool, settings)
            )
            same = [(one.epoch, one.selection.rows) for one in records if one.round == round_]
            ahead = Ahead(_joined(same, round_), top)
        if now == epoch:
            break
        made = _select(pool, counts, scores, settings, budget, cache, held_out, ahead)
        unread = np.zeros(len(pool), dtype=bool)
        records.append(EpochRecord(now, scores, unread, scores.complexity, made, round=ahead.earlier.round))
    return ahead


def _select(
    pool: Pool,
    counts: NgramCounts,
    scores: Scores,
    settings: SelectionSettings,
    budget: int,
    cache: TfidfCache,
    held_out: np.ndarray | None,
    ahead: Ahead,
) -> Selection:
    times = ahead.earlier.times(len(pool))
    rows = selection.candidates_of_pool(
        pool, scores, settings, rows=ahead.candidates, held_out=held_out, earlier=times
    ).rows
    tfidf = cache.get(pool.id, settings, rows, lambda: diversity.tfidf(counts, rows))
    return selection.select_of_pool(
        pool,
        counts,
        scores,
        settings,
        budget=budget,
        rows=ahead.candidates,
        held_out=held_out,
        tfidf=tfidf,
        earlier=times,
    )


def _pins(pool: Pool, settings: SelectionSettings) -> np.ndarray:
    return np.array([pool.row_of[i] for i in settings.pinned if i in pool.row_of], dtype=np.int64)


def _joined(epochs: Sequence[tuple[int, np.ndarray]], round_: int) -> Earlier:
    if not epochs:
        none = nothing_earlier()
        return Earlier(none.epochs, none.picks, none.rows, round_)
    sizes = [len(rows) for _, rows in epochs]
    return Earlier(
        np.repeat([epoch for epoch, _ in epochs], sizes).astype(np.int64),
        np.concatenate([np.arange(1, size + 1) for size in sizes]),
        np.concatenate([rows for _, rows in epochs]),
        round_,
    )
