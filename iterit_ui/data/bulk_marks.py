"""What can be done about the samples that the Data tab lists: exclude them, keep one of each group, and take it back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.errors import StudioError
from iterit_ui.data import lists
from iterit_ui.data.lists import Listed
from iterit_ui.data.words import EXCLUDE_ALL, FINDINGS, KEEP_ONE, LISTS, NEAR_SLIDER, NOT_COMPARED
from iterit_ui.samples import hand_over, marks, replace_all, sample_list
from iterit_ui.samples.sample_list import SampleList
from iterit_ui.shared import pool_health as health
from iterit_ui.shared import theme
from iterit_ui.shared.session import get_pool

NOTHING_DONE: dict[str, Any] = {"step": 0, "text": ""}


def finding_value(
    home: Path, pool_id: str, view: dict[str, Any], opened: str, did: dict[str, Any]
) -> dict[str, Any] | None:
    """The head of the list: what it is, what can be done about it, and the way back from what was done last.

    did : {step, text} of the last change made here. None where there is nothing to say.
    """
    which, kind = view["which"], view["which"].partition(":")[0]
    title, words = words_of(home, pool_id, view)
    done = done_value(home, pool_id, did)
    value: dict[str, Any] = {"title": title, "text": words, "slider": None, "buttons": [], "done": done}
    if lists.is_whole(view) or which in ("rejected", "edited"):
        return value if which != "all" or done else None
    one = health.report(home, pool_id).get(kind)
    if one is not None and not one.known and kind in health.OVERLAPS:
        return value | {"text": NOT_COMPARED}
    if one is not None and not one.known:
        return value | {"text": one.why_unknown, "buttons": ways_to_know(kind)}
    if kind == "near":
        value["slider"] = {
            "label": "Alike from",
            "hint": NEAR_SLIDER,
            "min": health.LOWEST,
            "max": 1,
            "step": 0.01,
            "value": view["threshold"],
        }
    if kind == "unscorable":
        words = f"{words} {health.unscorable_from(home, pool_id)[1]}"
        value["text"] = words
    if kind in health.OVERLAPS:
        value["text"] = f"{words} {compared_words(home, pool_id)}"
    found = lists.listed(home, pool_id, view)
    if found.error:
        return value
    if found.group is not None:
        count = f"{theme.counted(len(found.rows), 'sample')} in {theme.counted(found.groups, 'group')}."
        value["text"] = f"{words} {count}"
    buttons = deeds(home, pool_id, found, opened)
    return value | {"buttons": buttons + (forgets(home, pool_id) if kind in health.OVERLAPS else [])}


def compared_words(home: Path, pool_id: str) -> str:
    """What the pool was compared with, and what was left alone, as sentences."""
    known = store.load_overlaps(home, pool_id)
    names = [
        f"{against.name} ({theme.counted(against.rows, 'row')}{', prompts only' if against.prompts_only else ''})"
        for against, _ in known
    ]
    common = sum(len(found.common) for _, found in known)
    told = f"Compared with {', '.join(names)}."
    return f"{told} {theme.counted(common, 'more sample')} share set phrases only." if common else told


def forgets(home: Path, pool_id: str) -> list[dict[str, Any]]:
    """A button for each of the evaluation data that takes its overlaps away again."""
    return [
        {
            "key": f"forget:{against.id}",
            "label": f"Forget {against.name}",
            "hint": "take its overlaps off the cards and out of the warnings; marks stay",
            "tone": "plain",
            "off": False,
        }
        for against, _ in store.load_overlaps(home, pool_id)
    ]


def words_of(home: Path, pool_id: str, view: dict[str, Any]) -> tuple[str, str]:
    """Title of a list, and a sentence about it."""
    if view["which"] not in LISTS:
        label = health.finding_label(home, pool_id, lists.key_of(view))
        return f"{label[:1].upper()}{label[1:]}", FINDINGS.get(view["which"].partition(":")[0], "")
    if lists.is_whole(view) or view["which"] in ("rejected", "edited"):
        return LISTS[view["which"]]
    source = f"source {view['source']}" if view["source"] else ""
    words = f"with {view['text']}" if view["text"] else ""
    return "Samples " + ", ".join(part for part in (words, f"of {source}" if source else "") if part), ""


def ways_to_know(kind: str) -> list[dict[str, Any]]:
    """The button that makes a finding known."""
    if kind in ("too_long", "unscorable"):
        return [{"key": "count", "label": "Count tokens", "hint": "with the model chosen above"}]
    return [{"key": "find", "label": "Find them now", "hint": ""}]


def deeds(home: Path, pool_id: str, found: Listed, opened: str) -> list[dict[str, Any]]:
    """Buttons that exclude what is listed."""
    codes = lists.mark_codes(home, pool_id)
    away = len(lists.surplus(found, codes))
    if found.group is None:
        label = f"Exclude {'these' if away == len(found.rows) else 'the remaining'} {theme.number(away)}"
        return [button("exclude", label if away else "All of them are marked", EXCLUDE_ALL, away)]
    label = f"Keep one of each, exclude the other {theme.number(away)}"
    buttons = [button("keep_all", label if away else "One of each is left", KEEP_ONE, away)]
    number = group_of(home, pool_id, found, opened)
    if number is not None:
        here = len(lists.surplus(found, codes, group=number))
        label = f"Only in group {theme.number(number)}: exclude {theme.number(here)}"
        done = f"Group {theme.number(number)} is done"
        buttons.append(button("keep_group", label if here else done, KEEP_ONE, here))
    return buttons


def button(key: str, label: str, hint: str, count: int) -> dict[str, Any]:
    """One button; off where it would change nothing."""
    return {"key": key, "label": label, "hint": hint, "tone": "exclude", "off": not count}


def group_of(home: Path, pool_id: str, found: Listed, opened: str) -> int | None:
    """The number of the group that the opened sample is in."""
    place = SampleList(get_pool(home, pool_id), found.rows, {}).place_of(opened)
    return None if place is None or found.group is None else int(found.group[place])


def done_value(home: Path, pool_id: str, did: dict[str, Any]) -> dict[str, Any] | None:
    """What was done last and can still be taken back."""
    last = store.next_steps(home, pool_id)[0] if did["step"] else None
    if last is None or last.step != did["step"]:
        return None
    return {"text": did["text"], "undo": "Undo"}


def acted(
    home: Path, pool_id: str, view: dict[str, Any], opened: str, who: str, event: dict[str, Any]
) -> list[Any]:
    """Revision and what was done, after one of the buttons of `finding_value`."""
    found = lists.listed(home, pool_id, view) if pool_id else Listed(lists.NONE)
    codes = lists.mark_codes(home, pool_id) if pool_id else lists.NONE
    if event.get("key") in ("exclude", "keep_all") and (event["key"] == "keep_all") == (
        found.group is not None
    ):
        rows = lists.surplus(found, codes)
    elif event.get("key") == "keep_group":
        number = group_of(home, pool_id, found, opened)
        rows = lists.NONE if number is None else lists.surplus(found, codes, group=number)
    else:
        return [gr.skip()] * 2
    ids = get_pool(home, pool_id).ids[rows] if len(rows) else []
    return marked(home, pool_id, [str(i) for i in ids], "exclude", who)


def marked(home: Path, pool_id: str, ids: list[str], action: str, who: str) -> list[Any]:
    """Revision and what was done, after samples were pinned, excluded or cleared."""
    return told(home, pool_id, marks.marked_as(home, pool_id, ids, action, who))


def exported(home: Path, data: Any, pool_id: str, view: dict[str, Any], who: str) -> str:
    """A file of ticked rows, or of the whole list, to download.

    Raises
    ------
    StudioError : no pool is open, the list is another one now, or nothing can be written.
    """
    if not pool_id:
        raise StudioError("no pool is open")
    event = data if isinstance(data, dict) else {}
    ids, _ = sample_list.on_tick(
        event, ("export",), get_pool(home, pool_id), lambda: lists.samples(home, pool_id, view)
    )
    return hand_over.listed_file(home, pool_id, ids, event, who)


def table_act(home: Path, pool_id: str, view: dict[str, Any], who: str, event: dict[str, Any]) -> list[Any]:
    """The same, after an action on ticked rows: {action, ids, all, text}."""
    if not pool_id:
        return [gr.skip()] * 2
    ids, asked = sample_list.on_tick(
        event,
        (*marks.MARKS, "note", "replace"),
        get_pool(home, pool_id),
        lambda: lists.samples(home, pool_id, view),
    )
    if asked.action == "note":
        return told(home, pool_id, marks.noted(home, pool_id, ids, asked.text, who))
    if asked.action == "replace":
        return told(home, pool_id, replace_all.replaced(home, pool_id, ids, asked.text, who))
    return marked(home, pool_id, ids, asked.action, who)


def list_of_key(home: Path) -> replace_all.Listed:
    """Pool and sample ids of the list with this key."""

    def listed(key: str) -> tuple[str, list[str]]:
        pool_id, which, words, source = map(str, json.loads(key))
        which, threshold = health.near_key(which)
        view = {**lists.VIEW, "which": which, "threshold": threshold, "text": words, "source": source}
        return pool_id, lists.samples(home, pool_id, view).ids()

    return listed


def ids_of_list(home: Path) -> Callable[[list[Any]], dict[str, Any]]:
    """`ids` for the table: all ids of the list that a page shows, by its key."""

    def ids(asked: list[Any]) -> dict[str, Any]:
        try:
            return {"ids": list_of_key(home)(str(asked[0]))[1]}
        except (StudioError, ValueError, TypeError) as error:
            return {"error": f"The ids of this list could not be read: {error}"}

    return ids


def told(home: Path, pool_id: str, revision: int | None) -> list[Any]:
    """A revision, and the change that led to it in words, so that it can be taken back at once."""
    if revision is None:
        return [gr.skip(), gr.skip()]
    last = store.next_steps(home, pool_id)[0]
    if last is None:
        return [revision, dict(NOTHING_DONE)]
    words = marks.change_words(last)
    return [revision, {"step": last.step, "text": f"{words[:1].upper()}{words[1:]}."}]


def taken_back(home: Path, pool_id: str, who: str) -> list[Any]:
    """Revision and nothing to take back, after undo."""
    revision = marks.turned_back(home, pool_id, who)
    return [gr.skip() if revision is None else revision, dict(NOTHING_DONE)]


def done_again(home: Path, pool_id: str, who: str) -> list[Any]:
    """Revision and what was done, after redo."""
    return told(home, pool_id, marks.turned_back(home, pool_id, who, again=True))
