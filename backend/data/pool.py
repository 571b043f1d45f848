"""Inputs to a pool: find the sources, recognise each one's format, normalise batch by batch, name every sample."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from backend.data import mapping as mappings_of
from backend.data import preference, readers
from backend.data.account import Account
from backend.data.batch import Batch, Source
from backend.data.formats import EXPECTED, ROLES, Reading, check_columns, detect, detect_records
from backend.data.identity import Identity
from backend.data.inputs import find_sources, name_of
from backend.data.normal import NORMAL, Normal, normalise
from backend.data.samples import is_there
from backend.errors import PoolError
from backend.records import Pool, RejectedRow

_EXCERPT = 300


def load_pool(
    inputs: Sequence[str | Path],
    *,
    mapping: Mapping[str, str] | None = None,
    mappings: Mapping[str, Mapping[str, str]] | None = None,
    roots: Sequence[Path] | None = None,
    name: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Pool:
    """A pool from files, folders, hub dataset ids ("owner/name", "owner/name:split"), or "demo".

    Every source is read in the format it has, or as `mapping` (see `backend.data.mapping`) says. A row that cannot be
    read is in `Pool.rejected` with its file, row number and reason; the others load.

    Parameters
    ----------
    mappings : what `mapping` is for all, for single sources: by path, file name, or the id of a hub dataset.
    roots : where given, every path must lie inside one of these folders once links are followed.
    name : what to call the pool; made from the inputs where None.
    on_progress : called after each batch with bytes read and bytes in all; may raise to stop.

    Raises
    ------
    PoolError : an input cannot be found or opened, a JSON file is malformed, or a file holds no readable row.
    """
    given: list[str | Path] = [inputs] if isinstance(inputs, (str, Path)) else list(inputs)
    sources = find_sources(given, roots=roots)
    total, before = sum(source.size for source in sources), 0
    parts: list[pa.RecordBatch] = []
    files: list[str] = []
    rejected: list[RejectedRow] = []
    identity, account = Identity(), Account()
    general, single = mappings_of.by_source(mapping or {})
    single |= {name: dict(own) for name, own in (mappings or {}).items()}
    mappings_of.check_names(sources, single)
    for source in sources:
        for normal, bad, done in normalised(source, mappings_of.of_source(source, general, single)):
            for row, reason in bad:
                rejected.append(RejectedRow(source.name, row, reason))
                account.left_out(reason)
            account.add(normal.batch.num_rows, chosen=normal.chosen, bad=normal.bad)
            if normal.batch.num_rows:
                identity.add(normal.batch)
                parts.append(normal.batch)
                files.append(source.name)
            if on_progress:
                on_progress(before + min(done, source.size), total)
        before += source.size
    if on_progress:
        on_progress(total, total)
    table = _table(parts, files, identity)
    about = account.told(mappings_of.for_sources(sources, general, single))
    return Pool(identity.pool_id(), name or name_of(given, sources), table, tuple(rejected), about)


def normalised(
    source: Source, mapping: Mapping[str, str] | None
) -> Iterator[tuple[Normal, list[tuple[int, str]], int]]:
    """One source as (its samples, (row, reason) of all that was rejected, bytes read), batch by batch.

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
        bad = sorted(batch.rejected + normal.rejected)
        samples += normal.batch.num_rows
        reasons += bad[: max(0, 3 - len(reasons))]
        yield normal, bad, batch.done
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
        return names, reading, readers.batches(source, reading.used(names))
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
                    f'{source.name}: mapping {role}={path}: no record has "{path}" (found: {", ".join(names)})'
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
    lines.append(f"Found: columns {', '.join(names)}." if names else "Found: no columns.")
    if batch is not None and len(batch.rows):
        lines.append(f"First record: {_excerpt(batch)}")
    lines += [f"row {row}: {reason}" for row, reason in reasons or (batch.rejected[:3] if batch else ())]
    lines.append(f"Expected: {EXPECTED}.")
    lines.append(
        "Or name the columns by role, for example prompt=COLUMN, response=COLUMN "
        f"(roles: {', '.join(ROLES)}; a path such as instances.0.output goes into nested values), "
        "and speakers that are not known, for example role.customer=user."
    )
    return "\n".join(lines)


def _excerpt(batch: Batch) -> str:
    first: Any = batch.data[0] if isinstance(batch.data, list) else batch.data.slice(0, 1).to_pylist()[0]
    text = json.dumps(first, ensure_ascii=False, default=str)
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]} ..."


def _table(parts: list[pa.RecordBatch], files: list[str], identity: Identity) -> pa.Table:
    """The pool's columns; source and file share one dictionary each over all batches."""
    normal = pa.Table.from_batches(parts, schema=NORMAL)
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
