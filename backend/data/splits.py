"""Where in a parsed JSON document the rows lie, and which of several splits is read."""

from __future__ import annotations

from typing import Any

from backend.data.batch import Source
from backend.errors import PoolError

_WRAPPERS = ("train", "data", "rows", "examples", "samples", "items", "records")


def records_in(value: Any, source: Source) -> tuple[list[Any], str]:
    """The records of a document, and a sentence where some of it is not read.

    A document is {"data": [...]}, a dictionary of splits {"train": [...], "test": [...]}, {"column": [...]},
    {"column": {"0": ...}}, or one record. Of splits, the one that `source` names is read, else "train" or the like.

    Raises
    ------
    PoolError : the split that the source names is not there.
    """
    if source.split is not None:
        return _of_split(value, source), ""
    if isinstance(value, list):
        return [record_of(item) for item in value], ""
    if not isinstance(value, dict) or any(_is_turns(items) for items in value.values()):
        return [value], ""
    splits = [key for key, items in value.items() if _are_rows(items)]
    wrappers = [key for key in _WRAPPERS if key in splits]
    if wrappers or (splits and len(splits) == len(value)):
        read = (wrappers or splits)[0]
        others = [key for key in splits if key != read]
        return [record_of(item) for item in value[read]], _told(source, read, others)
    columns = list(value.values())
    if columns and all(isinstance(column, list) for column in columns):
        if len({len(column) for column in columns}) == 1:
            return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)], ""
    elif columns and all(isinstance(c, dict) and c.keys() == columns[0].keys() for c in columns):
        return [{name: column[key] for name, column in value.items()} for key in columns[0]], ""
    return [value], ""


def record_of(item: Any) -> Any:
    """A row that is a list of turns as a record with the column "messages"; any other as it is."""
    return {"messages": item} if isinstance(item, list) and _all_objects(item) else item


def _of_split(value: Any, source: Source) -> list[Any]:
    if isinstance(value, dict) and isinstance(value.get(source.split), list):
        return [record_of(item) for item in value[source.split]]
    found = (
        [str(key) for key, items in value.items() if isinstance(items, list)]
        if isinstance(value, dict)
        else []
    )
    raise PoolError(
        f'{source.name}: there is no key "{source.split}" with an array of rows '
        f"(found: {', '.join(found[:20]) or 'no key with an array'})"
    )


def _told(source: Source, read: str, others: list[str]) -> str:
    if not others:
        return ""
    left = ", ".join(f'"{key}"' for key in others[:20])
    return (
        f'{source.name}: "{read}" was read, {left} {"was" if len(others) == 1 else "were"} not '
        f"({source.name}:{others[0]} reads {'it' if len(others) == 1 else 'the first of them'})."
    )


def _are_rows(items: Any) -> bool:
    """Whether this is an array of rows: of objects, or of lists of turns; and not one conversation."""
    if not isinstance(items, list) or not items or _is_turns(items):
        return False
    return all(isinstance(item, dict) or (isinstance(item, list) and _all_objects(item)) for item in items)


def _all_objects(items: list[Any]) -> bool:
    return bool(items) and all(isinstance(item, dict) for item in items)


def _is_turns(value: Any) -> bool:
    """Whether this is one conversation: a list of objects that name a speaker."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(turn, dict) and ("role" in turn or "from" in turn) for turn in value)
    )
