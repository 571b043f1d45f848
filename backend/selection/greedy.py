"""The greedy search, lazily: a gain can only fall as others are picked, so most need no second look.

A max-heap holds each candidate's last known gain. The top is evaluated again; where its gain still holds it is
the pick of a full search, else it sinks. The twin that searches everything before each pick is in the tests.

The budget decides nothing but when to stop, so the picks at a small budget are the first of those at a large one. That
ends where sources' shares are bounded (`quotas`): then a budget decides who may be picked, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numba import njit

from backend.diversity import Tfidf
from backend.diversity.tfidf import row_diversity
from backend.selection.bulk_greedy import pick_alike
from backend.selection.earlier import Weights, first_weights
from backend.selection.explain import explained
from backend.selection.gains import gain_of, rounded
from backend.selection.quotas import Quotas, count_pick, is_closed, no_quotas

ALIKE_FROM = 3  # from a third of the candidates on, copies are looked at together


@dataclass(frozen=True)
class Picks:
    """k picks among m candidates.

    index : (k,) int64, positions among the candidates, in pick order.
    gain, diversity : (k,) float64 at the moment of the pick.
    explain : gives the n-grams that contributed most, and how much; see `explained`.
    """

    index: np.ndarray
    gain: np.ndarray
    diversity: np.ndarray
    explain: Callable[[], tuple[np.ndarray, np.ndarray]]


def greedy_picks(
    tfidf: Tfidf,
    factor: np.ndarray,
    *,
    power: float,
    decay: float,
    budget: int,
    first: np.ndarray,
    then: Callable[[], np.ndarray],
    start: Weights | None = None,
    quotas: Quotas | None = None,
    source: np.ndarray | None = None,
) -> Picks:
    """Pick `budget` candidates by gain = factor * diversity ** power, ties to the smaller row.

    factor : (m,) float64, complexity ** a * source weight * value of a column ** w; may be NaN for those in `first` only, 0 is never picked but
        by `first` and `then`.
    power : the exponent b, above 0. decay : what a pick multiplies the weight of each of its n-grams with.
    first : (p,) positions that are picked before any other, in this order.
    then : what orders the positions that may be picked (returning (k,) int) once every gain is 0 and the budget is not
        full.
    start : what n-grams weigh before the first pick; 1 where None.
    quotas, source : bounds on sources' shares, and (m,) int of the source of each candidate; no bounds where None. Each
        pick is then the one of largest gain among candidates of sources that are not closed, and there may be fewer than
        `budget`.

    Gains that differ by less than one part in 10^12 tie: mathematically equal ones come out of differently
    ordered sums, and which is larger in the last bit would otherwise depend on the machine.
    """
    budget = min(int(budget), len(tfidf))
    first = np.ascontiguousarray(first, dtype=np.int64)
    factor = np.ascontiguousarray(factor, dtype=np.float64)
    order = np.empty(0, dtype=np.int64)
    start = start or first_weights(tfidf)
    # sorting out who is alike takes longer than a small budget's whole search
    search = pick_alike if ALIKE_FROM * budget > len(tfidf) else pick_each
    if source is not None:
        source = np.ascontiguousarray(source, dtype=np.int64)
    for again in (False, True):
        if again:
            # rare, so that the search is repeated rather than the order made each time
            order = np.ascontiguousarray(then(), dtype=np.int64)
        index, gain, diversity = search(
            tfidf, factor, float(power), float(decay), budget, first, order, start, quotas, source
        )
        if len(index) == budget:
            break
    return Picks(index, gain, diversity, partial(explained, tfidf, index, decay, start))


def pick_each(
    tfidf: Tfidf,
    factor: np.ndarray,
    power: float,
    decay: float,
    budget: int,
    first: np.ndarray,
    then: np.ndarray,
    start: Weights,
    quotas: Quotas | None = None,
    source: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions, gains and diversities of up to `budget` picks, each candidate looked at by itself."""
    groups = tfidf.counts.groups
    need, room, free = (quotas or no_quotas(budget)).left()
    return _pick(
        groups.indptr,
        groups.ones,
        groups.indices.view(np.uint32),
        groups.tf,
        tfidf.rows,
        start.weighted_idf.copy(),
        start.solo,
        tfidf.scale,
        start.diversity.copy(),
        factor,
        power,
        decay,
        budget,
        first,
        then,
        np.zeros(len(tfidf), dtype=np.int64) if source is None else source,
        need,
        room,
        free,
    )


