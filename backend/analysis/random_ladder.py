"""The random ladder: fresh random draws trained for several times the steps of a comparison, as something to measure by."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backend.analysis.arms import Arm, ladder_key
from backend.config import RunConfig
from backend.selection import course

FRESH = "random-each-epoch"
TIMES = (0.25, 0.5, 2, 4)  # of the comparison's steps, besides once


@dataclass(frozen=True)
class Rung:
    """Fresh random draws at one number of steps. times : of the steps that the other strategies take."""

    times: float
    arm: Arm


def rung_settings(base: RunConfig, steps: int) -> dict[float, dict[str, Any]]:
    """What differs from `base` in the runs of each rung, by its part of TIMES.

    steps : optimizer steps of `base`. More than once are more epochs, each with a draw of its own; less is an earlier
    end. Each rung is a run with a whole learning-rate schedule: a point along one long run would be measured while the
    learning rate is still high, and be worse (or, where long training harms, better) than a run that ends there. Rungs
    that would be as long as another, where steps are few, are left out.
    """
    found: dict[float, dict[str, Any]] = {}
    lengths = {steps}
    for times in TIMES:
        length = rung_steps(times, steps)
        if length in lengths:
            continue
        lengths.add(length)
        if times < 1:
            found[times] = {"strategy": FRESH, "max_steps": length}
        else:
            found[times] = {
                "strategy": FRESH,
                "epochs": base.epochs * int(times),
                "max_steps": base.max_steps * int(times),
            }
    return found


def rung_steps(times: float, steps: int) -> int:
    """Optimizer steps of a rung."""
    return max(1, round(times * steps))


def rung_times(strategies: Sequence[str], steps: Sequence[int]) -> list[float]:
    """For each of several runs how many times the usual steps it is a rung of the ladder at; NaN where it is none.

    strategies, steps : of each run, in the order in which the runs were asked for. Usual are the steps that most of the
    others have, the whole pool aside; fresh draws of as many are 1.
    """
    others = [n for name, n in zip(strategies, steps, strict=True) if name not in (FRESH, "full")]
    others = others or [n for name, n in zip(strategies, steps, strict=True) if name != FRESH] or list(steps)
    if not others:
        return []
    usual = Counter(others).most_common(1)[0][0]
    known = {rung_steps(times, usual): rung_steps(times, usual) / usual for times in TIMES if usual} | {
        usual: 1.0
    }
    return [
        known.get(n, math.nan) if name == FRESH else math.nan
        for name, n in zip(strategies, steps, strict=True)
    ]


def planned_steps(config: RunConfig, rows: int) -> int:
    """Optimizer steps of a run on a pool of `rows` samples, as far as its settings tell."""
    return sum(course(config, rows).steps)


def split_ladder(arms: Sequence[Arm]) -> tuple[list[Arm], tuple[Rung, ...]]:
    """The arms without those that are there for the ladder alone, and the ladder's rungs by their steps.

    Fresh draws of as many steps as another strategy has stay among the arms; where they are on the ladder, they are a rung
    as well. No rungs where there is nothing but fresh draws, or only one length of them.
    """
    steps = [planned_steps(arm.runs[0].config, arm.runs[0].info.pool_rows) for arm in arms]
    if all(arm.strategy == FRESH for arm in arms):
        return list(arms), ()
    times = rung_times([arm.strategy for arm in arms], steps)
    keys = [ladder_key(arm.runs[0]) for arm in arms]
    on = [i for i in range(len(arms)) if math.isfinite(times[i])]
    if not on:
        return list(arms), ()
    # fresh draws with other settings too: the longest ladder counts
    key = Counter(keys[i] for i in on).most_common(1)[0][0]
    on = [i for i in on if keys[i] == key]
    if len(on) < 2:
        return list(arms), ()
    taken = {steps[i] for i, arm in enumerate(arms) if arm.strategy != FRESH}
    aside = {i for i in on if steps[i] not in taken}
    rungs = []
    for i in sorted(on, key=lambda i: steps[i]):
        arm = arms[i]
        if i in aside:
            arm = dataclasses.replace(arm, label=f"{FRESH}, {times[i]:.3g}x steps")
        rungs.append(Rung(times[i], arm))
    return [arm for i, arm in enumerate(arms) if i not in aside], tuple(rungs)
