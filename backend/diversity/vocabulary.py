"""The words known so far: numbered by first appearance, and found again by their bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numba import njit


@dataclass
class Vocabulary:
    """The words known so far, found by open addressing.

    table : word number + 1, 0 where free. letters : their UTF-8, one word behind the other.
    bounds : word v is letters[bounds[v]:bounds[v + 1]]. marks : what `mark_of` makes of them.
    """

    size: int = 0
    table: np.ndarray = field(default_factory=lambda: np.zeros(1 << 16, dtype=np.int32))
    marks: np.ndarray = field(default_factory=lambda: np.empty(1 << 15, dtype=np.uint64))
    letters: np.ndarray = field(default_factory=lambda: np.empty(1 << 18, dtype=np.uint8))
    bounds: np.ndarray = field(default_factory=lambda: np.zeros(1 << 15, dtype=np.int64))

    def make_room(self, length: int, most: int) -> None:
        """Room for the words that a text of `length` bytes can bring, of which there are `most` at most."""
        words = self.size + most
        self.letters = _grown(self.letters, int(self.bounds[self.size]) + 2 * length)
        self.bounds = _grown(self.bounds, words + 1)
        self.marks = _grown(self.marks, words)
        if 2 * words > len(self.table):
            self.table = np.zeros(1 << (4 * words).bit_length(), dtype=np.int32)
            _refill(self.table, self.marks, self.size)

    def texts(self) -> pa.Array:
        bounds = self.bounds[: self.size + 1].copy()
        letters = self.letters[: bounds[-1]].copy()
        return pa.Array.from_buffers(
            pa.large_string(), self.size, [None, pa.py_buffer(bounds), pa.py_buffer(letters)]
        )


def _grown(array: np.ndarray, size: int) -> np.ndarray:
    """`array`, or a copy with room for `size` items (at least doubled, so that growing stays linear)."""
    if len(array) >= size:
        return array
    larger = np.empty(max(size, 2 * len(array)), dtype=array.dtype)
    larger[: len(array)] = array
    return larger


@njit(cache=True, nogil=True)
def mark_of(block: np.uint64, before: np.uint64) -> np.uint64:
    """A word's 64 bits: of its bytes, eight at a time, the last of them first in place.

    A word of up to eight bytes is one block, and no other word of as many bytes has the same bits.
    """
    return (before ^ block) * np.uint64(0x9E3779B97F4A7C15)


@njit(cache=True, nogil=True)
def _slot(mark: np.uint64, mask: int) -> np.int64:
    """Where the search begins: the high bits folded into the low ones."""
    return np.int64((mark ^ (mark >> np.uint64(32))) & np.uint64(mask))


@njit(cache=True, nogil=True)
def _refill(table: np.ndarray, marks: np.ndarray, known: int) -> None:
    """Enter the words known so far into a new, larger table."""
    mask = len(table) - 1
    for word in range(known):
        slot = _slot(marks[word], mask)
        while table[slot] != 0:
            slot = (slot + 1) & mask
        table[slot] = word + 1


@njit(cache=True, nogil=True)
def number_of(
    mark: np.uint64,
    start: int,
    end: int,
    table: np.ndarray,
    marks: np.ndarray,
    letters: np.ndarray,
    bounds: np.ndarray,
    known: int,
) -> int:
    """The number of the word that is spelt in letters[start:end], behind all known ones; `known` where it is new.

    A new word is entered; the caller then counts it and leaves its letters where they are.
    """
    mask = len(table) - 1
    length = end - start
    slot = _slot(mark, mask)
    while table[slot] != 0:
        word = table[slot] - 1
        same = marks[word] == mark and bounds[word + 1] - bounds[word] == length
        if same and length > 8:
            for k in range(length):
                if letters[bounds[word] + k] != letters[start + k]:
                    same = False
                    break
        if same:
            return word
        slot = (slot + 1) & mask
    table[slot] = known + 1
    marks[known] = mark
    bounds[known + 1] = end
    return known
