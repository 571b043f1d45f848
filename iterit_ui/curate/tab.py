"""The Curate tab: settings on the left, the selection that follows from them on the right; no model runs here.

The components are laid out in `curate/workbench` and wired here. `curate/events` and `curate/mark_events` say where an event
leads, `curate/draw` what is drawn there. An event is answered in one go, without the queue and without telling other
callbacks of the states it sets: each step between page and server costs more than the selection itself. Whatever else
follows the states looks at them when it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from iterit_ui.components.screen import when_shown
from iterit_ui.curate import draw, events, mark_events
from iterit_ui.curate.state import CurateState, Value
from iterit_ui.curate.workbench import NAMES, Parts, lay_out
from iterit_ui.samples.hand_over import wire_export
from iterit_ui.shared import address, cutting_hint
from iterit_ui.shared.answer_order import HalfTime, Newest, Turns, next_number, numbered
from iterit_ui.shared.session import DRAW, EVENT, QUIET, Session, bound
from iterit_ui.shared.turn_answer import turn_answer

Change = Callable[[Path, CurateState, Value], CurateState]
OPEN = Newest({})  # the sample that is open on each page
TURNS = Turns()
# a mark of one visitor draws the pages of all others anew: nobody's own click should wait for all of them
REFRESHES = HalfTime()


def build(session: Session) -> None:
    """The tab's components and what they do."""
    parts, export, tune = lay_out(session)
    _wire_arrival(session, parts)
    _wire_settings(session, parts)
    _wire_looking(session, parts)
    _wire_samples(session, parts)
    wire_export(export, bound(mark_events.on_export_picks, session.home), parts.states)
    tune.click(lambda: gr.Tabs(selected="tune"), None, session.tabs, **QUIET)


def _on(
    session: Session,
    parts: Parts,
    trigger: Any,
    change: Change,
    drawn: Callable[[Path, CurateState], list[Any]],
    components: list[Any],
    *,
    always: bool = False,
    after: AbstractContextManager[Any] | None = None,
) -> Any:
    """An event of the page: where it leads, what is drawn there, and the address of that; answered in one go.

    always : draw also where nothing changes. after : a lock that is waited for first.
    """

    def call(event: gr.EventData, request: gr.Request, *values: Any) -> list[Any]:
        data = event._data if isinstance(event._data, dict) else {}
        with after or nullcontext():
            made = in_turn(
                session.home,
                request.session_hash or "",
                CurateState(*values),
                lambda here: change(session.home, here, data),
                drawn,
                components,
                always=always,
            )
        return made or [gr.skip()] * (len(parts.states) + len(components) + 1)

    call.__name__ = getattr(change, "__name__", call.__name__)
    return trigger(call, parts.states, [*parts.states, *components, session.bar], **EVENT)


def in_turn(
    home: Path,
    page: str,
    read: CurateState,
    change: Callable[[CurateState], CurateState],
    drawn: Callable[[Path, CurateState], list[Any]],
    components: list[Any],
    *,
    always: bool = True,
) -> list[Any]:
    """What a callback answers: the states, the components and the address; nothing where nothing changes.

    read : the states as the callback was given them; what others of the page have changed since is added.
    always : answer also where nothing changes.
    """

    def opened(here: CurateState) -> CurateState:
        there = change(here)
        if there.sample != here.sample:
            OPEN.open(page, "", {}, here.sample, there.sample)
        return there

    return turn_answer(
        home,
        TURNS,
        page,
        read,
        opened,
        partial(drawn, home),
        components,
        written,
        settled=partial(draw.normalised, home),
        always=always,
    )


def written(here: CurateState) -> dict[str, str]:
    """The address of where a visitor is."""
    return address.written(**{name: getattr(here, name) for name in address.NAMES})


def _wire_arrival(session: Session, parts: Parts) -> None:
    """The page was opened, or another tab, another page or a worker has changed something."""
    home = session.home

    def draw_all(request: gr.Request, *values: Any) -> list[Any]:
        page, read = request.session_hash or "", CurateState(*values)
        return in_turn(home, page, read, lambda here: here, draw.all_values, parts.everything)[:-1]

    moments = ("pool", "scores", "settings", "marked")
    hinted = [session.pool, session.settings]
    when_shown("curate", *moments, "tab")(bound(cutting_hint.note_value, home), hinted, parts.words, **DRAW)

    def choose(pool: str, settings: Value, event: gr.EventData) -> list[Any]:
        return cutting_hint.on_choice(
            home, pool, settings, event._data if isinstance(event._data, dict) else {}
        )

    chosen = parts.words.act(choose, hinted, [session.marked, session.settings], **QUIET)
    chosen.then(bound(cutting_hint.note_value, home), hinted, parts.words, **QUIET)
    when_shown("curate", *moments)(draw_all, parts.states, [*parts.states, *parts.everything], **DRAW)
    source = [session.pool, session.scores]
    when_shown("curate", "pool", "scores")(bound(events.score_source, home), source, parts.source, **DRAW)
    compared = parts.states[NAMES.index("compared")]
    later = [session.pool, session.scores, session.settings]
    when_shown("curate", *moments)(bound(draw.trade_offs, home), later, [*parts.trade_offs], **DRAW)
    when_shown("curate", *moments)(bound(draw.compared, home), [*later, compared], parts.saved, **DRAW)
    # marks of somebody else, a map that is ready: the page looks for itself and says so
    watched = when_shown("curate", "watch", unless=moments)
    _on(session, parts, watched, events.on_refresh, draw.all_values, parts.everything, after=REFRESHES)


