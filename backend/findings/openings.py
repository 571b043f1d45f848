"""How responses begin: the first words that many of them share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.config import Words
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


def openings(
    responses: Sequence[str],
    *,
    words: int = WORDS,
    top: int = 40,
    cut: Words = "paper",
    begun: Sequence[str] | None = None,
) -> list[Opening]:
    """The most frequent beginnings, the most frequent first, then by the alphabet.

    Compared without case, punctuation and markup; responses of fewer words than `words` have none, and beginnings that
    only one response has are left out.

    words : how many of them. cut : what a word is; with `paper` a character of a script without spaces is one, too.
    begun : what `beginnings` gives for these, where it is known.
    """
    begun = beginnings(responses, words, cut) if begun is None else begun
    counts = Counter(text for text in begun if text)
    frequent = sorted((item for item in counts.items() if item[1] > 1), key=lambda item: (-item[1], item[0]))
    shown = dict(frequent[:top])
    refused = Counter(
        text
        for text, response in zip(begun, responses, strict=True)
        if text in shown and is_refusal(response)
    )
    return [Opening(text, count, 2 * refused[text] > count) for text, count in shown.items()]


def beginnings(responses: Sequence[str], words: int = WORDS, cut: Words = "paper") -> list[str]:
    """The first words of each response with one space between them; "" where it has fewer."""
    if cut == "paper":
        return [opening_of(response, words) for response in responses]
    begun = _first_words([response[:_BEGINNING] for response in responses], words)
    # the last word may be cut, and more may follow
    unsure = [row for row, (_, sure) in enumerate(begun) if not sure and len(responses[row]) > _BEGINNING]
    whole = dict(zip(unsure, _first_words([responses[row] for row in unsure], words), strict=True))
    return [whole.get(row, found)[0] for row, found in enumerate(begun)]


def _first_words(texts: Sequence[str], words: int) -> list[tuple[str, bool]]:
    """Of each text its first words by Unicode's rules, and whether there are more of them."""
    from backend.diversity.word_numbers import tokenize  # compiled code: loaded where it is needed

    tokens = tokenize([text.replace("’", "'") for text in texts], words="unicode")
    known = tokens.vocabulary.to_pylist()
    bounds = tokens.indptr.tolist()
    firsts = ([known[k] for k in tokens.words[begin : begin + words]] for begin in bounds[:-1])
    counts = np.diff(tokens.indptr).tolist()
    return [
        (" ".join(first) if count >= words else "", count > words)
        for first, count in zip(firsts, counts, strict=True)
    ]


def opening_rows(responses: Sequence[str], text: str, *, cut: Words = "paper") -> np.ndarray:
    """(k,) int64: the rows that begin with these words, ascending: exactly those that `openings` counted."""
    words = text.split()
    if not words:
        return np.zeros(0, dtype=np.int64)
    wanted = " ".join(words)
    begun = beginnings(responses, len(words), cut)
    rows = [row for row, text in enumerate(begun) if text == wanted]
    return np.array(rows, dtype=np.int64)


def opening_of(response: str, words: int = WORDS) -> str:
    """The first words of a response with one space between them; "" where it has fewer."""
    found = words_of(response[:_BEGINNING])
    if len(found) <= words:  # the last word may be cut, and more may follow
        found = words_of(response)
    return " ".join(found[:words]) if len(found) >= words else ""
