"""The Data tab's callbacks as its events call them: with what the page lists by now, and answers that have a number.

See `shared/answer_order`. Each of these makes such a callback of a plain function, whose first argument is the pool's id; where the
page has opened another pool since it was asked, nothing is done.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from iterit_ui.data import draw, events
from iterit_ui.data import sample_panel as reading
from iterit_ui.data.lists import VIEW
from iterit_ui.shared.answer_order import Newest, numbered

NEWEST = Newest(VIEW)


def numbered_call(
    function: Callable[..., Any], *, view: int = 1, sample: int | None = None
) -> Callable[..., Any]:
    """A callback for `function`, whose results are all drawn. view, sample : positions of these arguments."""

    def call(request: gr.Request, *states: Any) -> Any:
        values = list(states)
        # the number first: an answer may show a newer sample than its number says, never an older one
        found = NEWEST.read(_of(request), states[0], states[view])
        if found is None:
            return gr.skip()
        values[view] = found[0]
        if sample is not None:
            values[sample] = NEWEST.sample(_of(request), states[0], states[view], states[sample])
        made = function(*values)
        if isinstance(made, list):
            return [numbered(value, found[1]) for value in made]
        return numbered(made, found[1])

    call.__name__ = function.__name__
    return call


def opened(function: Callable[[str, dict[str, Any]], list[Any]], *, kept: int = 0) -> Callable[..., Any]:
    """For `function` of a pool that was opened and its view. kept : that many of its values are not drawn."""

    def call(request: gr.Request, pool_id: str) -> list[Any]:
        view, number = NEWEST.opened(_of(request), pool_id)
        made = function(pool_id, view)
        return [*made[:kept], *(numbered(value, number) for value in made[kept:])]

    call.__name__ = function.__name__
    return call


def sent(function: Callable[..., Any]) -> Callable[..., Any]:
    """For `function` whose last argument is what a component's event brings; it comes from a browser."""

    def call(event: gr.EventData, *states: Any) -> Any:
        return function(*states, _brought(event))

    return call


def looked(function: Callable[..., list[Any]], *, kept: int = 2) -> Callable[..., Any]:
    """The same for one that reads the view, its second argument. kept : that many of its values are not drawn."""

    def call(event: gr.EventData, request: gr.Request, pool_id: str, view: Any, *states: Any) -> Any:
        found = NEWEST.read(_of(request), pool_id, view)
        if found is None:
            return gr.skip()
        made = function(pool_id, found[0], *states, _brought(event))
        return [*made[:kept], *(numbered(value, found[1]) for value in made[kept:])]

    return call


def picked(home: Path) -> Callable[..., Any]:
    """Open the sample of a clicked row: its id and its panel."""

    def call(
        event: gr.EventData, request: gr.Request, pool_id: str, view: Any, opened: str, asked: bool
    ) -> Any:
        sample = events.on_row(home, pool_id, _brought(event))
        if sample is None:
            return gr.skip()
        found = NEWEST.open(_of(request), pool_id, view, opened, sample)
        if found is None:
            return gr.skip()
        shown = reading.sample_value(home, pool_id, sample, found[0], asked=asked, read=None)
        return [sample, numbered(shown, found[1])]

    return call


def marked(home: Path) -> Callable[..., Any]:
    """Mark the open sample by key: the curation revision, and a description of the change."""

    def call(
        event: gr.EventData, request: gr.Request, pool_id: str, who: str, view: Any, opened: str
    ) -> list[Any]:
        sample = NEWEST.sample(_of(request), pool_id, view, opened)
        return events.marked_open(home, pool_id, who, sample, _brought(event))

    return call


def listed(home: Path, change: Callable[..., Any], *, cards: bool = True) -> Callable[..., Any]:
    """An event that `change` makes another view of: view, head and page of the list, and with `cards` those and beginnings."""

    def call(event: gr.EventData, request: gr.Request, pool_id: str, view: Any, opened: str, did: Any) -> Any:
        data = _brought(event)
        found = NEWEST.change(_of(request), pool_id, view, lambda newest: change(pool_id, newest, data))
        if found is None or not pool_id or "which" not in found[0]:
            return gr.skip()
        new, number = found
        shown = draw.page_values(home, pool_id, new, opened, did)
        shown += draw.pressed(home, pool_id, new) if cards else []
        return [new, *(numbered(value, number) for value in shown)]

    return call


def on_step(home: Path) -> Callable[..., Any]:
    """A step to another sample of the list: its id, and the view where it is on another page."""

    def call(event: gr.EventData, request: gr.Request, pool_id: str, view: Any, opened: str) -> Any:
        sample: Any = gr.skip()
        before = NEWEST.sample(_of(request), pool_id, view, opened)

        def change(newest: dict[str, Any]) -> Any:
            nonlocal sample
            sample, new = events.on_step(home, pool_id, newest, before, _brought(event))
            return new

        found = NEWEST.change(_of(request), pool_id, view, change)
        if found is None:
            return gr.skip()
        if isinstance(sample, str):
            NEWEST.open(_of(request), pool_id, view, before, sample)
        return [sample, found[0]]

    return call


def _brought(event: gr.EventData) -> dict[str, Any]:
    return event._data if isinstance(event._data, dict) else {}


def _of(request: gr.Request) -> str:
    return request.session_hash or ""
