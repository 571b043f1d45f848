"""The writing of a response, by its letters: what tells languages apart without reading them."""

from __future__ import annotations

from collections import Counter, OrderedDict
from threading import Lock

import numpy as np

from backend.records import Pool

LATIN = "Latin letters"
UNKNOWN = ""
# first and last letter of each, by code point; kana and Chinese characters are told apart below
_BLOCKS: tuple[tuple[int, int, str], ...] = (
    (0x0041, 0x005A, LATIN),
    (0x0061, 0x007A, LATIN),
    (0x00C0, 0x024F, LATIN),
    (0x1E00, 0x1EFF, LATIN),
    (0x0370, 0x03FF, "Greek"),
    (0x0400, 0x052F, "Cyrillic"),
    (0x0530, 0x058F, "Armenian"),
    (0x0590, 0x05FF, "Hebrew"),
    (0x0600, 0x06FF, "Arabic-letter"),
    (0x0750, 0x077F, "Arabic-letter"),
    (0x0900, 0x097F, "Devanagari"),
    (0x0980, 0x09FF, "Bengali"),
    (0x0A80, 0x0AFF, "Gujarati"),
    (0x0B80, 0x0BFF, "Tamil"),
    (0x0C00, 0x0C7F, "Telugu"),
    (0x0E00, 0x0E7F, "Thai"),
    (0x0E80, 0x0EFF, "Lao"),
    (0x1000, 0x109F, "Burmese"),
    (0x10A0, 0x10FF, "Georgian"),
    (0x1200, 0x137F, "Ethiopic"),
    (0x1780, 0x17FF, "Khmer"),
    (0x3041, 0x30FF, "Japanese"),
    (0x3400, 0x9FFF, "Chinese"),
    (0xF900, 0xFAFF, "Chinese"),
    (0x20000, 0x3FFFF, "Chinese"),
    (0x1100, 0x11FF, "Korean"),
    (0xAC00, 0xD7AF, "Korean"),
)
_READ = 400  # characters from the beginning
_KANA = 0.1  # of a text's Chinese characters and kana from which on it is Japanese
_KEPT: OrderedDict[str, np.ndarray] = OrderedDict()
_LOCK = Lock()


def writing_of(text: str) -> str:
    """What most letters at a text's beginning are: "Latin letters", "Chinese", "Cyrillic", ...; "" without letters."""
    text = text[:_READ]
    if text.isascii():
        return LATIN if any(map(str.isalpha, text)) else UNKNOWN
    counts: Counter[str] = Counter()
    for letter, times in Counter(text).items():
        code = ord(letter)
        for first, last, name in _BLOCKS:
            if first <= code <= last:
                counts[name] += times
                break
    if counts["Japanese"] and counts["Japanese"] >= _KANA * (counts["Japanese"] + counts["Chinese"]):
        counts["Japanese"] += counts.pop("Chinese", 0)
    # ties go to the first in the alphabet
    return min(counts, key=lambda name: (-counts[name], name)) if counts.total() else UNKNOWN


def writings(pool: Pool) -> np.ndarray:
    """(n,) object of str: the writing of each response; kept for the last few pools."""
    with _LOCK:
        found = _KEPT.get(pool.id)
    if found is None:
        found = np.array([writing_of(text) for text in pool.responses().to_pylist()], dtype=object)
        found.setflags(write=False)
        with _LOCK:
            _KEPT[pool.id] = found
            while len(_KEPT) > 4:
                _KEPT.popitem(last=False)
    return found
