"""One sample, and tables of samples, as the values that the components take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from backend import analysis
from backend.config import SelectionSettings
from backend.diversity import Tfidf
from backend.findings import masked
from backend.records import EDITED, Pool, Scores, Selection, Status
from iterit_ui.samples import column_menu
from iterit_ui.samples.sample_list import SampleList
from iterit_ui.shared import theme
from iterit_ui.shared.glossary import meaning

COLUMNS: list[dict[str, Any]] = [
    {"key": "rank", "label": "Pick", "hint": "order in which it was picked", "align": "right", "width": "66px"},
    {"key": "gain", "label": "Gain", "hint": meaning("gain"), "align": "right", "width": "70px", "minor": True},
    {"key": "complexity", "label": "Complexity", "hint": meaning("complexity"), "align": "right", "width": "100px"},
    {"key": "diversity", "label": "Diversity", "hint": meaning("diversity"), "align": "right", "width": "92px", "minor": True},
    {"key": "tokens", "label": "Tokens", "hint": "length of the response", "align": "right", "width": "76px", "minor": True},
    {"key": "source", "label": "Source", "kind": "source", "width": "104px"},
    {"key": "status", "label": "Status", "kind": "badge", "width": "132px"},
    {"key": "response", "label": "Response begins", "sort": False},
]  # fmt: skip


# characters of a text that are looked through for what its beginning must not show
READ = 4000


def said_of(pool: Pool, row: int) -> dict[str, Any] | None:
    """A sample's turns with reasoning, calls and tools set apart from what is said; None where it is plain text."""
    (sample,) = pool.conversations(np.array([row]))
    if not sample.messages:
        return None
    turns = []
    for message in sample.messages:
        functions = [call.get("function") or call for call in message.get("tool_calls") or []]
        turns.append(
            {
                "role": message["role"],
                "content": masked(message.get("content") or ""),
                "reasoning": masked(message.get("reasoning_content") or ""),
                "name": message.get("name") or "",
                "calls": [
                    {"name": function["name"], "arguments": _written(function.get("arguments"))}
                    for function in functions
                ],
            }
        )
    return {"turns": turns, "tools": [_written(tool) for tool in sample.tools or []]}


def _written(value: Any) -> str:
    """What a call is given, as text that a person can read."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, indent=2)


def sample_value(
    pool: Pool,
    row: int,
    *,
    scores: Scores | None = None,
    selection: Selection | None = None,
    diversity: np.ndarray | None = None,
    settings: SelectionSettings | None = None,
    tfidf: Tfidf | None = None,
    excluded_by: str = "",
    earlier: analysis.Earlier | None = None,
    mark: str | None = None,
    can_mark: bool = False,
    can_undo: bool = False,
) -> dict[str, Any]:
    """A sample in full for `sample_view`, keys and passwords masked; with scores and a selection also why it was picked or not.

    tfidf : of the selection's candidates, for what earlier picks had covered. excluded_by : who excluded it.
    earlier : what earlier epochs had trained on, where the strategy remembers it.
    """
    told = analysis.sample_text(pool, row)
    value: dict[str, Any] = {
        "id": told["id"],
        "title": f"Sample {row:,}",
        "turns": [{**turn, "content": masked(turn["content"])} for turn in told["turns"]],
        "response": masked(told["response"]),
        "said": said_of(pool, row),
        "badges": [],
        "facts": [
            {"label": "source", "value": told["source"]},
            {"label": "file", "value": told["file"].rsplit("/", 1)[-1], "hint": told["file"]},
            {"label": "row in file", "value": theme.number(told["file_row"])},
        ],
    }
    if told["label"]:
        value["facts"].append(
            {
                "label": "label",
                "value": told["label"],
                "hint": "a note that came with the data; the method does not use it",
            }
        )
    if scores is not None and selection is not None:
        why = analysis.why(
            pool,
            scores,
            selection,
            row,
            diversity=diversity,
            settings=settings,
            tfidf=tfidf,
            excluded_by=excluded_by,
            earlier=earlier,
        )
        value["badges"].append(
            {"label": status_label(scores, why.status, row), "tone": theme.STATUS_TONE[why.status]}
        )
        value["why"] = [why.headline]
        value["terms"] = [{"term": term, "part": round(part, 4)} for term, part in why.terms]
        value["covered"] = [
            {
                "term": one.term,
                "part": one.part,
                "left": one.left / one.part if one.part else 0.0,
                "pick": one.pick,
                "id": str(pool.ids[one.row]),
                "epoch": one.epoch,
            }
            for one in why.covered
        ]
        places = {
            "complexity": scores.complexity,
            "diversity before any pick": diversity,
            "response length": _lengths(scores),
        }
        facts = [
            {"label": name, "value": worded, "hint": hint, **_place(places.get(name), row)}
            for name, worded, hint in why.facts
            if name != "source"
        ]
        value["facts"] = facts + value["facts"]
    if told["id"] in pool.edits:
        value["badges"].append({"label": "edited", "tone": "candidate"})
    value["facts"] += column_menu.facts(pool, row)
    if mark == "pinned" and not any(b["label"] == "pinned" for b in value["badges"]):
        value["badges"].append({"label": "pinned", "tone": "pinned"})
    if can_mark:
        marking = ["unmark"] if mark else ["pin", "exclude"]
        value["actions"] = marking + (["undo"] if can_undo else [])
    return value


def status_label(scores: Scores, status: Status, row: int) -> str:
    """A sample's status in a word or two; what was edited since it was scored can be scored, and is not yet."""
    if status is Status.UNSCORABLE and scores.reason[row] == EDITED:
        return "not scored"
    return theme.STATUS_LABEL[status]


