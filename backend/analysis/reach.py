"""What it would take for a sample to be picked: found by really selecting, because it is not monotone.

A larger weight on complexity moves all candidates at once, so a sample can be in at 1.2, out at 1.5 and in at 2.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from backend import selection
from backend.analysis.barriers import barrier
from backend.analysis.frontier import FullOrder, weighed
from backend.config import SelectionSettings, budget_of, selection_settings
from backend.diversity import NgramCounts
from backend.records import Pool, Scores, Status
from backend.selection.quotas import bounded

if TYPE_CHECKING:
    from backend.analysis.what_if import TfidfCache

GRID = np.round(np.arange(0, 31) * 0.1, 1)  # where the app's sliders can stand
WEIGHTS = ("complexity_weight", "diversity_weight", "source_weight")
NO_ORDER = (
    "not looked for: with bounds on sources' shares a larger budget need not keep the picks of a smaller one"
)
NO_GAIN = ("longest", "random", "random-each-epoch", "full")  # strategies that weigh nothing


@dataclass(frozen=True)
class Reach:
    """The settings at which a sample is picked, each changed alone; None where none was found.

    budget : the smallest number of samples with which it is picked; not looked for where sources' shares are bounded.
    complexity_weight, diversity_weight, source_weight : of the values where the sliders can stand (0 to 3 by 0.1)
        the nearest to the present one at which it is picked at the current budget; the present one itself where it
        is picked now. It need not be picked at all values beyond.
    notes : by field, why there is no value, or what is to be known about it.
    """

    budget: int | None = None
    complexity_weight: float | None = None
    diversity_weight: float | None = None
    source_weight: float | None = None
    notes: dict[str, str] = field(default_factory=dict)


def reach(
    pool: Pool,
    counts: NgramCounts,
    scores: Scores,
    settings: SelectionSettings,
    row: int,
    *,
    cache: TfidfCache,
    order: FullOrder | None = None,
    held_out: np.ndarray | None = None,
    rows: np.ndarray | None = None,
    earlier: np.ndarray | None = None,
    seconds: float | None = None,
) -> Reach:
    """What it would take for a sample to be picked: the last of what `reaching` finds; see there."""
    found = Reach()
    for found in reaching(  # noqa: B007
        pool, counts, scores, settings, row,
        cache=cache, order=order, held_out=held_out, rows=rows, earlier=earlier, seconds=seconds,
    ):  # fmt: skip
        pass
    return found


def reaching(
    pool: Pool,
    counts: NgramCounts,
    scores: Scores,
    settings: SelectionSettings,
    row: int,
    *,
    cache: TfidfCache,
    order: FullOrder | None = None,
    held_out: np.ndarray | None = None,
    rows: np.ndarray | None = None,
    earlier: np.ndarray | None = None,
    seconds: float | None = None,
) -> Iterator[Reach]:
    """What is known after each step: the budget first, then a weight at a time, by up to a hundred selections.

    order : `full_order` under the same settings, so that it need not be made; one made to a limit will do.
    held_out, rows, earlier : see `selection.candidates`.
    seconds : when to stop looking; what was not tried is noted.

    Raises
    ------
    ConfigError : as `what_if`.
    """
    until = None if seconds is None else time.perf_counter() + seconds
    weigh = partial(weighed, pool, counts, scores, cache=cache, held_out=held_out, rows=rows, earlier=earlier)
    chosen, _ = weigh(settings)
    status = Status(int(chosen.status[row]))
    source = pool.sources[int(pool.source_codes[row])]
    budget = budget_of(settings.budget, len(pool) if held_out is None else int((~held_out).sum()))

    def picks(trial: SelectionSettings, size: int) -> np.ndarray:
        among, tfidf = weigh(trial)
        size = min(max(size, len(among.pinned)), len(among.open) + len(among.pinned))
        return selection.select_of_pool(
            pool, counts, scores, trial,
            budget=size, rows=rows, held_out=held_out, tfidf=tfidf, earlier=earlier,
        ).rows  # fmt: skip

    def nearest(name: str, found: Reach) -> Reach:
        """`found` with the nearest value of this weight at which the row is picked."""
        change = partial(_changed, settings, name, source)
        present = _present(settings, name, source)
        value, tried = _nearest(lambda value: row in picks(change(value), budget), name, present, until)
        if value is not None:
            return _with(found, name, value)
        note = "no value from 0 to 3" if tried is None else f"time was up: {tried}"
        return replace(found, notes={**found.notes, name: note})

    if status not in (Status.OUTRANKED, Status.PINNED):
        against = barrier(scores, settings, row, status, source=source)
        found = Reach(notes=dict.fromkeys(("budget", *WEIGHTS), against))
        yield found
        if status is Status.SOURCE_OFF and settings.strategy not in NO_GAIN:
            del found.notes["source_weight"]
            yield nearest("source_weight", found)
        return

    limited = bounded(settings)
    rank = None if order is None or limited else order.rank_of(row)
    if rank is None and not limited and (order is None or order.whole):
        rank = int(np.flatnonzero(picks(settings, len(chosen.rows)) == row)[0]) + 1
    if settings.strategy == "full":
        rank = 1  # whatever the budget is
    found = Reach(budget=rank)
    if limited:
        found = replace(found, notes={"budget": NO_ORDER})
    elif order is not None and rank is None:
        found = replace(found, notes={"budget": f"not among the first {len(order):,} picks"})
    now = (
        row in picks(settings, budget)
        if limited
        else rank is not None and rank <= max(budget, len(chosen.pinned))
    )
    if now:
        for name in WEIGHTS:
            found = _with(found, name, _present(settings, name, source))
        yield replace(found, notes={**found.notes, **dict.fromkeys(WEIGHTS, "it is picked now")})
        return
    yield found
    one_source = not (pool.source_codes[chosen.rows] != pool.source_codes[row]).any()
    for name in WEIGHTS:
        unread = _unread(settings, name, one_source)
        if unread:
            found = replace(found, notes={**found.notes, name: unread})
        else:
            found = nearest(name, found)
        yield found


def _nearest(
    picked: Callable[[float], bool], name: str, present: float, until: float | None
) -> tuple[float | None, str | None]:
    """The nearest value to the present at which the row is picked, and what was tried where time was up."""
    lowest = 0.05 if name == "source_weight" else 0.0  # at 0 the source is left out
    values = GRID[(lowest <= GRID) & (np.abs(GRID - present) > 1e-9)]
    values = values[np.argsort(np.abs(values - present), kind="stable")]
    for at, value in enumerate(values.tolist()):
        if until is not None and time.perf_counter() >= until:
            tried = values[:at]
            return None, f"none from {tried.min():g} to {tried.max():g}" if at else "nothing was tried"
        if picked(value):
            return value, None
    return None, None


def _with(found: Reach, name: str, value: float) -> Reach:
    changes: dict[str, Any] = {name: value}
    return replace(found, **changes)


def _present(settings: SelectionSettings, name: str, source: str) -> float:
    if name == "source_weight":
        return settings.source_weights.get(source, 1.0)
    return float(getattr(settings, name))


def _changed(settings: SelectionSettings, name: str, source: str, value: float) -> SelectionSettings:
    if name == "source_weight":
        return replace(settings, source_weights={**settings.source_weights, source: value})
    return selection_settings(settings, **{name: value})


def _unread(settings: SelectionSettings, name: str, one_source: bool) -> str:
    """Why a weight cannot change what is picked; "" where it can."""
    if settings.strategy in NO_GAIN:
        return f"the strategy {settings.strategy} computes no gain that a weight could change"
    if name != "source_weight" and settings.strategy not in ("iterit", "iterit-cumulative", "iterit-static"):
        return f"the strategy {settings.strategy} does not read it"
    if name == "source_weight" and one_source:
        return "all candidates are of its source, so that its weight changes nothing"
    return ""
