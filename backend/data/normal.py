"""Raw batches to normalised ones, whose columns are those of a pool: turns, response, source, label, row, structure, own.

Flat text columns go through Arrow's string functions (`_by_column`); nested values and JSON row by row
(`_by_row`). Both give the same samples, and a test holds them against each other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backend.data import limits, media, own_columns
from backend.data.batch import Batch
from backend.data.formats import Reading, detect_keys, head_of
from backend.data.record_sample import INPUT_LEAD, label_of, sample_of, source_of
from backend.data.turn_parts import UnreadableRow, plain
from backend.data.turns import Sample, structure_of

TURNS = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
READ = pa.schema(
    [
        ("turns", TURNS),
        ("response", pa.string()),
        ("source", pa.string()),
        ("label", pa.string()),
        ("row", pa.int64()),
        ("structure", pa.string()),
    ]
)
NORMAL = READ.append(pa.field("own", pa.string()))  # JSON of the columns that are not read, see `own_columns`
_FLAT_ROLES = ("prompt", "input", "response", "system", "source", "label")


@dataclass(frozen=True)
class Normal:
    """Some rows as samples.

    batch : the samples, see `NORMAL` (inside this module without `own`). rejected : (row number, reason) of the rows that are none.
    chosen, bad : samples whose response was preferred to another, and samples that are marked as bad.
    """

    batch: pa.RecordBatch
    rejected: list[tuple[int, str]]
    chosen: int = 0
    bad: int = 0


def normalise(batch: Batch, reading: Reading, stem: str) -> Normal:
    """The batch's samples, and the rows that are none.

    stem : source of the rows that name none.
    """
    if isinstance(batch.data, list):
        found = _by_row(batch.rows, batch.data, reading, stem)
        return _with_own(found, batch.rows, _own_of_records(batch.data, reading))
    used = reading.used(batch.data.schema.names)
    own = own_columns.of_table(batch.data, used)
    data = batch.data.select(used) if len(set(used)) == len(used) else batch.data
    if _is_flat(data, reading):
        return _with_own(_by_column(batch.rows, data, reading, stem), batch.rows, own)
    records = records_of(_without_media(data, reading))
    return _with_own(_by_row(batch.rows, records, reading, stem), batch.rows, own)


def _with_own(found: Normal, rows: np.ndarray, own: Sequence[str | None]) -> Normal:
    """The samples with the other columns of their rows. own : of each row of the batch."""
    kept = np.searchsorted(rows, found.batch.column("row").to_numpy())
    column = pa.array([own[at] for at in kept.tolist()], pa.string())
    batch = pa.RecordBatch.from_arrays([*found.batch.columns, column], schema=NORMAL)
    return dataclasses.replace(found, batch=batch)


def _own_of_records(records: Sequence[Any], reading: Reading) -> list[str | None]:
    known: dict[tuple[str, ...], Reading] = {}
    found: list[str | None] = []
    for record in records:
        if not isinstance(record, dict):
            found.append(None)
            continue
        columns = _own_reading(record, reading, known).columns.values()
        found.append(own_columns.of_record(record, [head_of(path, list(record)) for path in columns]))
    return found


@dataclass(frozen=True)
class Broken:
    """Stands for a row of a table whose values cannot be had, and says why."""

    reason: str


def records_of(data: pa.RecordBatch) -> list[Any]:
    """The rows of a table as dictionaries, `Broken` where one holds what Python has no value for."""
    try:
        return data.to_pylist()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - see `reason_of`; which row it is shows when they are read one by one
        return [_record(data, i) for i in range(data.num_rows)]


def _record(data: pa.RecordBatch, i: int) -> Any:
    try:
        return data.slice(i, 1).to_pylist()[0]
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - see `reason_of`
        return Broken(reason_of(error))


def reason_of(error: Exception) -> str:
    """Why a row is left out, from whatever went wrong while it was read.

    Rows come from everywhere and hold anything: a date where text belongs, a number where a list does, levels upon
    levels. What Python or Arrow say to that cannot be listed beforehand, and one such row must not take the pool
    along. So everything is caught at the row, here and in `_by_row`, and nowhere else; and nothing is hidden by it,
    since the reason, with type and message, is counted and listed like any other.
    """
    if isinstance(error, UnreadableRow):
        return limits.shortened(str(error))
    if isinstance(error, UnicodeDecodeError):
        return "holds text that is not UTF-8"
    return limits.shortened(f"cannot be read ({type(error).__name__}: {error})")


def _without_media(data: pa.RecordBatch, reading: Reading) -> pa.RecordBatch:
    """The batch with a mark in place of images and the like, whose bytes nobody reads."""
    mapped = set(reading.columns.values())
    for at, name in enumerate(data.schema.names):
        column = data.column(at)
        if (
            not media.is_media(name)
            or name in mapped
            or pa.types.is_null(column.type)
            or _is_text(column.type)
        ):
            continue
        there = column.is_valid()
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            there = pc.and_(there, pc.fill_null(pc.greater(pc.list_value_length(column), 0), False))
        data = data.set_column(at, name, pc.if_else(there, media.HELD, pa.scalar(None, pa.bool_())))
    return data


def _own_reading(record: Any, reading: Reading, known: dict[tuple[str, ...], Reading]) -> Reading:
    """How to read a record: by its own format, where nobody named columns; a file may hold several."""
    if reading.format == "mapping" or not isinstance(record, dict):
        return reading
    keys = tuple(map(str, record))
    if keys not in known:
        own = detect_keys(keys)
        known[keys] = (
            reading
            if own is None
            else dataclasses.replace(own, speakers=reading.speakers, keep_bad=reading.keep_bad)
        )
    return known[keys]


def _by_row(rows: np.ndarray, records: Sequence[Any], reading: Reading, stem: str) -> Normal:
    roles: list[str] = []
    contents: list[str] = []
    offsets, kept = [0], []
    responses: list[str] = []
    sources: list[str] = []
    labels: list[str | None] = []
    structures: list[str | None] = []
    rejected: list[tuple[int, str]] = []
    chosen = bad = 0
    known: dict[tuple[str, ...], Reading] = {}
    for row, record in zip(rows.tolist(), records, strict=True):
        try:
            if isinstance(record, Broken):
                raise UnreadableRow(record.reason)
            own = _own_reading(record, reading, known)
            sample = sample_of(record, own)
            source, label = source_of(record, own) or stem, label_of(record, own)
            _check_text(sample, source, label or "")
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - see `reason_of`
            rejected.append((row, reason_of(error)))
            continue
        chosen += sample.chosen
        bad += sample.bad
        roles += [turn.role for turn in sample.turns]
        contents += [turn.text for turn in sample.turns]
        offsets.append(len(roles))
        responses.append(sample.response.text)
        structures.append(sample.structure)
        sources.append(source)
        labels.append(label)
        kept.append(row)
    table = _assemble(offsets, pa.array(roles, pa.string()), pa.array(contents, pa.string()), responses)
    return Normal(table(sources, labels, kept, structures), rejected, chosen, bad)


def _check_text(sample: Sample, *texts: str) -> None:
    """Raise UnreadableRow for half a surrogate pair, which no tokenizer can read, and for a text without measure."""
    said = [turn.text for turn in (*sample.turns, sample.response)]
    try:
        for text in (*texts, *said, sample.structure or ""):
            if len(text) > limits.FIELD_CHARS:
                raise UnreadableRow(
                    f"holds a text of {len(text):,} characters (at most {limits.FIELD_CHARS:,})"
                )
            text.encode()
    except UnicodeEncodeError as error:
        code = ord(error.object[error.start])
        raise UnreadableRow(f"holds half a surrogate pair (\\u{code:04x}), which is not text") from None


def _assemble(
    offsets: Any, roles: pa.Array, contents: pa.Array, responses: Any
) -> Callable[[Any, Any, Any, Any], pa.RecordBatch]:
    """A function that adds source, label, row number and structure to turns and responses."""
    values = pa.StructArray.from_arrays([roles, contents], fields=list(TURNS.value_type))
    turns = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, type=TURNS)

    def finish(sources: Any, labels: Any, rows: Any, structures: Any) -> pa.RecordBatch:
        columns = [pa.array(responses, pa.string()), pa.array(sources, pa.string())]
        columns += [pa.array(labels, pa.string()), pa.array(rows, pa.int64())]
        columns.append(pa.array(structures, pa.string()))
        return pa.RecordBatch.from_arrays([turns, *columns], schema=READ)

    return finish


def _is_flat(data: pa.RecordBatch, reading: Reading) -> bool:
    """Whether every column that is read is valid text (or nothing but nulls)."""
    if not {"prompt", "response"} <= reading.columns.keys():
        return False
    mapped = set(reading.columns.values())
    for name in data.schema.names:
        if media.is_media(name) and name not in mapped and data.column(name).null_count < data.num_rows:
            return False
    for role, name in reading.columns.items():
        if name not in data.schema.names:
            return False
        column = data.column(name)
        if column.null_count == len(column) and role not in ("prompt", "response"):
            continue
        if role not in _FLAT_ROLES or not _is_text(column.type):
            return False
        try:
            text = _text(column)
            text.validate(full=True)
        except pa.ArrowInvalid:  # bytes that are not UTF-8: row by row finds out which
            return False
        if (pc.max(pc.binary_length(text)).as_py() or 0) > limits.FIELD_CHARS:
            return False
    return True


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _text(column: pa.Array) -> pa.Array:
    if column.null_count == len(column):  # of any type, and not every one can be cast
        return pa.nulls(len(column), pa.string())
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def _by_column(rows: np.ndarray, data: pa.RecordBatch, reading: Reading, stem: str) -> Normal:
    columns = {role: _text(data.column(name)) for role, name in reading.columns.items()}
    nothing = pa.nulls(data.num_rows, pa.string())
    good = pc.and_(columns["prompt"].is_valid(), columns["response"].is_valid())
    rejected = []
    if not pc.all(good).as_py():
        for i in np.flatnonzero(~good.to_numpy(zero_copy_only=False)).tolist():
            first = "prompt" if not columns["prompt"][i].is_valid else "response"
            rejected.append((int(rows[i]), f'"{reading.columns[first]}" is null'))
        columns = {role: column.filter(good) for role, column in columns.items()}
        rows, nothing = rows[good.to_numpy(zero_copy_only=False)], nothing.filter(good)
    n = len(rows)
    prompt, extra = columns["prompt"], columns.get("input", nothing).fill_null("")
    if n and pc.any(pc.not_equal(extra, "")).as_py():
        joined = pc.binary_join_element_wise(prompt, extra, INPUT_LEAD)
        prompt = pc.if_else(pc.equal(extra, ""), prompt, joined)
    system = columns.get("system", nothing).fill_null("")
    has_system = pc.not_equal(system, "").to_numpy(zero_copy_only=False).astype(bool)
    offsets = np.concatenate([[0], np.cumsum(1 + has_system)]).astype(np.int32)
    # the user's turn is the last of each row's turns, a system turn the one before it
    at = np.arange(offsets[-1], dtype=np.int64)
    user = offsets[1:] - 1
    at[user] = np.arange(n)
    at[user[has_system] - 1] = n + np.flatnonzero(has_system)
    roles = pc.if_else(pa.array(at >= n), "system", "user")
    contents = pa.concat_arrays([prompt, system]).take(pa.array(at))
    table = _assemble(offsets, roles, contents, columns["response"])
    source = columns.get("source", nothing)
    source = pc.if_else(pc.equal(source.fill_null(""), ""), stem, source)
    label = columns.get("label", nothing)
    label = pc.if_else(pc.equal(label, ""), pa.scalar(None, pa.string()), label)
    structures = _structures(prompt, system, columns["response"])
    return Normal(table(source, label, rows, structures), rejected)


def _structures(prompt: pa.Array, system: pa.Array, response: pa.Array) -> pa.Array | list[str | None]:
    """The structure of the rows whose response begins with its reasoning."""
    thinks = pc.match_substring_regex(response, r"(?s)^\s*<think>.*</think>")
    structures: list[str | None] = [None] * len(response)
    for i in np.flatnonzero(thinks.to_numpy(zero_copy_only=False)).tolist():
        texts = [
            ("system", system[i].as_py()),
            ("user", prompt[i].as_py()),
            ("assistant", response[i].as_py()),
        ]
        structures[i] = structure_of([plain(role, text) for role, text in texts if text or role != "system"])
    return structures
