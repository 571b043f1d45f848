"""Parquet and Arrow IPC (file and stream) in record batches; only the columns that are asked for are read.

Arrow trusts what stands in a file: a damaged offset ends the process that follows it. So files from outside are read in
a process of their own (see `guard`), and a batch is gone through whole before anything else looks at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from backend.data import limits
from backend.data.batch import BATCH_BYTES, BATCH_ROWS, Batch, Source, suffix_of
from backend.errors import PoolError

_IPC_FILE = b"ARROW1"


@contextmanager
def _readable(source: Source) -> Iterator[None]:
    """Arrow's errors as one sentence about this file."""
    try:
        if source.path is not None and source.path.stat().st_size == 0:
            raise PoolError(f"{source.name}: the file is empty")
        yield
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, LookupError) as error:
        # of a damaged file anything may come out: names that are no text, counts below zero, types that are not there
        kind = "Parquet" if source.path and suffix_of(source.path) in (".parquet", ".pq") else "Arrow"
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise PoolError(f"{source.name}: cannot be read as {kind} ({limits.shortened(reason)})") from error


def validated(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch, once all its offsets, lengths and codes are known to lie where they may.

    Text that is not UTF-8 is let through: it does no harm, and its row is left out with that reason.

    Raises
    ------
    ArrowInvalid : the batch is damaged.
    """
    for column in batch.columns:
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            if "utf8" not in str(error).lower():
                raise
            column.view(_as_bytes(column.type)).validate(full=True)
    return batch


def _as_bytes(kind: pa.DataType) -> pa.DataType:
    """A type with bytes wherever it has text."""
    if pa.types.is_string(kind):
        return pa.binary()
    if pa.types.is_large_string(kind):
        return pa.large_binary()
    if pa.types.is_string_view(kind):
        return pa.binary_view()
    if pa.types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, _as_bytes(kind.value_type), kind.ordered)
    if pa.types.is_struct(kind):
        fields = (kind.field(i) for i in range(kind.num_fields))
        return pa.struct([field.with_type(_as_bytes(field.type)) for field in fields])
    if pa.types.is_map(kind):
        return pa.map_(_as_bytes(kind.key_type), _as_bytes(kind.item_type))
    if pa.types.is_list(kind):
        return pa.list_(_as_bytes(kind.value_type))
    if pa.types.is_large_list(kind):
        return pa.large_list(_as_bytes(kind.value_type))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_as_bytes(kind.value_type), kind.list_size)
    return kind


def columns_of(source: Source) -> tuple[str, ...]:
    """Names of a file's columns."""
    return tuple(schema_of(source).names)


def schema_of(source: Source) -> pa.Schema:
    """Names and types of a file's columns."""
    path = str(source.path)
    with _readable(source):
        if _is_parquet(source):
            with pq.ParquetFile(path) as file:
                return file.schema_arrow
        with pa.memory_map(path) as mapped, _ipc_reader(mapped) as reader:
            return reader.schema


def batches(source: Source, columns: Sequence[str] | None = None) -> Iterator[Batch]:
    """Rows of a Parquet or Arrow IPC file."""
    with _readable(source):
        if _is_parquet(source):
            yield from _parquet(source, columns)
        else:
            with pa.memory_map(str(source.path)) as mapped, _ipc_reader(mapped) as reader:
                yield from _cut(_ipc_batches(reader, columns), lambda _: min(source.size, mapped.tell()))


def table_batches(source: Source, table: pa.Table, columns: Sequence[str] | None) -> Iterator[Batch]:
    """Rows of a table that lies in memory or in mapped files."""
    if columns is not None:
        table = table.select(list(columns))
    with _readable(source):
        yield from _cut(table.to_batches(), lambda rows: source.size * rows // table.num_rows)


def _is_parquet(source: Source) -> bool:
    return source.path is not None and suffix_of(source.path) in (".parquet", ".pq")


def _parquet(source: Source, columns: Sequence[str] | None) -> Iterator[Batch]:
    with pq.ParquetFile(str(source.path)) as file:
        total = max(1, file.metadata.num_rows)
        # a column of nested values is asked for by its own name, a dot in a name would mean one of its fields
        names = None if columns is None or any("." in name for name in columns) else list(columns)
        parts = file.iter_batches(batch_size=BATCH_ROWS, columns=names)
        yield from _cut(parts, lambda rows: source.size * rows // total)


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


def _cut(parts: Iterable[pa.RecordBatch], tell: Callable[[int], int]) -> Iterator[Batch]:
    """Batches of at most BATCH_ROWS and about BATCH_BYTES: a writer may have put everything into one."""
    start = 0
    for part in parts:
        validated(part)
        each = max(1, min(BATCH_ROWS, part.num_rows * BATCH_BYTES // max(1, part.nbytes)))
        for first in range(0, part.num_rows, each):
            piece = part.slice(first, each)
            rows = np.arange(start, start + piece.num_rows, dtype=np.int64)
            start += piece.num_rows
            yield Batch(rows, piece, [], tell(start))
