"""TF-IDF of a set of candidates, from counts of the whole pool."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy import sparse

from backend.diversity.ngrams import NgramCounts


@dataclass(frozen=True)
class Tfidf:
    """What weighs the n-gram counts of m candidates; the matrix itself is never written out.

    tfidf(i, t) = tf(i, t) * idf(t) * scale(i), as scikit-learn's TfidfVectorizer(ngram_range=(1, 3)) defines it:
    idf(t) = ln((1 + m) / (1 + df(t))) + 1 with df counted among the candidates, rows of length 1 (l2).

    counts : of the whole pool.
    rows : (m,) int64, the candidates' rows, ascending.
    idf : (G,) float64 of each group of n-grams that two or more responses of the pool share.
    solo_idf : idf of an n-gram that one response of the pool has.
    scale : (m,) float64, 1 / length of tf * idf; 0 for a response without a word.
    solo : (m,) float64, sum of tf * idf over the n-grams that only this response has.
    diversity : (m,) float64, sum of a row's tfidf: its diversity while every n-gram weighs 1.
    """

    counts: NgramCounts
    rows: np.ndarray
    idf: np.ndarray
    solo_idf: float
    scale: np.ndarray
    solo: np.ndarray
    diversity: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


def tfidf(counts: NgramCounts, rows: np.ndarray | None = None) -> Tfidf:
    """Weigh the counts for these candidates (all where None); `rows` (m,) int are sorted, repeats dropped."""
    if rows is None:
        rows = np.arange(len(counts), dtype=np.int64)
    else:
        rows = np.unique(np.asarray(rows, dtype=np.int64))
        if len(rows) and (rows[0] < 0 or rows[-1] >= len(counts)):
            raise IndexError(f"row {rows[-1] if rows[0] >= 0 else rows[0]} of a pool of {len(counts)}")
    groups = counts.groups
    members = groups.indices.view(np.uint32)
    df = np.zeros(groups.of.max(initial=-1) + 1, dtype=np.int64)
    _document_frequency(groups.indptr, members, rows, df)
    idf = np.log((1 + len(rows)) / (1 + df)) + 1
    solo_idf = float(np.log((1 + len(rows)) / 2) + 1)
    solo = counts.solo_sum[rows] * solo_idf
    squares = counts.solo_squares[rows] * solo_idf**2
    scale, diversity = _weigh(
        groups.indptr, groups.ones, members, groups.tf, groups.squares, rows, idf, solo, squares
    )
    return Tfidf(counts, rows, idf, solo_idf, scale, solo, diversity)


def initial_diversity(tfidf: Tfidf) -> np.ndarray:
    """(m,) float64, no unit: each candidate's diversity before any pick; 0 where the response has no word."""
    return tfidf.diversity


def matrix(tfidf: Tfidf, *, scaled: bool = True) -> sparse.csr_array:
    """The TF-IDF of the shared n-grams as a (m, T) CSR matrix; rows are shorter than 1 by what is not shared.

    scaled : False leaves out the division by the row's length, so that equal tf give equal bits.
    """
    counts = tfidf.counts
    starts, ends = counts.indptr[tfidf.rows], counts.indptr[tfidf.rows + 1]
    sizes = ends - starts
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    taken = np.repeat(starts - indptr[:-1], sizes) + np.arange(indptr[-1])
    indices = counts.indices[taken]
    data = counts.tf[taken] * tfidf.idf[counts.groups.of[indices]]
    if scaled:
        data *= np.repeat(tfidf.scale, sizes)
    return sparse.csr_array((data, indices, indptr), shape=(len(tfidf), len(counts.terms)))


@njit(cache=True)
def _document_frequency(indptr: np.ndarray, indices: np.ndarray, rows: np.ndarray, df: np.ndarray) -> None:
    for row in rows:
        for entry in range(indptr[row], indptr[row + 1]):
            df[indices[entry]] += 1


@njit(cache=True)
def row_diversity(
    indptr: np.ndarray,
    ones: np.ndarray,
    indices: np.ndarray,
    tf: np.ndarray,
    row: int,
    weighted_idf: np.ndarray,
    solo: float,
    scale: float,
) -> float:
    """sum over n-grams t of tfidf(row, t) * w_t, by groups; weighted_idf = idf * w.

    Always added up in the same order, so that equal responses have equal sums to the last bit; in four parts,
    because an addition otherwise waits for the one before. `indices` are best unsigned: one that might be negative
    costs a comparison.
    """
    at, end = indptr[row], indptr[row + 1]
    middle, shift = at + ones[row + 1] - ones[row], ones[row + 1]
    a = b = c = d = 0.0
    while at + 4 <= middle:
        a += weighted_idf[indices[at]]
        b += weighted_idf[indices[at + 1]]
        c += weighted_idf[indices[at + 2]]
        d += weighted_idf[indices[at + 3]]
        at += 4
    while at < middle:
        a += weighted_idf[indices[at]]
        at += 1
    while at + 4 <= end:
        a += tf[at - shift] * weighted_idf[indices[at]]
        b += tf[at + 1 - shift] * weighted_idf[indices[at + 1]]
        c += tf[at + 2 - shift] * weighted_idf[indices[at + 2]]
        d += tf[at + 3 - shift] * weighted_idf[indices[at + 3]]
        at += 4
    while at < end:
        b += tf[at - shift] * weighted_idf[indices[at]]
        at += 1
    return ((a + b) + (c + d) + solo) * scale


@njit(cache=True)
def _row_squares(
    indptr: np.ndarray,
    ones: np.ndarray,
    indices: np.ndarray,
    squares: np.ndarray,
    row: int,
    idf: np.ndarray,
) -> float:
    """sum over n-grams t of (tf(row, t) * idf(t))^2, by groups, added up as in `row_diversity`."""
    at, end = indptr[row], indptr[row + 1]
    middle, shift = at + ones[row + 1] - ones[row], ones[row + 1]
    a = b = 0.0
    while at + 2 <= middle:
        a += idf[indices[at]] ** 2
        b += idf[indices[at + 1]] ** 2
        at += 2
    if at < middle:
        b += idf[indices[at]] ** 2
        at += 1
    while at < end:
        a += squares[at - shift] * idf[indices[at]] ** 2
        at += 1
    return a + b


@njit(cache=True)
def _weigh(
    indptr: np.ndarray,
    ones: np.ndarray,
    indices: np.ndarray,
    tf: np.ndarray,
    squares: np.ndarray,
    rows: np.ndarray,
    idf: np.ndarray,
    solo: np.ndarray,
    solo_squares: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    scale = np.zeros(len(rows))
    diversity = np.zeros(len(rows))
    for i in range(len(rows)):
        total = solo_squares[i] + _row_squares(indptr, ones, indices, squares, rows[i], idf)
        if total > 0:
            scale[i] = 1 / np.sqrt(total)
            diversity[i] = row_diversity(indptr, ones, indices, tf, rows[i], idf, solo[i], scale[i])
    return scale, diversity
