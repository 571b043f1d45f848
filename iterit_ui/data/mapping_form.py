"""What the chosen files hold before they are loaded: format, which column is what, and the first rows as read.

What was chosen lies in one state: {"paths": as named, "mappings": what a person said about single files (see
`backend.data.mapping`: columns by role, roles by speaker, bad rows), "active": the file on screen}. Files are named there by their resolved path, hub datasets by their id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend import data
from backend.data.formats import ROLES
from backend.data.hub import is_id
from backend.data.inputs import find_sources, split_of
from backend.data.mapping import BAD, KEEP, SPEAKER, WHOSE
from backend.data.turn_parts import SPEAKERS
from backend.errors import StudioError
from backend.store.shelf import keep_last
from iterit_ui.components import checked_int
from iterit_ui.data.words import KEEP_BAD, NOT_RECOGNISED, PREFERENCE, ROLE, WHOSE_TURNS
from iterit_ui.shared import theme

NOTHING: dict[str, Any] = {"paths": [], "mappings": {}, "active": 0}
FIRST_ROWS = 12
MOST_LOOKS = 200  # files that are looked at before loading; a folder may hold more
CUT = 320  # characters of a text that the preview shows
# what makes a sample by two texts, and by a list of turns: one of them
TWO_TEXTS, ONE_LIST = ("prompt", "input", "response", "history"), ("messages",)
MOST_SPEAKERS = 16


@dataclass(frozen=True)
class Item:
    """One file that was chosen, or one of a chosen folder's. key : what mappings and load_pool know it by."""

    label: str
    key: str
    size: int | None


@dataclass(frozen=True)
class Preview:
    """What was found in one file: a preview, or why there is none."""

    item: Item
    found: data.Preview | None
    error: str

    @property
    def readable(self) -> bool:
        """Whether at least one of its first rows is a sample."""
        return self.found is not None and bool(self.found.samples)


def items_of(paths: list[str], roots: tuple[Path, ...]) -> list[Item]:
    """The files behind what was chosen, a folder's one by one.

    Raises
    ------
    StudioError : something chosen is missing, unreadable or outside the roots.
    """
    found: dict[str, Item] = {}
    for given in paths:
        if is_id(given) and not Path(given).exists():
            found[given] = Item(given, given, None)
            continue
        for source in find_sources([given], roots=roots):
            found.setdefault(source.key, Item(source.name, source.key, source.size))
    return list(found.values())


def looks(chosen: dict[str, Any], roots: tuple[Path, ...]) -> list[Preview]:
    """Every chosen file with what its first rows hold."""
    return [
        preview_of(item, chosen["mappings"].get(item.key), roots)
        for item in items_of(chosen["paths"], roots)[:MOST_LOOKS]
    ]


def preview_of(item: Item, mapping: dict[str, str] | None, roots: tuple[Path, ...]) -> Preview:
    """The first rows of one file, as they would be read."""
    try:
        changed = Path(split_of(item.key)[0]).stat().st_mtime_ns if item.size is not None else 0
        return Preview(item, _preview(item.key, tuple((mapping or {}).items()), roots, changed), "")
    except (StudioError, OSError) as error:
        return Preview(item, None, hub_words(str(error)) if item.size is None else str(error))


@keep_last(256)
def _preview(
    path: str, mapping: tuple[tuple[str, str], ...], roots: tuple[Path, ...], changed: int
) -> data.Preview:
    from backend.data import demo

    inside = None if Path(path) == demo.POOL else roots
    return data.preview_outside(path, mapping=dict(mapping) or None, limit=FIRST_ROWS, roots=inside)


def hub_words(error: str) -> str:
    """What the hub said; the part about paths is for those who typed one."""
    return error.partition("could not be loaded. ")[2] or error


def mapped(chosen: dict[str, Any], roots: tuple[Path, ...], event: dict[str, Any]) -> dict[str, Any]:
    """The choice after a role was given another column, a speaker a role, or bad rows another fate: {role, column}.

    It holds for the file on screen and those with the same columns.
    """
    role, column = event.get("role"), event.get("column")
    all_looks = looks(chosen, roots)
    at = all_looks[chosen["active"]] if chosen["active"] < len(all_looks) else None
    if at is None or not isinstance(role, str) or not isinstance(column, str):
        return chosen
    found = _unmapped(at, roots)
    if found is None or not _can_be(role, column, found):
        return chosen
    mapping = dict(chosen["mappings"].get(at.item.key) or {})
    if role in ROLES:
        mapping = _with_column({**({} if columns_in(mapping) else found.mapping), **mapping}, role, column)
    else:
        mapping.pop(role, None)
        if column:
            mapping[role] = column
    mappings = dict(chosen["mappings"])
    for other in all_looks:
        same = _unmapped(other, roots)
        if same is not None and set(same.columns) == set(found.columns):
            mappings[other.item.key] = mapping
            if not mapping:
                del mappings[other.item.key]
    return {**chosen, "mappings": mappings}


