"""A pilot as it stands: how far its runs are, what they ended with, and the verdict."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backend import store
from backend.analysis.comparison import Comparison, compare, measured_words
from backend.analysis.pilot_verdict import PilotVerdict, judge
from backend.config import RunConfig, config_from
from backend.errors import RunError, StudioError
from backend.store import ComparisonInfo

OPEN = ("queued", "running", "waiting", "stopping")


@dataclass(frozen=True)
class PilotRun:
    """One of a pilot's runs. id : "" where it was deleted. why : why it has no loss that counts, "" where it has one."""

    strategy: str
    seed: int
    id: str
    state: str
    why: str


@dataclass(frozen=True)
class PilotResult:
    """A pilot as it stands.

    runs : what it was made of, seed by seed. done : how many of them count. open : whether any is still to come.
    steps, whole_steps : optimizer steps of one of its runs, and of the run that it is for. base : that run's settings.
    measured : what the losses were measured on, in words; "" before the first.
    """

    info: ComparisonInfo
    base: RunConfig
    share: float
    steps: int
    whole_steps: int
    runs: tuple[PilotRun, ...]
    verdict: PilotVerdict
    measured: str

    @property
    def done(self) -> int:
        return sum(not run.why for run in self.runs)

    @property
    def open(self) -> bool:
        return any(run.state in OPEN for run in self.runs)

    def launch(self, strategy: str) -> RunConfig:
        """The run itself with this strategy."""
        return dataclasses.replace(self.base, strategy=strategy)  # type: ignore[arg-type]


def pilots(home: Path, *, pool: str = "", model: str = "") -> list[ComparisonInfo]:
    """The pilots, newest first; those of a pool's id and a model where these are given."""
    return [
        info
        for info in store.comparisons(home)
        if info.kind == "pilot"
        and (not pool or info.plan.get("pool") == pool)
        and (not model or info.plan.get("model") == model)
    ]


def pilot_result(home: Path, info: ComparisonInfo) -> PilotResult:
    """Read how far a pilot is. Runs that somebody added to its comparison do not count.

    Raises
    ------
    RunError : the comparison is no pilot, or what it remembers cannot be read.
    """
    if info.kind != "pilot":
        raise RunError(f"{info.name} ({info.id}) is a comparison, not a pilot")
    try:
        plan = info.plan
        strategies, seeds = [str(name) for name in plan["strategies"]], [int(seed) for seed in plan["seeds"]]
        budget, base = float(plan["budget"]), config_from(plan["base"])
        share, steps, whole = float(plan["share"]), int(plan["steps"]), int(plan["whole_steps"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"what the pilot {info.id} remembers cannot be read ({error!r})") from error
    found = compare(home, info.runs) if info.runs else None
    losses: dict[str, dict[int, float]] = {name: {} for name in strategies}
    runs = []
    for seed in seeds:
        for name in strategies:
            run, loss = _run_of(found, name, seed, budget)
            runs.append(run)
            losses[name][seed] = loss
    return PilotResult(
        info,
        base,
        share,
        steps,
        whole,
        tuple(runs),
        judge(losses, seeds, by_seed=found.measured.by_seed if found else False),
        measured_words(found) if found else "",
    )


def _run_of(found: Comparison | None, strategy: str, seed: int, budget: float) -> tuple[PilotRun, float]:
    """A pilot's run and its loss after the last epoch; NaN with the reason where it does not count."""
    nothing = (PilotRun(strategy, seed, "", "deleted", "its run was deleted"), math.nan)
    if found is None:
        return nothing
    for run in found.runs:
        if (run.config.strategy, run.seed, run.config.budget) != (strategy, seed, budget):
            continue
        # one that is only early counts: what is judged is complete
        left = "" if run.id in found.measured.early else found.measured.left_out.get(run.id, "")
        why = run.missing or left
        return PilotRun(strategy, seed, run.id, run.info.state, why), math.nan if why else run.final
    return nothing


def progress_words(result: PilotResult, named: Callable[[str], str] = str) -> str:
    """How far the pilot is, and what holds it up, in sentences. named : what a person calls a strategy."""
    said = f"{result.done} of {len(result.runs)} runs are done."
    held = [run for run in result.runs if run.why and run.state not in OPEN]
    if held:
        first = held[0]
        rest = f", and {len(held) - 1} more" if len(held) > 1 else ""
        said += (
            f" No verdict without {named(first.strategy)}, seed {first.seed} ({first.why}){rest}: resume what stopped or failed, or "
            "queue another pilot."
        )
    return said


def length_words(result: PilotResult) -> str:
    """How much of the run itself the pilot was, and what that means."""
    share = result.steps / result.whole_steps if result.whole_steps else math.nan
    return (
        f"The pilot trained {result.steps:,} of the run's {result.whole_steps:,} optimizer steps ({100 * share:.0f} %), on a smaller "
        "selection; over a longer training the order can change."
    )


def newest_result(home: Path, *, pool: str, model: str) -> PilotResult | None:
    """The newest pilot of a pool and a model; None where there is none, or it cannot be read."""
    for info in pilots(home, pool=pool, model=model):
        try:
            return pilot_result(home, info)
        except StudioError:
            continue
    return None
