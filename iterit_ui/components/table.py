"""A table of one page of rows from the server, drawn by assets/web/components/table.js and its parts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import gradio as gr

from backend.errors import StudioError
from iterit_ui.components.base import component

PAGE_SIZE = 50
EVENTS = (
    "pick",
    "turn",
    "sort",
    "filter",
    "search",
    "chip",
    "chips_clear",
    "act",
    "export",
    "edit",
    "columns",
    "narrow",
)


def table(
    value: dict[str, Any] | None = None,
    *,
    functions: list[Callable[[list[Any]], dict[str, Any]]] | None = None,
    **options: Any,
) -> gr.HTML:
    """A table; events `pick` {id, index}, `turn` {page}, `sort` {column}, `filter` {key}, `search` {text}, `chip`
    {key}, `chips_clear` {}, `act` {action, ids, all, list_key, text}, `export` with the same where that action is among
    them, `edit` {id, column, text} of a cell whose column is of the kind edit, and of the menu of the data's own columns
    `columns` {columns: names to show} and `narrow` {name, condition}.

    value : {columns: [{key, label, hint, align, kind, width, sort, minor}], rows: [{key: text or {text, tone,
        colour, share}}], ids, page, pages, total, unit, selected, sort: {column, descending}, filters: [{key, label,
        count}], filter, title, note, empty, search: {text, error, placeholder}, chips: [{key, label}], selectable,
        actions: [{key, label, hint, tone}], own: see `samples/column_menu.menu_value`, list_key, toolbar_note, marks: {id: ["pinned"|"excluded"|"noted"]}}.
        kind is text, number, bar, badge, source or edit (with `placeholder` and `longest`); numbers arrive as text. With `selectable` rows can be ticked and
        `actions` be done to them. Ticks are kept by id over the pages of one list and dropped when `list_key`, which
        names that list, is another one. The actions `copy` and `note` are the page's own: the first puts ids on the
        clipboard and sends nothing, the second asks for the text first.
    functions : one named `ids`, where all ids of a list may be copied: `ids([list_key])` -> {ids: [...]} or
        {"error": ...}, as an exception would arrive as `undefined`.
    """
    return component("table", value, events=EVENTS, functions=functions, **options)


@dataclass(frozen=True)
class Act:
    """What is to be done to ticked rows. ids : their ids, empty where `all` of the list are meant. text : a note's."""

    action: str
    ids: tuple[str, ...]
    all: bool
    text: str


def act_of(data: dict[str, Any], actions: Collection[str], *, known: Collection[str], limit: int) -> Act:
    """A table's `act` event, checked.

    actions : what may be asked for. known : ids of the pool, others are left out. limit : most ids at once.

    Raises
    ------
    StudioError : the page sent something else, or nothing is ticked.
    """
    action, ids, text = data.get("action"), data.get("ids"), data.get("text", "")
    if not isinstance(action, str) or action not in actions:
        raise StudioError(f"the page asked for {action!r}; {', '.join(sorted(actions))} are known")
    if not isinstance(text, str) or not isinstance(ids, list) or len(ids) > limit:
        raise StudioError(
            f"the page sent ticked rows that cannot be read; expected a list of at most {limit:,} ids"
        )
    whole_list = data.get("all") is True
    found = () if whole_list else tuple(i for i in ids if isinstance(i, str) and i in known)
    if not found and not whole_list:
        raise StudioError("no row of this pool is ticked")
    return Act(action, found, whole_list, text)
