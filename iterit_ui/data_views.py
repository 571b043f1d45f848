"""What the Data tab shows of a pool: cards, charts, and tables of samples or of rows that could not be read."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from backend import analysis, data
from backend.records import Pool
from iterit_ui import text, theme
from iterit_ui.components.table import PAGE_SIZE
from iterit_ui.session import get_pool

FILTERS = {
    "all": "All samples",
    "duplicate_rows": "Repeats",
    "empty_responses": "Empty responses",
    "rejected": "Rejected rows",
}
VIEW: dict[str, Any] = {"which": "all", "page": 0}
REJECTED_COLUMNS = [
    {"key": "file", "label": "File", "width": "26%"},
    {"key": "row", "label": "Row", "align": "right", "width": "84px"},
    {"key": "reason", "label": "Why it could not be read"},
]


@lru_cache(maxsize=4)
def findings(home: Path, pool_id: str) -> dict[str, Any]:
    """The pool's health report."""
    return data.health(get_pool(home, pool_id))


def cards_value(pool: Pool, found: dict[str, Any]) -> dict[str, Any]:
    """The pool in figures."""
    rejected, empty, twice = found["rejected"], found["empty_responses"], found["duplicate_rows"]
    return {
        "cards": [
            {"label": "Samples", "value": theme.number(found["rows"]), "tone": "pool", "hint": f"pool {pool.name}"},
            {"label": "Sources", "value": theme.number(len(found["sources"])), "hint": theme.counted(len(found["files"]), "file")},
            {"label": "Rejected rows", "value": theme.number(rejected), "tone": "rejected" if rejected else "plain",
             "hint": "could not be read" if rejected else "every row was read"},
            {"label": "Empty responses", "value": theme.number(empty), "tone": "unscorable" if empty else "plain",
             "hint": "unscorable, never selected" if empty else "none"},
            {"label": "Exact repeats", "value": theme.number(twice), "hint": f"more copies of {theme.counted(found['duplicate_groups'], 'sample')}" if twice else "every sample is different"},
        ]
    }  # fmt: skip


def rejected_note(pool: Pool) -> dict[str, Any] | None:
    """A warning where rows of the files could not be read."""
    if not pool.rejected:
        return None
    first = pool.rejected[0]
    return {
        "tone": "warn",
        "title": f"{theme.counted(len(pool.rejected), 'row')} could not be read and {'is' if len(pool.rejected) == 1 else 'are'} not in the pool",
        "text": f"First: {first.file}, row {first.row:,}: {first.reason}. The list is under “Rejected rows” below.",
    }


def sources_chart(pool: Pool, found: dict[str, Any], limit: int = 12) -> dict[str, Any]:
    """Samples by source, the largest first."""
    pairs = list(found["sources"].items())
    rest = sum(count for _, count in pairs[limit:])
    names, counts = [name for name, _ in pairs[:limit]], [count for _, count in pairs[:limit]]
    colours = [theme.source_colour(pool.sources.index(name)) for name in names]
    if rest:
        names, counts, colours = (
            [*names, f"{len(pairs) - limit:,} more"],
            [*counts, rest],
            [*colours, theme.POOL],
        )
    # positions, not names, on the axis: two names that read alike stay two bars
    places = list(range(len(names)))
    return {
        "title": text.DATA_CHART["sources"][0],
        "note": text.DATA_CHART["sources"][1],
        "data": [{
            "type": "bar", "orientation": "h", "x": counts, "y": places, "marker": {"color": colours},
            "text": [theme.number(count) for count in counts], "textposition": "outside", "cliponaxis": False,
            "hovertemplate": "%{x:,} samples<extra></extra>",
        }],
        "layout": {
            "bargap": 0.3, "margin": {"l": 8, "r": 52, "t": 4, "b": 26},
            "xaxis": {"rangemode": "tozero"},
            "yaxis": {"autorange": "reversed", "tickvals": places, "ticktext": [short(name) for name in names], "showgrid": False},
        },
    }  # fmt: skip