@njit(cache=True)
def _sink(heap: np.ndarray, size: int, key: np.ndarray, at: int) -> None:
    """Move the candidate at `at` below those with a larger key, or an equal key and a smaller row."""
    moving = heap[at]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        a = heap[child]
        if child + 1 < size:
            b = heap[child + 1]
            if key[b] > key[a] or (key[b] == key[a] and b < a):
                child += 1
                a = b
        if key[a] > key[moving] or (key[a] == key[moving] and a < moving):
            heap[at] = a
            at = child
        else:
            break
    heap[at] = moving


@njit(cache=True)
def _pick(
    indptr: np.ndarray,
    ones: np.ndarray,
    indices: np.ndarray,
    tf: np.ndarray,
    rows: np.ndarray,
    weighted_idf: np.ndarray,
    solo: np.ndarray,
    scale: np.ndarray,
    diversity: np.ndarray,
    factor: np.ndarray,
    power: float,
    decay: float,
    budget: int,
    first: np.ndarray,
    then: np.ndarray,
    source: np.ndarray,
    need: np.ndarray,
    room: np.ndarray,
    free: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The search, over groups of n-grams.

    `weighted_idf` and `diversity`, as they are before the first pick, are used up, and so are `need`, `room` and `free`.
    """
    m = len(rows)
    key = np.zeros(m)
    fresh = np.zeros(m, dtype=np.int64)  # number of picks made when this key was computed
    taken = np.zeros(m, dtype=np.bool_)
    taken[first] = True
    heap = np.empty(m, dtype=np.int64)
    size = 0
    for i in range(m):
        if not taken[i]:
            key[i] = rounded(gain_of(factor[i], diversity[i], power))
            if key[i] > 0:
                heap[size] = i
                size += 1
    for at in range(size // 2 - 1, -1, -1):
        _sink(heap, size, key, at)

    picks = np.empty(budget, dtype=np.int64)
    gains = np.empty(budget)
    diversities = np.empty(budget)
    count = 0
    filled = 0  # how many of `then` were looked at
    while count < budget:
        if count < len(first):
            i = first[count]
        elif size > 0:
            i = heap[0]
            if is_closed(source[i], need, room, free):  # and it stays so
                size -= 1
                heap[0] = heap[size]
                _sink(heap, size, key, 0)
                continue
            if fresh[i] < count:
                diversity[i] = row_diversity(
                    indptr, ones, indices, tf, rows[i], weighted_idf, solo[i], scale[i]
                )
                key[i] = rounded(gain_of(factor[i], diversity[i], power))
                fresh[i] = count
                if key[i] == 0:
                    size -= 1
                    heap[0] = heap[size]
                _sink(heap, size, key, 0)
                continue
            size -= 1
            heap[0] = heap[size]
            _sink(heap, size, key, 0)
        elif filled < len(then):
            i = then[filled]
            filled += 1
            if taken[i] or is_closed(source[i], need, room, free):
                continue
        else:
            break
        if count >= len(first):  # what was pinned is counted already
            count_pick(source[i], need, room, free)
        taken[i] = True
        row = rows[i]
        picks[count] = i
        if fresh[i] < count:  # not from the top of the heap
            diversity[i] = row_diversity(indptr, ones, indices, tf, row, weighted_idf, solo[i], scale[i])
        diversities[count] = diversity[i]
        gains[count] = gain_of(factor[i], diversity[i], power)
        for entry in range(indptr[row], indptr[row + 1]):
            weighted_idf[indices[entry]] *= decay
        count += 1
    return picks[:count], gains[:count], diversities[:count]
