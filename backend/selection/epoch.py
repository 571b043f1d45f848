"""The selection before one epoch, from what is known then: the same in a run's worker and for whoever looks ahead."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from backend.config import SelectionSettings
from backend.diversity import NgramCounts, tfidf
from backend.records import Pool, Scores, Selection, Status
from backend.selection.choose import start_of
from backend.selection.of_pool import candidates_of_pool, select_of_pool
from backend.selection.ranking import scores_needed


class EpochSelection(NamedTuple):
    """A selection, and (n,) float64 the diversity of every candidate before any pick, NaN for the others."""

    selection: Selection
    diversity: np.ndarray


def select_epoch(
    pool: Pool,
    counts: Callable[[], NgramCounts],
    scores: Scores,
    settings: SelectionSettings,
    *,
    epoch: int,
    budget: int,
    rescored: np.ndarray,
    held_out: np.ndarray,
    earlier: np.ndarray | None = None,
) -> EpochSelection:
    """What an epoch trains on, given the scores as they are before it.

    Parameters
    ----------
    counts : gives the pool's n-gram counts; called once.
    scores : (n,) of the whole pool, new where `rescored`, else as they were known last.
    settings : those of this epoch, pins and exclusions among them.
    budget : samples to select; fewer are selected where there are fewer candidates.
    rescored : (n,) bool, rescored before this epoch. Before a later epoch of a strategy that scores its top anew
        these are the candidates; otherwise everybody is one.
    held_out : (n,) bool, rows that are never selected.
    earlier : (n,) int, how often each sample was trained on in this round; see `candidates`.

    Raises
    ------
    ConfigError : see `select`.
    """
    among = np.flatnonzero(rescored) if scores_needed(settings.strategy, epoch) == "top" else None
    chosen = candidates_of_pool(pool, scores, settings, rows=among, held_out=held_out, earlier=earlier)
    counted = counts()
    vectors = tfidf(counted, chosen.rows)
    selection = select_of_pool(
        pool,
        counted,
        scores,
        settings,
        budget=budget,
        rows=among,
        held_out=held_out,
        epoch=epoch,
        tfidf=vectors,
        earlier=earlier,
    )
    diversity = np.full(len(pool), np.nan)
    diversity[vectors.rows] = start_of(vectors, settings, earlier).diversity
    taking_part = np.isin(selection.status, (Status.SELECTED, Status.PINNED, Status.OUTRANKED))
    diversity[~taking_part] = np.nan
    return EpochSelection(selection, diversity)
