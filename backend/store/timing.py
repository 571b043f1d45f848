"""Time left, from what this run has measured; where a speed is missing there is no figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from backend.records import Stage


class Planned(NamedTuple):
    """A stage that a run will go through; `total` in the stage's unit, 0 where only the stage itself will tell."""

    stage: Stage
    epoch: int
    total: int


class Measured(NamedTuple):
    """How far a stage came, and how much of it (`counted`) was done in how many seconds while it was watched.

    current : by the run's present worker, not by one before it.
    """

    stage: Stage
    epoch: int
    done: int
    total: int
    counted: int
    seconds: float
    current: bool = True


def speed(measured: Sequence[Measured], stage: Stage) -> float | None:
    """Units per second of one kind of stage over all its epochs; None where none has been measured."""
    counted = sum(m.counted for m in measured if m.stage == stage)
    seconds = sum(m.seconds for m in measured if m.stage == stage)
    return counted / seconds if counted > 0 and seconds > 0 else None


def stage_time_left(measured: Sequence[Measured], *, stage: Stage, epoch: int) -> float | None:
    """Seconds left of the present stage at its own speed so far; None where its total or speed is not known."""
    for m in measured:
        if m.current and (m.stage, m.epoch) == (stage, epoch) and m.total:
            if m.done >= m.total:
                return 0.0
            if m.counted > 0 and m.seconds > 0:
                return (m.total - m.done) * m.seconds / m.counted
    return None


def time_left(
    plan: Sequence[Planned] | None, measured: Sequence[Measured], *, stage: Stage, epoch: int
) -> float | None:
    """Seconds left of a whole run: of every planned stage what is left of it, at the speed of its kind.

    None where there is no plan yet, or a stage to come is of a kind whose speed or amount this run has not measured.
    """
    if plan is None:
        return None
    order = {(p.stage, p.epoch): i for i, p in enumerate(plan)}
    reached = {(m.stage, m.epoch): m for m in measured if m.current}
    at = order.get((stage, epoch))
    if (
        at is None
    ):  # a stage that takes no time worth planning (select, save): it comes after what was reached
        at = max((order[key] for key in reached if key in order), default=0)
    left = 0.0
    for planned in plan[at:]:
        here = reached.get((planned.stage, planned.epoch))
        total = here.total if here and here.total else planned.total or _usual_total(measured, planned.stage)
        pace = speed(measured, planned.stage)
        if not total or pace is None:
            return None
        done = here.done if here and planned is plan[at] else 0
        left += max(0, total - done) / pace
    return left


def _usual_total(measured: Sequence[Measured], stage: Stage) -> int:
    """The total that the last measured stage of this kind had; 0 where there was none."""
    totals = [m.total for m in sorted(measured, key=lambda m: m.epoch) if m.stage == stage and m.total]
    return totals[-1] if totals else 0
