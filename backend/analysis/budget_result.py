"""A search for the smallest budget as it stands: its runs, the verdict, and what a person reads of both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backend.analysis.budget_verdict import FULL, BudgetVerdict, judge_budgets
from backend.analysis.comparison import Comparison, compare, measured_words
from backend.errors import RunError
from backend.store import ComparisonInfo

OPEN = ("queued", "running", "waiting", "stopping")
Course = Literal["running", "early", "complete", "held up"]
COURSE: dict[Course, str] = {
    "running": "Still running",
    "early": "Ended early",
    "complete": "Complete",
    "held up": "Not reached",
}


@dataclass(frozen=True)
class BudgetRun:
    """One of a search's runs.

    budget : samples an epoch, `FULL` for the whole pool. id : "" where it was deleted. loss : held-out, after the last epoch;
    NaN where it does not count, and `why` says why not. begun : whether a process was ever started for it, or somebody
    resumed it.
    """

    budget: int
    seed: int
    id: str
    state: str
    loss: float
    why: str
    begun: bool


@dataclass(frozen=True)
class BudgetResult:
    """A search as it stands.

    runs : the full pool's first, then budget by budget. measured : what the losses are of, "" before the first.
    baseline : the full pool's label among the arms of the comparison, "" where its runs were deleted.
    """

    info: ComparisonInfo
    strategy: str
    seeds: tuple[int, ...]
    runs: tuple[BudgetRun, ...]
    verdict: BudgetVerdict
    measured: str
    baseline: str

    @property
    def done(self) -> int:
        """Runs that count."""
        return sum(not run.why for run in self.runs)

    @property
    def open(self) -> tuple[BudgetRun, ...]:
        """Runs that are still to end."""
        return tuple(run for run in self.runs if run.state in OPEN)

    @property
    def queued(self) -> tuple[str, ...]:
        """Ids of queued runs that have never started."""
        return tuple(run.id for run in self.runs if run.state == "queued" and not run.begun)

    @property
    def needless(self) -> tuple[str, ...]:
        """Ids of the queued runs that cannot change the verdict any more. What has begun is never among them."""
        return self.queued if self.verdict.ended else ()

    @property
    def course(self) -> Course:
        """Whether it goes on; ended before all runs were needed; is complete; or waits for a run that stopped or failed."""
        if self.verdict.ended:
            return "complete" if self.done == len(self.runs) else "early"
        return "running" if self.open else "held up"


def budget_result(home: Path, info: ComparisonInfo) -> BudgetResult:
    """Read how far a search is. Runs that somebody added to its comparison do not count.

    Raises
    ------
    RunError : the comparison is no search for a budget, or what it remembers cannot be read.
    """
    if info.kind != "budget":
        raise RunError(f"{info.name} ({info.id}) is a comparison, not a search for a budget")
    try:
        strategy = str(info.plan["strategy"])
        budgets, seeds = ([int(item) for item in info.plan[name]] for name in ("budgets", "seeds"))
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"what the search {info.id} remembers cannot be read ({error!r})") from error
    found = compare(home, info.runs) if info.runs else None
    runs = [_run_of(found, strategy, budget, seed) for budget in (FULL, *budgets) for seed in seeds]
    losses: dict[int, dict[int, float]] = {budget: {} for budget in (FULL, *budgets)}
    for run in runs:
        losses[run.budget][run.seed] = run.loss
    verdict = judge_budgets(losses, seeds, by_seed=found.measured.by_seed if found else False)
    return BudgetResult(
        info,
        strategy,
        tuple(seeds),
        tuple(runs),
        verdict,
        measured_words(found) if found else "",
        next((arm.label for arm in found.arms if arm.strategy == "full"), "") if found else "",
    )


def _run_of(found: Comparison | None, strategy: str, budget: int, seed: int) -> BudgetRun:
    for run in found.runs if found else ():
        whole = run.config.strategy == "full"
        ours = whole if budget == FULL else run.config.strategy == strategy and run.config.budget == budget
        if found is None or not ours or run.seed != seed:
            continue
        # one that is only early counts: what is judged is complete
        left = "" if run.id in found.measured.early else found.measured.left_out.get(run.id, "")
        begun = run.info.started is not None or run.info.resume
        out = "taken out of the queue" if run.info.state == "stopped" and not begun else ""
        why = out or run.missing or left
        return BudgetRun(budget, seed, run.id, run.info.state, math.nan if why else run.final, why, begun)
    return BudgetRun(budget, seed, "", "deleted", math.nan, "its run was deleted", True)


def headline(result: BudgetResult) -> str:
    """The verdict in one sentence, without its full stop."""
    smallest = result.verdict.smallest
    if smallest is None:
        return "Nothing can be said yet"
    if smallest == FULL:
        return "No smaller budget does as well as the full pool"
    return f"{smallest:,} samples an epoch do as well as the full pool{'' if result.verdict.ended else ', so far'}"


def figures_words(result: BudgetResult) -> str:
    """What the verdict rests on, in a sentence or two."""
    verdict = result.verdict
    if verdict.smallest is None:
        return "The full pool and half of it have to be done first."
    spread = f"the spread between seeds ({verdict.spread:.4f})"
    outside = next((row for row in verdict.rows if row.within is False), None)
    over = f"{outside.budget:,} samples ended {outside.difference:.4f} above it" if outside else ""
    if verdict.smallest == FULL:
        return f"{over}, which is more than {spread}."
    row = next(row for row in verdict.rows if row.budget == verdict.smallest)
    said = f"Their mean loss differs from the full pool's by {row.difference:+.4f}, within {spread}."
    if outside:
        return f"{said} Half of that is too few: {over}."
    return f"{said} Nothing smaller was tried." if verdict.ended else said


def course_words(result: BudgetResult) -> str:
    """How far the search is, and what holds it up or ended it, in sentences."""
    said = f"{COURSE[result.course]}: {result.done} of {len(result.runs)} runs are done."
    out = sum(run.state == "stopped" and not run.begun for run in result.runs)
    if result.verdict.ended and out:
        said += f" {out} that could no longer change the verdict left the queue."
    if at_work := [run for run in result.open if run.state != "queued"]:
        said += f" At work: {_names(at_work)}."
    if waiting := [run for run in result.open if run.state == "queued"]:
        said += f" {len(waiting)} {'is' if len(waiting) == 1 else 'are'} queued."
    held = [run for run in _needed(result) if run.why and run.state not in OPEN]
    if held and not result.verdict.ended:
        rest = f", and {len(held) - 1} more" if len(held) > 1 else ""
        said += (
            f" The verdict needs the run of {_names(held[:1])} ({held[0].why}){rest}: resume what stopped or failed, or start another "
            "search."
        )
    return said


def _needed(result: BudgetResult) -> list[BudgetRun]:
    """Runs of the largest budget that is not decided, and of the full pool."""
    undecided = next((row.budget for row in result.verdict.rows[1:] if row.within is None), FULL)
    return [run for run in result.runs if run.budget in (FULL, undecided)]


def _names(runs: Sequence[BudgetRun]) -> str:
    return ", ".join(f"{run.budget:,} samples" if run.budget else "the full pool" for run in runs[:3]) + (
        f", seed {runs[0].seed}" if len(runs) == 1 else ", ..." if len(runs) > 3 else ""
    )
