"""What a pilot says: which strategy to launch, or that none of them beats a new random draw before every epoch.

With two seeds a difference taken seed by seed has one degree of freedom and shows nothing. What repeats of one strategy
differ by is taken to be alike for all strategies instead, so every strategy's seeds help to find it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from backend.config.trial_rules import CONTROL, ERROR_RATE, KEPT

Kind = Literal["launch", "nothing", "alike", "unfinished"]


@dataclass(frozen=True)
class Row:
    """One strategy of a pilot: mean and sample standard deviation of its losses after the last epoch, the number of
    seeds that have one, and the mean minus the control's. NaN where it is not known; the difference is while any loss is
    missing, as means over different seeds cannot be compared."""

    strategy: str
    mean: float
    sd: float
    n: int
    difference: float


@dataclass(frozen=True)
class PilotVerdict:
    """kind : "launch" one of the selections; "nothing" ended below the control; "alike": some ended below it, by no more
    than chance explains; "unfinished": losses are missing.

    strategy : what to launch, "" where that cannot be said yet.
    rows : the strategies, the lowest mean first.
    spread, degrees : standard deviation between seeds, pooled, and its degrees of freedom; margin : the least
        difference that counts. NaN and 0 while losses are missing.
    missing : (strategy, seed) without a loss.
    """

    kind: Kind
    strategy: str
    rows: tuple[Row, ...]
    spread: float
    degrees: int
    margin: float
    missing: tuple[tuple[str, int], ...]


def judge(
    losses: Mapping[str, Mapping[int, float]], seeds: Sequence[int], *, by_seed: bool = False
) -> PilotVerdict:
    """Decide from the losses after the last epoch, by strategy and seed.

    losses : of every strategy of the pilot, `CONTROL` among them; NaN or no entry where a loss is missing.
    by_seed : each seed was measured on held-out samples of its own. What all strategies have in common in a seed is
        then taken out before the spread is found, as a difference within the seed does not hold it.

    With sd the pooled standard deviation, n seeds and m selections, a strategy is below the control by more than chance
    explains where

        mean - mean_control < -t(degrees, 1 - 0.05 / m) * sd * sqrt(2 / n)

    and it is recommended where it is the lowest of these, and the draw kept for all epochs did not end lower still.
    """
    known = {
        strategy: {seed: of[seed] for seed in seeds if math.isfinite(of.get(seed, math.nan))}
        for strategy, of in losses.items()
    }
    missing = tuple((strategy, seed) for seed in seeds for strategy in losses if seed not in known[strategy])
    rows = _rows(known, complete=not missing)
    if missing or len(seeds) < 2 or CONTROL not in known:
        return PilotVerdict("unfinished", "", rows, math.nan, 0, math.nan, missing)
    # strategies that ended alike in every seed are one and the same run (with one epoch both random draws are): no more
    # is known of the spread by counting them twice
    spread, degrees = pooled_spread(
        np.unique([[of[seed] for seed in seeds] for of in known.values()], axis=0), by_seed
    )
    selections = [row for row in rows if row.strategy not in (CONTROL, KEPT)]
    t = float(stdtrit(degrees, 1 - ERROR_RATE / max(1, len(selections))))
    margin = t * spread * math.sqrt(2 / len(seeds))
    kept = next((row.difference for row in rows if row.strategy == KEPT), math.inf)
    better = [row for row in selections if row.difference < -margin and row.difference < kept]
    kind: Kind
    if better:
        kind, strategy = "launch", better[0].strategy
    elif kept < -margin:
        kind, strategy = "nothing", KEPT
    else:
        kind = "alike" if any(row.difference < 0 for row in selections) else "nothing"
        strategy = CONTROL
    return PilotVerdict(kind, strategy, rows, spread, degrees, margin, ())


def _rows(known: Mapping[str, Mapping[int, float]], *, complete: bool) -> tuple[Row, ...]:
    means = {name: float(np.mean(list(of.values()))) if of else math.nan for name, of in known.items()}
    control = means.get(CONTROL, math.nan) if complete else math.nan
    rows = [
        Row(
            name,
            means[name],
            float(np.std(list(of.values()), ddof=1)) if len(of) > 1 else math.nan,
            len(of),
            means[name] - control,
        )
        for name, of in known.items()
    ]
    return tuple(sorted(rows, key=lambda row: (not math.isfinite(row.mean), row.mean)))


def pooled_spread(table: np.ndarray, by_seed: bool) -> tuple[float, int]:
    """Standard deviation of one run around its strategy's mean, and its degrees of freedom; NaN where these are 0.

    table : (strategies, seeds) losses.
    """
    left = table - table.mean(axis=1, keepdims=True)
    strategies, seeds = table.shape
    degrees = strategies * (seeds - 1)
    if by_seed:
        left = left - left.mean(axis=0, keepdims=True)
        degrees = (strategies - 1) * (seeds - 1)
    return math.sqrt(float((left**2).sum()) / degrees) if degrees else math.nan, degrees


def verdict_words(verdict: PilotVerdict, named: Callable[[str], str] = str) -> str:
    """The verdict in one to three sentences; "" while losses are missing. named : what a person calls a strategy."""
    if verdict.kind == "unfinished":
        return ""
    control, kept = f"“{named(CONTROL)}”", f"“{named(KEPT)}”"
    selections = [row for row in verdict.rows if row.strategy not in (CONTROL, KEPT)]
    chance = f"the {verdict.margin:.4f} that chance between seeds explains"
    name, gap = f"“{named(selections[0].strategy)}”", f"{abs(selections[0].difference):.4f}"
    if verdict.kind == "launch":
        near = [
            f"“{named(row.strategy)}”"
            for row in selections[1:]
            if row.difference - selections[0].difference <= verdict.margin
        ]
        told = f" Not told apart from it: {', '.join(near)}." if near else ""
        return f"Launch {name}: it ended {gap} below {control}, more than {chance}.{told}"
    if verdict.strategy == KEPT:
        below = abs(next(row.difference for row in verdict.rows if row.strategy == KEPT))
        return (
            f"Nothing beats a random draw here: {kept}, one draw for all epochs, ended {below:.4f} below {control}, and no "
            "selection ended lower. A random draw needs no scoring; launch that."
        )
    if verdict.kind == "nothing":
        return (
            f"Nothing beats a fresh random draw here: no selection ended below {control} (the nearest, {name}, {gap} above). "
            "A random draw needs no scoring; launch that."
        )
    return (
        f"Nothing is shown to beat a fresh random draw here: the lowest selection, {name}, ended {gap} below {control}, not "
        f"more than {chance}. {control} needs no scoring, and is as good as what was shown."
    )
