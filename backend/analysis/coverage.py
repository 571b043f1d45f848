"""How much of a pool's vocabulary a selection covers, by TF-IDF mass: a word of many responses weighs more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.diversity import NgramCounts, Tfidf, tfidf


@dataclass(frozen=True)
class Vocabulary:
    """The n-grams of a whole pool of n responses, weighed with all of them as documents; made once per pool.

    tfidf : of all n rows.
    mass : (G,) float64, sum of the tfidf of each group of n-grams that two or more responses share.
    solo : (n,) float64, sum of the tfidf of the n-grams that only this response has.
    total : float, all of it; 0 where no response has a word.
    """

    tfidf: Tfidf
    mass: np.ndarray
    solo: np.ndarray
    total: float


def vocabulary(counts: NgramCounts) -> Vocabulary:
    """A pool's n-grams by mass; 0.1 s for 50,000 responses, so keep it beside the counts."""
    whole = tfidf(counts)
    groups = counts.groups
    sizes = np.diff(groups.indptr)
    repeated = sizes - np.diff(groups.ones)  # of a row's groups, those at its end whose tf is written down
    tf = np.ones(len(groups.indices))
    ends = groups.indptr[1:]
    tf[entries(ends - repeated, repeated)] = groups.tf
    parts = tf * whole.idf[groups.indices] * np.repeat(whole.scale, sizes)
    mass = np.bincount(groups.indices, weights=parts, minlength=len(whole.idf))
    solo = whole.solo * whole.scale
    return Vocabulary(whole, mass, solo, float(mass.sum() + solo.sum()))


def covered_share(vocabulary: Vocabulary, rows: np.ndarray) -> float:
    """The share of the pool's TF-IDF mass whose n-grams occur in at least one of these responses, from 0 to 1.

    rows : (k,) int, of the pool. Returns NaN where no response of the pool has a word.
    """
    if not vocabulary.total:
        return float("nan")
    return float(covered_curve(vocabulary, rows)[-1]) if len(rows) else 0.0


def covered_curve(vocabulary: Vocabulary, rows: np.ndarray) -> np.ndarray:
    """(k,) float64: `covered_share` of the first 1, 2, ... k of these rows; NaN where it is not defined."""
    rows = np.asarray(rows, dtype=np.int64)
    if not vocabulary.total:
        return np.full(len(rows), np.nan)
    groups = vocabulary.tfidf.counts.groups
    sizes = groups.indptr[rows + 1] - groups.indptr[rows]
    here = groups.indices[entries(groups.indptr[rows], sizes)]
    place = np.repeat(np.arange(len(rows), dtype=np.int32), sizes)
    first = np.full(len(vocabulary.mass), -1, dtype=np.int32)
    first[here[::-1]] = place[::-1]  # the last one written stays, which is the first that has the group
    met = first >= 0
    new = np.zeros(len(rows))
    np.add.at(new, first[met], vocabulary.mass[met])
    _, once = np.unique(rows, return_index=True)
    new[once] += vocabulary.solo[rows[once]]
    return np.minimum(np.cumsum(new) / vocabulary.total, 1.0)  # not above all of it by a rounding


def entries(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The numbers starts[0], starts[0] + 1, ... (sizes[0] of them), starts[1], ...: the entries of rows of a CSR."""
    before = np.cumsum(sizes) - sizes
    return np.repeat(starts - before, sizes) + np.arange(int(sizes.sum()))
