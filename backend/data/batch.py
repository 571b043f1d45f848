"""A source of rows and a batch of them: what every reader takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

TEXT_SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv")
TABLE_SUFFIXES = (".parquet", ".pq", ".arrow", ".ipc", ".feather")
COMPRESSED_SUFFIXES = (".gz", ".zst", ".zstd")
READABLE = "JSON, JSONL, CSV, TSV (also .gz, .zst), Parquet, Arrow"
BATCH_ROWS = 4096
BATCH_BYTES = 32 << 20


@dataclass(frozen=True)
class Source:
    """One thing to read: a file, or a table that was fetched from the hub.

    name : what its rows report as their file.
    stem : the source of rows that name none.
    size : bytes, for progress.
    split : the key of a JSON document whose records are read; where None, the usual one.
    """

    name: str
    stem: str
    size: int
    path: Path | None = None
    table: pa.Table | None = None
    split: str | None = None

    @property
    def key(self) -> str:
        """What a mapping by hand knows it by: its path, with the key that is read; a hub dataset's id."""
        if self.path is None:
            return self.name
        return f"{self.path}:{self.split}" if self.split is not None else str(self.path)


@dataclass(frozen=True)
class Batch:
    """Some rows of one source, in order.

    rows : (k,) int64, row numbers in the source, from 0; unreadable rows count.
    data : k rows: parsed JSON values, or an Arrow batch.
    rejected : (row number, reason) of what could not even be parsed, up to the end of this batch.
    done : bytes of the source read so far.
    note : a sentence about the whole source, with its first batch: what of it was left aside.
    """

    rows: np.ndarray
    data: list[Any] | pa.RecordBatch
    rejected: list[tuple[int, str]]
    done: int
    note: str = ""


def suffix_of(path: Path) -> str:
    """The suffix that tells a file's format, without that of its compression: ".jsonl" of "pool.jsonl.gz"."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if len(suffixes) > 1 and suffixes[-1] in COMPRESSED_SUFFIXES:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""
