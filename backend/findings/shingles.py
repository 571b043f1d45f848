"""Samples -> sets of shingles: the overlapping runs of five characters of prompt and response.

Chosen on the demo's 453 planted near-duplicates, so these figures flatter it: at a similarity of 0.8, 86 % of them are in a group with the
sample they were made from and 94 % of the pairs found are of one such group. Words (one to three) and other lengths
are worse at one of the two (one word: 87 % and 89 %, three words: 63 % and 93 %), and so is one set for both texts
(76 %, 94 %). Runs of characters also serve languages that put no spaces between words, and tell single digits apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from backend.config import Words
from backend.data.scripts import is_unspaced
from backend.diversity.breaks import ALONE, MARK, kind_of

LENGTH = 5
# characters of scripts without spaces are words, and say as much as three Latin ones: three of them are a run
ALONE_WEIGHT = 2
CHUNK = 4096  # samples whose characters are spelt out at once
# what the two texts' shingles start from: they differ where no character reaches
_PROMPT, _RESPONSE = np.uint64(1 << 40), np.uint64(1 << 41)
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


def normal(text: str) -> str:
    """What is compared: lower case, every run of white space one space."""
    return " ".join(text.lower().split())


def shingle_sets(
    prompts: Sequence[str], responses: Sequence[str], *, words: Words = "paper"
) -> tuple[np.ndarray, np.ndarray]:
    """The shingles of n samples, given by their normal texts.

    words : with `unicode` a run is of three characters where they are of a script without spaces, whose marks go with
        them, and of as many of both as weigh five where a text has both.

    Returns
    -------
    shingles : (s,) uint64, a hash for each shingle, ascending and distinct within a sample. Two different ones of a
        pool of 40 million have the same with probability 0.00004.
    offsets : (n + 1,) int64, sample i is shingles[offsets[i] : offsets[i + 1]]; nothing where both texts are empty.
    """
    total = sum(map(len, prompts)) + sum(map(len, responses))
    found = np.empty(
        total, dtype=np.uint64
    )  # room for every run; memory is taken only where something is written
    offsets = np.zeros(len(prompts) + 1, dtype=np.int64)
    for begin in range(0, len(prompts), CHUNK):
        end = min(begin + CHUNK, len(prompts))
        (asked, asked_bounds), (given, given_bounds) = (
            _spelt(prompts[begin:end]),
            _spelt(responses[begin:end]),
        )
        _fill(
            asked,
            _weights(asked, words),
            asked_bounds,
            given,
            _weights(given, words),
            given_bounds,
            LENGTH,
            found,
            offsets[begin : end + 1],
        )
    return found[: offsets[-1]], offsets


def _spelt(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Code points of all texts, one behind the other, and (n + 1,) int64 offsets into them."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return codes, np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)


def _weights(codes: np.ndarray, words: Words) -> np.ndarray:
    """(characters,) uint8: how much of a run each character makes up."""
    if words == "paper" or not len(codes):
        return np.ones(len(codes), dtype=np.uint8)
    known, places = np.unique(codes, return_inverse=True)
    weight = [_weight(code) if is_unspaced(code) else 1 for code in known.tolist()]
    return np.array(weight, dtype=np.uint8)[places]


def _weight(code: int) -> int:
    """The weight of a character in a block of a script without spaces."""
    return {ALONE: ALONE_WEIGHT, MARK: 0}.get(kind_of(chr(code)), 1)


@njit(cache=True, nogil=True)
def _fill(
    prompts: np.ndarray,
    prompt_weights: np.ndarray,
    prompt_bounds: np.ndarray,
    responses: np.ndarray,
    response_weights: np.ndarray,
    response_bounds: np.ndarray,
    length: int,
    found: np.ndarray,
    offsets: np.ndarray,
) -> None:
    """Write the distinct shingles of each sample, sorted, into `found` from offsets[0] on, and the other offsets."""
    kept = offsets[0]
    for i in range(len(prompt_bounds) - 1):
        own = slice(prompt_bounds[i], prompt_bounds[i + 1])
        at = _hash_runs(prompts[own], prompt_weights[own], length, _PROMPT, found, kept)
        own = slice(response_bounds[i], response_bounds[i + 1])
        at = _hash_runs(responses[own], response_weights[own], length, _RESPONSE, found, at)
        ordered = np.sort(found[kept:at])
        for k in range(len(ordered)):
            if k == 0 or ordered[k] != ordered[k - 1]:
                found[kept] = ordered[k]
                kept += 1
        offsets[i + 1] = kept


@njit(cache=True, nogil=True)
def _hash_runs(
    codes: np.ndarray, weights: np.ndarray, length: int, start: np.uint64, found: np.ndarray, at: int
) -> int:
    """Write the hashes of all runs; a text shorter than one is one. Returns the place behind the last."""
    for first in range(len(codes)):
        mark = start
        weight, k = 0, first
        while weight < length and k < len(codes):
            weight += weights[k]
            k += 1
        if weight < length and first:
            break
        for place in range(first, k):
            mark = (mark ^ np.uint64(codes[place])) * _FACTOR
            mark ^= mark >> _HALF
        found[at] = mark
        at += 1
    return at


@njit(cache=True, nogil=True)
def similarities(
    shingles: np.ndarray, offsets: np.ndarray, row: int, others: np.ndarray, lowest: float
) -> np.ndarray:
    """(k,) float32: exact Jaccard similarity of one sample's shingles and those of the (k,) int64 others.

    J(A, B) = |A and B| / |A or B|. Given as 0 where it is below `lowest`: comparing ends once that is certain.
    """
    found = np.zeros(len(others), dtype=np.float32)
    for i in range(len(others)):
        a, a_end = offsets[row], offsets[row + 1]
        b, b_end = offsets[others[i]], offsets[others[i] + 1]
        sizes = a_end - a + b_end - b
        # J = both / (sizes - both) and sizes = 2 both + alone: from `lowest` on no more than so many are alone
        most = sizes * (1 - lowest) / (1 + lowest) + 1e-6
        both = alone = 0
        while a < a_end and b < b_end and alone <= most:
            if shingles[a] == shingles[b]:
                both += 1
                a += 1
                b += 1
            elif shingles[a] < shingles[b]:
                alone += 1
                a += 1
            else:
                alone += 1
                b += 1
        if alone + a_end - a + b_end - b <= most and both:
            found[i] = both / (sizes - both)
    return found
