"""What a callback of a tab answers in one go: the states it changes, what is drawn of them, and the address."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import Field, fields, replace
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, ClassVar, Protocol, TypeVar

import gradio as gr

from backend import store
from iterit_ui.shared.answer_order import Turns, all_numbered, next_number, numbered

# as many answers are drawn at once as there are cores: more would be no sooner done, and each takes memory meanwhile
DRAWING = BoundedSemaphore(max(2, os.cpu_count() or 1))


class TabState(Protocol):
    """What a visitor sees on a tab, as a frozen dataclass. turn : the number of the last answer applied to it."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def turn(self) -> int: ...


State = TypeVar("State", bound=TabState)


def turn_answer(
    home: Path,
    turns: Turns,
    page: str,
    read: State,
    change: Callable[[State], State],
    drawn: Callable[[State], Sequence[Any]],
    components: Sequence[Any],
    written: Callable[[State], dict[str, str]],
    *,
    settled: Callable[[State], State] | None = None,
    always: bool = True,
) -> list[Any]:
    """The states in the order of the record's fields, the components and the address; nothing where nothing changes.

    The address is numbered by when it was asked for: one that was waited for does not replace that of where somebody has
    gone meanwhile.

    turns : of this tab. page : the session of the page that asks. read : the states as the callback was given them; what
        others of the page have changed since is added.
    drawn : values of `components`. written : the address of a state. settled : what the disk makes of a state.
    always : answer also where nothing changes.
    """
    asked = next_number()
    with turns.take(page, read.turn) as turn, DRAWING, store.read_together(home):
        here = replace(read, **turn.missed)
        there = change(here)
        if there == here and not always:
            return []
        if settled is not None:
            there = settled(there)
        shown = all_numbered(components, drawn(there), turn.number)
        turn.changes = {name: value for name, value, before in _pairs(there, here) if value != before}
        states = [
            gr.skip() if value == before else value
            for _, value, before in _pairs(replace(there, turn=turn.number), read)
        ]
        return [*states, *shown, numbered(written(there), asked)]


def _pairs(there: State, here: State) -> list[tuple[str, Any, Any]]:
    """(name, value there, value here) of each state."""
    names = [field.name for field in fields(there)]
    return [(name, getattr(there, name), getattr(here, name)) for name in names]
