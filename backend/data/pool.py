"""Inputs to a pool: find the sources, recognise each one's format, normalise batch by batch, name every sample."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from backend.data import limits, preference, readers
from backend.data import mapping as mappings_of
from backend.data.account import Account
from backend.data.batch import Batch, Source
from backend.data.formats import EXPECTED, ROLES, Reading, check_columns, detect, detect_records
from backend.data.identity import Identity
from backend.data.inputs import find_sources, name_of
from backend.data.normal import READ, Broken, normalise, records_of
from backend.data.own_columns import OwnColumns
from backend.data.record_sample import is_there
from backend.errors import PoolError
from backend.records import Pool, RejectedRow

_EXCERPT = 300


@dataclass(frozen=True)
class Plan:
    """What a pool will be read from: its name, and of each source the name and the size in bytes.

    mapping : what a person said about columns and speakers, as far as it concerns these sources.
    """

    name: str
    sources: tuple[tuple[str, int], ...]
    mapping: dict[str, str]


@dataclass(frozen=True)
class Part:
    """Some rows of one source, as samples. done : bytes of the source read so far.

    source : the source's number in the plan. batch, chosen, bad : see `Normal`.
    rejected : (row, reason) of what is no sample. note : what else was left aside, a sentence.
    """

    source: int
    batch: pa.RecordBatch
    chosen: int
    bad: int
    rejected: list[tuple[int, str]]
    done: int
    note: str


def load_pool(
    inputs: Sequence[str | Path],
    *,
    mapping: Mapping[str, str] | None = None,
    mappings: Mapping[str, Mapping[str, str]] | None = None,
    roots: Sequence[Path] | None = None,
    name: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Pool:
    """A pool from files, folders, hub dataset ids ("owner/name", "owner/name:split"), or "demo", read in this process.

    A damaged file can end the process that reads it: files that somebody else made are read by `guard.load_outside`.
    Every source is read in the format it has, or as `mapping` (see `backend.data.mapping`) says. A row that cannot be
    read is in `Pool.rejected` with its file, row number and reason; the others load.

    Parameters
    ----------
    inputs : "file.json:test" is the key "test" of a JSON document.
    mappings : what `mapping` is for all, for single sources: by path, file name, or the id of a hub dataset.
    roots : where given, every path must lie inside one of these folders once links are followed.
    name : what to call the pool; made from the inputs where None.
    on_progress : called after each batch with bytes read and bytes in all; may raise to stop.

    Raises
    ------
    PoolError : an input cannot be found or opened, a JSON file is malformed, or a file holds no readable row.
    """
    plan, parts = read_parts(inputs, mapping=mapping, mappings=mappings, roots=roots)
    return assembled(plan, parts, name=name, on_progress=on_progress)


def read_parts(
    inputs: Sequence[str | Path],
    *,
    mapping: Mapping[str, str] | None = None,
    mappings: Mapping[str, Mapping[str, str]] | None = None,
    roots: Sequence[Path] | None = None,
    on_source: Callable[[int], None] | None = None,
) -> tuple[Plan, Iterator[Part]]:
    """What will be read, and the reading of it; arguments and errors as of `load_pool`.

    on_source : called with a source's number before it is opened.
    """
    given: list[str | Path] = [inputs] if isinstance(inputs, (str, Path)) else list(inputs)
    sources = find_sources(given, roots=roots)
    general, single = mappings_of.by_source(mapping or {})
    single |= {name: dict(own) for name, own in (mappings or {}).items()}
    mappings_of.check_names(sources, single)

    def read() -> Iterator[Part]:
        for number, source in enumerate(sources):
            if on_source:
                on_source(number)
            yield from normalised(source, mappings_of.of_source(source, general, single), number)

    sizes = tuple((source.name, source.size) for source in sources)
    said = mappings_of.for_sources(sources, general, single)
    return Plan(name_of(given, sources), sizes, said), read()


def assembled(
    plan: Plan,
    parts: Iterable[Part],
    *,
    name: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    most_bytes: int | None = None,
) -> Pool:
    """The pool of what was read.

    most_bytes : of memory that its samples may take.

    Raises
    ------
    PoolError : they take more.
    """
    total = sum(size for _, size in plan.sources)
    before = np.cumsum([0, *(size for _, size in plan.sources)]).tolist()
    batches: list[pa.RecordBatch] = []
    files: list[str] = []
    rejected: list[RejectedRow] = []
    identity, account, own = Identity(), Account(), OwnColumns()
    weight = 0
    for part in parts:
        file, size = plan.sources[part.source]
        for row, reason in part.rejected:
            if len(rejected) < limits.KEPT_REJECTIONS:
                rejected.append(RejectedRow(file, row, reason))
            account.left_out(reason)
        account.add(part.batch.num_rows, chosen=part.chosen, bad=part.bad)
        if part.note:
            account.note(part.note)
        if part.batch.num_rows:
            identity.add(part.batch)
            own.add(part.batch.column("own"))
            samples = part.batch.select(READ.names)
            batches.append(samples)
            files.append(file)
            weight += samples.nbytes
            if most_bytes is not None and weight > most_bytes:
                raise PoolError(
                    f"{file}: the samples take more memory than a pool may here ({limits.in_words(most_bytes)}; "
                    f"{limits.MEMORY} sets it); load fewer files, or a part of this one"
                )
        if on_progress:
            on_progress(before[part.source] + min(part.done, size), total)
    if on_progress:
        on_progress(total, total)
    table = _table(batches, files, identity)
    beside = own.column()
    if beside is not None:
        table = table.append_column("own", beside)
    for note in own.notes():
        account.note(note)
    about = account.told(plan.mapping)
    return Pool(identity.pool_id(), name or plan.name, table, tuple(rejected), about)


def normalised(source: Source, mapping: Mapping[str, str] | None, number: int = 0) -> Iterator[Part]:
    """One source as samples, batch by batch. number : the source's, in its plan.

    Raises
    ------
    PoolError : no row could be read; says what was found, what is expected and how to map columns.
    """
    names, reading, batches = recognise(source, mapping)
    if reading is None:
        raise PoolError(unreadable(source, names, next(batches, None)))
    samples, first = 0, None
    reasons: list[tuple[int, str]] = []
    for batch in batches:
        first = first if first is not None and len(first.rows) else batch
        normal = normalise(batch, reading, source.stem)
        bad = [(row, limits.shortened(why)) for row, why in sorted(batch.rejected + normal.rejected)]
        samples += normal.batch.num_rows
        reasons += bad[: max(0, 3 - len(reasons))]
        yield Part(number, normal.batch, normal.chosen, normal.bad, bad, batch.done, batch.note)
    if not samples:
        raise PoolError(unreadable(source, names, first, reading, reasons))


def recognise(
    source: Source, mapping: Mapping[str, str] | None
) -> tuple[tuple[str, ...], Reading | None, Iterator[Batch]]:
    """A source's columns, how to read it (None where that is not known), and its batches."""
    given = mappings_of.from_mapping(mapping) if mapping else None
    names = readers.columns_of(source)
    if names is not None:
        reading = _reading(given, names, detect(names))
        if reading is None:
            return names, None, readers.batches(source)
        check_columns(reading, names, source.name)
        used = reading.used(names)
        wanted = {*used, *readers.scalar_columns(source)}
        return names, reading, readers.batches(source, [name for name in names if name in wanted])
    # records bring their names with them: look at the first batch that has any, and hand out all of them
    batches, seen = readers.batches(source), []
    for batch in batches:
        seen.append(batch)
        if len(batch.rows):
            break
    records = [record for batch in seen for record in batch.data if isinstance(record, dict)]
    names = tuple(dict.fromkeys(str(key) for record in records for key in record))
    if given and records:
        for role, path in given.columns.items():
            if not any(is_there(record, path) for record in records):
                raise PoolError(
                    f'{source.name}: mapping {role}={path}: no record has "{path}" (found: {limits.names(names)})'
                )
    return names, _reading(given, names, detect_records(records)), itertools.chain(seen, batches)


