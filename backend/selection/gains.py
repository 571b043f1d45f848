"""A candidate's gain, and how gains are compared."""

from __future__ import annotations

import numpy as np
from numba import njit

SPLIT = 8193.0  # 2^13 + 1


def ties_as_equal(gain: np.ndarray) -> np.ndarray:
    """Gains rounded to 40 significant bits (Veltkamp's splitting), as they are compared."""
    spread = gain * SPLIT
    return spread - (spread - gain)


@njit(cache=True)
def rounded(gain: float) -> float:
    """`ties_as_equal` of one gain."""
    spread = gain * SPLIT
    return spread - (spread - gain)


@njit(cache=True)
def gain_of(factor: float, diversity: float, power: float) -> float:
    """factor * diversity ** power"""
    return factor * diversity if power == 1.0 else factor * diversity**power