def _wire_settings(session: Session, parts: Parts) -> None:
    """The panel. An event that changes nothing is answered too, because the panel waits for that."""
    home, panel = session.home, parts.panel
    compared = parts.states[NAMES.index("compared")]
    later = [session.pool, session.scores, session.settings]

    def after(done: Any) -> None:
        done.then(bound(draw.trade_offs, home), later, [*parts.trade_offs], **DRAW)
        done.then(bound(draw.compared, home), [*later, compared], parts.saved, **DRAW)
        done.then(bound(cutting_hint.note_value, home), [session.pool, session.settings], parts.words, **DRAW)

    changes = {name: events.on_settings(name) for name in ("set", "weigh", "reset", "undo", "redo")}
    for name, change in changes.items():
        after(
            _on(session, parts, getattr(panel, name), change, draw.all_values, parts.everything, always=True)
        )
    recalled = _on(
        session, parts, panel.recall, events.on_recall, draw.all_values, parts.everything, always=True
    )
    after(recalled)
    recalled.then(bound(events.score_source, home), later[:2], parts.source, **DRAW)

    def only_panel(home: Path, here: CurateState) -> list[Any]:
        return [draw.panel_value(home, here)]

    for name, change in (
        ("save", events.on_save),
        ("forget", events.on_forget),
        ("compare", events.on_compare),
    ):
        done = _on(session, parts, getattr(panel, name), change, only_panel, [panel], always=True)
        done.then(bound(draw.compared, home), [*later, compared], parts.saved, **DRAW)

    def from_source(request: gr.Request, key: str, *values: Any) -> list[Any]:
        def change(here: CurateState) -> CurateState:
            return replace(here, scores=key or "")

        page, read = request.session_hash or "", CurateState(*values)
        return in_turn(home, page, read, change, draw.all_values, parts.everything)

    after(
        parts.source.input(
            from_source,
            [parts.source, *parts.states],
            [*parts.states, *parts.everything, session.bar],
            **DRAW,
        )
    )


def _wire_looking(session: Session, parts: Parts) -> None:
    """Charts, map and bar change the filter, the table its list, the map its colours."""

    def filters(trigger: Any, change: Change, *, always: bool = False) -> None:
        _on(session, parts, trigger, change, draw.filter_values, parts.filtered, always=always)

    for name, drawn in zip(("complexity", "diversity", "tokens"), parts.charts):
        filters(drawn.brush, events.on_brush(name))
        filters(drawn.clear, events.on_brush_removed(name))
    filters(parts.trade_offs[0].pick, events.on_cell)
    filters(parts.world.lasso, events.on_lasso)
    filters(parts.world.clear, events.on_brush_removed("rows"))
    filters(parts.world.cluster, events.on_cluster)
    _on(session, parts, parts.message.act, events.on_message, draw.all_values, parts.everything, always=True)
    filters(parts.listed.narrow, events.on_narrow, always=True)
    filters(parts.bar.search, events.on_search, always=True)
    filters(parts.bar.chip, events.on_chip_removed, always=True)
    filters(parts.bar.chips_clear, events.on_chips_cleared, always=True)
    _on(session, parts, parts.world.mode, events.on_colour, draw.map_values, [parts.world])
    for event in (
        parts.listed.turn,
        parts.listed.sort,
        parts.listed.columns,
        parts.listed.filter,
        parts.figures.pick,
    ):
        _on(session, parts, event, events.on_table, draw.list_values, [parts.listed])


def _wire_samples(session: Session, parts: Parts) -> None:
    """Opening samples, marks and notes, what a model makes of one, and the keys for all that."""
    home, sample, keyboard = session.home, parts.sample, parts.keyboard
    opened = [sample, parts.world, parts.listed]
    change: Change
    for trigger, change in (
        (parts.listed.pick, events.on_row),
        (sample.open, events.on_row),
        (parts.world.pick, events.on_point),
        (sample.step, events.on_step),
        (keyboard.step, events.on_step),
    ):
        _on(session, parts, trigger, change, draw.open_sample_values, opened)
    undo, redo = mark_events.on_undo(False), mark_events.on_undo(True)
    for trigger, change in (
        (sample.pin, mark_events.on_mark("pin")),
        (sample.exclude, mark_events.on_mark("exclude")),
        (sample.unmark, mark_events.on_mark("clear")),
        (sample.note, mark_events.on_note),
        (sample.edit, mark_events.on_edit),
        (sample.undo, undo),
        (keyboard.mark, mark_events.on_mark_open),
        (keyboard.undo, undo),
        (keyboard.redo, redo),
        (parts.tools.act, events.on_tool),
        (parts.listed.act, mark_events.on_action),
    ):
        done = _on(session, parts, trigger, change, draw.all_values, parts.everything)
        done.then(
            bound(draw.trade_offs, home),
            [session.pool, session.scores, session.settings],
            [*parts.trade_offs],
            **DRAW,
        )

    wire_export(parts.listed, bound(mark_events.on_export, home), parts.states)
    asked = parts.states[NAMES.index("asked")]
    for name, limit in (("reach", 4), ("read", 2), ("losses", 2)):
        getattr(sample, name)(
            _answering(home, name), parts.states, [asked, sample], concurrency_limit=limit, **QUIET
        )


def _answering(home: Path, name: str) -> Callable[..., Iterator[list[Any]]]:
    """What takes a while, step by step; Gradio asks the function itself whether it is a generator."""

    def call(request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        asked = CurateState(*values).sample
        for here, value in draw.asked_for(home, name, CurateState(*values)):
            if OPEN.sample(request.session_hash or "", "", {}, asked) != asked:
                return  # another sample was opened meanwhile
            yield [here.asked, numbered(value, next_number())]

    call.__name__ = name
    return call
