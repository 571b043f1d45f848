"""Bounds on sources' shares while samples are picked one after another: which sources may still be picked from.

A source whose upper bound is reached is closed. Places that lower bounds still need are reserved: once no others are
left, the sources that need none are closed. A closed source stays closed, so a search may drop its candidates for good.

A bound is a share of the budget that the settings ask for: ceil(low * budget) samples at least, floor(high * budget) at
most. Where both cannot be (0.33-0.33 of 10) the upper bound holds. A lower bound asks for no more than the source has
candidates, and where all of them together ask for more places than there are, the largest gains among these sources
decide. Pinned samples are in whatever the bounds say, and count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from backend.config import SelectionSettings, at_least, at_most, budget_of, share_bounds
from backend.errors import ConfigError
from backend.records import Status


@dataclass(frozen=True)
class Quotas:
    """How many more samples each of s sources must and may give, after the pinned ones.

    need : (s,) int64, places that its lower bound still needs.
    room : (s,) int64, how many more its upper bound allows.
    free : places that no lower bound needs.
    """

    need: np.ndarray
    room: np.ndarray
    free: int

    def left(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """need, room and (1,) int64 free, to be counted down by `count_pick`."""
        return self.need.copy(), self.room.copy(), np.array([self.free], dtype=np.int64)


def no_quotas(budget: int) -> Quotas:
    """One source that nothing bounds."""
    return Quotas(np.zeros(1, dtype=np.int64), np.array([budget], dtype=np.int64), budget)


def bounded(settings: SelectionSettings) -> bool:
    """Whether bounds on sources' shares hold; the strategy ``full`` reads none."""
    return bool(settings.source_shares) and settings.strategy != "full"


def limits_of(
    settings: SelectionSettings, status: np.ndarray, sources: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """(s,) int64 each: samples that the bounds ask for at least and at most, of the budget in `settings`.

    status : (n,) of a selection or of its candidates; the budget is a share of those not held out.

    Raises
    ------
    ConfigError : bounds of a source that the pool does not have.
    """
    unknown = sorted(set(settings.source_shares) - set(sources))
    if unknown:
        raise ConfigError(
            f"source_shares: no source {unknown[0]!r} in this pool (known: {', '.join(sources)})"
        )
    eligible = int((status != Status.HELD_OUT).sum())
    budget = budget_of(settings.budget, eligible)
    low, high = np.zeros(len(sources), dtype=np.int64), np.full(len(sources), eligible, dtype=np.int64)
    for code, name in enumerate(sources):
        if name in settings.source_shares:
            least, most = share_bounds(name, settings.source_shares[name])
            low[code] = at_least(least, budget)
            high[code] = at_most(most, budget) if most < 1 else eligible
    return low, high


def quotas_of(
    settings: SelectionSettings,
    status: np.ndarray,
    source_codes: np.ndarray,
    sources: tuple[str, ...],
    *,
    budget: int,
) -> Quotas:
    """The quotas of a selection of `budget` samples before its first pick that nobody pinned.

    status : (n,) of the selection or of its candidates: who is pinned, and who may be picked.

    Raises
    ------
    ConfigError : see `limits_of`.
    """
    low, high = limits_of(settings, status, sources)
    pinned = source_codes[status == Status.PINNED]
    open_ = source_codes[(status == Status.OUTRANKED) | (status == Status.SELECTED)]
    have = np.bincount(pinned, minlength=len(sources)).astype(np.int64)
    there = np.bincount(open_, minlength=len(sources)).astype(np.int64)
    room = np.maximum(high - have, 0)
    need = np.minimum(np.maximum(low - have, 0), np.minimum(room, there))
    return Quotas(need, room, max(int(budget) - len(pinned) - int(need.sum()), 0))


@njit(cache=True)
def is_closed(source: int, need: np.ndarray, room: np.ndarray, free: np.ndarray) -> bool:
    """Whether nothing of this source may be picked any more."""
    return room[source] == 0 or (need[source] == 0 and free[0] == 0)


@njit(cache=True)
def count_pick(source: int, need: np.ndarray, room: np.ndarray, free: np.ndarray) -> None:
    """Count one pick of this source."""
    room[source] -= 1
    if need[source] > 0:
        need[source] -= 1
    else:
        free[0] -= 1


@njit(cache=True)
def picks_within(
    source: np.ndarray, places: int, need: np.ndarray, room: np.ndarray, free: np.ndarray
) -> np.ndarray:
    """Positions of up to `places` picks from candidates in their order, best first.

    source : (m,) int64 of each candidate. need, room, free : of `Quotas.left`; used up.
    """
    picks = np.empty(min(places, len(source)), dtype=np.int64)
    count = 0
    for i in range(len(source)):
        if count == len(picks):
            break
        if not is_closed(source[i], need, room, free):
            count_pick(source[i], need, room, free)
            picks[count] = i
            count += 1
    return picks[:count]
