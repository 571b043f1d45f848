"""The smallest budget whose loss is within the spread of the full pool's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backend.analysis.pilot_verdict import pooled_spread

FULL = 0  # the full pool among the budgets


@dataclass(frozen=True)
class BudgetRow:
    """One budget, in samples an epoch; `FULL` is the full pool.

    mean, sd : of the losses after the last epoch, NaN where unknown. n : seeds that have one. difference : mean minus
    the full pool's. within : whether that is not more than the spread; None while a loss of it is missing.
    """

    budget: int
    mean: float
    sd: float
    n: int
    difference: float
    within: bool | None


@dataclass(frozen=True)
class BudgetVerdict:
    """smallest : the last budget of the unbroken row of those within the spread, from the largest down; `FULL` where the
    largest is already outside, None while that cannot be said.

    ended : whether smaller budgets can no longer change it: one was outside, or all are known.
    spread : the standard deviation between seeds, pooled over the budgets that are known; NaN before there are two.
    """

    smallest: int | None
    ended: bool
    rows: tuple[BudgetRow, ...]
    spread: float


def judge_budgets(
    losses: Mapping[int, Mapping[int, float]], seeds: Sequence[int], *, by_seed: bool = False
) -> BudgetVerdict:
    """Decide from the losses after the last epoch, by budget and seed; NaN or no entry where a loss is missing.

    losses : of the full pool, as `FULL`, and of every budget. by_seed : each seed was measured on samples of its own;
    see `pilot_verdict.judge`.

    A budget is within the spread where its mean is above the full pool's by no more than the pooled standard deviation
    between seeds. The loss is taken to grow as the budget shrinks: what is smaller than one outside does not count.
    """
    order = sorted((budget for budget in losses if budget != FULL), reverse=True)
    known = {
        budget: [of[seed] for seed in seeds if math.isfinite(of.get(seed, math.nan))]
        for budget, of in losses.items()
    }
    whole = {budget: values for budget, values in known.items() if len(values) == len(seeds)}
    table = np.unique([[losses[budget][seed] for seed in seeds] for budget in whole], axis=0)
    there = FULL in whole and len(seeds) > 1 and len(table) > by_seed
    spread = pooled_spread(table, by_seed)[0] if there else math.nan
    full = float(np.mean(whole[FULL])) if FULL in whole else math.nan
    rows = []
    for budget in (FULL, *order):
        values = known[budget]
        mean = float(np.mean(values)) if values else math.nan
        difference = mean - full if budget in whole else math.nan
        within = bool(difference <= spread) if budget in whole and there else None
        sd = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
        rows.append(BudgetRow(budget, mean, sd, len(values), difference, within))
    smallest: int | None = FULL if there else None
    for row in rows[1:]:
        if row.within is None:
            return BudgetVerdict(smallest if smallest else None, False, tuple(rows), spread)
        if not row.within:
            break
        smallest = row.budget
    return BudgetVerdict(smallest, there, tuple(rows), spread)