def _reading(given: Reading | None, names: Sequence[str], found: Reading | None) -> Reading | None:
    """How to read a source: as somebody said, and what they left open as it was found."""
    if given is None:
        return found
    if not given.columns:
        return found and dataclasses.replace(found, speakers=given.speakers, keep_bad=given.keep_bad)
    other = preference.counterpart(given.columns.get("response", ""), names)
    if (
        other and "rejected" not in given.columns
    ):  # who names the chosen answer need not name what it is better than
        return dataclasses.replace(given, columns={**given.columns, "rejected": other})
    return given


def unreadable(
    source: Source,
    names: Sequence[str],
    batch: Batch | None,
    reading: Reading | None = None,
    reasons: Sequence[tuple[int, str]] = (),
) -> str:
    """Why nothing of a source can be read: what was found, what is expected, how to say which column is what."""
    lines = [f"{source.name}: no sample could be read."]
    if reading:
        lines[0] = f"{source.name}: no sample could be read as {reading.format}."
    lines.append(f"Found: columns {limits.names(tuple(names))}." if names else "Found: no columns.")
    if batch is not None and len(batch.rows):
        lines.append(f"First record: {_excerpt(batch)}")
    lines += [
        f"row {row}: {limits.shortened(reason)}"
        for row, reason in reasons or (batch.rejected[:3] if batch else ())
    ]
    lines.append(f"Expected: {EXPECTED}.")
    lines.append(
        "Or name the columns by role, for example prompt=COLUMN, response=COLUMN "
        f"(roles: {', '.join(ROLES)}; a path such as instances.0.output goes into nested values), "
        "and speakers that are not known, for example role.customer=user."
    )
    return "\n".join(lines)


def _excerpt(batch: Batch) -> str:
    first: Any = batch.data[0] if isinstance(batch.data, list) else records_of(batch.data.slice(0, 1))[0]
    if isinstance(first, Broken):
        return first.reason
    return limits.shortened(json.dumps(shown(first), ensure_ascii=False, default=str), _EXCERPT)


def shown(value: Any) -> Any:
    """A value as much of which as somebody looks at: long texts and lists cut."""
    if isinstance(value, str):
        return limits.shortened(value, limits.SHOWN_CHARS)
    if isinstance(value, dict):
        kept = itertools.islice(value.items(), limits.SHOWN_ITEMS)
        return {limits.shortened(str(key)): shown(item) for key, item in kept}
    if isinstance(value, list):
        return [shown(item) for item in value[: limits.SHOWN_ITEMS]]
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    return value


def _table(parts: list[pa.RecordBatch], files: list[str], identity: Identity) -> pa.Table:
    """The pool's columns; source and file share one dictionary each over all batches."""
    normal = pa.Table.from_batches(parts, schema=READ)
    known = list(dict.fromkeys(files))
    codes = np.repeat(
        np.asarray([known.index(file) for file in files], dtype=np.int32),
        np.asarray([part.num_rows for part in parts], dtype=np.int64),
    )
    columns = {
        "id": identity.sample_ids(),
        "turns": normal["turns"],
        "response": normal["response"],
        "source": normal["source"].dictionary_encode(),
        "file": pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(known, pa.string())),
        "row": normal["row"],
        "label": normal["label"],
    }
    if normal["structure"].null_count < len(normal):
        columns["structure"] = normal["structure"]
    return pa.table(columns)