def lengths_chart(pool: Pool) -> dict[str, Any]:
    """Response lengths in characters; tokens are known once a model has read the pool."""
    title, note = text.DATA_CHART["lengths"]
    characters = pc.utf8_length(pool.responses()).to_numpy().astype(np.float64)
    if not len(characters):
        return {"title": title, "empty": "No sample."}
    edges = analysis.length_edges(characters.astype(np.int64))
    counts = np.histogram(characters, edges)[0]
    beyond = int((characters > edges[-1]).sum())
    middle, width = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    return {
        "title": title,
        "note": note + (f" {theme.counted(beyond, 'sample')} beyond the right edge." if beyond else ""),
        "data": [{"type": "bar", "x": middle.tolist(), "y": counts.tolist(), "width": width.tolist(), "marker": {"color": theme.POOL},
                  "hovertemplate": "about %{x:,.0f} characters<br>%{y:,} samples<extra></extra>"}],
        "layout": {"xaxis": {"title": "characters"}, "yaxis": {"title": "samples", "rangemode": "tozero"}},
    }  # fmt: skip


def table_value(home: Path, pool: Pool, view: dict[str, Any], opened: str) -> dict[str, Any]:
    """One page of the samples, of one finding's, or of the rejected rows."""
    found = findings(home, pool.id)
    counts = {
        "all": len(pool),
        "rejected": len(pool.rejected),
        **{key: found[key] for key in ("duplicate_rows", "empty_responses")},
    }
    filters = [
        {"key": key, "label": label, "count": theme.number(counts[key])}
        for key, label in FILTERS.items()
        if counts[key] or key == view["which"]
    ]
    words = {
        "title": "What is in the pool",
        "filters": filters,
        "filter": view["which"],
        "empty": "Nothing here.",
    }
    if view["which"] == "rejected":
        return rejected_value(pool, view["page"], **words)
    rows = np.arange(len(pool)) if view["which"] == "all" else data.rows_of(pool, view["which"])
    pages = max(1, -(-len(rows) // PAGE_SIZE))
    page = min(view["page"], pages - 1)
    shown = rows[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    return {
        "columns": [
            {"key": "row", "label": "Row", "align": "right", "width": "68px"},
            {"key": "source", "label": "Source", "kind": "source", "width": "116px"},
            {"key": "prompt", "label": "Prompt begins"},
            {"key": "response", "label": "Response begins"},
        ],
        "rows": [sample_row(pool, int(row)) for row in shown],
        "ids": [str(pool.ids[row]) for row in shown],
        "page": page, "pages": pages, "total": len(rows), "size": PAGE_SIZE, "selected": opened, "unit": "samples", **words,
    }  # fmt: skip


def sample_row(pool: Pool, row: int) -> dict[str, Any]:
    """One line of the table of samples."""
    turns = pool.turns(row)
    asked = next(
        (turn["content"] for turn in reversed(turns) if turn["role"] == "user"),
        turns[-1]["content"] if turns else "",
    )
    code = int(pool.source_codes[row])
    return {
        "row": theme.number(row),
        "source": {"text": pool.sources[code], "colour": theme.source_colour(code)},
        "prompt": analysis.beginning(asked) or "(none)",
        "response": analysis.beginning(pool.response(row)) or "(empty)",
    }


def rejected_value(pool: Pool, page: int, **words: Any) -> dict[str, Any]:
    """One page of the rows that could not be read."""
    pages = max(1, -(-len(pool.rejected) // PAGE_SIZE))
    page = min(page, pages - 1)
    shown = pool.rejected[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    return {
        "columns": REJECTED_COLUMNS,
        "rows": [{"file": one.file, "row": theme.number(one.row), "reason": one.reason} for one in shown],
        "ids": [""] * len(shown),
        "page": page, "pages": pages, "total": len(pool.rejected), "size": PAGE_SIZE, "unit": "rows", **words,
    }  # fmt: skip


def short(name: str, length: int = 22) -> str:
    """A source's name, cut for an axis."""
    return name if len(name) <= length else name[: length - 1] + "…"
