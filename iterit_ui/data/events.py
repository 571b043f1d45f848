"""What the events of the Data tab do to its states. Everything that a browser sent is checked before it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from iterit_ui.data import bulk_marks, lists
from iterit_ui.data.views import CARDS
from iterit_ui.samples import edit_response, marks, sample_list
from iterit_ui.samples.marks import chosen_ids
from iterit_ui.shared import pool_health as health
from iterit_ui.shared.session import get_pool

View = dict[str, Any]
LONGEST_KEY = 400  # characters of a finding's key


def listing(view: View, which: str) -> View:
    """The view with another list, from its first page; what narrows it stays."""
    return {**view, "which": which, "page": 0}


def picked_card(pool_id: str, view: View, data: dict[str, Any]) -> Any:
    """A card lists its rows; the pressed one goes back to all."""
    key = data.get("key")
    if key not in CARDS:
        return gr.skip()
    return listing(view, "all" if view["which"].partition(":")[0] == key else key)


def picked_opening(pool_id: str, view: View, data: dict[str, Any]) -> Any:
    """A beginning lists the responses that have it; the pressed one goes back to all."""
    key = data.get("key")
    if not isinstance(key, str) or not key.startswith("opening:") or len(key) > LONGEST_KEY:
        return gr.skip()
    return listing(view, "all" if view["which"] == key else key)


def picked_source(home: Path, pool_id: str, view: View, data: dict[str, Any]) -> Any:
    """A bar narrows the list to its source; once more takes that away."""
    name = data.get("custom")
    if isinstance(name, list):
        name = name[0] if name else None
    if not pool_id or not isinstance(name, str) or name not in get_pool(home, pool_id).sources:
        return gr.skip()
    return {**view, "source": "" if view["source"] == name else name, "page": 0}


def moved_threshold(pool_id: str, view: View, data: dict[str, Any]) -> Any:
    """Near-duplicates from another similarity on."""
    value = data.get("value")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not health.LOWEST <= value <= 1:
        return gr.skip()
    return {**view, "threshold": round(float(value), 2), "page": 0}


def on_table(pool_id: str, view: View, data: dict[str, Any]) -> Any:
    """Another page: {page}; or the samples that are unscorable for one reason, or all of them: {key}."""
    if "page" in data:
        return sample_list.on_table(view, data)
    key = data.get("key")
    if isinstance(key, str) and key.partition(":")[0] == "unscorable" and len(key) <= LONGEST_KEY:
        return listing(view, key)
    return gr.skip()


def searched(pool_id: str, view: View, data: dict[str, Any]) -> Any:
    """The list narrowed to words."""
    words = data.get("text")
    return {**view, "text": words.strip(), "page": 0} if isinstance(words, str) else gr.skip()


def chip_removed(pool_id: str, view: View, data: dict[str, Any]) -> Any:
    """What one chip stands for taken away."""
    if data.get("key") == "which":
        return listing(view, "all")
    return {**view, "source": "", "page": 0} if data.get("key") == "source" else gr.skip()


def chips_cleared(pool_id: str, view: View, data: dict[str, Any]) -> View:
    """All samples again, but for what is searched for."""
    return {**view, "which": "all", "source": "", "page": 0}


def on_row(home: Path, pool_id: str, data: dict[str, Any]) -> str | None:
    """The id of the clicked row's sample; None for a rejected row, which has no sample."""
    return data["id"] if chosen_ids(home, pool_id, [data.get("id")]) else None


def on_step(home: Path, pool_id: str, view: View, opened: str, data: dict[str, Any]) -> list[Any]:
    """The sample before or after the open one in the list, and the view with its page."""
    found = lists.samples(home, pool_id, view) if pool_id else None
    there = None if found is None else found.on_step(opened, data)
    if there is None:
        return [gr.skip(), gr.skip()]
    return [there[0], gr.skip() if there[1] == view else there[1]]


def marked(home: Path, action: str, pool_id: str, who: str, data: dict[str, Any]) -> list[Any]:
    """Revision and what was done, after the open sample was pinned, excluded or cleared."""
    return bulk_marks.marked(home, pool_id, chosen_ids(home, pool_id, [data.get("id")]), action, who)


def marked_open(home: Path, pool_id: str, who: str, opened: str, data: dict[str, Any]) -> list[Any]:
    """The same by a key: {kind}."""
    ids = chosen_ids(home, pool_id, [opened])
    return bulk_marks.marked(home, pool_id, ids, str(data.get("kind")), who)


def edited(home: Path, pool_id: str, who: str, data: dict[str, Any]) -> list[Any]:
    """Revision and what was done, after the open sample's response was edited or its edit taken back."""
    ids = chosen_ids(home, pool_id, [data.get("id")])
    return bulk_marks.told(home, pool_id, edit_response.edited(home, pool_id, ids, data.get("text"), who))


def noted(home: Path, pool_id: str, who: str, data: dict[str, Any]) -> list[Any]:
    """Revision and what was done, after a note was written to the open sample."""
    ids = chosen_ids(home, pool_id, [data.get("id")])
    return bulk_marks.told(home, pool_id, marks.noted(home, pool_id, ids, data.get("text"), who))
