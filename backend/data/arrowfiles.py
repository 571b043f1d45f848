"""Parquet and Arrow IPC (file and stream) in record batches; only the columns that are asked for are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from backend.data.batch import BATCH_ROWS, Batch, Source, suffix_of
from backend.errors import PoolError

_IPC_FILE = b"ARROW1"


@contextmanager
def _readable(source: Source) -> Iterator[None]:
    """Arrow's errors as one sentence about this file."""
    try:
        if source.path is not None and source.path.stat().st_size == 0:
            raise PoolError(f"{source.name}: the file is empty")
        yield
    except (pa.ArrowException, OSError) as error:
        kind = "Parquet" if source.path and suffix_of(source.path) in (".parquet", ".pq") else "Arrow"
        raise PoolError(f"{source.name}: cannot be read as {kind} ({str(error).splitlines()[0]})") from error


def columns_of(source: Source) -> tuple[str, ...]:
    """Names of a file's columns."""
    path = str(source.path)
    with _readable(source):
        if _is_parquet(source):
            with pq.ParquetFile(path) as file:
                return tuple(file.schema_arrow.names)
        with pa.memory_map(path) as mapped, _ipc_reader(mapped) as reader:
            return tuple(reader.schema.names)


def batches(source: Source, columns: Sequence[str] | None = None) -> Iterator[Batch]:
    """Rows of a Parquet or Arrow IPC file."""
    with _readable(source):
        if _is_parquet(source):
            yield from _parquet(source, columns)
        else:
            with pa.memory_map(str(source.path)) as mapped, _ipc_reader(mapped) as reader:
                yield from _cut(source, _ipc_batches(reader, columns), mapped.tell)


def table_batches(source: Source, table: pa.Table, columns: Sequence[str] | None) -> Iterator[Batch]:
    """Rows of a table that lies in memory or in mapped files."""
    if columns is not None:
        table = table.select(list(columns))
    start = 0
    for part in table.to_batches(max_chunksize=BATCH_ROWS):
        rows = np.arange(start, start + part.num_rows, dtype=np.int64)
        start += part.num_rows
        yield Batch(rows, part, [], source.size * start // max(1, table.num_rows))


def _is_parquet(source: Source) -> bool:
    return source.path is not None and suffix_of(source.path) in (".parquet", ".pq")


def _parquet(source: Source, columns: Sequence[str] | None) -> Iterator[Batch]:
    with pq.ParquetFile(str(source.path)) as file:
        start, total = 0, max(1, file.metadata.num_rows)
        # a column of nested values is asked for by its own name, a dot in a name would mean one of its fields
        names = None if columns is None or any("." in name for name in columns) else list(columns)
        for part in file.iter_batches(batch_size=BATCH_ROWS, columns=names):
            rows = np.arange(start, start + part.num_rows, dtype=np.int64)
            start += part.num_rows
            yield Batch(rows, part, [], source.size * start // total)


def _ipc_reader(mapped: pa.MemoryMappedFile) -> pa.RecordBatchFileReader | pa.RecordBatchStreamReader:
    head = mapped.read(len(_IPC_FILE))
    mapped.seek(0)
    return pa.ipc.open_file(mapped) if head == _IPC_FILE else pa.ipc.open_stream(mapped)


def _ipc_batches(
    reader: pa.RecordBatchFileReader | pa.RecordBatchStreamReader, columns: Sequence[str] | None
) -> Iterator[pa.RecordBatch]:
    if isinstance(reader, pa.RecordBatchFileReader):
        parts = (reader.get_batch(i) for i in range(reader.num_record_batches))
    else:
        parts = iter(reader)
    for part in parts:
        yield part if columns is None else part.select(list(columns))


def _cut(source: Source, parts: Iterator[pa.RecordBatch], tell: object) -> Iterator[Batch]:
    """Batches of at most BATCH_ROWS: a writer may have put everything into one."""
    start = 0
    for part in parts:
        for first in range(0, part.num_rows, BATCH_ROWS):
            piece = part.slice(first, BATCH_ROWS)
            rows = np.arange(start, start + piece.num_rows, dtype=np.int64)
            start += piece.num_rows
            done = tell() if callable(tell) else 0
            yield Batch(rows, piece, [], min(source.size, int(done)))
