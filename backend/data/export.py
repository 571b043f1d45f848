"""Samples in the formats that trainers read, written a page at a time; what is written loads as the same samples.

messages          messages: [{role, content}], the response as the last one, with reasoning_content, tool_calls,
                  tool_call_id and name as they came in, and tools.
prompt_completion prompt and completion: the same turns, the response alone in completion; and tools.
sharegpt          conversations: [{from, value}] with system, human, gpt, function_call and observation, and tools as text.
alpaca            instruction, input (empty: it is part of the instruction), output, and system and history where a
                  conversation has them. Reasoning, tools and calls are text.

Every record has `source`, `label` where a sample of the export has one, and the file's other columns where the pool
keeps them (`own`).
"""

from __future__ import annotations

import contextlib
import glob
import itertools
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend.data.layout_records import record_of
from backend.data.layouts import ExportFormat, Shape, Written, fitting, look, written
from backend.errors import PoolError
from backend.records import Pool

FileKind = Literal["jsonl", "json", "parquet"]
KINDS: tuple[FileKind, ...] = get_args(FileKind)
LEFT_SECONDS = 86_400  # after so long nobody writes a file any more
_PAGE = 1024
_COLUMNS = ("turns", "response", "source", "label", "structure", "own")


@dataclass(frozen=True)
class Part:
    """The samples of one file.

    rows : (k,) int64, in the order in which they are written.
    beside : of each row more keys, which a reader of the format passes over; the same ones for all.
    """

    pool: Pool
    rows: np.ndarray
    beside: Sequence[Mapping[str, Any]] | None = None

    def samples(self) -> Iterator[Written]:
        """The samples as they are stored, a page of them in memory at a time."""
        columns = [name for name in _COLUMNS if name in self.pool.table.column_names]
        for start in range(0, len(self.rows), _PAGE):
            for sample in self.pool.take(self.rows[start : start + _PAGE], columns).to_pylist():
                yield written(sample)

    def only(self, chosen: np.ndarray) -> Part:
        """These samples of it. chosen : (k,) bool."""
        beside = None if self.beside is None else list(itertools.compress(self.beside, chosen.tolist()))
        return Part(self.pool, self.rows[chosen], beside)

    def __len__(self) -> int:
        return len(self.rows)


def write_samples(
    target: str | Path | TextIO,
    pool: Pool,
    rows: Sequence[int] | np.ndarray | None,
    format: ExportFormat,
    *,
    beside: Sequence[Mapping[str, Any]] | None = None,
) -> int:
    """Write these rows of the pool (None: all) to one file, in this order; returns how many. See `write_parts`."""
    chosen = np.arange(len(pool)) if rows is None else np.asarray(rows, dtype=np.int64)
    if len(chosen) and not (chosen.min() >= 0 and chosen.max() < len(pool)):
        raise PoolError(
            f"row {chosen.min() if chosen.min() < 0 else chosen.max()} is not in the pool (0 to {len(pool) - 1})"
        )
    write_parts([(target, Part(pool, chosen, beside))], format)
    return len(chosen)


def write_parts(
    parts: Sequence[tuple[str | Path | TextIO, Part]], format: ExportFormat, *, flags: bool = False
) -> Shape:
    """Write files whose records have the same keys and types; returns what these are.

    A file ending in .jsonl gets a record a line, .json one array, .parquet a table; a stream gets lines. A file appears
    under its name once it is complete.

    flags : where a sample has several turns of the assistant, each turn says in `train` whether it is trained on
        (the last one is); only with messages and sharegpt.

    Raises
    ------
    PoolError : the format or a file's ending is unknown, or a sample cannot be a record of the format (`fits` tells).
    """
    if format not in get_args(ExportFormat):
        raise PoolError(f"export format {format!r} is unknown (known: {', '.join(get_args(ExportFormat))})")
    for target, _ in parts:
        if isinstance(target, (str, Path)):
            kind_of_file(Path(target))
    wrong = sum(int((~one).sum()) for one in fits([part for _, part in parts], format))
    if wrong:
        raise PoolError(
            f"{wrong:,} of {sum(len(part) for _, part in parts):,} samples cannot be written as {format} "
            f"({WHY_NOT[format]}); write those as messages"
        )
    shape = look(
        [part.samples() for _, part in parts],
        flags=flags and format in ("messages", "sharegpt"),
        taken={name for _, part in parts for name in next(iter(part.beside or ()), {})},
    )
    for target, part in parts:
        _write(target, part, format, shape)
    return shape


WHY_NOT: dict[ExportFormat, str] = {
    "alpaca": "user and assistant do not take turns in them, or their earlier rounds first come up late in a long file",
    "prompt_completion": "nothing stands before the response",
}


def fits(parts: Sequence[Part], format: ExportFormat) -> list[np.ndarray]:
    """Of each part's samples, (k,) bool, whether they can be records of the format."""
    return [np.array(one, dtype=bool) for one in fitting([part.samples() for part in parts], format)]


def kind_of_file(path: Path) -> FileKind:
    """The kind of file that a name asks for.

    Raises
    ------
    PoolError : none that is known.
    """
    for kind in KINDS:
        if path.suffix.lower() == f".{kind}":
            return kind
    raise PoolError(
        f'{path.name}: the name ends in "{path.suffix}"; use .jsonl (lines), .json (one array) or .parquet'
    )


def records(part: Part, format: ExportFormat, shape: Shape) -> Iterator[dict[str, Any]]:
    """The samples as records, with what stands beside them."""
    write = record_of(format, shape)
    more = itertools.repeat({}) if part.beside is None else part.beside
    for sample, extra in zip(part.samples(), more):
        yield {**write(sample), **extra}


def _write(target: str | Path | TextIO, part: Part, format: ExportFormat, shape: Shape) -> None:
    if not isinstance(target, (str, Path)):
        _write_lines(target, _texts(part, format, shape))
        return
    path = Path(target)
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):  # by a process that was killed
        with contextlib.suppress(FileNotFoundError):
            if left.stat().st_mtime < time.time() - LEFT_SECONDS:
                left.unlink()
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        kind = kind_of_file(path)
        if kind == "parquet":
            _write_table(partial, part, format, shape)
        else:
            with open(partial, "w", encoding="utf-8", newline="\n") as stream:
                (_write_array if kind == "json" else _write_lines)(stream, _texts(part, format, shape))
        os.replace(partial, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()


def _texts(part: Part, format: ExportFormat, shape: Shape) -> Iterator[str]:
    return (json.dumps(record, ensure_ascii=False) for record in records(part, format, shape))


def _write_lines(stream: TextIO, texts: Iterable[str]) -> None:
    for text in texts:
        stream.write(text + "\n")


def _write_array(stream: TextIO, texts: Iterable[str]) -> None:
    mark = "[\n"
    for text in texts:
        stream.write(mark + text)
        mark = ",\n"
    stream.write("\n]\n" if mark == ",\n" else "[]\n")


def _write_table(path: Path, part: Part, format: ExportFormat, shape: Shape) -> None:
    """A Parquet file; the records are made twice, the first time for their types."""
    schema = pa.unify_schemas(
        [pa.Table.from_pylist(page).schema for page in _pages(part, format, shape)] or [pa.schema([])],
        promote_options="permissive",
    )
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for page in _pages(part, format, shape):
            writer.write_table(pa.Table.from_pylist(page, schema=schema))


def _pages(part: Part, format: ExportFormat, shape: Shape) -> Iterator[list[dict[str, Any]]]:
    made = records(part, format, shape)
    while page := list(itertools.islice(made, _PAGE)):
        yield page
