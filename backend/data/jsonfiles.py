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
from backend.data.jsonarray import JsonArray, Malformed
from backend.errors import PoolError

_LINES = (".jsonl", ".ndjson")
_WRAPPERS = ("data", "rows", "train", "examples", "samples", "items", "records")
_TURNS = ("conversations", "messages", "history")


def batches(source: Source) -> Iterator[Batch]:
    """Records of a JSON document (array, wrapped array, columns, or one record) or of JSON lines."""
    assert source.path is not None
    with streams.open_text(source.path, source.name) as (stream, tell):
        head = stream.peek(1 << 16)[: 1 << 16].lstrip()
        if head.startswith(b"["):
            yield from _array(source, stream, tell)
        elif suffix_of(source.path) in _LINES or _looks_like_lines(head):
            yield from _json_lines(stream, tell)
        else:
            yield from _document(source, stream)


def _batch(numbers: list[int], values: list[Any], rejected: list[tuple[int, str]], done: int) -> Batch:
    return Batch(np.asarray(numbers, dtype=np.int64), values, rejected, done)


def _looks_like_lines(head: bytes) -> bool:
    """Whether the first line is an object of its own and another one follows."""
    first, _, rest = head.partition(b"\n")
    if not rest.lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _json_lines(stream: io.BufferedReader, tell: Callable[[], int]) -> Iterator[Batch]:
    numbers: list[int] = []
    values: list[Any] = []
    rejected: list[tuple[int, str]] = []
    row, weight = -1, 0
    for number, line in enumerate(stream, start=1):
        # only \n ends a line: U+2028 and the like may stand in a text
        if not line.strip():
            continue
        row += 1
        try:
            values.append(json.loads(streams.decode(line, number).lstrip("\ufeff")))
            numbers.append(row)
        except json.JSONDecodeError as error:
            rejected.append((row, f"line {number}, column {error.pos + 1}: malformed JSON ({error.msg})"))
        except RecursionError:
            rejected.append((row, f"line {number}: nested too deeply"))
        except ValueError as error:  # not UTF-8, or a number of thousands of digits
            text = str(error)
            rejected.append((row, text if text.startswith("line ") else f"line {number}: {text}"))
        weight += len(line)
        if len(values) + len(rejected) >= BATCH_ROWS or weight > BATCH_BYTES:
            yield _batch(numbers, values, rejected, tell())
            numbers, values, rejected, weight = [], [], [], 0
    yield _batch(numbers, values, rejected, tell())


def _array(source: Source, stream: io.BufferedReader, tell: Callable[[], int]) -> Iterator[Batch]:
    start, weight = 0, 0
    values: list[Any] = []
    try:
        for value, size in JsonArray(stream):
            values.append(value)
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
        value = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = len(raw[raw.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8")) + 1
        raise PoolError(f"{source.name} {streams.not_utf8(raw[error.start], line, column)}") from error
    except json.JSONDecodeError as error:
        raise PoolError(
            f"{source.name} line {error.lineno}, column {error.colno}: malformed JSON ({error.msg})"
        ) from error
    except RecursionError as error:
        raise PoolError(f"{source.name}: nested too deeply") from error
    except ValueError as error:
        raise PoolError(f"{source.name}: {error}") from error
    records = records_in(value)
    for start in range(0, len(records), BATCH_ROWS):
        part = records[start : start + BATCH_ROWS]
        yield _batch(list(range(start, start + len(part))), part, [], source.size)


def records_in(value: Any) -> list[Any]:
    """The records of a parsed document: {"data": [...]}, {"column": [...]}, {"column": {"0": ...}}, or one record."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or any(_is_turns(value.get(key)) for key in _TURNS):
        return [value]
    for key in _WRAPPERS:
        if isinstance(value.get(key), list) and all(isinstance(item, dict) for item in value[key]):
            return list(value[key])
    columns = list(value.values())
    if len(columns) == 1 and isinstance(columns[0], list) and all(isinstance(c, dict) for c in columns[0]):
        return list(columns[0])
    if columns and all(isinstance(column, list) for column in columns):
        if len({len(column) for column in columns}) == 1:
            return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    elif columns and all(isinstance(c, dict) and c.keys() == columns[0].keys() for c in columns):
        return [{name: column[key] for name, column in value.items()} for key in columns[0]]
    return [value]


def _is_turns(value: Any) -> bool:
    """Whether this is one conversation: a list of objects that name a speaker."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(turn, dict) and ("role" in turn or "from" in turn) for turn in value)
    )
