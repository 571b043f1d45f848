"""The Data tab's states -> the values of its components."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend import store
from backend.jobs import pool_work
from iterit_ui.data import bulk_marks, charts, views
from iterit_ui.data.lists import VIEW
from iterit_ui.data.words import NO_POOL_YET
from iterit_ui.shared.session import get_pool

View = dict[str, Any]


def _read_together(draw: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """Give a function one database connection for the whole call; its first argument is the runs folder."""

    @functools.wraps(draw)
    def call(home: Path, *rest: Any, **named: Any) -> list[Any]:
        with store.read_together(home):
            return draw(home, *rest, **named)

    return call


def first_screen(home: Path, pool_id: str) -> dict[str, Any]:
    """What the page shows before it has asked for anything."""
    _, _, message, sources, _, listed = opened_pool(home, pool_id)
    figures, openings, lengths = heads(home, pool_id, VIEW)
    return {
        "message": message,
        "sources": sources,
        "table": listed,
        "cards": figures,
        "openings": openings,
        "lengths": lengths,
    }


@_read_together
def opened_pool(home: Path, pool_id: str, view: View = VIEW) -> list[Any]:
    """View, nothing done, note, sources, head and first page of the list, for another pool."""
    view, did = dict(view), dict(bulk_marks.NOTHING_DONE)
    if not pool_id:
        return [view, did, {"tone": "empty", "title": NO_POOL_YET}, None, None, None]
    pool = get_pool(home, pool_id)
    return [
        view,
        did,
        views.rows_note(pool, views.language_warnings(home, pool)),
        charts.sources_chart(home, pool_id),
        None,
        views.table_value(home, pool_id, view, ""),
    ]


@_read_together
def heads(home: Path, pool_id: str, view: View) -> list[Any]:
    """Cards, beginnings and lengths, the open list marked."""
    if not pool_id:
        return [None] * 3
    return [*pressed(home, pool_id, view), charts.lengths_chart(home, pool_id)]


@_read_together
def pressed(home: Path, pool_id: str, view: View) -> list[Any]:
    """Cards and beginnings, the open list marked."""
    if not pool_id:
        return [None, None]
    work = pool_work.work_info(home, pool_id, "findings")
    working = work.unfinished or (work.state == "absent" and not store.is_read_only(home))
    return [
        views.cards_value(home, pool_id, view, working=working),
        charts.openings_value(home, pool_id, view),
    ]


@_read_together
def page_values(home: Path, pool_id: str, view: View, opened: str, did: dict[str, Any]) -> list[Any]:
    """The head of the list and its page."""
    if not pool_id:
        return [None, None]
    return [
        bulk_marks.finding_value(home, pool_id, view, opened, did),
        views.table_value(home, pool_id, view, opened),
    ]
