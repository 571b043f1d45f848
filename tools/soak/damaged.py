"""Good files with bits flipped, bytes overwritten, pieces cut out, doubled or cut off."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tools.soak.good_files import good_files
from tools.soak.inputs import Input


def damaged_files(count: int, seed: int) -> Iterator[Input]:
    """As many damaged files, one format after the other."""
    made = 0
    while made < count:
        rng = random.Random(f"damaged-{seed}-{made}")
        for name, good in good_files(rng).items():
            if made == count:
                return
            made += 1
            kind = rng.choice(("bits", "bits", "bits", "bytes", "cut off", "cut out", "doubled", "zeros"))
            yield Input(f"{name}, {kind}", name, damaged(good, kind, rng))


def damaged(good: bytes, kind: str, rng: random.Random) -> bytes:
    """The bytes with one kind of damage in a place that is drawn."""
    raw = bytearray(good)
    at = rng.randrange(len(raw))
    piece = rng.randrange(1, max(2, len(raw) // 4))
    if kind == "bits":
        for _ in range(rng.choice((1, 1, 2, 8, 64))):
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    elif kind == "bytes":
        raw[at : at + piece] = rng.randbytes(min(piece, len(raw) - at))
    elif kind == "zeros":
        raw[at : at + piece] = bytes(min(piece, len(raw) - at))
    elif kind == "cut off":
        del raw[at:]
    elif kind == "cut out":
        del raw[at : at + piece]
    elif kind == "doubled":
        raw[at:at] = raw[at : at + piece]
    else:
        raise ValueError(f"{kind!r}: expected bits, bytes, zeros, cut off, cut out or doubled")
    return bytes(raw)
