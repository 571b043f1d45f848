"""Responses that end in the middle: of a word, of a sentence, of a list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from backend.findings.code import is_code

SHORTEST = 40  # characters of a response
LAST_LINE = 20  # characters of a last line that can be a sentence
SEEN = 3  # times at most is a piece of a word in the pool
KNOWN = 8  # times as often is the whole word
_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_OPEN_NUMBER = re.compile(r"^\s*(?:\(?\d{1,2}[.)]|[-*•])(?:\s*\*{1,2})?$")
_NUMBERED = re.compile(r"^\s*(?:\(?\d{1,2}[.)]|[-*•])\s+\S", re.M)
_NOT_PROSE = re.compile(r"^\s*(?:[-*•#>|$]|\(?\d{1,2}[.)]\s|[A-Za-z][.)]\s|\w[\w ]{0,30}:)")
_SMILEY = re.compile(r"[:;=][-'o]?\($")
# words that a sentence does not end with
_GOES_ON = frozenset(
    (
        "a an the and or but nor of because although whereas while if unless than as such their its our your my which whose whether between toward "
        "towards including via per and/or is are was were be been has have had will would could should may might must"
    ).split()
)


def cut_rows(prompts: Sequence[str], responses: Sequence[str]) -> dict[int, str]:
    """The end of each response that breaks off, by row.

    Looked at are responses of 40 characters or more that are no code. One is cut off where its last line is an open list number
    ("4."), or where that line is prose of 20 characters or more without a sentence's end and stops at a comma, an open bracket, a hyphen, a word that no
    sentence ends with ("the", "of"), or a piece of a word: the pool has it nowhere else, and words that begin with
    it often.
    """
    ends = {row: end for row, response in enumerate(responses) if (end := _unfinished(response))}
    unsure = {row: _last_word(end) for row, end in ends.items() if not _breaks_off(end)}
    pieces = _pieces(responses, {word for word in unsure.values() if len(word) > 1})
    found = {}
    for row, end in ends.items():
        if row not in unsure or unsure[row] in pieces:
            found[row] = f"… {end[-60:].strip()}"
    return found


def _unfinished(response: str) -> str:
    """The last line, where it has no end but should have; "" otherwise."""
    text = response.rstrip()
    if len(text) < SHORTEST:
        return ""
    last = text[text.rfind("\n") + 1 :]
    if _OPEN_NUMBER.match(last):
        return last if len(_NUMBERED.findall(text)) >= 2 and not is_code(text) else ""
    final = last[-1]
    if not (final.isalpha() or final in ",–—(&" or last.endswith(" -") or final.isdigit()):
        return ""
    if len(last) < LAST_LINE or (_NOT_PROSE.match(last) and not re.search(r"[a-z][.!?] [A-Z]", last)):
        return ""
    if _SMILEY.search(last) or not any("a" <= mark.lower() <= "z" for mark in last) or is_code(text):
        return ""
    return last


def _last_word(end: str) -> str:
    words = _WORDS.findall(end[-40:])
    return (
        words[-1].lower() if words and len(words[-1]) < 20 and end.lower().endswith(words[-1].lower()) else ""
    )


def _breaks_off(end: str) -> bool:
    """Whether a last line stops at what cannot be an end."""
    bare = end.rstrip()
    if _OPEN_NUMBER.match(end):
        return True
    return (bare[-1] in ",(–—&-" and not _SMILEY.search(bare)) or _last_word(bare) in _GOES_ON


def _pieces(responses: Sequence[str], words: set[str]) -> set[str]:
    """Which of these words are pieces of others: once in all responses, and the beginning of a word that is there often."""
    if not words:
        return set()
    counts: Counter[str] = Counter()
    for response in responses:
        counts.update(_WORDS.findall(response.lower()))
    longer: Counter[str] = Counter()
    for word, times in counts.items():
        for length in range(2, len(word)):
            if word[:length] in words:
                longer[word[:length]] = max(longer[word[:length]], times)
    return {word for word in words if counts[word] <= SEEN and longer[word] >= KNOWN * counts[word]}
