"""Characters in UTF-8: decoded, lower-cased, and told whether they belong to a word."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numba import njit

UNICODE_SIZE = 0x110000
NOT_WORD, WORD, BY_CONTEXT = 1, 2, 3  # 0: not looked at yet
# the one letter whose lower case depends on its neighbours (it differs at the end of a word)
SIGMA = 0x3A3


def kind_by_pattern(character: str) -> int:
    """Whether a lower-case character is one of a word's in ``\\w``: WORD or NOT_WORD."""
    return WORD if character.isalnum() or character == "_" else NOT_WORD


def joined(texts: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of all texts, one behind the other, and (n + 1,) int64 offsets into them."""
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return np.frombuffer(b"".join(texts), dtype=np.uint8), np.concatenate([[0], np.cumsum(lengths)])


@dataclass
class Characters:
    """What lower case a character has and whether it belongs to a word, learnt as characters turn up.

    kind_of : what a lower-case character is to the cutting: a number from 1 to 255 that is not BY_CONTEXT.
    lower : (UNICODE_SIZE,) uint32, code point of the lower case; 0 where not looked at yet.
    kinds : (UNICODE_SIZE,) uint8, `kind_of` of a lower-case character; BY_CONTEXT of a character whose lower case is
        more than one character or depends on its neighbours.
    """

    kind_of: Callable[[str], int] = kind_by_pattern
    lower: np.ndarray = field(default_factory=lambda: np.zeros(UNICODE_SIZE, dtype=np.uint32))
    kinds: np.ndarray = field(default_factory=lambda: np.zeros(UNICODE_SIZE, dtype=np.uint8))

    def __post_init__(self) -> None:
        for code in range(128):
            self._enter(code)

    def learn(self, data: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Look up the characters of these texts; returns them with those that need it in lower case already."""
        new = np.zeros(UNICODE_SIZE, dtype=np.bool_)
        if not _survey(data, offsets, self.lower, new):
            return data, offsets
        met = np.flatnonzero(new)
        for code in met[self.kinds[met] != BY_CONTEXT].tolist():
            self._enter(code)
        if not (self.kinds[met] == BY_CONTEXT).any():
            return data, offsets
        rows = _rows_by_context(data, offsets, self.kinds)
        texts = [data[a:b].tobytes() for a, b in itertools.pairwise(offsets)]
        for row in rows:
            text = texts[row].decode("utf-8", "surrogatepass").lower()
            texts[row] = text.encode("utf-8", "surrogatepass")
        return self.learn(*joined(texts))

    def _enter(self, code: int) -> None:
        low = chr(code).lower()
        if len(low) > 1 or code == SIGMA:
            self.kinds[code] = BY_CONTEXT
            return
        self.lower[code] = ord(low)
        self.kinds[ord(low)] = self.kind_of(low)


@njit(cache=True, nogil=True)
def decode(data: np.ndarray, at: int) -> tuple[np.int64, int]:
    """The code point that begins at this byte, and the byte behind it."""
    first = np.int64(data[at])
    if first < 0x80:
        return first, at + 1
    if first < 0xE0:
        return (first & 0x1F) << 6 | np.int64(data[at + 1]) & 0x3F, at + 2
    if first < 0xF0:
        middle = (np.int64(data[at + 1]) & 0x3F) << 6
        return (first & 0x0F) << 12 | middle | np.int64(data[at + 2]) & 0x3F, at + 3
    upper = (np.int64(data[at + 1]) & 0x3F) << 12 | (np.int64(data[at + 2]) & 0x3F) << 6
    return (first & 0x07) << 18 | upper | np.int64(data[at + 3]) & 0x3F, at + 4


@njit(cache=True, nogil=True)
def _survey(data: np.ndarray, offsets: np.ndarray, lower: np.ndarray, new: np.ndarray) -> bool:
    """Mark the characters without a lower case: not looked at yet, or by context. Returns whether there is one."""
    found = False
    at, end = offsets[0], offsets[-1]
    while at < end:
        if data[at] < 0x80:
            at += 1
            continue
        code, at = decode(data, at)
        if lower[code] == 0:
            found = new[code] = True
    return found


@njit(cache=True, nogil=True)
def _rows_by_context(data: np.ndarray, offsets: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """(k,) int64: the texts with a character whose lower case goes by its context."""
    rows = []
    for row in range(len(offsets) - 1):
        at = offsets[row]
        while at < offsets[row + 1]:
            code, at = decode(data, at)
            if kinds[code] == BY_CONTEXT:
                rows.append(row)
                break
    return np.array(rows, dtype=np.int64)


@njit(cache=True, nogil=True)
def spell(code: np.int64, letters: np.ndarray, at: int) -> int:
    """Write a character as UTF-8; returns the place behind it."""
    if code < 0x80:
        letters[at] = code
        return at + 1
    if code < 0x800:
        letters[at] = 0xC0 | code >> 6
    elif code < 0x10000:
        letters[at] = 0xE0 | code >> 12
        letters[at + 1] = 0x80 | code >> 6 & 0x3F
        at += 1
    else:
        letters[at] = 0xF0 | code >> 18
        letters[at + 1] = 0x80 | code >> 12 & 0x3F
        letters[at + 2] = 0x80 | code >> 6 & 0x3F
        at += 2
    letters[at + 1] = 0x80 | code & 0x3F
    return at + 2
