"""Whether what several people did at once, with undo and redo, came out as if they had done it one after another.

Triggers in the database of a runs folder write down what changed something, in the order in which it did. Each person's
acts must be there in their order; one that is not must have been an act without effect at a moment that was its turn.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backend.store import database

Kind = Literal["pinned", "excluded", "clear", "undo", "redo"]

_TRIGGERS = """
CREATE TABLE IF NOT EXISTS soak_order (number INTEGER PRIMARY KEY, step INTEGER, kind TEXT, who TEXT);
CREATE TRIGGER IF NOT EXISTS soak_made AFTER INSERT ON changes BEGIN
  INSERT INTO soak_order (step, kind, who) VALUES (NEW.step, coalesce(NEW.after, 'clear'), NEW.who);
END;
CREATE TRIGGER IF NOT EXISTS soak_turned AFTER UPDATE OF undone ON changes BEGIN
  INSERT INTO soak_order (step, kind, who)
  VALUES (NEW.step, CASE WHEN NEW.undone IS NULL THEN 'redo' ELSE 'undo' END, NEW.turned_by);
END;
"""


@dataclass(frozen=True)
class Act:
    """One thing that a person did: a mark given to a sample or taken away, or an undo or redo, which have no sample."""

    kind: Kind
    sample: str = ""


@dataclass(frozen=True)
class Effect:
    """An act that changed something: whose, and the step of the history that it made or turned."""

    who: str
    act: Act
    step: int


@dataclass(frozen=True)
class Moment:
    """What holds between two effects: the marks, the steps that undo would turn, the last one first to go, and those that
    redo would, the first one first."""

    marks: Mapping[str, str]
    hold: tuple[int, ...] = ()
    back: tuple[int, ...] = ()


def note_order(home: Path) -> None:
    """From now on `effects` are written down in this runs folder; those that are already are dropped."""
    with database.writing(home) as connection:
        statement = ""
        for line in _TRIGGERS.splitlines(keepends=True):  # executescript would end the transaction
            statement += line
            if sqlite3.complete_statement(statement):
                connection.execute(statement)
                statement = ""
        connection.execute("DELETE FROM soak_order")


def effects(home: Path) -> list[Effect]:
    """What changed something since `note_order`, in its order."""
    query = (
        "SELECT who, kind, soak_order.step, sample FROM soak_order JOIN changed_samples USING (step)"
        " WHERE place = 0 ORDER BY number"
    )
    with database.reading(home) as connection:
        assert connection is not None
        rows = connection.execute(query).fetchall()
    return [
        Effect(who, Act(kind, "" if kind in ("undo", "redo") else sample), step)
        for who, kind, step, sample in rows
    ]


def moments(done: Sequence[Effect]) -> list[Moment]:
    """What holds before the first effect and after each, by the rules of undo and redo.

    Raises
    ------
    ValueError : an effect breaks them.
    """
    made: dict[int, Act] = {}
    found = [Moment({})]
    for number, one in enumerate(done):
        hold, back = found[-1].hold, found[-1].back
        if one.act.kind == "undo":
            if hold[-1:] != (one.step,):
                raise ValueError(
                    f"effect {number}: undo turned step {one.step}, and {hold[-1:]} was the last"
                )
            hold, back = hold[:-1], (one.step, *back)
        elif one.act.kind == "redo":
            if back[:1] != (one.step,):
                raise ValueError(f"effect {number}: redo turned step {one.step}, and {back[:1]} was next")
            hold, back = (*hold, one.step), back[1:]
        else:
            made[one.step] = one.act
            hold, back = (*hold, one.step), ()
        marks = {made[step].sample: str(made[step].kind) for step in hold}
        found.append(Moment({sample: mark for sample, mark in marks.items() if mark != "clear"}, hold, back))
    return found


def without_effect(act: Act, now: Moment) -> bool:
    """Whether an act changes nothing at a moment."""
    if act.kind == "undo":
        return not now.hold
    if act.kind == "redo":
        return not now.back
    return now.marks.get(act.sample, "clear") == act.kind


def unexplained(who: str, acts: Sequence[Act], done: Sequence[Effect], held: Sequence[Moment]) -> str:
    """Where a person's acts, in their order, are not what is written down of them, in words; "" where they are.

    held : the moments of `done`.
    """
    own = [number for number, one in enumerate(done) if one.who == who]
    furthest = 0
    # acts done, own effects among them, and the first moment at which the next act can have come
    ahead, seen = [(0, 0, 0)], set()
    while ahead:
        place, matched, moment = ahead.pop()
        furthest = max(furthest, place)
        if place == len(acts):
            if matched == len(own):
                return ""
            continue
        if (place, matched, moment) in seen:
            continue
        seen.add((place, matched, moment))
        act = acts[place]
        until = own[matched] if matched < len(own) else len(done)
        idle = next((at for at in range(moment, until + 1) if without_effect(act, held[at])), None)
        if idle is not None:
            ahead.append((place + 1, matched, idle))
        if matched < len(own) and done[until].act == act:
            ahead.append((place + 1, matched + 1, until + 1))
    named = "more was done than was asked for" if furthest == len(acts) else f"{acts[furthest]}"
    return f"{who}: act {furthest + 1} of {len(acts)} is not in its place: {named}"
