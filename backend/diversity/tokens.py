"""Responses -> word numbers, cut exactly as scikit-learn's vectorizers cut by default.

A word is a match of ``(?u)\\b\\w\\w+\\b`` in the lower-cased text. That is the same as: a run of two or more word
characters that cannot be made longer, where a word character is one that `str.isalnum` accepts, or "_".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numba import njit

CHUNK_ROWS = 4096  # rows whose text is held as Python strings at a time
UNICODE_SIZE = 0x110000
NOT_WORD, WORD = 1, 2  # 0: not looked at yet


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
    table = np.zeros(1 << 16, dtype=np.int32)  # open addressing: word number + 1, 0 where free
    letters = np.empty(1 << 16, dtype=np.uint32)  # the vocabulary's code points, one word after another
    bounds = np.zeros(1 << 14, dtype=np.int64)  # word v is letters[bounds[v]:bounds[v + 1]]
    kinds = np.zeros(UNICODE_SIZE, dtype=np.uint8)
    vocabulary: list[str] = []
    parts: list[np.ndarray] = []
    ends: list[np.ndarray] = [np.zeros(1, dtype=np.int64)]
    total = 0
    for chunk in _chunks(responses):
        texts = [((text or "") + suffix).lower() for text in chunk]
        # one character that no word holds keeps two responses apart
        joined = "\n".join(texts) + "\n"
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).copy()
        text_ends = np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1)
        _learn_kinds(kinds, codes)
        known = len(vocabulary)
        most = len(codes) // 3 + 1  # a word takes two characters and what parts it from the next
        letters = _grown(letters, int(bounds[known]) + len(codes))
        bounds = _grown(bounds, known + most + 1)
        if 2 * (known + most) > len(table):
            table = np.zeros(1 << (4 * (known + most)).bit_length(), dtype=np.int32)
            _refill(table, letters, bounds, known)
        words, word_ends, starts = _number_words(codes, text_ends, kinds, table, letters, bounds, known)
        lengths = np.diff(bounds[known : known + len(starts) + 1])
        vocabulary += [joined[a : a + k] for a, k in zip(starts.tolist(), lengths.tolist())]
        parts.append(words)
        ends.append(word_ends + total)
        total += len(words)
    return Tokens(
        words=np.concatenate(parts) if parts else np.empty(0, dtype=np.int32),
        indptr=np.concatenate(ends),
        vocabulary=pa.array(vocabulary, type=pa.large_string()),
    )


def _chunks(responses: Sequence[str] | pa.Array | pa.ChunkedArray) -> Iterator[Sequence[str]]:
    for start in range(0, len(responses), CHUNK_ROWS):
        if isinstance(responses, (pa.Array, pa.ChunkedArray)):
            yield responses.slice(start, CHUNK_ROWS).to_pylist()
        else:
            yield responses[start : start + CHUNK_ROWS]


def _learn_kinds(kinds: np.ndarray, codes: np.ndarray) -> None:
    """Fill in which code points are word characters, for those not met before."""
    for code in np.unique(codes[kinds[codes] == 0]).tolist():
        kinds[code] = WORD if chr(code).isalnum() or code == ord("_") else NOT_WORD


def _grown(array: np.ndarray, size: int) -> np.ndarray:
    """`array`, or a copy with room for `size` items (at least doubled, so that growing stays linear)."""
    if len(array) >= size:
        return array
    larger = np.zeros(max(size, 2 * len(array)), dtype=array.dtype)
    larger[: len(array)] = array
    return larger


@njit(cache=True)
def _hash(letters: np.ndarray, start: int, end: int) -> int:
    """FNV-1a over code points, with its high bits folded into the low ones."""
    value = np.uint64(14695981039346656037)
    for at in range(start, end):
        value = (value ^ np.uint64(letters[at])) * np.uint64(1099511628211)
    return np.int64((value ^ (value >> np.uint64(29))) & np.uint64(0x7FFFFFFF))  # type: ignore[return-value]


@njit(cache=True)
def _refill(table: np.ndarray, letters: np.ndarray, bounds: np.ndarray, known: int) -> None:
    """Enter the words known so far into a new, larger table."""
    mask = len(table) - 1
    for word in range(known):
        slot = _hash(letters, bounds[word], bounds[word + 1]) & mask
        while table[slot] != 0:
            slot = (slot + 1) & mask
        table[slot] = word + 1


@njit(cache=True)
def _number_words(
    codes: np.ndarray,
    text_ends: np.ndarray,
    kinds: np.ndarray,
    table: np.ndarray,
    letters: np.ndarray,
    bounds: np.ndarray,
    known: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number the words of one chunk: their numbers, where each text's end, where new words start in `codes`."""
    words = np.empty(len(codes) // 3 + 1, dtype=np.int32)
    starts = np.empty(len(codes) // 3 + 1, dtype=np.int64)
    word_ends = np.empty(len(text_ends), dtype=np.int64)
    mask = len(table) - 1
    count = 0
    first = known
    at = 0
    for text in range(len(text_ends)):
        while at < text_ends[text]:
            if kinds[codes[at]] != WORD:
                at += 1
                continue
            start = at
            while kinds[codes[at]] == WORD:  # every text ends with a character that is none
                at += 1
            if at - start < 2:
                continue
            slot = _hash(codes, start, at) & mask
            word = -1
            while table[slot] != 0:
                word = table[slot] - 1
                same = bounds[word + 1] - bounds[word] == at - start
                if same:
                    for k in range(at - start):
                        if letters[bounds[word] + k] != codes[start + k]:
                            same = False
                            break
                if same:
                    break
                word = -1
                slot = (slot + 1) & mask
            if word < 0:
                word = known
                table[slot] = word + 1
                bounds[word + 1] = bounds[word] + at - start
                letters[bounds[word] : bounds[word + 1]] = codes[start:at]
                starts[word - first] = start
                known += 1
            words[count] = word
            count += 1
        word_ends[text] = count
    return words[:count].copy(), word_ends, starts[: known - first].copy()
