"""Responses -> word numbers, cut exactly as scikit-learn's vectorizers cut by default.

A word is a match of ``(?u)\\b\\w\\w+\\b`` in the lower-cased text. That is the same as: a run of two or more word
characters that cannot be made longer, where a word character is one that `str.isalnum` accepts, or "_". The text is
read as Arrow holds it, in UTF-8: no Python string is made of it, and each character is looked up in two tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from backend.diversity.characters import WORD, Characters, decode, joined, spell


@dataclass(frozen=True)
class Tokens:
    """The words of n responses, as numbers.

    words : (total words,) int32, numbers into `vocabulary`, responses one after another.
    indptr : (n + 1,) int64, response i has words[indptr[i]:indptr[i + 1]].
    vocabulary : the distinct words, in the order of their first appearance.
    """

    words: np.ndarray
    indptr: np.ndarray
    vocabulary: pa.Array


def tokenize(responses: Sequence[str] | pa.Array | pa.ChunkedArray, *, suffix: str = "") -> Tokens:
    """The words of every response (followed by `suffix`), numbered by first appearance."""
    characters, known = Characters(), _Vocabulary()
    parts: list[np.ndarray] = []
    ends: list[np.ndarray] = [np.zeros(1, dtype=np.int64)]
    total = 0
    for data, offsets in _texts(responses, suffix):
        data, offsets = characters.learn(data, offsets)
        words = np.empty((offsets[-1] - offsets[0]) // 2 + 1, dtype=np.int32)
        word_ends = np.empty(len(offsets) - 1, dtype=np.int64)
        row = count = 0
        while row < len(word_ends):
            known.make_room(int(offsets[row + 1] - offsets[row]))
            row, count, known.size = _number_words(
                data,
                offsets,
                row,
                characters.lower,
                characters.kinds,
                known.table,
                known.marks,
                known.letters,
                known.bounds,
                known.size,
                words,
                word_ends,
                count,
            )
        parts.append(words[:count].copy())
        ends.append(word_ends + total)
        total += count
    return Tokens(
        words=np.concatenate(parts) if parts else np.empty(0, dtype=np.int32),
        indptr=np.concatenate(ends),
        vocabulary=known.texts(),
    )


def _texts(
    responses: Sequence[str] | pa.Array | pa.ChunkedArray, suffix: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """UTF-8 bytes and (n + 1,) int64 offsets into them, piece by piece; a missing text is empty."""
    if isinstance(responses, pa.ChunkedArray):
        for chunk in responses.chunks:
            yield from _texts(chunk, suffix)
    elif not len(responses):
        return
    elif isinstance(responses, pa.Array):
        texts = responses.cast(pa.large_string())
        if texts.null_count:
            texts = texts.fill_null("")
        if suffix:
            texts = pc.binary_join_element_wise(
                texts, *(pa.scalar(text, pa.large_string()) for text in (suffix, ""))
            )
        _, bounds, letters = texts.buffers()
        offsets = np.frombuffer(bounds, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
        data = np.frombuffer(letters or b"", dtype=np.uint8)
        # code is compiled once for arrays that can be written to and once for others: always give it the same
        data.setflags(write=False)
        yield data, offsets.copy()
    else:
        yield joined([((text or "") + suffix).encode("utf-8", "surrogatepass") for text in responses])


@dataclass
class _Vocabulary:
    """The words known so far, found by open addressing.

    table : word number + 1, 0 where free. letters : their UTF-8, one word behind the other.
    bounds : word v is letters[bounds[v]:bounds[v + 1]]. marks : what `_mark` makes of them.
    """

    size: int = 0
    table: np.ndarray = field(default_factory=lambda: np.zeros(1 << 16, dtype=np.int32))
    marks: np.ndarray = field(default_factory=lambda: np.empty(1 << 15, dtype=np.uint64))
    letters: np.ndarray = field(default_factory=lambda: np.empty(1 << 18, dtype=np.uint8))
    bounds: np.ndarray = field(default_factory=lambda: np.zeros(1 << 15, dtype=np.int64))

    def make_room(self, length: int) -> None:
        """Room for all the words that a text of `length` bytes can bring."""
        words = self.size + length // 2 + 1
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
def _mark(block: np.uint64, before: np.uint64) -> np.uint64:
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
def _number_words(
    data: np.ndarray,
    offsets: np.ndarray,
    row: int,
    lower: np.ndarray,
    kinds: np.ndarray,
    table: np.ndarray,
    marks: np.ndarray,
    letters: np.ndarray,
    bounds: np.ndarray,
    known: int,
    words: np.ndarray,
    word_ends: np.ndarray,
    count: int,
) -> tuple[int, int, int]:
    """Number the words of one text after another, from `row` on and as long as there is room for new words.

    A word is spelt out behind the known ones; where it is new it stays there. Returns the row that comes next, the
    words numbered and the words known.
    """
    mask = len(table) - 1
    while row < len(offsets) - 1:
        at, end = offsets[row], offsets[row + 1]
        most = known + (end - at) // 2 + 1
        if 2 * most > len(table) or most >= len(bounds) or bounds[known] + 2 * (end - at) > len(letters):
            break
        spelt = start = bounds[known]
        characters = 0
        mark = block = np.uint64(0)
        while at <= end:
            code = np.int64(0)  # the end of a text ends its last word
            if at < end:
                code, at = decode(data, at)
                code = np.int64(lower[code])
            else:
                at += 1
            if kinds[code] == WORD:
                before = spelt
                spelt = spell(code, letters, spelt)
                characters += 1
                for k in range(before, spelt):
                    if (k - start) & 7 == 0:
                        mark, block = _mark(block, mark), np.uint64(0)
                    block = block << np.uint64(8) | np.uint64(letters[k])
                continue
            if characters >= 2:
                mark = _mark(block, mark)
                length = spelt - start
                slot = _slot(mark, mask)
                word = -1
                while table[slot] != 0:
                    word = table[slot] - 1
                    same = marks[word] == mark and bounds[word + 1] - bounds[word] == length
                    if same and length > 8:
                        for k in range(length):
                            if letters[bounds[word] + k] != letters[start + k]:
                                same = False
                                break
                    if same:
                        break
                    word = -1
                    slot = (slot + 1) & mask
                if word < 0:
                    word = known
                    table[slot] = word + 1
                    marks[word] = mark
                    bounds[word + 1] = spelt
                    start = spelt
                    known += 1
                words[count] = word
                count += 1
            if characters > 0:
                spelt = start
                characters = 0
                mark = block = np.uint64(0)
        word_ends[row] = count
        row += 1
    return row, count, known
