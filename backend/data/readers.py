"""Batches of raw rows from a source, whatever its file format; memory holds one batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backend.data import arrowfiles, csvfiles, jsonfiles
from backend.data.batch import TABLE_SUFFIXES, Batch, Source, suffix_of
from backend.data.own_columns import is_scalar


def columns_of(source: Source) -> tuple[str, ...] | None:
    """A table's column names before any row is read; None for JSON, whose records each have their own."""
    if source.table is not None:
        return tuple(source.table.column_names)
    assert source.path is not None
    suffix = suffix_of(source.path)
    if suffix in TABLE_SUFFIXES:
        return arrowfiles.columns_of(source)
    if suffix in (".csv", ".tsv"):
        return csvfiles.columns_of(source)
    return None


def scalar_columns(source: Source) -> tuple[str, ...]:
    """Those of a table's columns that hold single values and have a name of their own; of a CSV file all are read anyway."""
    if source.table is not None:
        schema = source.table.schema
    elif source.path is not None and suffix_of(source.path) in TABLE_SUFFIXES:
        schema = arrowfiles.schema_of(source)
    else:
        return ()
    return tuple(
        field.name for field in schema if is_scalar(field.type) and schema.names.count(field.name) == 1
    )


def batches(source: Source, columns: Sequence[str] | None = None) -> Iterator[Batch]:
    """The source's rows in order; `columns` are the ones to read, where the file lets others be left alone.

    Raises
    ------
    PoolError : the file is empty, damaged, of another format than its name says, or (JSON) malformed.
    """
    if source.table is not None:
        return arrowfiles.table_batches(source, source.table, columns)
    assert source.path is not None
    suffix = suffix_of(source.path)
    if suffix in TABLE_SUFFIXES:
        return arrowfiles.batches(source, columns)
    if suffix in (".csv", ".tsv"):
        return csvfiles.batches(source)
    return jsonfiles.batches(source)
