"""Between two epochs: what has to be rescored, and which samples come first."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from backend.config import SelectionSettings, Strategy
from backend.records import Scores, Selection, Status

RESCORED: frozenset[Strategy] = frozenset({"iterit", "iterit-cumulative", "complexity"})
SCORED_ONCE: frozenset[Strategy] = frozenset({"iterit-static", "superfiltering"})
# rows that no later epoch can select, unless a person changes their mind
NEVER = (
    Status.TOO_SHORT,
    Status.TOO_LONG,
    Status.SOURCE_OFF,
    Status.EXCLUDED,
    Status.HELD_OUT,
    Status.NO_VALUE,
)


def scores_needed(strategy: Strategy, epoch: int) -> Literal["pool", "top", "none"]:
    """Which complexities a strategy needs before this epoch: of the whole pool, of the top, or none."""
    if strategy in RESCORED:
        return "pool" if epoch == 0 else "top"
    return "pool" if strategy in SCORED_ONCE and epoch == 0 else "none"


def keeps_selection(strategy: Strategy) -> bool:
    """Whether every epoch trains on epoch 0's selection."""
    return strategy not in RESCORED and strategy != "random-each-epoch"


def rank_for_next_epoch(
    selection: Selection,
    scores: Scores,
    *,
    settings: SelectionSettings,
    previous_order: np.ndarray | None = None,
) -> np.ndarray:
    """(n,) int64: every row once, in the order from which the next epoch takes its top.

    ``ranking="paper"``: the selected in pick order; the other candidates by complexity, largest first; those not
    rescored whose last known complexity is below the ceiling; the too complex; the unscorable; rows that cannot
    be selected at all. So what was rejected never takes the place of what was not. ``"authors"``: the selected, the
    too complex, the other candidates, the unscorable, then whatever was not rescored.

    Rows alike in this keep their order in `previous_order` ((n,) int, of the epoch before; the pool's where None).
    """
    status = selection.status
    former = np.arange(len(status)) if previous_order is None else np.asarray(previous_order)

    def of(*kinds: Status) -> np.ndarray:
        return former[np.isin(status[former], kinds)]

    # who was left out for having been trained on is a candidate again in the next round, with the score known last
    unread = (Status.NOT_CANDIDATE, Status.TRAINED)
    runners_up = of(Status.OUTRANKED)
    runners_up = runners_up[np.argsort(-scores.complexity[runners_up], kind="stable")]
    if settings.ranking == "authors":
        middle = [of(Status.TOO_COMPLEX), runners_up, of(Status.UNSCORABLE), of(*unread)]
    else:
        stale = of(*unread)
        with np.errstate(invalid="ignore"):
            eligible = stale[scores.complexity[stale] < settings.max_complexity]
        rejected = of(Status.TOO_COMPLEX, Status.UNSCORABLE, *unread)
        rejected = rejected[~np.isin(rejected, eligible)]
        unknown = np.isnan(scores.complexity[rejected])
        middle = [runners_up, eligible, rejected[~unknown], rejected[unknown]]
    return np.concatenate([selection.rows, *middle, of(*NEVER)]).astype(np.int64)


def top_rows(
    order: np.ndarray, *, update_ratio: float, budget: int, always: np.ndarray | None = None
) -> np.ndarray:
    """(m,) int64: the rows to score anew: the first floor(update_ratio * budget) of `order`, all where it is 1.

    always : rows that are in wherever they stand (pinned since the order was made).
    """
    # 1.1 * 10 is 11.000000000000002 and 2.3 * 100 is 229.99999999999997: floor what was meant
    size = len(order) if update_ratio == 1 else math.floor(round(update_ratio * budget, 9))
    top = np.asarray(order[:size], dtype=np.int64)
    if always is None:
        return top
    return np.concatenate([top, np.asarray(always, dtype=np.int64)[~np.isin(always, top)]])
