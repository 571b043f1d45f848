"""The smallest budget that does as well as the full pool: the budget is halved from run to run, largest first.

All runs are queued at once, as ordinary ones: each half costs half of the one before, so all of them together cost no more
than training on the full pool does. What is still queued is taken out once a budget has turned out to be too small (see
`budget_end`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backend import config
from backend.config import RunConfig
from backend.errors import ConfigError
from backend.jobs import comparison_start
from backend.jobs.comparison_start import Plan, Variant
from backend.jobs.pilot import LEAST_STEPS, WITHOUT
from backend.records import Pool

SMALLEST = 0.02


@dataclass(frozen=True)
class Search:
    """The runs of a search. budgets : samples an epoch, each half of the one before. configs : the full pool's runs
    first, then budget by budget."""

    base: RunConfig
    budgets: tuple[int, ...]
    seeds: tuple[int, ...]
    configs: tuple[RunConfig, ...]


def search_of(base: RunConfig, rows: int, *, smallest: float = SMALLEST, seeds: Sequence[int]) -> Search:
    """The search for a run's budget, with its strategy and all its other settings.

    rows : samples in the pool. smallest : the least budget that is tried, as `config.budget_of` takes it.

    Raises
    ------
    ConfigError : the strategy is full, one seed, nothing to train or to measure on, or no budget to try: a half of the
        pool is below the smallest, or has fewer than four optimizer steps an epoch.
    """
    if base.strategy == "full":
        raise ConfigError("strategy is full: it has no budget; choose a strategy that selects")
    if len(seeds) < 2:
        raise ConfigError(
            f"seeds: a search needs two or more, and {len(seeds)} {'is' if len(seeds) == 1 else 'are'} given; with one there is no spread"
        )
    if not base.epochs:
        raise ConfigError("epochs is 0: nothing is trained, so no budget is better than another")
    there = comparison_start.candidates(base, rows)
    if config.held_out_share(base) is not None and there == rows:
        raise ConfigError(
            f"held_out is {base.held_out or 'empty'}: no sample is held out, so there is nothing to measure on; give a "
            "share such as 0.05, or a file"
        )
    if not smallest > 0:
        raise ConfigError(f"smallest is {smallest:g}; give a share above 0 up to 1, or a number of samples")
    least = max(config.budget_of(smallest, there), 2, len(base.pinned))
    budgets = []
    half = there // 2
    while half >= least and config.steps_per_epoch(half, base) >= LEAST_STEPS:
        budgets.append(half)
        half //= 2
    if not budgets:
        raise ConfigError(
            f"half of the {there:,} candidates is below {least:,} samples, or fewer than {LEAST_STEPS} optimizer steps an epoch: "
            "there is no budget to try; a smaller least budget, or a smaller batch_size, would leave some"
        )
    small = dataclasses.replace(base, **WITHOUT, max_steps=0)
    made = [*comparison_start.runs_of(small, [Variant("budget full", {"strategy": "full"})], seeds)]
    for budget in budgets:
        variant = Variant(f"budget {budget}", {"budget": float(budget)})
        made += comparison_start.runs_of(small, [variant], seeds)
    return Search(base, tuple(budgets), tuple(seeds), tuple(made))


def plan(home: Path, search: Search, pool_id: str, rows: int) -> Plan:
    """What all of the search's runs will take at most. rows : samples in the pool."""
    plans = [
        comparison_start.plan(home, [one], pool_id, rows)
        for one in search.configs
        if one.seed == search.seeds[0]
    ]
    times = len(search.seeds)
    return dataclasses.replace(
        plans[0],
        configs=search.configs,
        steps=tuple(steps for one in plans for steps in one.steps * times),
        seconds=sum(one.seconds for one in plans) * times,
        problems=tuple(dict.fromkeys(text for one in plans for text in one.problems)),
        warnings=tuple(dict.fromkeys(text for one in plans for text in one.warnings)),
    )


def start(
    home: Path,
    search: Search,
    pool: Pool | str,
    *,
    name: str = "",
    held_out_id: str | None = None,
    roots: Sequence[Path] | None = None,
    who: str = "",
) -> str:
    """Queue the search's runs, and return its comparison's id; see `comparison_start.start`.

    name : of the pool, where that is given by its id.
    """
    remember = {
        "strategy": search.base.strategy,
        "budgets": list(search.budgets),
        "seeds": list(search.seeds),
    }
    of = pool.name if isinstance(pool, Pool) else name or pool
    return comparison_start.start(
        home,
        f"Budget search on {of}: {search.base.strategy}"[:120],
        search.configs,
        pool,
        held_out_id=held_out_id,
        roots=roots,
        who=who,
        kind="budget",
        remember=remember,
    )
