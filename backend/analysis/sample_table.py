"""Rows of a pool as a table: which, in which order, and what it says of each."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from backend.analysis.histograms import candidate_rows
from backend.analysis.own_filter import PREFIX, own_key
from backend.analysis.reasons import status_text
from backend.errors import ConfigError
from backend.records import Pool, Scores, Selection, Status

Sort = Literal["rank", "gain", "complexity", "diversity", "tokens", "source", "status", "row"]
SORTS: tuple[str, ...] = get_args(Sort)
Which = Literal["all", "selected", "added", "dropped", "kept", "candidates", "rejected", "unscorable"]
WHICH: tuple[str, ...] = get_args(Which)

COLUMNS = ["row", "rank", "gain", "complexity", "diversity", "tokens", "source", "status", "response"]
BEGINNING = 160  # characters of a response that a table shows


def sample_rows(
    pool: Pool,
    scores: Scores,
    selection: Selection | None,
    rows: np.ndarray,
    *,
    diversity: np.ndarray | None = None,
) -> pd.DataFrame:
    """These rows with columns of COLUMNS; NaN where a number does not exist, `response` is its beginning as plain text.

    rows : (k,) int64 rows of the pool. diversity : (n,) float64, NaN where unknown.
    """
    rank, gain = _by_row(len(pool), selection)
    tokens = scores.response_tokens[rows]
    return pd.DataFrame(
        {
            "row": rows,
            "rank": rank[rows],
            "gain": gain[rows],
            "complexity": scores.complexity[rows].astype(np.float64),
            "diversity": np.full(len(rows), np.nan) if diversity is None else diversity[rows],
            "tokens": np.where(tokens >= 0, tokens, np.nan).astype(np.float64),
            "source": [pool.sources[code] for code in pool.source_codes[rows]],
            "status": [
                "not selected yet" if selection is None else status_text(scores, selection, int(row))
                for row in rows
            ],
            "response": [beginning(pool.response(int(row))) for row in rows],
        },
        columns=COLUMNS,
    )


def ordered_rows(
    pool: Pool,
    scores: Scores,
    selection: Selection | None,
    rows: np.ndarray,
    *,
    diversity: np.ndarray | None = None,
    sort: str = "rank",
    descending: bool = False,
) -> np.ndarray:
    """(m,) int64: these rows in the order of a table; rows without the sorted value come last either way.

    sort : one of SORTS, or "own:NAME" for a column that came with the data.
    """
    rows = np.asarray(rows, dtype=np.int64)
    if sort.startswith(PREFIX):
        return rows[_order(own_key(pool, sort.removeprefix(PREFIX), rows), rows, descending)]
    if sort not in SORTS:
        raise ConfigError(f"cannot sort by {sort!r} (known: {', '.join(SORTS)})")
    rank, gain = _by_row(len(pool), selection)
    return rows[_order(_key(pool, scores, selection, rows, rank, gain, diversity, sort), rows, descending)]


def beginning(text: str, length: int = BEGINNING) -> str:
    """The start of a text on one line."""
    line = " ".join(text[: 4 * length].split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def filter_rows(selection: Selection, which: str, previous: Selection | None = None) -> np.ndarray:
    """Rows of one kind: picked ones in the order of their picks, others by row.

    previous : the selection of the epoch before; without it everything selected counts as added.
    """
    if which not in WHICH:
        raise ConfigError(f"cannot show {which!r} (known: {', '.join(WHICH)})")
    before = np.empty(0, dtype=np.int64) if previous is None else previous.rows
    if which == "all":
        return np.arange(len(selection.status))
    if which == "selected":
        return selection.rows
    if which == "added":
        return selection.rows[~np.isin(selection.rows, before)]
    if which == "kept":
        return selection.rows[np.isin(selection.rows, before)]
    if which == "dropped":
        return before[~np.isin(before, selection.rows)]
    if which == "candidates":
        return candidate_rows(selection)
    if which == "unscorable":
        return np.flatnonzero(selection.status == Status.UNSCORABLE)
    rejected = (
        Status.TOO_COMPLEX,
        Status.TOO_SHORT,
        Status.TOO_LONG,
        Status.EXCLUDED,
        Status.SOURCE_OFF,
        Status.NO_VALUE,
    )
    return np.flatnonzero(np.isin(selection.status, rejected))


def sample_text(pool: Pool, row: int) -> dict[str, Any]:
    """One sample in full, as plain values: id, row, source, file, file_row, label, turns, response."""
    if not 0 <= row < len(pool):
        raise ConfigError(f"row {row} is not in the pool (0 to {len(pool) - 1})")
    names = pool.table.column_names
    values = {
        name: pool.table[name][row].as_py()
        for name in names
        if name not in ("turns", "response", "row", "structure")
    }
    return {
        "id": values.get("id", ""),
        "row": row,
        "source": values.get("source") or "",
        "file": values.get("file") or "",
        "file_row": pool.table["row"][row].as_py() if "row" in names else None,
        "label": values.get("label"),
        "own": {name: value for name, value in (values.get("own") or {}).items() if value is not None},
        "turns": [{"role": turn["role"], "content": turn["content"]} for turn in pool.turns(row)],
        "response": pool.response(row),
    }


def _by_row(n: int, selection: Selection | None) -> tuple[np.ndarray, np.ndarray]:
    """(n,) rank from 1 and (n,) gain, NaN where a row was not picked."""
    rank, gain = np.full(n, np.nan), np.full(n, np.nan)
    if selection is not None:
        rank[selection.rows] = np.arange(1, len(selection) + 1)
        gain[selection.rows] = selection.gain
    return rank, gain


def _key(
    pool: Pool,
    scores: Scores,
    selection: Selection | None,
    rows: np.ndarray,
    rank: np.ndarray,
    gain: np.ndarray,
    diversity: np.ndarray | None,
    sort: str,
) -> np.ndarray:
    """(m,) float64: what the rows are sorted by, NaN where unknown."""
    if sort == "row":
        return rows.astype(np.float64)
    if sort == "source":
        return pool.source_codes[rows].astype(np.float64)
    if sort == "status":
        return np.zeros(len(rows)) if selection is None else selection.status[rows].astype(np.float64)
    if sort == "tokens":
        tokens = scores.response_tokens[rows]
        return np.where(tokens >= 0, tokens, np.nan).astype(np.float64)
    if sort == "diversity" and diversity is None:
        return np.full(len(rows), np.nan)
    column = {"rank": rank, "gain": gain, "complexity": scores.complexity, "diversity": diversity}[sort]
    assert column is not None
    return column[rows].astype(np.float64)


def _order(key: np.ndarray, rows: np.ndarray, descending: bool) -> np.ndarray:
    """Positions in sorted order: unknown last, ties by row."""
    unknown = np.isnan(key)
    value = np.where(unknown, 0.0, -key if descending else key)
    return np.lexsort((rows, value, unknown))
