"""What bounds on sources' shares did to a selection: who was kept out or let in by them, and where they could not hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.config import SelectionSettings, budget_of, share_bounds
from backend.records import Pool, Selection, Status
from backend.selection.quotas import bounded, limits_of, quotas_of


@dataclass(frozen=True)
class QuotaStory:
    """A selection of k picks of a pool with s sources, gone through once more.

    budget : samples that the bounds are shares of. pins : picks that a person pinned; they come first.
    low, high : (s,) int64, samples that each source must and may have. counts : (s,) int64, what it has.
    closed : (s,) int64, after how many picks nothing of a source could be picked any more; k + 1 where never.
    reached : (s,) bool, its upper bound is reached; else what closed it is that the places left were reserved.
    reserved : (k,) bool, picks that were made when only places that lower bounds needed were left.
    narrowed : (k,) bool, picks that were made when some source was closed.
    """

    sources: tuple[str, ...]
    shares: dict[str, tuple[float, float]]
    budget: int
    pins: int
    low: np.ndarray
    high: np.ndarray
    counts: np.ndarray
    closed: np.ndarray
    reached: np.ndarray
    reserved: np.ndarray
    narrowed: np.ndarray

    def least(self, code: int) -> str:
        """ "at least 10 %, 5 of 50 samples" """
        return f"at least {_percent(self.shares[self.sources[code]][0])}, {self._of(self.low[code])}"

    def most(self, code: int) -> str:
        """ "at most 30 %, 15 of 50 samples" """
        return f"at most {_percent(self.shares[self.sources[code]][1])}, {self._of(self.high[code])}"

    def _of(self, count: int) -> str:
        return f"{count:,} of {self.budget:,} samples"


def quota_story(pool: Pool, selection: Selection, settings: SelectionSettings | None) -> QuotaStory | None:
    """How the bounds decided; None where none are set, or nobody knows the settings."""
    if settings is None or not bounded(settings):
        return None
    status, k = selection.status, len(selection)
    budget = budget_of(settings.budget, int((status != Status.HELD_OUT).sum()))
    found = _replayed(pool, selection, settings, budget, budget)
    left = pool.source_codes[status == Status.OUTRANKED]
    if k < budget and (found.closed[left] > k).any():
        # somebody was still free to be picked, so the budget was full: that of a later epoch, which may be smaller
        return _replayed(pool, selection, settings, budget, k)
    return found


def _replayed(
    pool: Pool, selection: Selection, settings: SelectionSettings, budget: int, places: int
) -> QuotaStory:
    """places : samples that the selection was to have, at most `budget`, of which the bounds are shares."""
    status, k, s = selection.status, len(selection), len(pool.sources)
    low, high = limits_of(settings, status, pool.sources)
    quotas = quotas_of(settings, status, pool.source_codes, pool.sources, budget=places)
    codes = pool.source_codes[selection.rows]
    pins = int((status[selection.rows] == Status.PINNED).sum())
    own = [pins + np.flatnonzero(codes[pins:] == code) for code in range(s)]
    extra = np.zeros(k, dtype=bool)  # picks that no lower bound asked for
    for code in range(s):
        extra[own[code][quotas.need[code] :]] = True
    used = np.cumsum(extra)  # free places, after each pick
    full = pins if quotas.free == 0 else int(np.searchsorted(used, quotas.free)) + 1  # k + 1 where never

    def after(code: int, count: int) -> int:
        """After which pick a source had so many beyond its pinned ones; k + 1 where never."""
        if count == 0:
            return pins
        return int(own[code][count - 1]) + 1 if count <= len(own[code]) else k + 1

    filled = np.array([after(code, int(quotas.room[code])) for code in range(s)])
    kept_out = np.array([max(full, after(code, int(quotas.need[code]))) for code in range(s)])
    closed = np.minimum(np.minimum(filled, kept_out), k + 1)
    at = np.arange(k)
    return QuotaStory(
        sources=pool.sources,
        shares={name: share_bounds(name, text) for name, text in settings.source_shares.items()},
        budget=budget,
        pins=pins,
        low=low,
        high=high,
        counts=np.bincount(codes, minlength=s),
        closed=closed,
        reached=filled <= np.minimum(kept_out, k),
        reserved=(at >= full) & (at >= pins),
        narrowed=(at >= pins) & (at >= closed.min()),
    )


def kept_out(story: QuotaStory, code: int) -> str:
    """Why nothing more of a source was picked, as a clause; "" where its bounds kept nobody out."""
    name, after, k = story.sources[code], int(story.closed[code]), int(story.counts.sum())
    if story.reached[code]:
        if story.high[code] == 0:
            return f"its source, {name}, may have none of the {story.budget:,} samples ({story.most(code)})"
        by = "the pinned samples" if after == story.pins else f"pick {after:,}"
        return f"its source, {name}, had reached its share ({story.most(code)}) with {by}"
    if after >= k:
        return ""
    places = f"the places that were left after pick {after:,}" if after else "all places"
    needing = [
        f"{story.sources[other]} ({story.least(other)})"
        for other in np.flatnonzero((story.closed > after) & (story.low > 0)).tolist()
    ]
    return f"{places} were kept for {_list(needing)}"


def let_in(story: QuotaStory, code: int, pick: int, gain: float) -> str:
    """Why a sample is a pick where bounds had a part in it, as a sentence; "" where they had none.

    pick : from 1. gain : at the moment of the pick, NaN where the strategy has none.
    """
    first, known = f"Selected as pick {pick:,} of {int(story.counts.sum()):,}", np.isfinite(gain)
    if story.reserved[pick - 1]:
        words = f"{first} because its source, {story.sources[code]}, must have {story.least(code)}"
        gained = f", and none of their candidates had a larger gain than its {gain:.3g}" if known else ""
        return f"{words}; only places kept for such sources were left{gained}."
    if story.narrowed[pick - 1] and known:
        return f"{first}: at that moment no other candidate of a source with places left had a larger gain than its {gain:.3g}."
    return ""


def share_notes(pool: Pool, selection: Selection, settings: SelectionSettings) -> list[str]:
    """Where the bounds could not hold, or left places empty: a clause for each, none where all is as it was asked for."""
    story = quota_story(pool, selection, settings)
    if story is None:
        return []
    notes = []
    open_ = np.isin(selection.status, (Status.SELECTED, Status.PINNED, Status.OUTRANKED))
    there = np.bincount(pool.source_codes[open_], minlength=len(pool.sources))
    for code, name in enumerate(pool.sources):
        count, low, high = int(story.counts[code]), int(story.low[code]), int(story.high[code])
        if count > high:
            notes.append(
                f"{name} has {_samples(count, 'pinned ')}, more than its share of {story.most(code)}"
            )
        elif count < low:
            missing = f"{name} has {_samples(count)} where its share is {story.least(code)}"
            if there[code] <= count:
                notes.append(f"{missing}: it has no more candidates")
            elif high < low:
                notes.append(f"{missing}: it is also {story.most(code)}")
            else:
                notes.append(f"{missing}: no more places were left")
    left = np.unique(pool.source_codes[selection.status == Status.OUTRANKED])
    empty = story.budget - len(selection)
    if empty > 0 and len(left) and story.reached[left].all():
        names = _list([pool.sources[code] for code in left])
        notes.append(
            f"{empty:,} of {story.budget:,} places stay empty: {names} {'has' if len(left) == 1 else 'have'} reached "
            f"{'its share' if len(left) == 1 else 'their shares'}"
        )
    return notes


def _samples(count: int, kind: str = "") -> str:
    return f"{count:,} {kind}sample{'' if count == 1 else 's'}"


def _percent(share: float) -> str:
    return f"{100 * share:.6g} %"


def _list(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
