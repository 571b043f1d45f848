"""The compute multiplier: how many times a strategy's own cost fresh random draws need to end as low as it does.

Arrays in, values out; the cost is steps or compute, whichever the curve is over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from backend.analysis.paired import mean_and_sd

Reach = Literal["unknown", "at most", "reached", "not reached"]

FEWEST_POINTS, FEWEST_SEEDS = 2, 2
FORWARD, TRAINING = (
    1,
    3,
)  # compute of a token that is scored, and of one that is trained on: the backward pass costs two


class Times(NamedTuple):
    """A multiple of a strategy's own cost.

    value : with "reached" the multiple; with "at most" that of the cheapest random run, which is as low already; with
        "not reached" that of the longest, which is not; NaN with "unknown".
    """

    reach: Reach
    value: float

    @property
    def words(self) -> str:
        """ "1.8", "at most 0.25", "more than 4" (not reached within 4 times), "not known"."""
        before = {"at most": "at most ", "not reached": "more than ", "reached": "", "unknown": ""}[
            self.reach
        ]
        return f"{before}{times_words(self.value)}"


UNKNOWN = Times("unknown", math.nan)


def times_words(value: float) -> str:
    """A multiple as text, with two significant digits, or as a whole number."""
    if not math.isfinite(value):
        return "not known"
    if abs(value - round(value)) < 1e-9:
        return f"{value:.0f}"
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.995 else f"{value:.2f}"


@dataclass(frozen=True)
class Multiplier:
    """How many times a strategy's own cost fresh random draws need.

    times : at the strategy's mean loss, on the random draws' mean curve. worse, better : the same at its mean loss plus and
    minus one sample standard deviation. by_seed : of each seed that all have, its own loss on its own curve of random draws.
    reason : why `times` is unknown; "" where it is known.
    """

    times: Times
    worse: Times = UNKNOWN
    better: Times = UNKNOWN
    by_seed: dict[int, Times] = field(default_factory=dict)
    reason: str = ""


def first_crossing(at: np.ndarray, losses: np.ndarray, target: float) -> Times:
    """The smallest cost at which a curve of losses is at or below `target`.

    at : (m,) float64, ascending, above 0: what each point cost. losses : (m,) float64, finite. Between points the curve is
    straight over log cost, and may rise and fall. The value is in the unit of `at`: the first point's where that is as low
    already ("at most"), the last's where no point is ("not reached").
    """
    below = np.flatnonzero(losses <= target)
    if not len(below):
        return Times("not reached", float(at[-1]))
    i = int(below[0])
    if i == 0:
        return Times("at most", float(at[0]))
    part = (losses[i - 1] - target) / (losses[i - 1] - losses[i])
    return Times("reached", float(np.exp(np.log(at[i - 1]) + part * np.log(at[i] / at[i - 1]))))


def multiplier(
    at: Sequence[float], curve: Sequence[Mapping[int, float]], own: float, losses: Mapping[int, float]
) -> Multiplier:
    """How many times its own cost fresh random draws need to end as low as a strategy.

    at : (m,) what each point of the curve cost, ascending. curve : (m,) losses by seed at each point. own : the strategy's
    cost, in the unit of `at`. losses : of the strategy, by seed.

    The spread is given twice, and neither is a confidence interval: by the strategy's own sample standard deviation
    (`worse`, `better`), and by seed. Resampling the seeds would draw the same few curves again, and say no more.
    """
    usable = [i for i, point in enumerate(curve) if len(point) >= FEWEST_SEEDS and math.isfinite(at[i])]
    if len(usable) < FEWEST_POINTS:
        words = f"{len(usable)} length{'' if len(usable) == 1 else 's'} of random draws {'has' if len(usable) == 1 else 'have'}"
        return Multiplier(UNKNOWN, reason=f"{words} two finished seeds; two lengths are needed")
    if len(losses) < FEWEST_SEEDS:
        words = "one seed has finished" if losses else "no run has finished"
        return Multiplier(UNKNOWN, reason=f"{words}; two seeds are needed")
    if not math.isfinite(own) or own <= 0:
        return Multiplier(UNKNOWN, reason="what it cost itself is not known")
    costs = np.array([at[i] for i in usable], dtype=np.float64)
    points = [curve[i] for i in usable]
    means = np.array([mean_and_sd(np.array(list(point.values())))[0] for point in points])
    mean, sd, _ = mean_and_sd(np.array(list(losses.values())))

    def times(of: np.ndarray, target: float) -> Times:
        found = first_crossing(costs, of, target)
        return Times(found.reach, found.value / own)

    shared = [seed for seed in sorted(losses) if all(seed in point for point in points)]
    return Multiplier(
        times(means, mean),
        times(means, mean + sd),
        times(means, mean - sd),
        {seed: times(np.array([point[seed] for point in points]), losses[seed]) for seed in shared},
    )


def lowest_before_rise(at: Sequence[float], means: Sequence[float]) -> float:
    """Where a curve is lowest, if it is higher at some larger cost; NaN where it never rises after its lowest point."""
    known = [(cost, mean) for cost, mean in zip(at, means, strict=True) if math.isfinite(mean)]
    if not known:
        return math.nan
    cost, lowest = min(known, key=lambda point: point[1])
    return cost if any(c > cost and mean > lowest for c, mean in known) else math.nan


def compute(trained: float, scored: float) -> float:
    """Tokens, each as often as a forward pass of it costs: three times where it is trained on, once where it is scored."""
    return TRAINING * trained + FORWARD * scored
