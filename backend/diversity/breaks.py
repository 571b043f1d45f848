"""Where the `unicode` cutting breaks words: kinds of characters, and which may follow which within a word.

The rules are those of Unicode's UAX 29 (word boundaries), with one difference: a character of a script that is written
without spaces (Han, Kana, Thai, Lao, Khmer, Myanmar ...; `backend.data.scripts`) is a word by itself, with its marks.
Hangul has spaces, so it comes in runs as Latin does. Of what UAX 29 cuts, a word is whatever holds a letter, a number or
an emoji; spaces and punctuation are none.
"""

from __future__ import annotations

import unicodedata

import numpy as np

from backend.data.scripts import is_letter, is_unspaced

# 0 to 3 mean something else where kinds of characters are kept (`characters`)
(
    OTHER,
    LETTER,
    HEBREW,
    DIGIT,
    CONNECTOR,  # joins letters and digits: the low line
    MARK,  # belongs to the character before it
    JOINER,  # a mark that also ties two emoji together
    LETTER_POINT,  # between letters it is part of the word: colon, middle dot
    DIGIT_POINT,  # between digits: comma, semicolon
    POINT,  # between either: full stop, closing quotation mark
    APOSTROPHE,
    QUOTE,  # between Hebrew letters
    ALONE,  # a word by itself
    EMOJI,
    FLAG,  # half a flag: two of them are a word
    CLOSED,  # no character: the state of a word to which only marks can be added
    START,  # no character: the state outside of words
) = range(4, 21)
KINDS = START + 1

CUT, JOIN, IF_LETTER, IF_DIGIT, IF_HEBREW, IF_JOINER = range(6)

_LETTER_POINTS = frozenset(":··՟״‧︓﹕：")
_DIGIT_POINTS = frozenset(",;;։،؍٫٬߸⁄﹐﹔，；︐︔")
_POINTS = frozenset(".‘’․﹒＇．")
_MORE_LETTERS = frozenset("՚՛՜՞׳¸") | frozenset(map(chr, (*range(0x2C2, 0x2C6), *range(0x2D2, 0x2D8), *range(0x2DE, 0x2E0), *range(0x2E5, 0x300))))  # fmt: skip
# vowel signs that are written behind their consonant and belong to it, and sound marks of half width
_MORE_MARKS = frozenset("\u0e33\u0eb3\uff9e\uff9f")
_EMOJI = (
    *((0xA9, 0xA9), (0xAE, 0xAE), (0x203C, 0x203C), (0x2049, 0x2049), (0x2122, 0x2122), (0x2194, 0x2199)),
    *((0x21A9, 0x21AA), (0x231A, 0x231B), (0x2328, 0x2328), (0x23CF, 0x23CF), (0x23E9, 0x23FA)),
    *((0x25AA, 0x25AB), (0x25B6, 0x25B6), (0x25C0, 0x25C0), (0x25FB, 0x25FE), (0x2600, 0x27BF)),
    *((0x2934, 0x2935), (0x2B05, 0x2B07), (0x2B1B, 0x2B1C), (0x2B50, 0x2B50), (0x2B55, 0x2B55)),
    *((0x3030, 0x3030), (0x303D, 0x303D), (0x3297, 0x3297), (0x3299, 0x3299), (0x1F000, 0x1FAFF)),
)


def kind_of(character: str) -> int:
    """What a character is to the cutting: one of the kinds above."""
    code, category = ord(character), unicodedata.category(character)
    for kind, found in (
        (JOINER, code == 0x200D),
        (APOSTROPHE, character == "'"),
        (QUOTE, character == '"'),
        (LETTER_POINT, character in _LETTER_POINTS),
        (DIGIT_POINT, character in _DIGIT_POINTS),
        (POINT, character in _POINTS),
        (FLAG, 0x1F1E6 <= code <= 0x1F1FF),
        (MARK, category[0] == "M" or character in _MORE_MARKS or 0x1F3FB <= code <= 0x1F3FF),
        (MARK, category == "Cf" and code != 0x200B),
        (ALONE, is_letter(code) and is_unspaced(code)),
        (HEBREW, is_letter(code) and (0x5D0 <= code <= 0x5F2 or 0xFB1D <= code <= 0xFB4F)),
        (LETTER, is_letter(code) or character in _MORE_LETTERS),
        (DIGIT, category == "Nd"),
        (ALONE, category == "No"),
        (CONNECTOR, category == "Pc" or code == 0x202F),
        (EMOJI, any(first <= code <= last for first, last in _EMOJI)),
    ):
        if found:
            return kind
    return OTHER


def _followers() -> np.ndarray:
    """(KINDS, KINDS) uint8: what happens where a word that ends in one kind meets another; see `breaks`."""
    table = np.full((KINDS, KINDS), CUT, dtype=np.uint8)
    within = [LETTER, HEBREW, DIGIT, CONNECTOR]
    table[np.ix_(within, within)] = JOIN
    for letter in (LETTER, HEBREW):
        table[letter, [LETTER_POINT, POINT, APOSTROPHE]] = IF_LETTER
    table[HEBREW, APOSTROPHE] = JOIN
    table[HEBREW, QUOTE] = IF_HEBREW
    table[DIGIT, [DIGIT_POINT, POINT, APOSTROPHE]] = IF_DIGIT
    table[FLAG, FLAG] = JOIN
    table[:START, EMOJI] = IF_JOINER
    table[:START, [MARK, JOINER]] = JOIN
    return table


FOLLOWERS = _followers()
# (KINDS,) bool: kinds that begin a word, and kinds that make one of what they are in
BEGINS, COUNTS = (np.isin(np.arange(KINDS), kinds) for kinds in (
    (LETTER, HEBREW, DIGIT, CONNECTOR, ALONE, EMOJI, FLAG), (LETTER, HEBREW, DIGIT, ALONE, EMOJI, FLAG)))  # fmt: skip
