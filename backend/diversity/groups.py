"""N-grams that occur in the very same responses, weighed as one.

Such n-grams have one idf, and lose weight together: whatever a pick contains of them, it contains them all. So a
response needs of a group only the sum of its tf. A long response that occurs three times in a pool has hundreds of
n-grams that nobody else has, and they are one group.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numba import njit


@dataclass(frozen=True)
class Groups:
    """The T shared n-grams of n responses as G groups, the most frequent first.

    of : (T,) int32, each n-gram's group.
    indptr, indices : CSR of n rows over groups: (n + 1,) int64, (nnz,) int32; in each row first those that are one
        n-gram with tf 1, of which no more need be known.
    ones : (n + 1,) int64, how many of these there are in all rows before.
    tf, squares : (nnz - ones[n],) int32, of all the others, row after row: sum of tf and of tf squared over the
        group's n-grams. Entry e of row i is tf[e - ones[i + 1]].
    """

    of: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray
    ones: np.ndarray
    tf: np.ndarray
    squares: np.ndarray


def group_ngrams(indptr: np.ndarray, indices: np.ndarray, tf: np.ndarray, columns: int) -> Groups:
    """Group the columns of a CSR matrix of tf; `columns` are numbered from the most to the least frequent.

    Columns are told apart by a 64-bit sum over their rows. That two which differ have the same is next to
    impossible, but seen where it happens, and then another sum is taken.
    """
    rows = len(indptr) - 1
    for seed in itertools.count():
        of, sizes = _numbered(indptr, indices, columns, seed)
        out, ones = np.zeros(rows + 1, dtype=np.int64), np.zeros(rows + 1, dtype=np.int64)
        # memory that is not written to takes no place, and most are not
        groups, sums, squares = (np.empty(len(indices), dtype=np.int32) for _ in range(3))
        if _merge(indptr, indices, tf, of, sizes, out, ones, groups, sums, squares):
            more = out[-1] - ones[-1]
            return Groups(of, out, groups[: out[-1]], ones, sums[:more], squares[:more])
    raise AssertionError  # the loop ends with a return


def _numbered(
    indptr: np.ndarray, indices: np.ndarray, columns: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(T,) int32 group of each column, and (G,) int32 how many columns each group has."""
    sums = np.zeros(columns, dtype=np.uint64)
    _sum_rows(indptr, indices, np.uint64(seed), sums)
    of, sizes = np.empty(columns, dtype=np.int32), np.zeros(columns, dtype=np.int32)
    slots = np.full(1 << max(4, (2 * columns).bit_length()), -1, dtype=np.int32)
    known = _number_sums(sums, slots, of, sizes, np.empty(columns, dtype=np.uint64))
    return of, sizes[:known]


@njit(cache=True, nogil=True)
def _sum_rows(indptr: np.ndarray, indices: np.ndarray, seed: np.uint64, sums: np.ndarray) -> None:
    for row in range(len(indptr) - 1):
        # splitmix64's finaliser: neighbouring rows get unrelated numbers
        value = np.uint64(row) + np.uint64(1) + seed * np.uint64(0x9E3779B97F4A7C15)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        value = value ^ (value >> np.uint64(31))
        for entry in range(indptr[row], indptr[row + 1]):
            sums[indices[entry]] += value


@njit(cache=True, nogil=True)
def _number_sums(
    sums: np.ndarray, slots: np.ndarray, of: np.ndarray, sizes: np.ndarray, of_group: np.ndarray
) -> int:
    """Number equal sums by first appearance; `of_group` becomes each group's sum."""
    mask = np.uint64(len(slots) - 1)
    known = 0
    for column in range(len(sums)):
        slot = np.int64(sums[column] & mask)
        while slots[slot] != -1 and of_group[slots[slot]] != sums[column]:
            slot = (slot + 1) & np.int64(mask)
        if slots[slot] == -1:
            slots[slot] = known
            of_group[known] = sums[column]
            known += 1
        of[column] = slots[slot]
        sizes[slots[slot]] += 1
    return known


@njit(cache=True, nogil=True)
def _merge(
    indptr: np.ndarray,
    indices: np.ndarray,
    tf: np.ndarray,
    of: np.ndarray,
    sizes: np.ndarray,
    out: np.ndarray,
    ones: np.ndarray,
    groups: np.ndarray,
    sums: np.ndarray,
    squares: np.ndarray,
) -> bool:
    """Write each row's groups, those with tf 1 first; False where a row has some columns of a group but not all."""
    place = np.full(len(sizes), -1, dtype=np.int64)  # where the current row has a group of several columns
    seen = np.zeros(len(sizes), dtype=np.int32)  # how many of its columns
    longest = 0
    for row in range(len(indptr) - 1):
        longest = max(longest, indptr[row + 1] - indptr[row])
    later = np.empty((longest, 3), dtype=np.int32)  # the row's groups with tf above 1
    used = 0
    for row in range(len(indptr) - 1):
        waiting = 0
        begin = out[row]
        for entry in range(indptr[row], indptr[row + 1]):
            group, count = of[indices[entry]], tf[entry]
            if sizes[group] > 1:
                seen[group] += 1
                if place[group] >= begin:
                    at = place[group] - begin
                    later[at, 1] += count
                    later[at, 2] += count * count
                    continue
                place[group] = begin + waiting
            elif count == 1:
                groups[used] = group
                used += 1
                continue
            later[waiting, 0], later[waiting, 1], later[waiting, 2] = group, count, count * count
            waiting += 1
        ones[row + 1] = ones[row] + used - begin
        for at in range(waiting):
            group = later[at, 0]
            if sizes[group] > 1:
                if seen[group] != sizes[group]:
                    return False
                seen[group] = 0
            more = used - ones[row + 1]
            groups[used], sums[more], squares[more] = group, later[at, 1], later[at, 2]
            used += 1
        out[row + 1] = used
    return True
