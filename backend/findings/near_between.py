"""For each text of one collection the most similar one of another: exact, without comparing all with all.

An overlap of Jaccard similarity t needs t |A| shingles of A in common with B, so that of the |A| - t |A| + 1 rarest shingles of
A one is in B, and the other way round (prefix filtering). Only such pairs are compared, and none is missed: where one
collection is small this is quicker than MinHash, which would read every shingle 75 times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numba import njit

from backend.config import Words
from backend.findings.shingles import CHUNK, shingle_sets

BITS = 24


def nearest(
    texts: Sequence[str],
    others: Sequence[str],
    *,
    threshold: float,
    words: Words = "paper",
    on_progress: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The most similar other text of each text, both given in their normal form (`shingles.normal`).

    threshold : Jaccard similarity of the shingles from which on two texts are alike, more than 0 and at most 1.
    words : as for `shingle_sets`. on_progress : called with texts done; may raise to stop.

    Returns
    -------
    other : (n,) int32, row of the most similar other text, the first among equals; -1 where none is alike.
    similarity : (n,) float32, its exact similarity; NaN where none is alike.
    """
    other = np.full(len(texts), -1, dtype=np.int32)
    similarity = np.full(len(texts), np.nan, dtype=np.float32)
    shingles, bounds = shingle_sets(others, [""] * len(others), words=words)
    if not len(shingles):
        return other, similarity
    known, place, counts = np.unique(shingles, return_inverse=True, return_counts=True)
    rank = np.empty(len(known), dtype=np.int64)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(known))  # the rarest has rank 0
    ranks = _sorted_within(rank[place], bounds)
    starts, holders = _prefixes(ranks, bounds, len(known), threshold)
    there = np.zeros(
        1 << BITS, dtype=np.bool_
    )  # by the last bits of a shingle: whether one of the others may be it
    there[known & np.uint64((1 << BITS) - 1)] = True
    for begin in range(0, len(texts), CHUNK):
        part = texts[begin : begin + CHUNK]
        if on_progress is not None:
            on_progress(begin)
        own, own_bounds = shingle_sets(part, [""] * len(part), words=words)
        hopeless = _too_strange(own, own_bounds, there, threshold)
        own, own_bounds = _without(own, own_bounds, hopeless)
        at = np.minimum(np.searchsorted(known, own), len(known) - 1)
        own_ranks = np.where(known[at] == own, rank[at], -1)
        found = slice(begin, begin + len(part))
        _best(
            own_ranks, own_bounds, ranks, bounds, starts, holders, threshold, other[found], similarity[found]
        )
    return other, similarity


def _without(values: np.ndarray, bounds: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and bounds with nothing in these rows ((n,) bool)."""
    sizes = np.diff(bounds)
    kept = np.repeat(~rows, sizes)
    return values[kept], np.concatenate([[0], np.cumsum(np.where(rows, 0, sizes))]).astype(np.int64)


@njit(cache=True, nogil=True)
def _too_strange(own: np.ndarray, bounds: np.ndarray, there: np.ndarray, threshold: float) -> np.ndarray:
    """(n,) bool: rows of which so many shingles are in no other text that they can be like none; most are found out early."""
    mask = np.uint64(len(there) - 1)
    found = np.zeros(len(bounds) - 1, dtype=np.bool_)
    for i in range(len(found)):
        size = bounds[i + 1] - bounds[i]
        left = size - math.ceil(threshold * size - 1e-6) + 1
        for k in range(bounds[i], bounds[i + 1]):
            if not there[own[k] & mask]:
                left -= 1
                if left <= 0:
                    found[i] = True
                    break
    return found


def _sorted_within(values: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """The values, ascending within each row."""
    row = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    return values[np.lexsort((values, row))]


def _prefixes(
    ranks: np.ndarray, bounds: np.ndarray, known: int, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """By rank of a shingle the rows that have it among their rarest: holders[starts[rank] : starts[rank + 1]]."""
    rows, held = [], []
    for row in range(len(bounds) - 1):
        size = int(bounds[row + 1] - bounds[row])
        kept = size - math.ceil(threshold * size - 1e-6) + 1 if size else 0
        held.append(ranks[bounds[row] : bounds[row] + kept])
        rows.append(np.full(len(held[-1]), row, dtype=np.int64))
    all_held, all_rows = np.concatenate(held), np.concatenate(rows)
    order = np.argsort(all_held, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(all_held, minlength=known))]).astype(np.int64)
    return starts, all_rows[order]


@njit(cache=True, nogil=True)
def _best(
    own_ranks: np.ndarray,
    own_bounds: np.ndarray,
    ranks: np.ndarray,
    bounds: np.ndarray,
    starts: np.ndarray,
    holders: np.ndarray,
    threshold: float,
    other: np.ndarray,
    similarity: np.ndarray,
) -> None:
    """Write the best other row of each row, and its similarity; own_ranks : -1 for what no other row has."""
    least = np.float32(threshold)  # in the precision of what is kept, so that 4 of 5 reach 0.8
    seen = np.full(len(bounds) - 1, -1, dtype=np.int64)
    for i in range(len(own_bounds) - 1):
        size = own_bounds[i + 1] - own_bounds[i]
        mine = np.sort(own_ranks[own_bounds[i] : own_bounds[i + 1]])
        strange = np.searchsorted(mine, 0)  # these are the rarest of all
        prefix = size - math.ceil(threshold * size - 1e-6) + 1
        mine = mine[strange:]
        for k in range(min(prefix - strange, len(mine))):
            for place in range(starts[mine[k]], starts[mine[k] + 1]):
                row = holders[place]
                if seen[row] == i:
                    continue
                seen[row] = i
                many = bounds[row + 1] - bounds[row]
                if min(many, size) < threshold * max(many, size) - 1e-6:
                    continue
                both = a = 0
                b = bounds[row]
                while a < len(mine) and b < bounds[row + 1]:
                    if mine[a] == ranks[b]:
                        both += 1
                        a += 1
                        b += 1
                    elif mine[a] < ranks[b]:
                        a += 1
                    else:
                        b += 1
                share = np.float32(both / (size + many - both))
                if share < least:
                    continue
                if other[i] < 0 or share > similarity[i] or (share == similarity[i] and row < other[i]):
                    other[i] = row
                    similarity[i] = share
