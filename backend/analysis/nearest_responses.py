"""The responses that say nearly the same: nearest by the cosine of their TF-IDF, over the whole pool."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from backend.analysis.coverage import Vocabulary
from backend.analysis.covered import same_ngrams


class Neighbour(NamedTuple):
    """A response near another.

    row : of the pool, the first of its copies. cosine : 0 to 1.
    copies : how many more responses have the very same n-grams (the sample that was asked about is not counted).
    """

    row: int
    cosine: float
    copies: int


def neighbours(vocabulary: Vocabulary, row: int, k: int = 8) -> list[Neighbour]:
    """The k nearest responses of a row, the nearest first; copies of one response are one neighbour.

    A response that shares no n-gram with it is no neighbour, so there can be fewer than k.
    """
    if k < 1:
        return []
    cosine = _cosines(vocabulary, row)
    cosine[row] = 0.0
    counts = vocabulary.tfidf.counts
    near = np.flatnonzero(cosine > 0)
    near = near[np.argsort(-cosine[near], kind="stable")]
    falling = -cosine[near]
    found: list[Neighbour] = []
    at = 0
    while at < len(near) and len(found) < k:
        end = int(np.searchsorted(falling, falling[at], side="right"))
        # copies have the same cosine to the last bit, and so may others that are no copies
        tied = near[at:end].tolist()
        while tied and len(found) < k:
            first = tied[0]
            others = [other for other in tied[1:] if not same_ngrams(counts, first, other)]
            found.append(Neighbour(first, min(-float(falling[at]), 1.0), len(tied) - len(others) - 1))
            tied = others
        at = end
    return found


def _cosines(vocabulary: Vocabulary, row: int) -> np.ndarray:
    """(n,) float64: the cosine between the TF-IDF of a row and of every row, 0 where one has no word."""
    tfidf = vocabulary.tfidf
    counts = tfidf.counts
    own = slice(*counts.indptr[row : row + 2])
    columns = counts.indices[own]
    weights = np.zeros(len(counts.terms))
    weights[columns] = counts.tf[own] * tfidf.idf[counts.groups.of[columns]] ** 2
    tf = sparse.csr_array((counts.tf, counts.indices, counts.indptr), shape=(len(counts), len(weights)))
    return (tf @ weights) * tfidf.scale * tfidf.scale[row]
