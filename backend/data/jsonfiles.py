"""JSON and JSONL: arrays are read element by element, lines one by one; what it is shows in its first characters.

The standard library's parser and not Arrow's: that one would turn text which looks like a date into a date, and it
gives up on a whole file for one bad line.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from backend.data import streams
from backend.data.batch import BATCH_BYTES, BATCH_ROWS, Batch, Source, suffix_of
from backend.data.jsonarray import TOO_DEEP, JsonArray, Malformed, is_too_deep
from backend.data.splits import record_of, records_in
from backend.errors import PoolError

_LINES = (".jsonl", ".ndjson")


def batches(source: Source) -> Iterator[Batch]:
    """Records of a JSON document (array, wrapped array, columns, or one record) or of JSON lines."""
    assert source.path is not None
    with streams.open_text(source.path, source.name) as (stream, tell):
        head = stream.peek(1 << 16)[: 1 << 16].lstrip()
        if source.split is not None and head.startswith(b"["):
            raise PoolError(f'{source.name}: there is no key "{source.split}": the file is an array of rows')
        if head.startswith(b"[") and not _looks_like_lines(head):
            yield from _array(source, stream, tell)
        elif source.split is None and (suffix_of(source.path) in _LINES or _looks_like_lines(head)):
            streams.refuse_cr(head, source.name)
            yield from _json_lines(stream, tell)
        else:
            yield from _document(source, stream)


def _batch(numbers: list[int], values: list[Any], rejected: list[tuple[int, str]], done: int) -> Batch:
    return Batch(np.asarray(numbers, dtype=np.int64), values, rejected, done)


def _looks_like_lines(head: bytes) -> bool:
    """Whether the first line is an object or a list of its own and another one follows."""
    first, _, rest = head.partition(b"\n")
    if not rest.lstrip().startswith(first[:1]) or first[:1] not in (b"{", b"["):
        return False
    try:
        return isinstance(json.loads(first), (dict, list))
    except (ValueError, RecursionError):
        return False


def _json_lines(stream: io.BufferedReader, tell: Callable[[], int]) -> Iterator[Batch]:
    numbers: list[int] = []
    values: list[Any] = []
    rejected: list[tuple[int, str]] = []
    row, weight = -1, 0
    for number, line in enumerate(streams.lines(stream), start=1):
        # only \n ends a line: U+2028 and the like may stand in a text
        if line is not None and not line.strip():
            continue
        row += 1
        try:
            if line is None:
                raise ValueError(streams.too_long(number))
            text = streams.decode(line, number).lstrip("\ufeff")
            value = json.loads(text)
            if is_too_deep(value, text):
                raise ValueError(TOO_DEEP)
            values.append(record_of(value))
            numbers.append(row)
        except json.JSONDecodeError as error:
            rejected.append((row, f"line {number}, column {error.pos + 1}: malformed JSON ({error.msg})"))
        except RecursionError:
            rejected.append((row, f"line {number}: {TOO_DEEP}"))
        except ValueError as error:  # not UTF-8, too long or deep, or a number of thousands of digits
            reason = str(error)
            rejected.append((row, reason if reason.startswith("line ") else f"line {number}: {reason}"))
        weight += len(line or b"")
        if len(values) + len(rejected) >= BATCH_ROWS or weight > BATCH_BYTES:
            yield _batch(numbers, values, rejected, tell())
            numbers, values, rejected, weight = [], [], [], 0
    yield _batch(numbers, values, rejected, tell())


def _array(source: Source, stream: io.BufferedReader, tell: Callable[[], int]) -> Iterator[Batch]:
    start, weight = 0, 0
    values: list[Any] = []
    try:
        for value, size in JsonArray(stream):
            values.append(record_of(value))
            weight += size
            if len(values) == BATCH_ROWS or weight > BATCH_BYTES:
                yield _batch(list(range(start, start + len(values))), values, [], tell())
                start, weight, values = start + len(values), 0, []
    except Malformed as error:
        raise PoolError(f"{source.name} {error}") from error
    yield _batch(list(range(start, start + len(values))), values, [], tell())


def _document(source: Source, stream: io.BufferedReader) -> Iterator[Batch]:
    raw = stream.read()
    try:
        text = raw.decode("utf-8")
        value = json.loads(text)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = len(raw[raw.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8")) + 1
        raise PoolError(f"{source.name} {streams.not_utf8(raw[error.start], line, column)}") from error
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            streams.refuse_cr(raw, source.name)
        raise PoolError(
            f"{source.name} line {error.lineno}, column {error.colno}: malformed JSON ({error.msg})"
        ) from error
    except RecursionError as error:
        raise PoolError(f"{source.name}: {TOO_DEEP}") from error
    except ValueError as error:
        raise PoolError(f"{source.name}: {error}") from error
    if is_too_deep(value, text):
        raise PoolError(f"{source.name}: {TOO_DEEP}")
    records, note = records_in(value, source)
    for start in range(0, len(records), BATCH_ROWS):
        part = records[start : start + BATCH_ROWS]
        numbers = np.arange(start, start + len(part), dtype=np.int64)
        yield Batch(numbers, part, [], source.size, note if not start else "")
