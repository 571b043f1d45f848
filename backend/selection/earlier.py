"""What earlier epochs leave to a selection that remembers them: who is left, and what n-grams still weigh.

The paper's objective is read over one epoch: every selection begins with all n-grams at their full weight, so most of it
stays from epoch to epoch. ``iterit-cumulative`` reads it over the whole training, as if the picks of all epochs were one
selection made in parts. When fewer candidates than the budget are left, a new round begins with everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from backend.config import SelectionSettings
from backend.diversity import Tfidf
from backend.diversity.tfidf import row_diversity
from backend.records import EpochRecord, Pool, Scores, Selection, Status
from backend.selection.quotas import bounded, limits_of


@dataclass(frozen=True)
class Weights:
    """Where a greedy search over m candidates begins.

    weighted_idf : (G,) float64, idf * w of each group of n-grams.
    solo : (m,) float64, sum of tf * idf * w over the n-grams that only this response has.
    solo_weight : (m,) float64, w of these n-grams.
    diversity : (m,) float64, diversity of each candidate under these weights.
    """

    weighted_idf: np.ndarray
    solo: np.ndarray
    solo_weight: np.ndarray
    diversity: np.ndarray


def first_weights(tfidf: Tfidf) -> Weights:
    """Every n-gram weighs 1."""
    return Weights(tfidf.idf, tfidf.solo, np.ones(len(tfidf)), tfidf.diversity)


def weights_after(tfidf: Tfidf, times: np.ndarray, decay: float) -> Weights:
    """What n-grams weigh after each candidate was picked so many times, by the same arithmetic as in a search.

    times : (m,) int, how often each of `tfidf.rows` was picked. The order of picks does not matter.
    """
    groups = tfidf.counts.groups
    weighted_idf = tfidf.idf.copy()
    again = np.repeat(tfidf.rows, times)
    indices = groups.indices.view(np.uint32)
    _cover(groups.indptr, indices, again, float(decay), weighted_idf)
    solo_weight = float(decay) ** times.astype(np.float64)
    solo = tfidf.solo * solo_weight
    found = np.empty(len(tfidf))
    _diversities(
        groups.indptr, groups.ones, indices, groups.tf, tfidf.rows, weighted_idf, solo, tfidf.scale, found
    )
    return Weights(weighted_idf, solo, solo_weight, found)


def remembers(settings: SelectionSettings) -> bool:
    """Whether selections depend on what earlier epochs trained on."""
    return settings.strategy == "iterit-cumulative"


def leaves_out(settings: SelectionSettings) -> bool:
    """Whether samples of earlier epochs are not candidates."""
    return remembers(settings) and settings.earlier_samples in ("both", "left-out")


def covers(settings: SelectionSettings) -> bool:
    """Whether the n-grams of earlier epochs' samples have lost weight."""
    return remembers(settings) and settings.earlier_samples in ("both", "covered")


def may_be_picked(selection: Selection, scores: Scores, max_complexity: float) -> np.ndarray:
    """(n,) bool: who could be picked in a new round, from what the last selection and the last known scores tell."""
    status = selection.status
    with np.errstate(invalid="ignore"):
        stale = np.isin(status, (Status.NOT_CANDIDATE, Status.TRAINED)) & (scores.complexity < max_complexity)
    return np.isin(status, (Status.OUTRANKED, Status.SELECTED, Status.PINNED)) | stale


def round_and_earlier(
    records: Sequence[EpochRecord], settings: SelectionSettings, pool: Pool, *, budget: int
) -> tuple[int, np.ndarray]:
    """The round of the epoch after these, and (n,) int32 how often each sample was trained on in it before.

    records : of every epoch before, in order, at least epoch 0's. budget : samples that the epoch will select. Of a source
    whose share is bounded no more count as left than the bound allows.
    """
    last = records[-1]
    earlier = np.zeros(len(last.scores), dtype=np.int32)
    for record in records:
        if record.round == last.round:
            earlier[record.selection.rows] += 1
    if not leaves_out(settings):
        return last.round, earlier
    all_ = may_be_picked(last.selection, last.scores, settings.max_complexity)
    left = all_ & (earlier == 0)
    if bounded(settings):
        _, high = limits_of(settings, last.selection.status, pool.sources)

        def places(rows: np.ndarray) -> int:
            found = np.bincount(pool.source_codes[rows], minlength=len(high))
            return int(np.minimum(found, high).sum())

        enough = places(left) >= min(budget, places(all_))
    else:
        enough = int(left.sum()) >= budget
    if enough:
        return last.round, earlier
    return last.round + 1, np.zeros_like(earlier)


@njit(cache=True)
def _cover(
    indptr: np.ndarray, indices: np.ndarray, rows: np.ndarray, decay: float, weighted_idf: np.ndarray
) -> None:
    for row in rows:
        for entry in range(indptr[row], indptr[row + 1]):
            weighted_idf[indices[entry]] *= decay


@njit(cache=True)
def _diversities(
    indptr: np.ndarray,
    ones: np.ndarray,
    indices: np.ndarray,
    tf: np.ndarray,
    rows: np.ndarray,
    weighted_idf: np.ndarray,
    solo: np.ndarray,
    scale: np.ndarray,
    found: np.ndarray,
) -> None:
    for i in range(len(rows)):
        found[i] = row_diversity(indptr, ones, indices, tf, rows[i], weighted_idf, solo[i], scale[i])
