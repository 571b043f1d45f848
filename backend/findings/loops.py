"""Responses that fall into a loop: the same line, sentence or run of words again and again."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import numpy as np

from backend.findings.code import is_code, unfenced
from backend.findings.texts import spaced

TIMES = 4  # as often does a run of words follow itself
SEVENTH = 1 / 7  # of the words are in a run that follows itself, at least
SHARE = 0.3  # of the response is taken by a line or sentence that comes again
LONGEST_RUN = 30  # words of a run
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
_ASKS_TO_REPEAT = re.compile(
    r"\brepeat|\btimes\b|\bsongs?\b|lyric|\bpoem|chorus|\brap\b|refrain|rhyme|chant|mantra|\bverse|pattern|\bloop|nursery|haiku|ballad|\bbeats?\b|tongue|重复|歌",
    re.I,
)
_WORD = re.compile(r"\w+|[^\w\s]")


def repeated_loop(prompt: str, response: str) -> str:
    """What is repeated; "" where nothing is.

    Outside code: a run of up to 30 words that follows itself at least three times more and has three different words and 15
    characters or more (shorter ones: ten times or more), over a seventh of the text or more, or a line or sentence of 20 characters or more that comes four
    times or more and makes up 30 % of the response. Not where the prompt asks for repetition, or for a song or poem.
    """
    if len(response) < 60 or not _has_repeats(response):
        return ""
    text = unfenced(response)
    if _ASKS_TO_REPEAT.search(prompt) or is_code(text):
        return ""
    return _run(text) or _sentence(text)


def _has_repeats(text: str) -> bool:
    """Whether pairs of neighbouring words come again often enough for a loop to be possible; a quick look."""
    words = spaced(text).split()
    return len(set(itertools.pairwise(words))) <= (1 - SEVENTH * (TIMES - 1) / TIMES) * len(words)


def _run(text: str) -> str:
    words = _WORD.findall(spaced(text.lower()))
    if len(words) < 12:
        return ""
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(word, len(numbers)) for word in words])
    for length in range(1, min(LONGEST_RUN, len(codes) // TIMES) + 1):
        same = codes[length:] == codes[:-length]
        if int(same.sum()) < length * (TIMES - 1):
            continue
        # the longest stretch that is the same as what stands `length` words before
        ends = np.flatnonzero(np.concatenate([~same, [True]]))
        stretches = np.diff(np.concatenate([[-1], ends])) - 1
        longest = int(stretches.argmax())
        times = stretches[longest] // length + 1
        start = int(ends[longest] - stretches[longest])
        run = words[start : start + length]
        letters = {word for word in run if any(mark.isalpha() for mark in word)}
        if not any(len(word) >= 3 or word > "\u2e80" for word in letters) or (times * length) < SEVENTH * len(
            words
        ):
            continue
        enough = TIMES if len(letters) >= 3 and len(" ".join(run)) >= 15 else 10
        if times >= enough:
            return f"{' '.join(run)} (×{times})"
    return ""


def _sentence(text: str) -> str:
    found = Counter(
        bare for one in _SENTENCE.findall(text) if len(bare := " ".join(one.lower().split())) >= 20
    )
    if not found:
        return ""
    sentence, times = found.most_common(1)[0]
    alone = sum(mark.isalpha() for mark in sentence) * 2 > len(sentence)
    if times >= TIMES and alone and times * len(sentence) >= SHARE * len(text):
        return f"{sentence} (×{times})"
    return ""