def row_marks(
    ids: list[str], marks: Mapping[str, str], notes: Mapping[str, Any], edits: Mapping[str, Any]
) -> dict[str, list[str]]:
    """What people have done to the samples of a page, by id: "pinned", "excluded", "noted", "edited"."""
    said = {
        i: [*([marks[i]] if i in marks else []), *(["noted"] * (i in notes)), *(["edited"] * (i in edits))]
        for i in ids
    }
    return {i: words for i, words in said.items() if words}


def _lengths(scores: Scores) -> np.ndarray:
    return np.where(scores.response_tokens >= 0, scores.response_tokens, np.nan).astype(np.float64)


def _place(values: np.ndarray | None, row: int) -> dict[str, Any]:
    """Where a sample stands among all that have this number."""
    part = float("nan") if values is None else analysis.percentile(values, row)
    if not np.isfinite(part):
        return {}
    return {"bar": part, "words": f"higher than {100 * part:.0f} % of scored samples"}


def table_value(
    found: SampleList,
    scores: Scores,
    selection: Selection | None,
    *,
    columns: list[str],
    diversity: np.ndarray | None = None,
    opened: str = "",
    **words: Any,
) -> dict[str, Any]:
    """One page of samples for `table`. columns : keys of COLUMNS to show; words : title, note, empty, filters."""
    pool = found.pool
    wanted = [c for c in COLUMNS if c["key"] in columns]
    own = [name for name in found.view.get("own", ()) if name in pool.own_columns]
    last = next((at for at, c in enumerate(wanted) if c["key"] == "response"), len(wanted))
    wanted[last:last] = column_menu.column_heads(pool, own)
    rows = []
    lines = analysis.sample_rows(pool, scores, selection, found.page_rows, diversity=diversity)
    for item in lines.to_dict("records"):
        row = int(item["row"])
        status = None if selection is None else Status(int(selection.status[row]))
        rows.append(
            {
                "rank": theme.number(item["rank"]),
                "gain": theme.score(item["gain"]),
                "complexity": theme.score(item["complexity"]),
                "diversity": theme.score(item["diversity"], 2),
                "tokens": theme.number(item["tokens"]),
                "source": {
                    "text": item["source"],
                    "colour": theme.source_colour(int(pool.source_codes[row])),
                },
                "status": {
                    "text": "" if status is None else status_label(scores, status, row),
                    "tone": "plain" if status is None else theme.STATUS_TONE[status],
                },
                "response": item["response"] or "(empty)",
                **column_menu.cells(pool, own, row),
            }
        )
    return {
        "columns": [{"sort": True, **column} for column in wanted],
        "rows": [{column["key"]: row[column["key"]] for column in wanted} for row in rows],
        **found.page_value(opened),
        **words,
    }


def beginnings(pool: Pool, row: int) -> dict[str, str]:
    """How a sample's prompt (its last question, else its last turn) and its response begin, for a table's line."""
    turns = pool.turns(row)
    asked = next(
        (turn["content"] for turn in reversed(turns) if turn["role"] == "user"),
        turns[-1]["content"] if turns else "",
    )
    return {
        "prompt": analysis.beginning(masked(asked[:READ])) or "(none)",
        "response": analysis.beginning(masked(pool.response(row)[:READ])) or "(empty)",
    }
