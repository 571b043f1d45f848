"""Columns of a file that its reading does not use, kept beside the samples: to look at, to sort and to filter by.

Only single values are kept (text, numbers, true and false), of `limits.OWN_COLUMNS` columns at most, and of a text its
beginning. On their way from the reader they are JSON, one object a row, since every file may have other columns; in a pool
they are the fields of one struct column, null where a row has no such value.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from backend.data import limits, media

# "007" and numbers with more digits than a float holds are names of something
_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d{0,14})(?:\.\d+)?(?:[eE][+-]?\d{1,2})?")
_INT64 = 1 << 63


def is_scalar(kind: pa.DataType) -> bool:
    """Whether a column of this Arrow type holds single values that can be kept."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return (
        pa.types.is_boolean(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_temporal(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    )


def of_record(record: Mapping[Any, Any], used: Iterable[str]) -> str | None:
    """The single values of a record outside the columns that are read, as JSON; None where there are none."""
    taken = set(used)
    kept: dict[str, Any] = {}
    for name, value in record.items():
        if name in taken or not isinstance(name, str) or not _may_be_kept(name):
            continue
        short = _short(value)
        if short is not None:
            kept[name] = short
            if len(kept) == limits.OWN_COLUMNS:
                break
    return json.dumps(kept) if kept else None


def of_table(data: pa.RecordBatch, used: Iterable[str]) -> list[str | None]:
    """The same of each row of a table."""
    taken, names = set(used), data.schema.names
    columns: dict[str, list[Any]] = {}
    for at, name in enumerate(names):
        if name in taken or names.count(name) > 1 or not _may_be_kept(name):
            continue
        values = _values(data.column(at))
        if values is not None and len(columns) < limits.OWN_COLUMNS:
            columns[name] = values
    if not columns:
        return [None] * data.num_rows
    found: list[str | None] = []
    for row in zip(*columns.values(), strict=True):
        kept = {name: value for name, value in zip(columns, row) if value is not None}
        found.append(json.dumps(kept) if kept else None)
    return found


class OwnColumns:
    """Takes a pool's rows batch by batch, and gives the columns of all of them."""

    def __init__(self) -> None:
        self._rows = 0
        self._parts: dict[str, list[pa.Array]] = {}
        self._kinds: dict[str, set[str]] = {}
        self._left_out: dict[str, None] = {}
        self._cut: dict[str, None] = {}

    def add(self, texts: pa.Array) -> None:
        """The rows of a batch, each as `of_record` wrote it."""
        n = len(texts)
        values: dict[str, list[Any]] = {}
        if texts.null_count < n:
            for at, text in enumerate(texts.to_pylist()):
                for name, value in json.loads(text).items() if text else ():
                    if name not in values:
                        if name not in self._parts and not self._takes(name):
                            continue
                        values[name] = [None] * n
                    values[name][at] = value
        for name, parts in self._parts.items():
            if name in values:
                kind, part = _typed(values[name])
                if kind:
                    self._kinds[name].add(kind)
                if any(isinstance(value, str) and value.endswith(_MORE) for value in values[name]):
                    self._cut[name] = None
            else:
                part = pa.nulls(n)
            parts.append(part)
        self._rows += n

    def _takes(self, name: str) -> bool:
        """Whether a column that was not seen before is kept; it has no value in the rows before."""
        if len(self._parts) == limits.OWN_COLUMNS:
            self._left_out[name] = None
            return False
        self._parts[name] = [pa.nulls(self._rows)]
        self._kinds[name] = set()
        return True

    def column(self) -> pa.StructArray | None:
        """(n,) struct with a field of each column, the numbers as int64 or double; None where there is none."""
        fields = {name: _joined(parts, self._kinds[name]) for name, parts in self._parts.items()}
        return struct_of(fields) if fields else None

    def notes(self) -> list[str]:
        """Sentences about what was not kept."""
        said = []
        if self._left_out:
            count = len(self._left_out)
            said.append(
                f"Of the other columns the first {limits.OWN_COLUMNS} are kept, {count:,} "
                f"{'is' if count == 1 else 'are'} not ({limits.names(tuple(self._left_out)[:8])}"
                f"{', ...' if count > 8 else ''})."
            )
        if self._cut:
            said.append(
                f"Of texts in {limits.names(tuple(self._cut))} the first {limits.OWN_CHARS} characters are kept."
            )
        return said


_MORE = " …"


def struct_of(fields: Mapping[str, pa.Array]) -> pa.StructArray:
    """One struct column of these columns."""
    return pa.StructArray.from_arrays(list(fields.values()), names=list(fields))


def fields_of(column: pa.Array | pa.ChunkedArray) -> dict[str, pa.Array]:
    """The columns of a struct column."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # what Arrow leaves it where it does not fit into one
        column = pa.concat_arrays(column.chunks)
    names = [column.type.field(at).name for at in range(column.type.num_fields)]
    return dict(zip(names, column.flatten(), strict=True))


def content_hash(column: pa.Array | pa.ChunkedArray) -> str:
    """16 hex digits of what an Arrow column holds, however it is stored."""
    found = hashlib.sha256()
    parts = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    for part in parts:
        for start in range(0, len(part), 4096):
            found.update(json.dumps(part.slice(start, 4096).to_pylist()).encode())
    return found.hexdigest()[:16]


def _may_be_kept(name: str) -> bool:
    half = any("\ud800" <= sign <= "\udfff" for sign in name)  # of a surrogate pair: that is not text
    return 0 < len(name.strip()) <= limits.OWN_NAME and not half and not media.is_media(name)


def _short(value: Any) -> Any:
    """A single value as much of which as is kept; None for what is none."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_INT64 <= value < _INT64 else _short(str(value)[: limits.OWN_CHARS])
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if not isinstance(value, str) or not value.strip():
        return None
    text = value if len(value) <= limits.OWN_CHARS else value[: limits.OWN_CHARS - len(_MORE)] + _MORE
    return text.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair is not text


def _values(column: pa.Array) -> list[Any] | None:
    """The single values of an Arrow column; None where it holds others, or what Python has no value for."""
    try:
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        kind = column.type
        if pa.types.is_null(kind) or not is_scalar(kind):
            return None
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            raw = column.cast(pa.large_binary()).to_pylist()
            return [None if one is None else _short(one.decode("utf-8", "replace")) for one in raw]
        if pa.types.is_temporal(kind):
            column = column.cast(pa.string())
        elif pa.types.is_decimal(kind):
            column = column.cast(pa.float64())
        return [_short(value) for value in column.to_pylist()]
    except (
        pa.ArrowException,
        ValueError,
        OverflowError,
    ):  # a column that is not needed must not take the pool along
        return None


def _typed(values: Sequence[Any]) -> tuple[str, pa.Array]:
    """A batch of one column as an Arrow array, and what it holds: bool, int, float, digits (text that is all numbers),
    text, or "" for nothing."""
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return "", pa.nulls(len(values))
    if kinds == {bool}:
        return "bool", pa.array(values, pa.bool_())
    if kinds == {int}:
        return "int", pa.array(values, pa.int64())
    if kinds <= {int, float}:
        return "float", pa.array([None if v is None else float(v) for v in values], pa.float64())
    texts = [None if value is None else _written(value).strip() for value in values]
    digits = bool not in kinds and all(text is None or _NUMBER.fullmatch(text) for text in texts)
    return "digits" if digits else "text", pa.array(texts, pa.string())


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _joined(parts: Sequence[pa.Array], kinds: set[str]) -> pa.Array:
    """One array of the batches of a column, as what all of them are."""
    if kinds <= {"bool"}:
        goal = pa.bool_() if kinds else pa.string()
    elif kinds <= {"int"}:
        goal = pa.int64()
    elif kinds <= {"int", "float", "digits"}:
        goal = pa.float64()
    else:
        goal = pa.string()
    return pa.concat_arrays([_as(part, goal) for part in parts])


def _as(part: pa.Array, goal: pa.DataType) -> pa.Array:
    if pa.types.is_null(part.type):
        return pa.nulls(len(part), goal)
    if pa.types.is_string(goal) and pa.types.is_floating(part.type):
        return pa.array([None if v is None else _written(v) for v in part.to_pylist()], goal)
    if pa.types.is_floating(goal) and pa.types.is_integer(part.type):
        return part.cast(goal, safe=False)
    return pc.cast(part, goal)