def _can_be(role: str, value: str, found: data.Preview) -> bool:
    """Whether this can be said about the file: what a browser sends is checked."""
    if role in ROLES:
        return not value or value in columns_of(found)
    if role == BAD:
        return value in ("", KEEP)
    return role.removeprefix(SPEAKER) in speakers_of(found) and value in ("", *WHOSE)


def _with_column(mapping: dict[str, str], role: str, column: str) -> dict[str, str]:
    """The mapping with another column for a role; what cannot stand beside it is taken out."""
    mapping.pop(role, None)
    if not column:
        return mapping
    mapping[role] = column
    # a conversation may be answered by a column of its own, once both are named
    for group, other in ((TWO_TEXTS[:2] + TWO_TEXTS[3:], ONE_LIST), (ONE_LIST, TWO_TEXTS)):
        if role in group:
            mapping = {name: value for name, value in mapping.items() if name not in other}
    return mapping


def columns_in(mapping: dict[str, str]) -> dict[str, str]:
    """Of what was said about a file, the columns by role."""
    return {role: column for role, column in mapping.items() if role in ROLES}


def speakers_of(found: data.Preview) -> list[str]:
    """Who speaks in the first rows, in lower case; first those whose role is not known."""
    names: dict[str, None] = {}
    for row in found.rows:
        for value in row.values():
            for turn in value if isinstance(value, (list, tuple)) else [value]:
                name = (turn.get("role") or turn.get("from")) if isinstance(turn, dict) else None
                if isinstance(name, str) and name.strip():
                    names[name.strip().lower()[:60]] = None
    return sorted(names, key=lambda name: name in SPEAKERS)[:MOST_SPEAKERS]


def as_found(chosen: dict[str, Any], roots: tuple[Path, ...]) -> dict[str, Any]:
    """The choice without what a person mapped, for the file on screen and those with the same mapping."""
    items = items_of(chosen["paths"], roots)
    if chosen["active"] >= len(items):
        return chosen
    gone = chosen["mappings"].get(items[chosen["active"]].key)
    return {**chosen, "mappings": {key: value for key, value in chosen["mappings"].items() if value != gone}}


