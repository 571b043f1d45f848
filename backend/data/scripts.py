"""Scripts whose words are written without spaces between them, and how much of a pool is in them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from backend.config import Words

# first and last character of each block, by code point
UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x3005, 0x3007),  # Han: repetition and closing marks, zero
    (0x3021, 0x3029),  # Han: Hangzhou numerals
    (0x3038, 0x303B),
    (0x3041, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF),  # Myanmar
    (0xAA60, 0xAADF),  # Myanmar, Tai Viet
    (0xF900, 0xFAFF),  # Han
    (0xFF66, 0xFF9F),  # Katakana of half width
    (0x11700, 0x1174F),  # Ahom
    (0x1AFF0, 0x1B16F),  # Kana
    (0x20000, 0x3FFFF),  # Han
)
# from this share of a pool's letters on, words between spaces are no measure of what a response says
UNSPACED_SHARE = 0.05


def is_unspaced(code: int) -> bool:
    """Whether a character is of such a script: letter, mark or sign."""
    return any(first <= code <= last for first, last in UNSPACED)


def is_letter(code: int) -> bool:
    """Whether a character is a letter, or a number that is written as one; marks on letters are none."""
    category = unicodedata.category(chr(code))
    return category[0] == "L" or category == "Nl"


def unspaced_share(texts: pa.Array | pa.ChunkedArray) -> float:
    """Share of the letters of all texts that are of scripts without spaces, 0 to 1; 0 where there are no letters.

    Counts bytes and decodes only what is beyond ASCII: 15 MB of English take 20 ms.
    """
    counts = np.zeros(0x110000, dtype=np.int64)
    for data in _bytes(texts):
        _count(data, counts)
    met = np.flatnonzero(counts)
    letters = {int(code): int(counts[code]) for code in met if is_letter(int(code))}
    total = sum(letters.values())
    return sum(count for code, count in letters.items() if is_unspaced(code)) / total if total else 0.0


def fitting_words(share: float) -> Words:
    """The cutting that fits a pool of which this share of the letters is of scripts without spaces."""
    return "unicode" if share > UNSPACED_SHARE else "paper"


def _bytes(texts: pa.Array | pa.ChunkedArray) -> Iterator[np.ndarray]:
    """The UTF-8 of all texts, chunk by chunk; what stands at a missing one is not read."""
    for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        whole = chunk.cast(pa.large_string())
        if whole.null_count:
            whole = whole.drop_null()
        _, bounds, letters = whole.buffers()
        if letters is None or not len(whole):
            continue
        ends = np.frombuffer(bounds, dtype=np.int64)[whole.offset : whole.offset + len(whole) + 1]
        yield np.frombuffer(letters, dtype=np.uint8)[ends[0] : ends[-1]]


def _count(data: np.ndarray, counts: np.ndarray) -> None:
    """Add how often each code point occurs in whole UTF-8 texts."""
    counts[:128] += np.bincount(data, minlength=256)[:128]
    at = np.flatnonzero(data >= 0xC0)
    lead = data[at].astype(np.int64)
    for first, last, size in ((0xC0, 0xDF, 2), (0xE0, 0xEF, 3), (0xF0, 0xF7, 4)):
        here = at[(lead >= first) & (lead <= last)]
        codes = data[here].astype(np.int64) & (0xFF >> (size + 1))
        for k in range(1, size):
            codes = codes << 6 | data[here + k] & 0x3F
        if len(codes):
            found = np.bincount(codes)
            counts[: len(found)] += found
