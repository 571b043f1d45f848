"""A search for the smallest budget as it stands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from backend.analysis.budget_verdict import FULL, BudgetVerdict, judge_budgets
from backend.analysis.comparison import compare, measured_words
from backend.errors import RunError
from backend.store import ComparisonInfo


@dataclass(frozen=True)
class BudgetResult:
    """queued : ids of runs that wait. done, total : runs that count, and all. measured : what the losses are of."""

    info: ComparisonInfo
    strategy: str
    verdict: BudgetVerdict
    queued: tuple[str, ...]
    done: int
    total: int
    measured: str


def budget_result(home: Path, info: ComparisonInfo) -> BudgetResult:
    """Read how far a search is.

    Raises
    ------
    RunError : the comparison is no search for a budget, has no runs, or what it remembers cannot be read.
    """
    if info.kind != "budget":
        raise RunError(f"{info.name} ({info.id}) is a comparison, not a search for a budget")
    try:
        strategy = str(info.plan["strategy"])
        budgets, seeds = ([int(item) for item in info.plan[name]] for name in ("budgets", "seeds"))
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"what the search {info.id} remembers cannot be read ({error!r})") from error
    found = compare(home, info.runs)
    losses: dict[int, dict[int, float]] = {budget: {} for budget in (FULL, *budgets)}
    for run in found.runs:
        budget = FULL if run.config.strategy == "full" else int(run.config.budget)
        ours = run.config.strategy in ("full", strategy) and run.seed in seeds and budget in losses
        counts = run.id in found.measured.counted or run.id in found.measured.early
        if ours and counts and math.isfinite(run.final):
            losses[budget][run.seed] = run.final
    return BudgetResult(
        info,
        strategy,
        judge_budgets(losses, seeds, by_seed=found.measured.by_seed),
        tuple(run.id for run in found.runs if run.info.state == "queued"),
        sum(len(of) for of in losses.values()),
        len(losses) * len(seeds),
        measured_words(found),
    )


def budget_words(result: BudgetResult) -> str:
    """What a search says, in one or two sentences."""
    verdict = result.verdict
    progress = f"{result.done} of {result.total} runs are done."
    if verdict.smallest is None:
        return f"{progress} Nothing can be said before the full pool and half of it are done."
    spread = f"the spread between seeds ({verdict.spread:.4f})"
    outside = next((row for row in verdict.rows if row.within is False), None)
    over = f": {outside.budget:,} ended {outside.difference:.4f} above it" if outside else ""
    if verdict.smallest == FULL:
        return f"No smaller budget does as well as the full pool, within {spread}{over}."
    row = next(row for row in verdict.rows if row.budget == verdict.smallest)
    said = f"{row.budget:,} samples an epoch do as well as the full pool: {row.difference:+.4f} against it, within {spread}"
    if verdict.ended:
        return said + (f"; half of that is too few{over}." if outside else ". Nothing smaller was tried.")
    return f"{said} so far. {progress}"
