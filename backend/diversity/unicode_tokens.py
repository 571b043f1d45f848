"""Numbering words that are cut by Unicode's rules, with characters of scripts without spaces one by one; see `breaks`.

`number_unicode_words` takes and gives what `tokens._number_words` does.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from backend.diversity import breaks
from backend.diversity.characters import decode, spell
from backend.diversity.vocabulary import mark_of, number_of

# compiled code takes these as constants
(CUT, IF_LETTER, IF_DIGIT, IF_HEBREW, IF_JOINER) = (
    breaks.CUT,
    breaks.IF_LETTER,
    breaks.IF_DIGIT,
    breaks.IF_HEBREW,
    breaks.IF_JOINER,
)
(OTHER, LETTER, HEBREW, DIGIT, MARK, JOINER, APOSTROPHE, FLAG, CLOSED, START) = (
    breaks.OTHER,
    breaks.LETTER,
    breaks.HEBREW,
    breaks.DIGIT,
    breaks.MARK,
    breaks.JOINER,
    breaks.APOSTROPHE,
    breaks.FLAG,
    breaks.CLOSED,
    breaks.START,
)


def number_unicode_words(
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
    """Number the words of one text after another, from `row` on and as long as there is room for new words."""
    return _number_words(
        data, offsets, row, lower, kinds, breaks.FOLLOWERS, breaks.BEGINS, breaks.COUNTS,
        table, marks, letters, bounds, known, words, word_ends, count,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _kind_ahead(data: np.ndarray, at: int, end: int, lower: np.ndarray, kinds: np.ndarray) -> int:
    """The kind of the next character that is no mark."""
    while at < end:
        code, at = decode(data, at)
        kind = kinds[lower[code]]
        if kind != MARK and kind != JOINER:
            return kind
    return OTHER


@njit(cache=True, nogil=True)
def _number_words(
    data: np.ndarray,
    offsets: np.ndarray,
    row: int,
    lower: np.ndarray,
    kinds: np.ndarray,
    followers: np.ndarray,
    begins: np.ndarray,
    makes: np.ndarray,
    table: np.ndarray,
    marks: np.ndarray,
    letters: np.ndarray,
    bounds: np.ndarray,
    known: int,
    words: np.ndarray,
    word_ends: np.ndarray,
    count: int,
) -> tuple[int, int, int]:
    while row < len(offsets) - 1:
        at, end = offsets[row], offsets[row + 1]
        most = known + end - at + 1
        if 2 * most > len(table) or most >= len(bounds) or bounds[known] + 2 * (end - at) > len(letters):
            break
        spelt = start = bounds[known]
        last = START  # the kind that the word so far ends in, marks aside
        tied = False  # its last character is a joiner
        real = False  # it is a word: it has more than connectors
        mark = block = np.uint64(0)
        while at <= end:
            code, kind = np.int64(0), OTHER  # the end of a text ends its last word
            if at < end:
                code, at = decode(data, at)
                code = np.int64(lower[code])
                kind = int(kinds[code])
            else:
                at += 1
            follows = followers[last, kind]
            closes = False
            if follows >= IF_LETTER:
                if follows == IF_JOINER:
                    joins = tied
                else:
                    ahead = _kind_ahead(data, at, end, lower, kinds)
                    letter = ahead in (LETTER, HEBREW)
                    joins = (
                        (follows == IF_LETTER and letter)
                        or (follows == IF_DIGIT and ahead == DIGIT)
                        or (follows == IF_HEBREW and ahead == HEBREW)
                    )
            else:
                joins = follows != CUT
                if kind == APOSTROPHE and joins:  # behind a Hebrew letter
                    ahead = _kind_ahead(data, at, end, lower, kinds)
                    closes = ahead not in (LETTER, HEBREW)
            if not joins:
                if real:
                    mark = mark_of(block, mark)
                    word = number_of(mark, start, spelt, table, marks, letters, bounds, known)
                    if word == known:
                        start = spelt
                        known += 1
                    words[count] = word
                    count += 1
                spelt = start
                mark = block = np.uint64(0)
                real = tied = False
                last = START
                if not begins[kind]:
                    continue
            before = spelt
            spelt = spell(code, letters, spelt)
            for k in range(before, spelt):
                if (k - start) & 7 == 0:
                    mark, block = mark_of(block, mark), np.uint64(0)
                block = block << np.uint64(8) | np.uint64(letters[k])
            real = real or makes[kind]
            tied = kind == JOINER
            if (kind == FLAG and last == FLAG) or closes:
                last = CLOSED
            elif begins[kind]:
                last = kind
        word_ends[row] = count
        row += 1
    return row, count, known
