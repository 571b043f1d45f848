"""Starting a comparison: several strategies on one pool and model, each with several seeds, as ordinary queued runs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from backend import analysis, config, store
from backend.analysis import random_ladder
from backend.analysis.held_out_words import planned_words
from backend.config import RunConfig, Strategy
from backend.errors import ConfigError, RunError
from backend.jobs import lifecycle, run_launch
from backend.records import Pool
from backend.store import ComparisonKind, PoolInfo

MOST_SEEDS = 50
MOST_RUNS = 200


@dataclass(frozen=True)
class Variant:
    """One of the things that a comparison repeats with every seed: settings that differ from the base, by name.

    name : what its runs are called, before "seed 3".
    """

    name: str
    changes: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What a comparison will run, before anything is started.

    configs : one per run, seed by seed, so that every strategy has a result before the next seed begins.
    steps : optimizer steps of each, as far as the settings tell: a strategy that finds fewer candidates than the budget
        has fewer. equal_steps : steps that "full at equal steps" is stopped at, 0 where it is not asked for.
    seconds : in all, NaN where unknown. source : what `seconds` was found from, or why there is no figure.
    ladder_runs, ladder_steps : of these the runs that are there for the random ladder alone, and their steps in all.
    measured_on : what the held-out losses will be of, in words.
    problems : what would make a run fail for certain.
    warnings : what a person should know before.
    """

    configs: tuple[RunConfig, ...]
    steps: tuple[int, ...]
    equal_steps: int
    ladder_runs: int
    ladder_steps: int
    seconds: float
    source: str
    measured_on: str
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def configurations(
    base: RunConfig,
    rows: int,
    *,
    strategies: Sequence[str],
    seeds: Sequence[int],
    equal_steps_full: bool = False,
    ladder: bool = False,
    others: Sequence[Variant] = (),
) -> tuple[RunConfig, ...]:
    """The runs of a comparison: every strategy with every seed, all else as in `base`.

    rows : samples in the pool. equal_steps_full : also the strategy full, stopped after as many optimizer steps as the
    budget gives the others. ladder : also fresh random draws for fewer and for more steps, each a run with a whole
    learning-rate schedule, and for as many; see `random_ladder.rung_settings`. others : what else
    is repeated with every seed.

    Raises
    ------
    ConfigError : no or an unknown strategy, no seed, one that is named twice or negative, or settings that contradict
        each other.
    """
    known = get_args(Strategy)
    unknown = [name for name in strategies if name not in known]
    if unknown:
        raise ConfigError(f"strategy is {unknown[0]!r}; allowed: {', '.join(known)}")
    if not strategies and not equal_steps_full and not ladder and not others:
        raise ConfigError("no strategy is chosen; choose at least one")
    _refuse_repeated("strategy", strategies)
    variants = [Variant(name, {"strategy": name}) for name in strategies]
    if equal_steps_full:
        steps = equal_steps(base, rows)
        variants.append(Variant(f"full {steps} steps", {"strategy": "full", "max_steps": steps}))
    if ladder:
        variants += _ladder(base, equal_steps(base, rows), once=random_ladder.FRESH not in strategies)
    return runs_of(base, [*variants, *others], seeds)


def _ladder(base: RunConfig, steps: int, *, once: bool) -> list[Variant]:
    """Fresh random draws trained for fewer and for more steps. once : for the others' number of steps, too."""
    fresh = random_ladder.FRESH
    variants = [Variant(fresh, {"strategy": fresh})] if once else []
    for times, changes in random_ladder.rung_settings(base, steps).items():
        variants.append(Variant(f"{fresh} {times:g}x steps", changes))
    return variants


def runs_of(base: RunConfig, variants: Sequence[Variant], seeds: Sequence[int]) -> tuple[RunConfig, ...]:
    """One run for each variant and seed, seed by seed, all else as in `base`.

    Raises
    ------
    ConfigError : no seed, one that is named twice or negative, too many runs, or settings that contradict each other.
    """
    if not seeds or len(seeds) > MOST_SEEDS:
        raise ConfigError(f"{len(seeds)} seeds are given; 1 to {MOST_SEEDS} are needed")
    _refuse_repeated("seed", seeds)
    if len(seeds) * len(variants) > MOST_RUNS:
        raise ConfigError(
            f"{len(seeds)} seeds of {len(variants)} variants are more than {MOST_RUNS} runs; leave some out"
        )
    made = []
    for seed in seeds:
        for variant in variants:
            values = {**variant.changes, "seed": seed, "name": f"{variant.name} seed {seed}"}
            one = dataclasses.replace(base, **values)
            config.check(one)
            made.append(one)
    return tuple(made)


def _refuse_repeated(what: str, values: Sequence[Any]) -> None:
    twice = [value for value in values if list(values).count(value) > 1]
    if twice:
        raise ConfigError(f"{what} {twice[0]} is named twice; each is run once")


