"""The greedy search for large budgets: candidates that are worth the same n-grams are looked at together.

Two thirds of a pool's responses may occur more than once. Each pick of one takes weight from all its copies, and a
search that looks at every copy again spends nearly all its time on them. Copies have the very same diversity at any
moment, so one look is enough for all: what tells them apart is their factor, and that never changes.

Makes exactly the picks of `greedy`'s own search; the tests hold both against each other.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from backend.diversity import Tfidf
from backend.diversity.tfidf import row_diversity
from backend.selection.alike import alike
from backend.selection.earlier import Weights
from backend.selection.gains import gain_of, rounded
from backend.selection.quotas import Quotas, count_pick, is_closed, no_quotas


def pick_alike(
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
    """Positions, gains and diversities of up to `budget` picks; parameters as of `greedy_picks`."""
    groups = tfidf.counts.groups
    number = alike(tfidf, start.solo)
    need, room, free = (quotas or no_quotas(budget)).left()
    if source is None:
        source = np.zeros(len(tfidf), dtype=np.int64)
    else:  # copies of different sources are not alike: one may be picked when the other may not
        number = number * np.int64(len(need)) + source
    left = np.ones(len(tfidf), dtype=bool)
    left[first] = False
    descending = np.argsort(-factor, kind="stable")  # NaN, of pinned ones only, comes last
    descending = descending[left[descending]]
    members = descending[np.argsort(number[descending], kind="stable")]
    # a run: alike and with the same factor, so that only their rows tell them apart
    new_number = np.diff(number[members], prepend=-1) != 0
    new_run = new_number | (np.diff(factor[members], prepend=np.nan) != 0)
    runs = np.flatnonzero(new_run)
    return _pick_alike(
        groups.indptr,
        groups.ones,
        groups.indices.view(np.uint32),
        groups.tf,
        tfidf.rows,
        start.weighted_idf.copy(),
        start.solo,
        tfidf.scale,
        start.diversity,
        factor,
        power,
        decay,
        budget,
        first,
        then,
        members,
        np.append(runs, len(members)),
        np.append(np.flatnonzero(new_number[runs]), len(runs)),
        source,
        need,
        room,
        free,
    )


@njit(cache=True)
def _sink(heap: np.ndarray, size: int, key: np.ndarray, best: np.ndarray, at: int) -> None:
    """Move the number at `at` below those with a larger key, or an equal key and a smaller best candidate."""
    moving = heap[at]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        a = heap[child]
        if child + 1 < size:
            b = heap[child + 1]
            if key[b] > key[a] or (key[b] == key[a] and best[b] < best[a]):
                child += 1
                a = b
        if key[a] > key[moving] or (key[a] == key[moving] and best[a] < best[moving]):
            heap[at] = a
            at = child
        else:
            break
    heap[at] = moving


@njit(cache=True)
def _lead(
    c: int,
    diversity: float,
    factor: np.ndarray,
    power: float,
    members: np.ndarray,
    runs: np.ndarray,
    head: np.ndarray,
    start: np.ndarray,
    end: int,
) -> tuple[float, int]:
    """The largest key among what is left of number `c`, and the run whose first is the smallest row that has it.

    A smaller factor can have the same key, because keys are rounded. The key is 0 where nothing is left.
    """
    while start[c] < end and head[start[c]] == runs[start[c] + 1]:
        start[c] += 1
    if start[c] == end:
        return 0.0, -1
    found = start[c]
    key = rounded(gain_of(factor[members[head[found]]], diversity, power))
    if key == 0:
        return key, found
    for run in range(found + 1, end):
        if head[run] < runs[run + 1]:
            i = members[head[run]]
            if rounded(gain_of(factor[i], diversity, power)) != key:
                break
            if i < members[head[found]]:
                found = run
    return key, found


@njit(cache=True)
def _pick_alike(
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
    members: np.ndarray,
    runs: np.ndarray,
    numbers: np.ndarray,
    source: np.ndarray,
    need: np.ndarray,
    room: np.ndarray,
    free: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The search over numbers of `alike`: number c has the runs from numbers[c] to numbers[c + 1], the largest factor
    first; run r has the candidates members[runs[r]:runs[r + 1]], ascending. `weighted_idf` is used up, and so are `need`,
    `room` and `free`."""
    size = len(numbers) - 1
    shared = np.empty(size)  # diversity of each that is left of a number
    key = np.empty(size)
    best = np.empty(size, dtype=np.int64)  # which candidate of a number has the key
    of_run = np.empty(size, dtype=np.int64)
    fresh = np.zeros(size, dtype=np.int64)
    start = numbers[:-1].copy()
    head = runs[:-1].copy()  # the first of each run that is left
    heap = np.empty(size, dtype=np.int64)
    used = 0
    for c in range(size):
        shared[c] = diversity[members[runs[numbers[c]]]]
        key[c], of_run[c] = _lead(c, shared[c], factor, power, members, runs, head, start, numbers[c + 1])
        if key[c] > 0:
            best[c] = members[head[of_run[c]]]
            heap[used] = c
            used += 1
    size = used
    for at in range(size // 2 - 1, -1, -1):
        _sink(heap, size, key, best, at)

    taken = np.zeros(len(rows), dtype=np.bool_)
    taken[first] = True
    picks = np.empty(budget, dtype=np.int64)
    gains = np.empty(budget)
    diversities = np.empty(budget)
    count = 0
    filled = 0  # how many of `then` were looked at
    while count < budget:
        c = -1
        if count < len(first):
            i = first[count]
        elif size > 0:
            c = heap[0]
            if is_closed(source[best[c]], need, room, free):  # and it stays so
                size -= 1
                heap[0] = heap[size]
                _sink(heap, size, key, best, 0)
                continue
            if fresh[c] < count:
                # shared by all that are left, whichever of them gives the row
                i = best[c]
                shared[c] = row_diversity(indptr, ones, indices, tf, rows[i], weighted_idf, solo[i], scale[i])
                fresh[c] = count
            else:
                i = best[c]
                count_pick(source[i], need, room, free)
                diversities[count] = shared[c]
                head[of_run[c]] += 1
                taken[i] = True
                picks[count] = i
                gains[count] = gain_of(factor[i], shared[c], power)
                for entry in range(indptr[rows[i]], indptr[rows[i] + 1]):
                    weighted_idf[indices[entry]] *= decay
                count += 1
            # after a pick the others' old diversity is a bound, as good as any
            key[c], of_run[c] = _lead(c, shared[c], factor, power, members, runs, head, start, numbers[c + 1])
            if key[c] == 0:
                size -= 1
                heap[0] = heap[size]
            else:
                best[c] = members[head[of_run[c]]]
            _sink(heap, size, key, best, 0)
            continue
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
        diversities[count] = row_diversity(indptr, ones, indices, tf, row, weighted_idf, solo[i], scale[i])
        gains[count] = gain_of(factor[i], diversities[count], power)
        for entry in range(indptr[row], indptr[row + 1]):
            weighted_idf[indices[entry]] *= decay
        count += 1
    return picks[:count], gains[:count], diversities[:count]
