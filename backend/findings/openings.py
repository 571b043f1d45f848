"""How responses begin: the first words that many of them share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.findings.refusals import is_refusal
from backend.findings.texts import words_of

WORDS = 4
# enough characters for the first words of nearly every text; where they are too few, all of it is read
_BEGINNING = 120


@dataclass(frozen=True)
class Opening:
    """Words that several responses begin with.

    text : the words in lower case, one space between them.
    count : responses that begin so.
    refusal : whether most of these responses read like a refusal to answer.
    """

    text: str
    count: int
    refusal: bool


def openings(responses: Sequence[str], *, words: int = WORDS, top: int = 40) -> list[Opening]:
    """The most frequent beginnings, the most frequent first, then by the alphabet.

    Compared without case, punctuation and markup; responses of fewer words than `words` have none, and beginnings that
    only one response has are left out.
    """
    begun = [opening_of(response, words) for response in responses]
    counts = Counter(text for text in begun if text)
    frequent = sorted((item for item in counts.items() if item[1] > 1), key=lambda item: (-item[1], item[0]))
    shown = dict(frequent[:top])
    refused = Counter(
        text
        for text, response in zip(begun, responses, strict=True)
        if text in shown and is_refusal(response)
    )
    return [Opening(text, count, 2 * refused[text] > count) for text, count in shown.items()]


def opening_rows(responses: Sequence[str], text: str) -> np.ndarray:
    """(k,) int64: the rows that begin with these words, ascending: exactly those that `openings` counted."""
    words = text.split()
    if not words:
        return np.zeros(0, dtype=np.int64)
    wanted = " ".join(words)
    rows = [row for row, response in enumerate(responses) if opening_of(response, len(words)) == wanted]
    return np.array(rows, dtype=np.int64)


def opening_of(response: str, words: int = WORDS) -> str:
    """The first words of a response with one space between them; "" where it has fewer."""
    found = words_of(response[:_BEGINNING])
    if len(found) <= words:  # the last word may be cut, and more may follow
        found = words_of(response)
    return " ".join(found[:words]) if len(found) >= words else ""
