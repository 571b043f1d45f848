"""Which n-grams earned a pick: found by going through the picks once more, when somebody asks.

A selection is made far more often than it is explained (a slider is dragged), and reading a pick's own n-grams,
not the groups that the search goes by, took a third of the search's time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from backend.diversity import Tfidf, term_texts
from backend.diversity.ngrams import NGRAM, SHOWN
from backend.selection.earlier import Weights

NOTHING = np.iinfo(np.int64).min  # no n-gram


def explained(tfidf: Tfidf, index: np.ndarray, decay: float, start: Weights) -> tuple[np.ndarray, np.ndarray]:
    """The n-grams that contributed most to each pick's diversity, and how much, at the moment of the pick.

    index : (k,) int64, positions among the candidates, in pick order. start : what n-grams weighed before the first.

    Returns terms (k, 5) object of str, "" padded, and parts (k, 5) float32, their tfidf * weight.
    """
    counts, groups = tfidf.counts, tfidf.counts.groups
    codes = np.full((len(index), SHOWN), NOTHING, dtype=np.int64)
    parts = np.zeros((len(index), SHOWN), dtype=np.float32)
    _replay(
        (counts.indptr, counts.indices, counts.tf, groups.of, counts.solo_tf),
        (groups.indptr, groups.indices),
        tfidf.rows[index],
        tfidf.scale[index],
        start.weighted_idf.copy(),
        tfidf.solo_idf * start.solo_weight[index],
        float(decay),
        codes,
        parts,
    )
    return _spelt(tfidf, index, codes), parts


@njit(cache=True)
def _replay(
    ngrams: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    groups: tuple[np.ndarray, np.ndarray],
    rows: np.ndarray,
    scale: np.ndarray,
    weighted_idf: np.ndarray,
    solo_idf: np.ndarray,
    decay: float,
    codes: np.ndarray,
    parts: np.ndarray,
) -> None:
    """Go through picked rows in order; each takes weight from its n-grams.

    ngrams : indptr, indices and tf of the pool's counts, their groups, and the tf of each row's own n-grams.
    groups : indptr and indices. weighted_idf : idf * w of each group before the first pick. solo_idf : (k,) idf * w of the
    n-grams that only a pick has.
    codes : becomes the column of a shared n-gram, or -1 - k for the k-th that only this row has. parts : tfidf * w.
    """
    indptr, indices = groups
    for pick in range(len(rows)):
        row = rows[pick]
        _note_terms(ngrams, row, weighted_idf, solo_idf[pick], scale[pick], codes[pick], parts[pick])
        for entry in range(indptr[row], indptr[row + 1]):
            weighted_idf[indices[entry]] *= decay


@njit(cache=True)
def _note_terms(
    ngrams: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    row: int,
    weighted_idf: np.ndarray,
    solo_idf: float,
    scale: float,
    codes: np.ndarray,
    parts: np.ndarray,
) -> None:
    """Note the n-grams of one row that contribute most to its diversity, the largest first."""
    indptr, indices, tf, group, solo_tf = ngrams
    begin, end = indptr[row], indptr[row + 1]
    least = np.float32(0)
    for entry in range(begin, end + SHOWN):
        if entry < end:
            code = np.int64(indices[entry])
            part = np.float32(tf[entry] * weighted_idf[group[code]] * scale)
        else:
            code = np.int64(-1 - (entry - end))
            part = np.float32(solo_tf[row, entry - end] * solo_idf * scale)
        if part <= least:
            continue
        k = SHOWN - 1
        while k > 0 and parts[k - 1] < part:
            parts[k] = parts[k - 1]
            codes[k] = codes[k - 1]
            k -= 1
        parts[k] = part
        codes[k] = code
        least = parts[SHOWN - 1]


def _spelt(tfidf: Tfidf, index: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(k, 5) object of str, "" padded: the n-grams that `_replay` noted for the candidates at `index`."""
    counts = tfidf.counts
    words = np.full((*codes.shape, NGRAM), -1, dtype=np.int32)
    shared, solo = codes >= 0, (codes < 0) & (codes != NOTHING)
    words[shared] = counts.terms[codes[shared]]
    pick = np.broadcast_to(index[:, None], codes.shape)[solo]
    words[solo] = counts.solo_terms[tfidf.rows[pick], -1 - codes[solo]]
    return term_texts(counts, words)
