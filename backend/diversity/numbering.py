"""Numbering a pool's n-grams, size by size, with how often each occurs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

ONCE = -1  # the number of an n-gram that occurs once in the whole pool, and so needs none
LEFT, RIGHT, TOTAL, DF, LAST_ROW = range(
    5
)  # what is counted of an n-gram, side by side: it is read and written together


@dataclass(frozen=True)
class Ngrams:
    """The d different n-grams of one size, numbered by first appearance.

    numbers : (total words,) int32, the n-gram that begins at each word; ONCE where it occurs there only.
    total, df : (d,) int32, in how many places it occurs, and in how many responses.
    first : (d,) int64, the word at which it first occurs.
    """

    numbers: np.ndarray
    total: np.ndarray
    df: np.ndarray
    first: np.ndarray


def number_words(words: np.ndarray, indptr: np.ndarray, vocabulary: int) -> Ngrams:
    total, df = np.zeros(vocabulary, dtype=np.int32), np.zeros(vocabulary, dtype=np.int32)
    first = np.empty(vocabulary, dtype=np.int64)
    _enter_words(words, indptr, total, df, first)
    return Ngrams(words, total, df, first)


def number_longer(shorter: Ngrams, indptr: np.ndarray, size: int) -> Ngrams:
    """The n-grams of `size` words, from those of one word less: each is two of them that overlap.

    Where one of the two occurs once in the pool, so does the n-gram. The others go into a table that is made for
    all of them being different, so that it never grows.
    """
    at_most = int(shorter.total[shorter.total > 1].sum())
    table = np.full(1 << max(4, (at_most + at_most // 2).bit_length()), -1, dtype=np.int32)
    numbers = np.empty(len(shorter.numbers), dtype=np.int32)
    # memory that is not written to takes no place, and most n-grams occur more than once
    first = np.empty(at_most, dtype=np.int64)
    tally = np.empty((at_most, 5), dtype=np.int32)
    known = _enter_ngrams(shorter.numbers, shorter.total, indptr, size, table, numbers, first, tally)
    return Ngrams(numbers, tally[:known, TOTAL].copy(), tally[:known, DF].copy(), first[:known].copy())


@njit(cache=True, nogil=True)
def _enter_words(
    words: np.ndarray, indptr: np.ndarray, total: np.ndarray, df: np.ndarray, first: np.ndarray
) -> None:
    seen = np.full(len(total), -1, dtype=np.int32)  # the last row with this word
    for row in range(len(indptr) - 1):
        for at in range(indptr[row], indptr[row + 1]):
            word = words[at]
            if total[word] == 0:
                first[word] = at
            total[word] += 1
            if seen[word] != row:
                seen[word] = row
                df[word] += 1


@njit(cache=True, nogil=True)
def _enter_ngrams(
    shorter: np.ndarray,
    shorter_total: np.ndarray,
    indptr: np.ndarray,
    size: int,
    table: np.ndarray,
    numbers: np.ndarray,
    first: np.ndarray,
    tally: np.ndarray,
) -> int:
    mask = len(table) - 1
    known = 0
    for row in range(len(indptr) - 1):
        for at in range(indptr[row], indptr[row + 1] - size + 1):
            left, right = shorter[at], shorter[at + 1]
            if left == ONCE or right == ONCE or shorter_total[left] == 1 or shorter_total[right] == 1:
                numbers[at] = ONCE
                continue
            mixed = np.uint64((np.int64(left) << 32) | np.int64(right)) * np.uint64(0x9E3779B97F4A7C15)
            slot = np.int64((mixed ^ (mixed >> np.uint64(32))) & np.uint64(mask))
            number = table[slot]
            while number != -1 and (tally[number, LEFT] != left or tally[number, RIGHT] != right):
                slot = (slot + 1) & mask
                number = table[slot]
            if number == -1:
                number = table[slot] = known
                known += 1
                first[number] = at
                tally[number, LEFT], tally[number, RIGHT] = left, right
                tally[number, TOTAL] = tally[number, DF] = 1
                tally[number, LAST_ROW] = row
            else:
                tally[number, TOTAL] += 1
                if tally[number, LAST_ROW] != row:
                    tally[number, LAST_ROW] = row
                    tally[number, DF] += 1
            numbers[at] = number
    return known
