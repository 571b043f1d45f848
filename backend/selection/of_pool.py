"""Candidates and selections of a pool as a whole, which knows its samples' ids, sources and columns."""

from __future__ import annotations

import numpy as np

from backend.config import SelectionSettings
from backend.diversity import NgramCounts, Tfidf
from backend.records import Pool, Scores, Selection
from backend.selection.candidates import Candidates, candidates
from backend.selection.choose import select
from backend.selection.column_factor import column_factor


def candidates_of_pool(
    pool: Pool,
    scores: Scores,
    settings: SelectionSettings,
    *,
    rows: np.ndarray | None = None,
    held_out: np.ndarray | None = None,
    earlier: np.ndarray | None = None,
) -> Candidates:
    """Who of a pool may be picked; parameters and errors as for `candidates`."""
    return candidates(
        scores,
        settings,
        ids=pool.ids,
        source_codes=pool.source_codes,
        sources=pool.sources,
        rows=rows,
        held_out=held_out,
        earlier=earlier,
        factor=column_factor(pool, settings),
    )


def select_of_pool(
    pool: Pool,
    counts: NgramCounts | None,
    scores: Scores,
    settings: SelectionSettings,
    *,
    budget: int,
    rows: np.ndarray | None = None,
    held_out: np.ndarray | None = None,
    epoch: int = 0,
    tfidf: Tfidf | None = None,
    earlier: np.ndarray | None = None,
) -> Selection:
    """Pick `budget` samples of a pool; parameters and errors as for `select`."""
    return select(
        counts,
        scores,
        settings,
        budget=budget,
        ids=pool.ids,
        source_codes=pool.source_codes,
        sources=pool.sources,
        rows=rows,
        held_out=held_out,
        epoch=epoch,
        tfidf=tfidf,
        earlier=earlier,
        factor=column_factor(pool, settings),
    )
