"""Compute multipliers in sentences, the same on the page and in a terminal."""

from __future__ import annotations

import math

from backend.analysis.compute_multiplier import FORWARD, TRAINING, Multiplier, Times, times_words
from backend.analysis.multiplier_table import ArmMultiplier, Worth
from backend.analysis.random_ladder import FRESH

TITLE = "Is selecting worth it?"
DEFINITION = (
    f"Multiplier: how many times its own steps fresh random draws ({FRESH}) need to end as low; above 1 the selection saves "
    "steps. Read off the mean curve of the random runs, where it first gets as low; each of its points is runs of their own, "
    "with a whole learning-rate schedule. Range: at the strategy's mean loss plus and minus its standard deviation over the "
    "seeds. By seed: each seed's loss on that seed's own random runs."
)
SCORING = (
    f"With scoring: the same in compute, assuming that a token costs {FORWARD} to score (a forward pass) and {TRAINING} to train on "
    "(backward costs two more). Scoring reads a sample twice, with and without its prompt; kept scores count too, for the "
    "selection needs them. Finding the picks and measuring the held-out loss are not counted."
)
HOW = (
    "To see how many steps of fresh random draws a selection is worth, start a comparison with the random ladder: it also "
    "trains random-each-epoch for a quarter, half, twice and four times the steps."
)


def best_arm(found: Worth) -> ArmMultiplier | None:
    """The selection that ends lowest, of those whose multiplier is known; a single random draw and the whole pool only where
    there is no other."""
    known = [arm for arm in found.arms if arm.in_steps.times.reach != "unknown"]
    selected = [arm for arm in known if arm.strategy not in ("random", FRESH, "full")]
    return next(iter(selected or known), None)


def headline(found: Worth) -> str:
    """The answer for the selection that ends lowest, in a sentence."""
    arm = best_arm(found)
    if arm is None:
        return (
            "Not known yet: "
            + (found.arms[0].in_steps.reason if found.arms else "there is no strategy to measure")
            + "."
        )
    times, scoring = arm.in_steps.times, _scoring(arm.in_compute)
    if times.reach == "at most":
        return f"Fresh random draws end as low as {arm.label} with {_part(times.value)} or fewer: selecting did not pay here."
    if times.reach == "not reached":
        return f"No number of steps up to {times_words(times.value)} times lets fresh random draws end as low as {arm.label}{scoring}."
    if times_words(times.value) in ("1", "1.0"):
        return f"{arm.label} ends as low as fresh random draws do with as many steps: none are saved."
    if times.value < 1:
        return f"Fresh random draws end as low as {arm.label} with {_part(times.value)}: selecting did not pay here."
    return (
        f"{arm.label} ends where fresh random draws need {times_words(times.value)} times the steps{scoring}."
    )


def remarks(found: Worth) -> list[str]:
    """What has to be known beside the headline: the spread, scoring, a curve that rises, and random runs that are missing."""
    said = []
    arm = best_arm(found)
    if arm is not None:
        by_seed = list(arm.in_steps.by_seed.values())
        if by_seed:
            said.append(f"By seed: {seeds_words(arm.in_steps)}.")
        if by_seed and not _agreed(arm):
            said.append(
                "The seeds do not agree on whether it is more than once the steps, so that is not shown."
            )
        said += _scoring_remark(arm)
    if math.isfinite(found.lowest_at):
        said.append(
            f"Of the lengths tried, fresh random draws end lowest after {_steps(found.lowest_at)} and higher after more. What "
            "counts is the first length that gets as low."
        )
        if arm is not None and found.lowest_at < arm.steps:
            said.append(
                f"The {_steps(arm.steps)} of {arm.label} may be too many for it as well: compare the strategies with fewer "
                "epochs too."
            )
    waiting = [point for point in found.points if not point.counts]
    if waiting:
        names = ", ".join(f"{point.times:.3g}x" for point in waiting)
        said.append(f"Not on the curve yet, for want of two finished seeds: {names} the steps.")
    return said


def seeds_words(one: Multiplier) -> str:
    """The multiplier of each seed; "-" where no seed has all runs."""
    found = [times.words for times in one.by_seed.values()]
    if len(found) > 1 and len(set(found)) == 1:
        return f"{found[0]} in all {len(found)}"
    return ", ".join(found) or "-"


def range_words(one: Multiplier) -> str:
    """From the strategy's mean loss plus its spread to that minus it; "-" where unknown."""
    if "unknown" in (one.worse.reach, one.better.reach):
        return "-"
    if one.worse == one.better:
        return one.worse.words
    return f"{one.worse.words} to {one.better.words}"


def reached_words(one: Multiplier) -> str:
    """ "1.8", "at most 0.25", "not reached within 4", or "not known"."""
    if one.times.reach == "not reached":
        return f"not reached within {times_words(one.times.value)}"
    return one.times.words


def unknown(found: Worth) -> list[str]:
    """Why multipliers are not known, a sentence for each reason; nothing where all are, or the headline says it."""
    why: dict[str, dict[str, None]] = {}
    for arm in found.arms:
        for one in (arm.in_steps, arm.in_compute):
            if one.reason and best_arm(found) is not None:
                why.setdefault(one.reason, {})[arm.label] = None
    return [f"Not known for {', '.join(labels)}: {reason}." for reason, labels in why.items()]


def pays(found: Worth) -> bool:
    """Whether the selection that ends lowest saves steps, at its mean and in every seed."""
    arm = best_arm(found)
    return arm is not None and _above(arm.in_steps.times) and _agreed(arm)


def _agreed(arm: ArmMultiplier) -> bool:
    """Whether every seed says the same as the mean of whether steps are saved."""
    return {_above(times) for times in arm.in_steps.by_seed.values()} == {_above(arm.in_steps.times)}


def _above(times: Times) -> bool:
    return times.reach in ("reached", "not reached") and times.value > 1


def _scoring(one: Multiplier) -> str:
    """The second number in brackets; both are read off the same losses, so that both are reached, or neither."""
    if one.times.reach == "unknown":
        return ""
    value = times_words(one.times.value)
    if one.times.reach == "not reached":
        return f" (nor does {value} times the compute when scoring is counted)"
    return f" ({value} times the compute when scoring is counted)"


def _scoring_remark(arm: ArmMultiplier) -> list[str]:
    if arm.in_compute.times.reach == "unknown":
        return [f"With scoring: not known ({arm.in_compute.reason})."]
    if not arm.scored or _above(arm.in_compute.times) or not _above(arm.in_steps.times):
        return []
    return [
        f"Scoring read {arm.scored:,.0f} tokens, training {arm.trained:,.0f}: counted as compute, selecting costs more than it "
        "saves here, unless the scores serve several runs."
    ]


def _steps(count: float) -> str:
    return f"{count:,.0f} step{'' if count == 1 else 's'}"


def _part(value: float) -> str:
    names = {0.25: "a quarter of the steps", 0.5: "half of the steps"}
    return names.get(round(value, 3), f"{times_words(value)} times the steps")
