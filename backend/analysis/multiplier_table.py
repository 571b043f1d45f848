"""What selecting is worth in a comparison: the compute multiplier of every strategy, in steps and with scoring counted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.analysis.arms import Arm
from backend.analysis.compared_runs import ComparedRun
from backend.analysis.comparison import Comparison
from backend.analysis.compute_multiplier import (
    FEWEST_SEEDS,
    UNKNOWN,
    Multiplier,
    compute,
    lowest_before_rise,
    multiplier,
)
from backend.analysis.paired import mean_and_sd
from backend.analysis.random_ladder import FRESH, Rung

ALIKE = {"model": "model", "pool_id": "pool"}


@dataclass(frozen=True)
class LadderPoint:
    """Fresh random draws of one length. times : of the other strategies' steps.

    steps : optimizer steps. trained : tokens read in training, mean over the seeds, NaN where unknown. mean, sd, n : of the
    losses after the last epoch. losses : by seed.
    """

    label: str
    times: float
    steps: float
    trained: float
    mean: float
    sd: float
    losses: dict[int, float]

    @property
    def n(self) -> int:
        return len(self.losses)

    @property
    def counts(self) -> bool:
        """Whether enough seeds have finished for it to be a point of the curve."""
        return self.n >= FEWEST_SEEDS


@dataclass(frozen=True)
class ArmMultiplier:
    """A strategy's multipliers: of its steps, and of its compute with scoring.

    mean, sd, n : of its loss after the last epoch. trained, scored : tokens, mean over the seeds; NaN where unknown.
    """

    label: str
    strategy: str
    steps: float
    mean: float
    sd: float
    n: int
    trained: float
    scored: float
    in_steps: Multiplier
    in_compute: Multiplier


@dataclass(frozen=True)
class Worth:
    """points : the ladder, the shortest first. arms : the strategies, the lowest loss first, without the random draws that
    they are measured by. lowest_at : steps at which the mean curve is lowest where it rises afterwards, else NaN."""

    points: tuple[LadderPoint, ...]
    arms: tuple[ArmMultiplier, ...]
    lowest_at: float

    @property
    def curve(self) -> tuple[LadderPoint, ...]:
        """The points that enough seeds have finished."""
        return tuple(point for point in self.points if point.counts)


def worth(comparison: Comparison) -> Worth | None:
    """The compute multipliers of a comparison's strategies; None where it has no random ladder."""
    if not comparison.rungs:
        return None
    points = tuple(_point(comparison, rung) for rung in comparison.rungs)
    on = {rung.arm.label for rung in comparison.rungs}
    arms = tuple(
        _arm(comparison, arm, points, comparison.rungs[0].arm.runs[0])
        for arm in comparison.arms
        if arm.label not in on
    )
    curve = [point for point in points if point.counts]
    lowest = lowest_before_rise([point.steps for point in curve], [point.mean for point in curve])
    return Worth(points, arms, lowest)


def _point(comparison: Comparison, rung: Rung) -> LadderPoint:
    runs = _finished(comparison, rung.arm)
    losses = {run.seed: run.final for run in runs}
    mean, sd, _ = mean_and_sd(np.array(list(losses.values())))
    steps, trained = _mean([float(run.steps) for run in runs]), _mean([run.tokens for run in runs])
    return LadderPoint(rung.arm.label, rung.times, steps, trained, mean, sd, losses)


def _finished(comparison: Comparison, arm: Arm) -> list[ComparedRun]:
    """The runs of a rung whose losses may be compared with those of the other strategies' runs of the same seed."""
    counted = [run for run in comparison.runs if run.id in comparison.measured.counted]
    same = {(run.seed, run.measured_on) for run in counted}
    found = [run for run in arm.runs if math.isfinite(run.final) and (run.seed, run.measured_on) in same]
    if not comparison.measured.by_seed:
        return found
    # each seed has held-out samples of its own: a mean over other seeds would be of other samples
    seeds = {run.seed for run in counted if run.done}
    found = [run for run in found if run.seed in seeds]
    return found if len(found) == len(seeds) else []


def _arm(
    comparison: Comparison, arm: Arm, points: tuple[LadderPoint, ...], random: ComparedRun
) -> ArmMultiplier:
    losses = comparison.losses(arm)
    runs = [run for run in arm.done if run.seed in losses]
    mean, sd, n = comparison.final(arm)
    steps, trained = _mean([float(run.steps) for run in runs]), _mean([run.tokens for run in runs])
    read = [run.scored_tokens for run in runs]
    scored = _mean([tokens for tokens, _ in read])
    unlike = _unlike(arm.runs[0], random)
    curve = [point.losses for point in points]
    if unlike:
        in_steps = in_compute = Multiplier(UNKNOWN, reason=unlike)
    else:
        in_steps = multiplier([point.steps for point in points], curve, steps, losses)
        why = next((why for _, why in read if why), "")
        if why and not in_steps.reason:
            in_compute = Multiplier(UNKNOWN, reason=why)
        else:
            cost = [compute(point.trained, 0.0) for point in points]
            in_compute = multiplier(cost, curve, compute(trained, scored), losses)
    return ArmMultiplier(arm.label, arm.strategy, steps, mean, sd, n, trained, scored, in_steps, in_compute)


def _unlike(run: ComparedRun, random: ComparedRun) -> str:
    """Why a run's steps cannot be counted in those of the random runs; "" where they can."""
    for name, word in ALIKE.items():
        if getattr(run.info, name) != getattr(random.info, name):
            return f"its {word} is not that of the random runs"
    if run.config.batch_size != random.config.batch_size:
        return f"its batches are of {run.config.batch_size} samples, those of the random runs of {random.config.batch_size}"
    return ""


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def worth_values(found: Worth) -> dict[str, Any]:
    """The same as JSON values."""

    def of(one: Multiplier) -> dict[str, Any]:
        return {
            "reach": one.times.reach,
            "times": one.times.value,
            "mean_plus_sd": one.worse._asdict(),
            "mean_minus_sd": one.better._asdict(),
            "by_seed": {str(seed): times._asdict() for seed, times in one.by_seed.items()},
            "reason": one.reason,
        }

    return {
        "random": FRESH,
        "points": [
            {"label": point.label, "times": point.times, "steps": point.steps, "tokens": point.trained,
             "loss": point.mean, "sd": point.sd, "n": point.n, "counts": point.counts}
            for point in found.points
        ],
        "lowest_at_steps": found.lowest_at,
        "strategies": [
            {"arm": arm.label, "strategy": arm.strategy, "loss": arm.mean, "sd": arm.sd, "n": arm.n, "steps": arm.steps,
             "tokens_trained": arm.trained, "tokens_scored": arm.scored, "in_steps": of(arm.in_steps),
             "in_compute": of(arm.in_compute)}
            for arm in found.arms
        ],
    }  # fmt: skip
