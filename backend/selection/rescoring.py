"""What an epoch takes from the epochs before it: which samples are scored anew, the round, and what was trained on in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.config import RunConfig, budget_of
from backend.records import EpochRecord, Pool
from backend.selection.earlier import leaves_out, remembers, round_and_earlier
from backend.selection.ranking import rank_for_next_epoch, scores_needed, top_rows


def rows_to_score(
    before: Sequence[EpochRecord], config: RunConfig, pool: Pool, *, held_out: np.ndarray
) -> np.ndarray:
    """(m,) int64, ascending: the rows whose complexity the strategy asks for before the epoch after these.

    before : the records of every earlier epoch, in order; none of them for epoch 0. held_out : (n,) bool, never scored.
    """
    needed = scores_needed(config.strategy, len(before))
    wanted = np.zeros(len(pool), dtype=bool)
    if needed == "pool":
        wanted[:] = True
    elif needed == "top":
        order = _order(before, config)
        _, earlier = round_before(before, config, pool)
        if earlier is not None and leaves_out(config):
            order = order[earlier[order] == 0]
        budget = budget_of(config.budget, int((~held_out).sum()))
        wanted[top_rows(order, update_ratio=config.update_ratio, budget=budget)] = True
    return np.flatnonzero(wanted & ~held_out)


def round_before(
    before: Sequence[EpochRecord], config: RunConfig, pool: Pool
) -> tuple[int, np.ndarray | None]:
    """The round that the epoch after these belongs to, and (n,) int32 how often each sample was trained on in it; 0 and
    None where the strategy does not ask."""
    if not remembers(config):
        return 0, None
    if not before:
        return 0, np.zeros(len(pool), dtype=np.int32)
    return round_and_earlier(before, config, pool, budget=len(before[0].selection))


def _order(before: Sequence[EpochRecord], config: RunConfig) -> np.ndarray:
    """(n,) int64: the order from which the epoch after these takes its top."""
    order = None
    for record in before:
        order = rank_for_next_epoch(record.selection, record.scores, settings=config, previous_order=order)
    assert order is not None  # nothing ranks before epoch 0, and epoch 0 needs no top
    return order
