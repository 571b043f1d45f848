"""Whether two strategies differ by more than chance between seeds: paired differences, and words for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.95
SAME = 1e-12  # nats per token: the same run repeated gives the very same loss

Verdict = Literal["unknown", "one seed", "same", "within the spread", "too few seeds", "lower", "higher"]

DEFINITION = (
    "A difference is taken seed by seed (both strategies with the same seed). The spread is the sample standard "
    "deviation of these differences. A mean difference that is not larger than the spread counts as no difference. "
    "A larger one counts as shown only where the 95 % t-interval of the mean, over these seeds, excludes 0."
)


@dataclass(frozen=True)
class Paired:
    """Values minus the reference's, seed by seed.

    n : seeds that both have. mean, sd : of the differences; sd is the sample standard deviation, NaN with one seed.
    low, high : the t-interval of the mean at `CONFIDENCE`; NaN with one seed. below : seeds with a negative difference.
    """

    n: int
    mean: float
    sd: float
    low: float
    high: float
    below: int
    verdict: Verdict

    @property
    def words(self) -> str:
        """What may be said about it, for a person, when smaller values are better."""
        if self.verdict == "unknown":
            return "no seed in common: nothing to compare"
        if self.verdict == "one seed":
            return "one seed: differences cannot be judged"
        if self.verdict == "same":
            return f"the same in all {self.n} seeds"
        if self.verdict == "within the spread":
            words = "smaller than the spread between seeds: no difference shown"
            aside = " (though the interval of the mean excludes 0)" if self.low > 0 or self.high < 0 else ""
            return words + aside
        if self.verdict == "too few seeds":
            return f"larger than the spread, but {self.n} seeds are too few to tell: no difference shown"
        return f"{self.verdict}, by more than the spread between seeds"


def paired(values: Mapping[int, float], reference: Mapping[int, float]) -> Paired:
    """Differences of values by seed to a reference's by seed; seeds that one of them lacks are left out."""
    seeds = sorted(seed for seed in values if seed in reference)
    found = np.array([values[seed] - reference[seed] for seed in seeds], dtype=np.float64)
    found = found[np.isfinite(found)]
    n = len(found)
    if not n:
        return Paired(0, math.nan, math.nan, math.nan, math.nan, 0, "unknown")
    mean, below = float(found.mean()), int((found < 0).sum())
    if n == 1:
        return Paired(1, mean, math.nan, math.nan, math.nan, below, "one seed")
    sd = float(found.std(ddof=1))
    half = float(stdtrit(n - 1, 0.5 + CONFIDENCE / 2)) * sd / math.sqrt(n)
    low, high = mean - half, mean + half
    return Paired(n, mean, sd, low, high, below, _verdict(found, mean, sd, low, high))


def _verdict(found: np.ndarray, mean: float, sd: float, low: float, high: float) -> Verdict:
    if np.abs(found).max() <= SAME:
        return "same"
    if abs(mean) <= sd:
        return "within the spread"
    if low <= 0 <= high:
        return "too few seeds"
    return "lower" if mean < 0 else "higher"


def mean_and_sd(values: np.ndarray) -> tuple[float, float, int]:
    """Mean, sample standard deviation and number of the values that exist; NaN where there is none, or one."""
    known = values[np.isfinite(values)]
    if not len(known):
        return math.nan, math.nan, 0
    return float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else math.nan, len(known)
