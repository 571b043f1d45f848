"""Event handlers of the Curate tab that change samples: pin, exclude, note, undo, export.

As in `curate/events`: (state, event data) -> new state. What somebody ticked is read here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.errors import StudioError
from backend.records import Scores
from iterit_ui.curate import draw
from iterit_ui.curate.state import CurateState, Value, selection_of, selection_view
from iterit_ui.curate.words import ACTIONS
from iterit_ui.samples import edit_response, hand_over, marks, replace_all, sample_list
from iterit_ui.samples.sample_list import SampleList
from iterit_ui.shared import messages
from iterit_ui.shared.session import get_pool


def _revised(here: CurateState, revision: int | None) -> CurateState:
    return here if revision is None else replace(here, marked=revision)


def on_mark(action: str) -> Callable[[Path, CurateState, Value], CurateState]:
    """Pin, exclude or clear the sample in the panel."""
    return lambda home, here, data: _revised(
        here,
        marks.marked_as(
            home, here.pool, marks.chosen_ids(home, here.pool, [data.get("id")]), action, here.who
        ),
    )


def on_mark_open(home: Path, here: CurateState, data: Value) -> CurateState:
    """The same by a key, for the sample that is open."""
    if not here.sample:
        messages.info("Open a sample first: click one, or press j.")
        return here
    ids = marks.chosen_ids(home, here.pool, [here.sample])
    return _revised(here, marks.marked_as(home, here.pool, ids, str(data.get("kind")), here.who))


def on_note(home: Path, here: CurateState, data: Value) -> CurateState:
    """A note written to the sample in the panel."""
    ids = marks.chosen_ids(home, here.pool, [data.get("id")])
    return _revised(here, marks.noted(home, here.pool, ids, data.get("text"), here.who))


def on_edit(home: Path, here: CurateState, data: Value) -> CurateState:
    """The response of the sample in the panel edited, or its edit taken back."""
    ids = marks.chosen_ids(home, here.pool, [data.get("id")])
    return _revised(here, edit_response.edited(home, here.pool, ids, data.get("text"), here.who))


def on_undo(again: bool) -> Callable[[Path, CurateState, Value], CurateState]:
    """The last mark or note taken back, or done again."""
    return lambda home, here, data: _revised(here, marks.turned_back(home, here.pool, here.who, again=again))


def on_action(home: Path, here: CurateState, data: Value) -> CurateState:
    """Something done to ticked rows, or to the whole list: pin, exclude, clear, note, replace."""
    try:
        ids, act = on_tick(home, here, data)
    except StudioError as error:
        messages.warning(messages.sentence(str(error)))
        return here
    if act.action == "note":
        return _revised(here, marks.noted(home, here.pool, ids, act.text, here.who))
    if act.action == "replace":
        return _revised(here, replace_all.replaced(home, here.pool, ids, act.text, here.who))
    return _revised(here, marks.marked_as(home, here.pool, ids, act.action, here.who))


def on_export(home: Path, data: Value, *values: Any) -> str:
    """A file of ticked rows, or of the whole list, to download."""
    here = CurateState(*values)
    ids, _ = on_tick(home, here, data)
    return hand_over.listed_file(home, here.pool, ids, data, here.who, _known_scores(home, here))


def _known_scores(home: Path, here: CurateState) -> Scores | None:
    """The scores that are shown; None where there are none."""
    try:
        shown = selection_of(home, here)
    except StudioError:  # the settings select nothing, which is nothing against a list
        return None
    return shown.scores if shown.scored else None


def on_export_picks(home: Path, data: Value, *values: Any) -> str:
    """A file of what the settings select, to download."""
    here = CurateState(*values)
    asked = hand_over.asked_of(data, [""])
    if not here.pool:
        raise StudioError("no pool is open")
    shown = selection_of(home, here)
    return hand_over.exported_file(home, hand_over.picks_of_view(home, shown, here.settings), asked, here.who)


def on_tick(home: Path, here: CurateState, data: Value) -> tuple[list[str], Any]:
    """The samples that an `act` of the table means, and the act.

    Raises
    ------
    StudioError : the page sent something else, or the list is another one now.
    """
    if not here.pool:
        raise StudioError("no pool is open")
    pool = get_pool(home, here.pool)

    def listed() -> SampleList:
        at = selection_view(home, here)
        if data.get("list_key") != draw.list_key(at):
            raise StudioError("the list has changed in the meantime; check it and try again")
        return at.listed

    return sample_list.on_tick(data, [one["key"] for one in ACTIONS], pool, listed)


def list_of_key(home: Path) -> replace_all.Listed:
    """Pool and sample ids of the list with this key, for find and replace."""

    def listed(key: str) -> tuple[str, list[str]]:
        found = draw.LISTS.get(key)
        if found is None:
            raise StudioError("this list is no longer on screen")
        return found[0], [str(sample) for sample in get_pool(home, found[0]).ids[found[1]]]

    return listed


def ids_of_list(home: Path) -> Callable[[list[Any]], dict[str, Any]]:
    """`ids` for the table: all ids of the list that a page shows, by its key."""

    def ids(asked: list[Any]) -> dict[str, Any]:
        found = draw.LISTS.get(str(asked[0]) if asked else "")
        if found is None:
            return {"error": "This list is no longer on screen."}
        pool_id, rows = found
        return {"ids": [str(i) for i in get_pool(home, pool_id).ids[rows]]}

    return ids
