"""Samples in the formats that trainers read, written one at a time; what is written loads as the same samples.

alpaca    instruction, input (empty: it is part of the instruction), output, and system and history where a
          conversation has them. Where the turns of one sample do not alternate user and assistant, instruction is the
          list of {from, value} turns in all of them. Reasoning, tools and calls are text.
messages  messages: [{role, content}], the response as the last one, with reasoning_content, tool_calls, tool_call_id
          and name as they came in, and tools.
sharegpt  conversations: [{from, value}] with system, human, gpt, function_call and observation, and tools as text.

Every record has `source`, and `label` where a sample of the file has one.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO, get_args

import numpy as np

from backend.data.layouts import ExportFormat, Written, look, record_of, written
from backend.errors import PoolError
from backend.records import Pool

_PAGE = 1024


def write_samples(
    target: str | Path | TextIO,
    pool: Pool,
    rows: Sequence[int] | np.ndarray | None,
    format: ExportFormat,
    *,
    beside: Sequence[Mapping[str, Any]] | None = None,
) -> int:
    """Write these rows of the pool (None: all), in this order; returns how many.

    A file ending in .json becomes one array, one in .jsonl a record a line; a stream gets lines. A file appears
    under its name once it is complete.

    beside : of each row more keys, which a reader of the format passes over; the same ones for all.

    Raises
    ------
    PoolError : the format or the file's ending is unknown, or a row is not in the pool.
    """
    if format not in get_args(ExportFormat):
        raise PoolError(f"export format {format!r} is unknown (known: {', '.join(get_args(ExportFormat))})")
    chosen = np.arange(len(pool)) if rows is None else np.asarray(rows, dtype=np.int64)
    if len(chosen) and not (chosen.min() >= 0 and chosen.max() < len(pool)):
        raise PoolError(
            f"row {chosen.min() if chosen.min() < 0 else chosen.max()} is not in the pool (0 to {len(pool) - 1})"
        )
    more = itertools.repeat({}) if beside is None else beside
    texts = (
        json.dumps({**record, **extra}, ensure_ascii=False)
        for record, extra in zip(records(pool, chosen, format), more)
    )
    if not isinstance(target, (str, Path)):
        _write_lines(target, texts)
        return len(chosen)
    path = Path(target)
    if path.suffix.lower() not in (".json", ".jsonl"):
        raise PoolError(
            f'{path.name}: the name ends in "{path.suffix}"; use .json (one array) or .jsonl (lines)'
        )
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(partial, "w", encoding="utf-8", newline="\n") as stream:
            (_write_array if path.suffix.lower() == ".json" else _write_lines)(stream, texts)
        os.replace(partial, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
    return len(chosen)


def records(pool: Pool, rows: np.ndarray, format: ExportFormat) -> Iterator[dict[str, Any]]:
    """The rows as records of a format, a page of them in memory at a time; all have the same keys and types."""
    write = record_of(format, look(_samples(pool, rows), format))
    return (write(sample) for sample in _samples(pool, rows))


def _samples(pool: Pool, rows: np.ndarray) -> Iterator[Written]:
    names = ("turns", "response", "source", "label", "structure")
    columns = [name for name in names if name in pool.table.column_names]
    for start in range(0, len(rows), _PAGE):
        for sample in pool.take(rows[start : start + _PAGE], columns).to_pylist():
            yield written(sample)


def _write_lines(stream: TextIO, texts: Iterable[str]) -> None:
    for text in texts:
        stream.write(text + "\n")


def _write_array(stream: TextIO, texts: Iterable[str]) -> None:
    mark = "[\n"
    for text in texts:
        stream.write(mark + text)
        mark = ",\n"
    stream.write("\n]\n" if mark == ",\n" else "[]\n")
