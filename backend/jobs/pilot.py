"""A pilot: the strategies that somebody wonders about, on a small share of a run's steps, before the run itself.

A pilot is a comparison of ordinary queued runs. Its budget is a share of the run's, and all else stays: every epoch is there,
so a strategy still selects again before each, and warm-up, learning rate and schedule are the run's own.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from backend import config
from backend.config import RunConfig, Strategy
from backend.config.trial_rules import CONTROL
from backend.errors import ConfigError
from backend.jobs import comparison_start, run_launch
from backend.jobs.comparison_start import Plan, Variant
from backend.records import Pool

CONTROLS = ("random", CONTROL)
SHARE, LEAST_SHARE, MOST_SHARE = 0.25, 0.05, 1.0
SEEDS = "0,1"
LEAST_STEPS = 4  # optimizer steps an epoch: with fewer a selection has hardly been trained on
# what a pilot has no use for: nobody approves its selections, keeps its models or follows its curves
WITHOUT: dict[str, Any] = {
    "review": False,
    "review_minutes": 0.0,
    "save_merged": False,
    "report_to": (),
    "held_out_every": 0,
}


@dataclass(frozen=True)
class Pilot:
    """The runs of a pilot, and what it is a pilot of.

    base : the run that it is made for. strategies : the controls last. budget : samples an epoch of each run.
    steps, whole_steps : optimizer steps of one of its runs, and of the run itself.
    configs : its runs, seed by seed.
    """

    base: RunConfig
    strategies: tuple[str, ...]
    share: float
    seeds: tuple[int, ...]
    budget: int
    steps: int
    whole_steps: int
    configs: tuple[RunConfig, ...]

    @property
    def times(self) -> float:
        """Optimizer steps of the whole pilot, as a multiple of the run's."""
        return self.steps * len(self.configs) / self.whole_steps


def pilot_of(
    base: RunConfig, rows: int, strategies: Sequence[str], *, share: float = SHARE, seeds: Sequence[int]
) -> Pilot:
    """The pilot of a run. The two random draws are always in it: they are what a strategy has to beat.

    rows : samples in the pool. share : of the run's budget, from 0.05 to 1.

    Raises
    ------
    ConfigError : no strategy besides the random draws, or one that is unknown or trains on the whole pool; a share
        out of its range, or one that leaves too few steps or too little room for the pinned samples; one seed; nothing
        to measure on; or settings that contradict each other.
    """
    chosen = _checked(strategies)
    if not (math.isfinite(share) and LEAST_SHARE <= share <= MOST_SHARE):
        raise ConfigError(
            f"share is {share:g}; a pilot takes {LEAST_SHARE:g} to {MOST_SHARE:g} of the run's steps"
        )
    if len(seeds) < 2:
        raise ConfigError(
            f"seeds: a pilot needs two or more, and {len(seeds)} {'is' if len(seeds) == 1 else 'are'} given; "
            "with one seed chance cannot be told from a difference"
        )
    if not base.epochs:
        raise ConfigError("epochs is 0: nothing is trained, so there is nothing to try")
    there = comparison_start.candidates(base, rows)
    if config.held_out_share(base) is not None and there == rows:
        raise ConfigError(
            f"held_out is {base.held_out or 'empty'}: no sample is held out, so a pilot has nothing to measure on; "
            "give a share such as 0.05, or a file"
        )
    whole = config.budget_of(base.budget, there)
    budget = math.floor(round(share * whole, 9))
    changes: dict[str, Any] = {
        "budget": float(budget),
        "max_steps": max(1, math.floor(share * base.max_steps)) if base.max_steps else 0,
    }
    each = config.steps_per_epoch(budget, base)
    if min(each, changes["max_steps"] or each) < LEAST_STEPS:
        raise ConfigError(
            f"share is {share:g}: {budget:,} of the {whole:,} samples of an epoch are {each:,} optimizer "
            f"{'step' if each == 1 else 'steps'}; a pilot needs {LEAST_STEPS} or more in each epoch, so give a larger "
            "share, a larger budget or a smaller batch_size"
        )
    if len(base.pinned) > budget:
        raise ConfigError(
            f"share is {share:g}: {len(base.pinned):,} samples are pinned and the pilot's budget is {budget:,}; "
            "give a larger share, or unpin some"
        )
    small = dataclasses.replace(base, **WITHOUT, **changes)
    configs = comparison_start.runs_of(
        small, [Variant(f"pilot {name}", {"strategy": name}) for name in chosen], seeds
    )
    return Pilot(
        base,
        chosen,
        share,
        tuple(seeds),
        budget,
        config.steps_in_all(budget, small),
        config.steps_in_all(whole, base),
        configs,
    )


def _checked(strategies: Sequence[str]) -> tuple[str, ...]:
    """The strategies that a pilot can try, in the order of their names' list, then the controls."""
    known = [name for name in get_args(Strategy) if name != "full"]
    for name in strategies:
        if name == "full":
            raise ConfigError(
                "full trains on the whole pool and selects nothing, so no share of the budget can try it; leave it out"
            )
        if name not in known:
            raise ConfigError(f"strategy is {name!r}; a pilot can try {', '.join(known)}")
    chosen = [name for name in known if name in strategies and name not in CONTROLS]
    if not chosen:
        raise ConfigError(
            "no strategy is chosen besides the random draws, which are in every pilot; choose at least one"
        )
    return (*chosen, *CONTROLS)


def notes(pilot: Pilot) -> list[str]:
    """What somebody should know before the pilot is started, in sentences."""
    if pilot.base.epochs > 1:
        return []
    return [
        "With one epoch nothing is selected a second time: strategies that differ in later epochs alone, the two random "
        "draws among them, are the same run and end alike."
    ]


def plan(home: Path, pilot: Pilot, pool_id: str, rows: int) -> Plan:
    """What the pilot's runs will take, before any is started. rows : samples in the pool."""
    return comparison_start.plan(home, pilot.configs, pool_id, rows)


def start(
    home: Path,
    pilot: Pilot,
    pool: Pool | str,
    pool_id: str,
    *,
    roots: Sequence[Path] | None = None,
    who: str = "",
) -> str:
    """Queue the pilot's runs, and return its comparison's id; see `comparison_start.start`."""
    name = pool.name if isinstance(pool, Pool) else pool_id
    base = run_launch.with_absolute_paths(pilot.base)
    remember = {
        "pool": pool_id,
        "model": base.model,
        "base": config.to_json(base),
        "strategies": list(pilot.strategies),
        "seeds": list(pilot.seeds),
        "share": pilot.share,
        "budget": pilot.budget,
        "steps": pilot.steps,
        "whole_steps": pilot.whole_steps,
    }
    title = f"Pilot on {name}: {', '.join(pilot.strategies[: -len(CONTROLS)])}"[:120]
    return comparison_start.start(
        home, title, pilot.configs, pool, roots=roots, who=who, kind="pilot", remember=remember
    )
