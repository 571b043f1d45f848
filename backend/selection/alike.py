"""Which candidates are worth the same at any moment: copies, and whatever else adds up the same numbers."""

from __future__ import annotations

import numpy as np
from numba import njit

from backend.diversity import Tfidf


def alike(tfidf: Tfidf, solo: np.ndarray) -> np.ndarray:
    """(m,) int32: a number for each candidate, the same for those whose diversity is the same sum to the last bit.

    solo : (m,) float64, what the n-grams that only this response has add to that sum.
    """
    groups = tfidf.counts.groups
    slots = np.full(1 << max(4, (2 * len(tfidf)).bit_length()), -1, dtype=np.int32)
    return _number_alike(
        groups.indptr,
        groups.ones,
        groups.indices,
        groups.tf,
        tfidf.rows,
        solo.view(np.uint64),
        tfidf.scale.view(np.uint64),
        slots,
    )


@njit(cache=True, nogil=True)
def _number_alike(
    indptr: np.ndarray,
    ones: np.ndarray,
    indices: np.ndarray,
    tf: np.ndarray,
    rows: np.ndarray,
    solo: np.ndarray,
    scale: np.ndarray,
    slots: np.ndarray,
) -> np.ndarray:
    """Number candidates with the same groups in the same order, the same tf, and the same bits of solo and scale."""
    mask = np.uint64(len(slots) - 1)
    number = np.empty(len(rows), dtype=np.int32)
    example = np.empty(len(rows), dtype=np.int32)  # one candidate of each number
    known = 0
    for i in range(len(rows)):
        row = rows[i]
        begin, end = indptr[row], indptr[row + 1]
        more, more_end = begin - ones[row], end - ones[row + 1]
        value = solo[i] ^ (scale[i] * np.uint64(0x9E3779B97F4A7C15))
        for entry in range(begin, end):
            value = (value ^ np.uint64(indices[entry])) * np.uint64(0x9E3779B97F4A7C15)
            value = value ^ (value >> np.uint64(29))
        slot = np.int64(value & mask)
        while slots[slot] != -1:
            j = example[slots[slot]]
            other = rows[j]
            shift, more_shift = indptr[other] - begin, indptr[other] - ones[other] - more
            same = solo[j] == solo[i] and scale[j] == scale[i]
            same = same and indptr[other + 1] - shift == end
            same = same and indptr[other + 1] - ones[other + 1] - more_shift == more_end
            entry = begin
            while same and entry < end:
                same = indices[entry] == indices[entry + shift]
                entry += 1
            entry = more
            while same and entry < more_end:
                same = tf[entry] == tf[entry + more_shift]
                entry += 1
            if same:
                break
            slot = (slot + 1) & np.int64(mask)
        if slots[slot] == -1:
            slots[slot] = known
            example[known] = i
            known += 1
        number[i] = slots[slot]
    return number
