"""How much two selections have in common."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

JACCARD = (
    "Jaccard overlap of two selections A and B: samples in both / samples in either, 1 where they are the same and 0 "
    "where they share none. Two draws of a share p of the pool overlap by about p / (2 - p)."
)


def jaccard(selections: Sequence[np.ndarray], n: int) -> np.ndarray:
    """(r, r) float64: |A & B| / |A | B| of every pair of selections; NaN where both are empty.

    selections : r arrays of distinct rows of one pool of n samples.
    """
    inside = np.zeros((len(selections), n), dtype=np.float32)
    for i, rows in enumerate(selections):
        inside[i, rows] = 1
    both = (inside @ inside.T).astype(np.float64)
    sizes = inside.sum(axis=1, dtype=np.float64)
    either = sizes[:, None] + sizes[None, :] - both
    with np.errstate(invalid="ignore"):
        return np.where(either > 0, both / either, np.nan)


def by_arm(overlaps: np.ndarray, arms: Sequence[int], seeds: Sequence[int], count: int) -> np.ndarray:
    """(count, count) float64: mean overlap between arms.

    Between two arms: the mean over the seeds that both have, or over all pairs where they share no seed. Of an arm with
    itself: the mean over pairs of different seeds; NaN with one seed.

    overlaps : (r, r), of each pair of selections. arms, seeds : of each of the r selections; arms in [0, count).
    """
    arm, seed = np.asarray(arms), np.asarray(seeds)
    same_seed = seed[:, None] == seed[None, :]
    itself = np.eye(len(arm), dtype=bool)
    found = np.full((count, count), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing is NaN, as it should be
        for a in range(count):
            for b in range(count):
                pairs = np.outer(arm == a, arm == b) & ~itself
                chosen = pairs & (~same_seed if a == b else same_seed)
                if a != b and not chosen.any():
                    chosen = pairs
                found[a, b] = np.nanmean(overlaps[chosen]) if chosen.any() else np.nan
    return found
