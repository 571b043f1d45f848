"""The first rows of an input, as they stand in the file and as they would be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.data import limits
from backend.data.batch import Batch
from backend.data.inputs import find_sources
from backend.data.normal import READ, Broken, normalise, records_of
from backend.data.pool import recognise, shown, unreadable


@dataclass(frozen=True)
class Preview:
    """What a file holds, before it is loaded.

    format : name of the format, "unknown" where none fits and no mapping is given.
    mapping : column by role, as it would be read.
    columns : every column (JSON: every key of the first records).
    rows : the first rows as they stand in the file, of long texts and lists the beginning.
    samples : those of them that can be read: row, turns, response, source, label.
    problems : one sentence for each row that cannot be read, or why none can.
    """

    format: str
    mapping: dict[str, str]
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    problems: list[str]


def preview(
    path: str | Path,
    *,
    mapping: Mapping[str, str] | None = None,
    limit: int = 20,
    roots: Sequence[Path] | None = None,
) -> Preview:
    """The first `limit` rows of a file (of a folder: of its first file), a hub dataset, or "demo".

    Raises
    ------
    PoolError : the input cannot be found or opened, a JSON file is malformed, or the mapping does not fit. A
        format that is not recognised is no error here: the columns are shown, to be mapped.
    """
    sources = find_sources([path], roots=roots)
    source = sources[0]
    problems = []
    if len(sources) > 1:
        problems.append(f"{len(sources)} files; these rows are from the first, {source.name}")
    names, reading, batches = recognise(source, mapping)
    rows: list[dict[str, Any]] = []
    samples: list[dict[str, Any]] = []
    first: Batch | None = None
    bad: list[tuple[int, str]] = []
    for batch in batches:
        first = first if first is not None and len(first.rows) else batch
        part = _head(batch, limit - len(rows))
        if batch.note:
            problems.append(batch.note)
        held = part.data if isinstance(part.data, list) else records_of(part.data)
        rows += [_as_shown(row) for row in held]
        bad += part.rejected
        if reading is not None:
            normal = normalise(part, reading, source.stem)
            bad += normal.rejected
            samples += [shown(sample) for sample in normal.batch.select(READ.names).to_pylist()]
        if len(rows) >= limit:
            break
    problems += [f"row {row}: {limits.shortened(reason)}" for row, reason in sorted(bad)[:limit]]
    if reading is None or not samples:
        problems.insert(0, unreadable(source, names, first, reading, bad[:3]))
    return Preview(
        reading.format if reading else "unknown",
        reading.within(names) if reading else {},
        names[: limits.SHOWN_ITEMS],
        rows,
        samples,
        problems,
    )


def _as_shown(row: Any) -> dict[str, Any]:
    if isinstance(row, Broken):
        return {"value": row.reason}
    return shown(row) if isinstance(row, dict) else {"value": shown(row)}


def _head(batch: Batch, limit: int) -> Batch:
    """The first `limit` rows of a batch, and what was rejected up to there."""
    data = batch.data[:limit] if isinstance(batch.data, list) else batch.data.slice(0, limit)
    rows = batch.rows[:limit]
    last = rows[-1] if len(rows) and len(rows) < len(batch.rows) else None
    rejected = [item for item in batch.rejected if last is None or item[0] <= last]
    return Batch(rows, data, rejected, batch.done)