def equal_steps(base: RunConfig, rows: int) -> int:
    """Optimizer steps in all of a strategy that trains on the budget.

    Raises
    ------
    ConfigError : nothing is trained, or the budget is no sample.
    """
    steps = config.steps_in_all(config.budget_of(base.budget, candidates(base, rows)), base)
    if not steps:
        raise ConfigError(
            f"epochs is {base.epochs} and budget {base.budget:g} of {rows:,} samples: no optimizer step is made, so there is "
            "nothing that full could be made equal to"
        )
    return steps


def candidates(base: RunConfig, rows: int) -> int:
    """Samples to choose from, without those held out."""
    return rows - math.floor(round((config.held_out_share(base) or 0.0) * rows, 9))


def plan(home: Path, configs: Sequence[RunConfig], pool_id: str, rows: int) -> Plan:
    """What these runs will take. rows : samples in the pool."""
    steps, seconds, sources = [], 0.0, []
    figures: dict[str, analysis.Figure] = {}
    problems: dict[str, None] = {}
    warnings: dict[str, None] = {}
    for one in configs:
        length = (
            candidates(one, rows)
            if one.strategy == "full"
            else config.budget_of(one.budget, candidates(one, rows))
        )
        steps.append(config.steps_in_all(length, one))
        alike = repr(dataclasses.replace(one, seed=0, name=""))  # these change nothing about the time
        figure = figures.get(alike)
        if figure is None:
            figure = analysis.plan_estimate(home, one, pool_id, rows).seconds
            figures[alike] = figure
        seconds += figure.value
        sources.append(figure)
        for problem in analysis.preflight(one, rows, home=home):
            (problems if problem.fatal else warnings)[f"{problem.field}: {problem.text}"] = None
    unknown = next((figure.source for figure in sources if not figure.known), None)
    times = random_ladder.rung_times([one.strategy for one in configs], steps)
    rungs = [n for n, factor in zip(steps, times, strict=True) if math.isfinite(factor) and factor != 1]
    equal = next((one.max_steps for one in configs if one.strategy == "full" and one.max_steps), 0)
    return Plan(
        tuple(configs),
        tuple(steps),
        equal,
        len(rungs),
        sum(rungs),
        seconds,
        unknown or (sources[0].source if sources else "nothing to run"),
        planned_words(configs[0], rows) if configs else "",
        tuple(problems),
        tuple(warnings),
    )


def start(
    home: Path,
    name: str,
    configs: Sequence[RunConfig],
    pool: Pool | str,
    *,
    held_out_id: str | None = None,
    roots: Sequence[Path] | None = None,
    notes: str = "",
    who: str = "",
    kind: ComparisonKind = "strategies",
    remember: Mapping[str, Any] | None = None,
) -> str:
    """Queue the runs of a comparison, start the first if its turn has come, and return the comparison's id.

    pool : the pool, or the id of a stored one. held_out_id : of stored samples to measure on, where the settings are
    those of a run; read from the file that the settings name where None. roots : where given, that file must lie inside
    one of them. kind, remember : what the runs are made for, and its plan; see `store.ComparisonInfo`.

    Raises
    ------
    ConfigError, PoolError : the settings, the pool or the held-out samples; then nothing is queued.
    """
    home = Path(home).resolve()
    if not configs:
        raise RunError("a comparison needs at least one run")
    if not configs[0].model:
        raise ConfigError("model is empty; name a folder, a hub id, or 'demo'")
    chosen: Pool | PoolInfo
    if isinstance(pool, str):
        chosen = store.pool_info(home, pool)
        rows = chosen.rows
    else:
        chosen, rows = pool, len(pool)
        store.save_pool(home, pool, inputs=configs[0].pool)
    complete = [run_launch.with_absolute_paths(one) for one in configs]
    for one in complete:
        config.check(one)
        fatal = [problem for problem in analysis.preflight(one, rows) if problem.fatal]
        if fatal:
            raise ConfigError(f"{fatal[0].field}: {fatal[0].text}")
    held_out: Pool | PoolInfo | None = None
    if held_out_id:
        held_out = store.pool_info(home, held_out_id)
    elif not run_launch.is_share(complete[0].held_out):
        # read once for all: every run measures on the same samples
        read = run_launch.load_held_out(complete[0], roots=roots)
        store.save_pool(home, read, listed=False)
        held_out = read
    made = store.create_comparison(home, name, notes=notes, who=who, kind=kind, plan=remember)
    for one in complete:
        store.create_run(home, one, chosen, held_out=held_out, comparison=made)
    lifecycle.pump(home)
    return made


def seeds_of(text: str) -> list[int]:
    """Seeds from what somebody typed: "0,1,2", "0 1 2" or "0-4".

    Raises
    ------
    ConfigError : something else.
    """
    seeds: list[int] = []
    for word in text.replace(",", " ").split():
        first, dash, last = word.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ConfigError(
                f"seeds: {word!r} is not a seed; give numbers such as 0,1,2 or a range such as 0-4"
            )
        low, high = int(first), int(last) if dash else int(first)
        if high < low or high - low >= MOST_SEEDS:
            raise ConfigError(f"seeds: {word!r}; a range goes up, over at most {MOST_SEEDS} seeds")
        seeds += range(low, high + 1)
    return seeds
