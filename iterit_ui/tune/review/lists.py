"""What the review's table can list: an open review's samples by what becomes of them, a page at a time, and one in full."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backend import analysis
from iterit_ui.samples.sample_list import SampleList
from iterit_ui.samples.sample_values import beginnings, sample_value
from iterit_ui.shared import theme
from iterit_ui.shared.selections import record_tfidf
from iterit_ui.tune.review.state import Open, Value

LISTS = {
    "came": "Came",
    "stayed": "Stayed",
    "went": "Went",
    "by_hand": "By hand",
    "pinned": "Pinned",
    "excluded": "Excluded",
    "candidates": "Not picked",
}

SORTS = ("rank", "complexity", "before", "tokens")
TONES = {"came": "candidate", "stayed": "selected", "went": "rejected"}

COLUMNS: list[Value] = [
    {"key": "what", "label": "Moved", "hint": "against the epoch before", "kind": "badge", "width": "96px"},
    {"key": "rank", "label": "Pick", "align": "right", "width": "56px", "sort": True},
    {"key": "complexity", "label": "Complexity", "align": "right", "width": "96px", "sort": True},
    {"key": "before", "label": "Before", "align": "right", "width": "76px", "minor": True, "sort": True,
     "hint": "complexity at the epoch before"},
    {"key": "tokens", "label": "Tokens", "align": "right", "width": "74px", "minor": True, "sort": True},
    {"key": "prompt", "label": "Prompt begins"},
    {"key": "response", "label": "Response begins"},
]  # fmt: skip

ACTIONS = [
    {"key": "pin", "label": "Pin", "hint": "in this epoch's selection, first", "tone": "pinned"},
    {"key": "exclude", "label": "Exclude", "hint": "not in this epoch's selection", "tone": "rejected"},
    {"key": "clear", "label": "Clear", "hint": "as in the run's settings", "tone": "plain"},
    {"key": "copy", "label": "Copy ids", "hint": "", "tone": "plain"},
]


def rows_of(here: Open, which: str) -> np.ndarray:
    """(m,) int64: rows of one of `LISTS`."""
    shown = here.shown
    if which in analysis.MOVES:
        return shown.moved()[which]
    if which == "by_hand":
        return np.concatenate(list(shown.by_hand().values()))
    if which == "candidates":
        return np.setdiff1d(analysis.candidate_rows(shown.selection), shown.selection.rows)
    ids = shown.settings.pinned if which == "pinned" else shown.settings.excluded
    return np.array([shown.pool.row_of[i] for i in ids if i in shown.pool.row_of], dtype=np.int64)


def samples(here: Open, view: Value) -> SampleList:
    """The samples of the view's list in its order."""
    rows = rows_of(here, view["which"])
    if view["sort"] in SORTS:
        values = _numbers(here)[view["sort"]][rows]
        rows = rows[np.argsort(-values if view["descending"] else values, kind="stable")]  # NaN comes last
    return SampleList(here.shown.pool, rows, view)


def _numbers(here: Open) -> dict[str, np.ndarray]:
    shown, n = here.shown, len(here.shown.pool)
    rank, before = np.full(n, np.nan), np.full(n, np.nan)
    rank[shown.selection.rows] = np.arange(1, len(shown.selection) + 1)
    if shown.previous is not None:
        before = shown.previous.scores.complexity.astype(float)
    tokens = shown.record.scores.response_tokens
    return {
        "rank": rank,
        "complexity": shown.record.scores.complexity.astype(float),
        "before": before,
        "tokens": np.where(tokens >= 0, tokens, np.nan).astype(float),
    }


def table(here: Open, view: Value) -> Value:
    """One page of the samples of a list."""
    shown = here.shown
    found = samples(here, view)
    page = found.page_value(view["sample"])
    numbers, moved = _numbers(here), shown.moved()
    what = {int(row): name for name in analysis.MOVES for row in moved[name].tolist()}
    pinned, excluded = set(shown.settings.pinned), set(shown.settings.excluded)
    lines = []
    for row in found.page_rows.tolist():
        move = what.get(row, "not picked")
        if shown.previous is None and move == "came":
            move = "selected"
        lines.append(
            {
                "what": {
                    "text": move,
                    "tone": TONES.get(move, "selected" if move == "selected" else "plain"),
                },
                **{key: theme.number(numbers[key][row]) for key in ("rank", "tokens")},
                **{key: theme.score(numbers[key][row]) for key in ("complexity", "before")},
                **beginnings(shown.pool, row),
            }
        )
    return {
        "title": "Samples of this epoch",
        "columns": COLUMNS,
        "rows": lines,
        **page,
        "filters": [
            {
                "key": key,
                "label": "Selected" if key == "came" and shown.previous is None else label,
                "count": theme.number(len(rows_of(here, key))),
            }
            for key, label in LISTS.items()
            if shown.previous is not None or key not in ("stayed", "went")
        ],
        "filter": view["which"],
        "selectable": True,
        "actions": ACTIONS,
        "marks": {
            i: ["pinned"] if i in pinned else ["excluded"]
            for i in page["ids"]
            if i in pinned or i in excluded
        },
        "list_key": f"{here.info.id}/{here.review.epoch}/{view['which']}",
        "empty": "No samples here.",
    }


def sample(home: Path, here: Open, sample_id: str) -> Value:
    """One sample in full, with what can be done about it for this epoch."""
    shown = here.shown
    row = shown.pool.row_of.get(sample_id)
    if row is None:
        return {"empty": "Click a row to read the whole sample, and to pin or exclude it for this epoch."}
    value = sample_value(
        shown.pool,
        row,
        scores=shown.record.scores,
        selection=shown.selection,
        diversity=shown.record.diversity,
        settings=shown.settings,
        tfidf=record_tfidf(home, shown.pool, shown.settings, shown.record),
        earlier=shown.earlier,
    )
    marked = sample_id in shown.settings.pinned or sample_id in shown.settings.excluded
    return value | {"actions": ["unmark"] if marked else ["pin", "exclude"]}
