"""What the Data tab shows of a pool: cards, and tables of samples or of rows that could not be read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend import store
from backend.analysis.unknown_language import unknown_languages
from backend.config import SelectionSettings
from backend.findings import Finding
from backend.records import Pool
from iterit_ui.data import lists
from iterit_ui.data.words import CARD_NOTES, FINDINGS, LISTS, NOT_KNOWN
from iterit_ui.samples import sample_values
from iterit_ui.samples.hand_over import EXPORT_ACTION
from iterit_ui.samples.replace_all import ACTION
from iterit_ui.samples.sample_list import paged
from iterit_ui.shared import pool_health as health
from iterit_ui.shared import text, theme
from iterit_ui.shared.session import get_pool

# cards in their order, by the heading that they stand under, with their tone where the count is not 0
GROUPS = {
    "Pool": {"all": "pool", "sources": "plain", "rejected": "rejected", "edited": "candidate"},
    "Cannot be used, or not whole": {
        "empty": "unscorable",
        "unscorable": "unscorable",
        "too_long": "rejected",
    },
    "Duplicates": {"exact": "candidate", "near": "candidate", "same_response": "plain"},
    "Content": {
        "no_content": "rejected",
        "cut_off": "rejected",
        "loop": "rejected",
        "markup": "rejected",
        "encoding": "rejected",
        "open_fence": "rejected",
        "refusal": "rejected",
        "language": "rejected",
        "rare_language": "plain",
    },
    "Personal data and secrets": {"email": "plain", "phone": "plain", "secret": "rejected"},
    "Overlap with evaluation data": {
        "overlap_exact": "rejected",
        "overlap_near": "rejected",
        "overlap_run": "rejected",
    },
}
CARDS = {key: tone for cards in GROUPS.values() for key, tone in cards.items()}
GROUP_OF = {key: group for group, cards in GROUPS.items() for key in cards}
FOUND = {"key": "found", "label": "Found", "width": "24%"}
OVERLAPS_WITH = {"key": "found", "label": "Overlaps with", "width": "34%"}
REJECTED_COLUMNS = [
    {"key": "file", "label": "File", "width": "26%"},
    {"key": "row", "label": "Row", "align": "right", "width": "84px"},
    {"key": "reason", "label": "Why it could not be read"},
]
COLUMNS: list[dict[str, Any]] = [
    {"key": "row", "label": "Row", "align": "right", "width": "68px"},
    {"key": "source", "label": "Source", "kind": "source", "width": "116px", "minor": True},
    {"key": "prompt", "label": "Prompt begins"},
    {"key": "response", "label": "Response begins"},
]
GROUP_COLUMNS: list[dict[str, Any]] = [
    {"key": "group", "label": "Group", "align": "right", "width": "66px", "hint": "the largest group first"},
    {
        "key": "size",
        "label": "Alike",
        "align": "right",
        "width": "58px",
        "hint": "samples in the group",
        "minor": True,
    },
    {
        "key": "keep",
        "label": "Keep?",
        "kind": "badge",
        "width": "104px",
        "hint": "pinned ones are kept, else the first that nobody excluded",
    },
    {**COLUMNS[0], "minor": True},
    *COLUMNS[1:],
]
ACTIONS = [
    {"key": "pin", "label": "Pin", "hint": "always in the selection, first", "tone": "pinned"},
    {"key": "exclude", "label": "Exclude", "hint": "never in the selection", "tone": "rejected"},
    {"key": "clear", "label": "Clear", "hint": "neither pinned nor excluded", "tone": "plain"},
    {"key": "note", "label": "Note", "hint": "add a note to these samples", "tone": "plain"},
    ACTION,
    {"key": "copy", "label": "Copy ids", "hint": "", "tone": "plain"},
    EXPORT_ACTION,
]


def cards_value(home: Path, pool_id: str, view: dict[str, Any], *, working: bool = False) -> dict[str, Any]:
    """The pool in figures, each a button that lists its rows. working : what is not known yet is being looked for."""
    pool = get_pool(home, pool_id)
    found = health.report(home, pool_id, view["threshold"])
    files = theme.counted(len(pool.table["file"].unique()), "file")
    cards = []
    for key, tone in CARDS.items():
        if key == "all":
            usable = theme.number(usable_count(home, pool_id))
            card: dict[str, Any] = {
                "label": "Samples",
                "value": theme.number(len(pool)),
                "hint": f"{usable} usable",
                "help": f"pool {pool.name}: {usable} are neither excluded nor empty nor known to be unscorable",
            }
        elif key == "sources":
            card = {"label": "Sources", "value": theme.number(len(pool.sources)), "hint": f"from {files}"}
        elif key == "edited":
            if not pool.edits and view["which"] != key:
                continue
            card = {
                "label": "Edited",
                "value": theme.number(len(pool.edits)),
                "hint": "responses corrected here",
                "help": LISTS["edited"][1],
            }
        elif key == "rejected":
            count = pool.left_out
            card = {
                "label": "Rejected rows",
                "value": theme.number(count),
                "hint": "could not be read" if count else "every row was read",
            }
            tone = tone if count else "plain"
        else:
            one = found[key]
            card = {
                "label": one.label,
                "value": theme.number(one.count),
                "hint": card_hint(home, pool_id, one, view, working),
                "help": FINDINGS.get(key, ""),
                "quiet": not one.count,
            }
            tone = tone if one.count else "plain"
        on = view["which"] == key or view["which"].startswith(f"{key}:")
        cards.append({**card, "key": key, "tone": tone, "on": on, "group": GROUP_OF[key]})
    return {"cards": cards}


def usable_count(home: Path, pool_id: str) -> int:
    """Samples that a selection may take: not excluded, not empty, and not unscorable as far as that is known."""
    usable = lists.mark_codes(home, pool_id) != 2
    usable[health.finding_rows(home, pool_id, "empty")] = False
    if health.report(home, pool_id)["unscorable"].known:
        usable[health.finding_rows(home, pool_id, "unscorable")] = False
    return int(usable.sum())


def what_is_left(home: Path, pool_id: str, one: Finding, view: dict[str, Any]) -> str:
    """How many of a finding are excluded and how many are left; "" where none is excluded."""
    key = lists.key_of(view | {"which": one.key})
    rows = health.finding_rows(home, pool_id, key)
    away = int((lists.mark_codes(home, pool_id)[rows] == 2).sum())
    return f"{away:,} excluded, {len(rows) - away:,} left" if away else ""


def card_hint(home: Path, pool_id: str, one: Finding, view: dict[str, Any], working: bool) -> str:
    """What stands below a count, or why there is none."""
    if not one.known:
        if one.key in health.OVERLAPS:
            return "not compared yet"
        if one.key in health.CONTENT:
            return "being read" if working else "not read yet"
        return (
            ("being searched" if working else "not searched yet") if one.key == "near" else "not counted yet"
        )
    left = what_is_left(home, pool_id, one, view) if one.count else ""
    if left:
        return left
    if one.key == "unscorable":
        return health.unscorable_from(home, pool_id)[0]
    if not one.count:
        return "none"
    return f"in {theme.counted(one.groups, 'group')}" if one.groups else CARD_NOTES.get(one.key, "")


def language_warnings(home: Path, pool: Pool) -> list[str]:
    """Languages that the model which has scored the pool may not know, a sentence each; nothing where none has."""
    scores = health.scores_of(home, pool.id, health.scores_key(home, pool.id, ""))
    found = [] if scores is None else unknown_languages(pool, scores, SelectionSettings())
    return [one.title for one in found]


def rows_note(pool: Pool, warnings: Sequence[str] = ()) -> dict[str, Any] | None:
    """What was done to the rows that a pool was read from; a warning where some were left out, or where the scores say
    that the model may not know a language."""
    if warnings:
        left = (
            f" {theme.counted(pool.left_out, 'row')} left out: “Rejected rows” lists them."
            if pool.rejected
            else ""
        )
        more = "".join(f" {one}." for one in warnings[1:])
        told = f" {pool.about.sentence}" if pool.about else ""
        return {
            "tone": "warn",
            "title": warnings[0],
            "text": f"{more} Curate lists them.{left}{told}".strip(),
        }
    if pool.about is None and not pool.rejected:
        return None
    told = pool.about.sentence if pool.about else ""
    if not pool.rejected:
        return {"tone": "info", "text": told}
    count = theme.counted(pool.left_out, "row")
    return {
        "tone": "warn",
        "title": f"{count} {'is' if pool.left_out == 1 else 'are'} not in the pool",
        "text": f"{told} The card “Rejected rows” lists them.".strip(),
    }


def table_value(home: Path, pool_id: str, view: dict[str, Any], opened: str) -> dict[str, Any]:
    """One page of what the view lists."""
    pool = get_pool(home, pool_id)
    if view["which"] == "rejected":
        return rejected_value(pool, view["page"])
    found = lists.listed(home, pool_id, view)
    samples = lists.samples(home, pool_id, view)
    part, rows, page = samples.part, samples.page_rows, samples.page_value(opened)
    ids = page["ids"]
    lines = [sample_row(pool, int(row)) for row in rows]
    codes = lists.mark_codes(home, pool_id)
    if found.group is not None and found.size is not None:
        keep = lists.kept(found, codes)[part]
        for line, row, number, size, stays in zip(lines, rows, found.group[part], found.size[part], keep):
            line |= {
                "group": theme.number(number),
                "size": theme.number(size),
                "keep": keep_badge(codes[row], bool(stays)),
            }
    pieces = health.pieces_of(home, pool_id, view["which"])
    columns = COLUMNS if found.group is None else GROUP_COLUMNS
    if pieces is not None:
        beside = OVERLAPS_WITH if view["which"] in health.OVERLAPS else FOUND
        columns = [*COLUMNS[:2], beside, *COLUMNS[2:]]
        for line, row in zip(lines, rows):
            line["found"] = pieces.get(int(row), "")
    searching = bool(view["text"])
    # the head of the list says why, and how to know it
    one = health.report(home, pool_id).get(view["which"].partition(":")[0])
    unknown = one is not None and not one.known
    return {
        "title": "All samples" if lists.is_whole(view) else "These samples",
        "columns": columns,
        "rows": lines,
        **page,
        "empty": (NOT_KNOWN if unknown else found.error)
        or ("No samples match." if searching else "Nothing here."),
        "search": {
            "text": view["text"],
            "error": found.error if searching else "",
            "placeholder": text.SEARCH,
        },
        "chips": chips(home, pool_id, view),
        "selectable": True,
        "actions": ACTIONS,
        "marks": sample_values.row_marks(
            ids,
            {i: lists.MARKS[c] for i, c in zip(ids, codes[rows].tolist()) if c},
            store.notes(home, pool_id),
            pool.edits,
        ),
        "filters": reasons(home, pool_id, view["which"]),
        "filter": view["which"],
        "list_key": json.dumps([pool_id, lists.key_of(view), view["text"], view["source"]]),
    }


def reasons(home: Path, pool_id: str, which: str) -> list[dict[str, str]]:
    """The lists beside one of unscorable samples: one for each reason."""
    if which.partition(":")[0] != "unscorable":
        return []
    found = [
        one for key, one in health.report(home, pool_id).items() if key.partition(":")[0] == "unscorable"
    ]
    return (
        [
            {
                "key": one.key,
                "label": one.key.partition(":")[2] or "All reasons",
                "count": theme.number(one.count),
            }
            for one in found
        ]
        if len(found) > 1
        else []
    )


def keep_badge(code: int, stays: bool) -> dict[str, str]:
    """What becomes of a sample of a group."""
    if code == 2:
        return {"text": "excluded", "tone": "rejected"}
    if code == 1:
        return {"text": "pinned", "tone": "pinned"}
    return {"text": "keep", "tone": "pinned"} if stays else {"text": "alike", "tone": "plain"}


def chips(home: Path, pool_id: str, view: dict[str, Any]) -> list[dict[str, str]]:
    """What narrows the list, each with a cross."""
    found = []
    if view["which"] not in ("all", "sources"):
        found.append({"key": "which", "label": health.finding_label(home, pool_id, lists.key_of(view))})
    if view["source"]:
        found.append({"key": "source", "label": f"source {view['source']}"})
    return found


def sample_row(pool: Pool, row: int) -> dict[str, Any]:
    """One line of the table of samples."""
    code = int(pool.source_codes[row])
    return {
        "row": theme.number(row),
        "source": {"text": pool.sources[code], "colour": theme.source_colour(code)},
        **sample_values.beginnings(pool, row),
    }


def rejected_value(pool: Pool, page: int) -> dict[str, Any]:
    """One page of the rows that could not be read."""
    part, pages = paged(len(pool.rejected), page)
    shown = pool.rejected[part]
    more = pool.left_out - len(pool.rejected)
    return {
        "title": LISTS["rejected"][0] + (f", the first of them; and {more:,} more" if more else ""),
        "columns": REJECTED_COLUMNS,
        "rows": [{"file": one.file, "row": theme.number(one.row), "reason": one.reason} for one in shown],
        "ids": [""] * len(shown),
        **pages,
        "unit": "rows",
        "chips": [{"key": "which", "label": "rejected rows"}],
        "empty": "Every row was read.",
    }
