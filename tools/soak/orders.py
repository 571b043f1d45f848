"""Whether what several people did at once, with undo and redo, came out as if they had done it one after another.

Each person's acts are in their order; between those of different people any order may have been the one. What the store
keeps of the marks (`store.change_history`) says in which order those came that changed something; that of undo and redo
is looked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from backend.store.curation import Change

Kind = Literal["pinned", "excluded", "clear", "undo", "redo"]


@dataclass(frozen=True)
class Act:
    """One thing that a person did: a mark given to a sample or taken away, or an undo or redo, which have no sample."""

    kind: Kind
    sample: str = ""


@dataclass(frozen=True)
class _Moment:
    """Where an order is: how many acts of each person are done, how many changes were made, which of them hold, and which
    can be brought again; both as places in the history, the oldest first."""

    done: tuple[int, ...]
    made: int
    hold: tuple[int, ...]
    back: tuple[int, ...]


def possible_order(
    acts: Mapping[str, Sequence[Act]], history: Sequence[Change], marks: Mapping[str, str]
) -> list[tuple[str, Act]] | None:
    """An order of all acts that gives this history and these marks; None where no order does.

    acts : by person, in the order in which they did them. history : all changes, the oldest first. marks : by sample, as
    they are in the end.
    """
    people = list(acts)
    start = _Moment((0,) * len(people), 0, (), ())
    came: dict[_Moment, tuple[_Moment, str, Act] | None] = {start: None}
    ahead = [start]
    while ahead:
        now = ahead.pop()
        if all(done == len(acts[who]) for done, who in zip(now.done, people)):
            held = [place for place, change in enumerate(history) if change.undone is None]
            if (now.made, list(now.hold)) == (len(history), held) and _marks(history, now.hold) == marks:
                return _way_to(now, came)
            continue
        for place, who in enumerate(people):
            if now.done[place] < len(acts[who]):
                act = acts[who][now.done[place]]
                then = _after(now, place, who, act, history)
                if then is not None and then not in came:
                    came[then] = (now, who, act)
                    ahead.append(then)
    return None


def _after(now: _Moment, place: int, who: str, act: Act, history: Sequence[Change]) -> _Moment | None:
    """The moment after an act; None where the history says that it did not come now."""
    done = (*now.done[:place], now.done[place] + 1, *now.done[place + 1 :])
    if act.kind == "undo":
        return _Moment(done, now.made, now.hold[:-1], tuple(sorted({*now.back, *now.hold[-1:]})))
    if act.kind == "redo":
        return _Moment(done, now.made, tuple(sorted({*now.hold, *now.back[:1]})), now.back[1:])
    before = _marks(history, now.hold).get(act.sample)
    after = None if act.kind == "clear" else act.kind
    if before == after:
        return _Moment(done, now.made, now.hold, now.back)
    if now.made == len(history):
        return None
    change = history[now.made]
    if (change.samples, change.before, change.after, change.who) != ((act.sample,), (before,), after, who):
        return None
    return _Moment(done, now.made + 1, (*now.hold, now.made), ())


def _marks(history: Sequence[Change], hold: Sequence[int]) -> dict[str, str]:
    """The marks that these changes give."""
    found: dict[str, str | None] = {}
    for place in hold:
        found[history[place].samples[0]] = history[place].after
    return {sample: mark for sample, mark in found.items() if mark is not None}


def _way_to(last: _Moment, came: Mapping[_Moment, tuple[_Moment, str, Act] | None]) -> list[tuple[str, Act]]:
    """The acts that lead to a moment."""
    way: list[tuple[str, Act]] = []
    while (step := came[last]) is not None:
        last, who, act = step
        way.append((who, act))
    return way[::-1]