def shown(chosen: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """The choice with another file on screen."""
    return {**chosen, "active": checked_int(event.get("index"), 0, MOST_LOOKS - 1)}


def _unmapped(one: Preview, roots: tuple[Path, ...]) -> data.Preview | None:
    """A file as it is read without a mapping: its columns and the roles that were found."""
    return preview_of(one.item, None, roots).found


def columns_of(found: data.Preview) -> list[str]:
    """What a role can be given: the columns, and text inside nested values by its path."""
    return [*found.columns, *nested(found)]


def nested(found: data.Preview) -> list[str]:
    """Text below the top columns of the first row, by path: `instances.0.output`."""
    paths: list[str] = []

    def walk(value: Any, path: str, depth: int) -> None:
        if isinstance(value, str) and depth:
            paths.append(path)
        elif isinstance(value, dict) and depth < 4:
            for key, item in value.items():
                walk(item, f"{path}.{key}" if path else str(key), depth + bool(path))
        elif isinstance(value, (list, tuple)) and value and path and depth < 4:
            walk(value[0], f"{path}.0", depth + 1)

    walk(found.rows[0] if found.rows else {}, "", 0)
    return paths[:40]


def preview_value(chosen: dict[str, Any], roots: tuple[Path, ...]) -> dict[str, Any] | None:
    """What the panel of chosen files shows; `ready` says whether all of them can be loaded."""
    if not chosen["paths"]:
        return None
    try:
        all_looks = looks(chosen, roots)
        total = len(items_of(chosen["paths"], roots))
    except (StudioError, OSError) as error:
        return {"title": "This cannot be read", "files": [], "error": str(error), "ready": False}
    active = min(chosen["active"], len(all_looks) - 1)
    value: dict[str, Any] = {
        "title": theme.counted(total, "file") + " chosen",
        "files": [file_value(one, chosen["mappings"].get(one.item.key)) for one in all_looks],
        "active": active,
        "more": max(0, total - MOST_LOOKS),
        "ready": all(one.readable for one in all_looks),
    }
    return value | _file_on_screen(all_looks[active], chosen, all_looks, roots)


def file_value(one: Preview, mapping: dict[str, str] | None) -> dict[str, Any]:
    """One line of the list of chosen files. mapping : column by role, where a person gave them."""
    if one.found is None and mapping is not None and still_missing(mapping):
        state, told = "warn", "choose its columns"
    elif one.found is None:
        state, told = "error", "cannot be read"
    elif not one.found.samples:
        state, told = "warn", "choose its columns"
    else:
        bad = sum(1 for problem in one.found.problems if ROW.match(problem))
        state = "warn" if bad else "ok"
        told = f"{theme.counted(bad, 'problem')} in its first rows" if bad else ""
    format_ = "" if one.found is None or one.found.format == "unknown" else one.found.format
    label = "mapped by hand" if mapping is not None and one.readable else format_
    return {"name": one.item.label, "format": label, "state": state, "told": told}


ROW = re.compile(r"row (\d+): (.*)", re.DOTALL)


def _file_on_screen(
    one: Preview, chosen: dict[str, Any], all_looks: list[Preview], roots: tuple[Path, ...]
) -> dict[str, Any]:
    """The columns, the roles and the first rows of the file that is shown."""
    plain = _unmapped(one, roots)
    mapping = chosen["mappings"].get(one.item.key)
    if plain is None:
        return {"error": one.error}
    said = mapping or {}
    roles = columns_in(said) or plain.mapping
    speakers = speakers_of(plain)
    named = {name: said.get(f"{SPEAKER}{name}", SPEAKERS.get(name, "")) for name in speakers}
    unknown = [name for name in speakers if name not in SPEAKERS]
    bad = BAD in said or "good" in roles or any("is marked as bad" in problem for problem in plain.problems)
    same = sum(
        other.item.key != one.item.key and chosen["mappings"].get(other.item.key) == mapping
        for other in all_looks
    )
    value: dict[str, Any] = {
        "columns": columns_of(plain),
        "roles": [
            {"role": role, "label": label, "hint": hint, "value": roles.get(role, ""), "main": main}
            for role, (label, hint, main) in ROLE.items()
        ],
        # those that are known as well: with one that is not, it may be the other way round
        "speakers": [{"name": name, "value": role} for name, role in named.items()] if unknown else [],
        "speakers_title": WHOSE_TURNS,
        "whose": [*WHOSE],
        "bad": {"label": KEEP_BAD, "on": said.get(BAD) == KEEP} if bad else None,
        "told": PREFERENCE if "rejected" in roles else "",
        "by_hand": mapping is not None,
        "same": same if mapping is not None else 0,
        "rows": [],
        "problems": [],
    }
    if one.found is None:
        return value | {"advice" if still_missing(roles) else "error": still_missing(roles) or one.error}
    rows, problems = rows_value(one.found)
    advice = "" if one.found.samples else still_missing(roles) or NOT_RECOGNISED
    first = str(one.found.rows[0]) if advice and one.found.rows else ""
    return value | {
        "rows": rows,
        "problems": problems if not advice else [],
        "advice": advice,
        "first": cut(first),
    }


def still_missing(roles: dict[str, str]) -> str:
    """Which column has to be chosen before a mapping by hand says what a sample is; "" where none is missing."""
    roles = columns_in(roles)
    if not roles or "messages" in roles or {"prompt", "response"} <= roles.keys():
        return ""
    if roles.keys() & {"prompt", "response"}:
        return f"Now choose the column of the {'response' if 'prompt' in roles else 'prompt'}."
    return NOT_RECOGNISED


def rows_value(found: data.Preview) -> tuple[list[dict[str, Any]], list[str]]:
    """The first rows as read, those that cannot be read among them, and what is said about the whole file."""
    rows = []
    for sample in found.samples:
        turns = sample["turns"]
        asked = next((turn["content"] for turn in reversed(turns) if turn["role"] == "user"), "")
        before = len(turns) - 1
        rows.append(
            {
                "row": sample["row"],
                "before": f"after {theme.counted(before, 'earlier turn')}" if before > 0 else "",
                "prompt": cut(asked or (turns[-1]["content"] if turns else "")),
                "response": cut(sample["response"]),
                "source": cut(sample["source"]),
                "problem": "",
            }
        )
    told = []
    for problem in found.problems:
        match = ROW.match(problem)
        if match:
            rows.append({"row": int(match[1]), "problem": match[2]})
        else:
            told.append(problem)
    return sorted(rows, key=lambda row: row["row"]), told


def cut(value: str) -> str:
    """The beginning of a text, as much as the preview shows."""
    return value if len(value) <= CUT else value[:CUT].rstrip() + "…"
