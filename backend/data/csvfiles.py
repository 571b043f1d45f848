"""CSV and TSV: every field is text exactly as written ("007" stays "007", "null" stays "null").

Python's csv module and not Arrow's: it takes fields of any size and newlines within quotes, and it goes on after
a bad row, so that the row can be reported and the rest loads.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from backend.data import limits, streams
from backend.data.batch import BATCH_BYTES, BATCH_ROWS, Batch, Source, suffix_of
from backend.errors import PoolError

if TYPE_CHECKING:
    from _csv import Reader

_DELIMITERS = ",;\t|"


def columns_of(source: Source) -> tuple[str, ...]:
    """The header's names."""
    assert source.path is not None
    with streams.open_text(source.path, source.name) as (stream, _):
        return tuple(_header(source, _reader(source, stream)))


def batches(source: Source) -> Iterator[Batch]:
    """Rows of a CSV file as Arrow batches of string columns."""
    assert source.path is not None
    with streams.open_text(source.path, source.name) as (stream, tell):
        reader = _reader(source, stream)
        header = _header(source, reader)
        numbers: list[int] = []
        fields: list[list[str]] = []
        rejected: list[tuple[int, str]] = []
        row, weight = -1, 0
        values: list[str] | None
        while True:
            line = reader.line_num + 1
            try:
                values = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                values, problem = None, _why(error, line, reader.line_num)
            except ValueError as error:  # not UTF-8, or a line too long
                raise PoolError(f"{source.name} {error}") from error
            else:
                problem = _misfit(values, header, line) if values else ""
            if values == []:
                continue
            row += 1
            if problem or values is None:
                rejected.append((row, problem))
            else:
                numbers.append(row)
                fields.append(values)
                weight += sum(map(len, values))
            if len(fields) + len(rejected) >= BATCH_ROWS or weight > BATCH_BYTES:
                yield Batch(np.asarray(numbers, dtype=np.int64), _table(header, fields), rejected, tell())
                numbers, fields, rejected, weight = [], [], [], 0
        yield Batch(np.asarray(numbers, dtype=np.int64), _table(header, fields), rejected, tell())


def _table(header: list[str], fields: list[list[str]]) -> pa.RecordBatch:
    columns = list(zip(*fields, strict=True)) if fields else [()] * len(header)
    return pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in columns], names=header)


def _reader(source: Source, stream: io.BufferedReader) -> Reader:
    csv.field_size_limit(limits.FIELD_CHARS)  # the module's own, 131,072, is less than long answers have
    head = stream.peek(1 << 16)[: 1 << 16]
    streams.refuse_cr(head, source.name)
    first = head.split(b"\n", 1)[0].decode("utf-8", "replace")
    delimiter = "\t" if source.path and suffix_of(source.path) == ".tsv" else _delimiter(first)
    return csv.reader(_lines(stream), delimiter=delimiter, strict=True)


def _lines(stream: io.BufferedReader) -> Iterator[str]:
    for number, line in enumerate(streams.lines(stream), start=1):
        if line is None:  # it may lie within quotes: nobody knows which row goes on where
            raise ValueError(streams.too_long(number))
        yield streams.decode(line, number)


def _delimiter(header: str) -> str:
    """The one of , ; tab | that occurs most often outside quotes in the header."""
    bare = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=lambda mark: (bare.count(mark), -_DELIMITERS.index(mark)))


def _header(source: Source, reader: Reader) -> list[str]:
    try:
        for values in reader:
            if values:
                return [value.strip() for value in values]
    except csv.Error as error:
        raise PoolError(f"{source.name}: the header {_why(error, 1, reader.line_num)}") from error
    except ValueError as error:
        raise PoolError(f"{source.name} {error}") from error
    raise PoolError(f"{source.name}: the file holds no rows, not even a header with the columns' names")


def _misfit(values: list[str], header: list[str], line: int) -> str:
    """Why a row does not fit the header; "" where it does."""
    if len(values) == len(header):
        return ""
    count = f"{len(values)} field{'s' * (len(values) != 1)}"
    return f"line {line}: {count}, but the header names {len(header)} ({limits.names(header)})"


def _why(error: csv.Error, line: int, last: int) -> str:
    if "unexpected end of data" in str(error):
        return f"line {line}: a quoted field is not closed before the file ends (line {last})"
    if "field larger than field limit" in str(error):
        return f"line {line}: a field is longer than {limits.FIELD_CHARS:,} characters, the most that is read"
    return f"line {line}: malformed CSV ({error})"
