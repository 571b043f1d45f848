"""One raw record to one sample, for nested values and for JSON: the general way, row by row."""

from __future__ import annotations

import json
from typing import Any

from backend.data.formats import Reading
from backend.data.turns import (
    TurnPair,
    UnreadableRow,
    kind_of,
    read_turns,
    split_response,
    tools_text,
    with_system,
)

INPUT_LEAD = "\nInput: "
_MISSING = object()


def sample_of(record: Any, reading: Reading) -> tuple[list[TurnPair], str]:
    """The turns before the response, and the response.

    Raises
    ------
    UnreadableRow : with the reason.
    """
    if not isinstance(record, dict):
        raise UnreadableRow(f"is {kind_of(record)}, where an object with named columns is needed")
    columns = reading.columns
    system = _optional_text(record, columns.get("system"))
    if "messages" in columns:
        name = columns["messages"]
        turns = read_turns(_required(record, name), name)
        tools = lookup(record, columns["tools"]) if "tools" in columns else None
        turns = with_system(turns, system, "" if tools is _MISSING else tools_text(tools))
        return split_response(turns, name)
    prompt = _prompt(record, reading)
    history = lookup(record, columns["history"]) if "history" in columns else None
    if history is not _MISSING and history is not None:
        prompt = _history(history, columns["history"]) + prompt
    name = columns["response"]
    answer = _required(record, name)
    if isinstance(answer, list) and reading.format in ("prompt-completion", "mapping"):
        turns = with_system(prompt + read_turns(answer, name), system, "")
        return split_response(turns, name)
    if not isinstance(answer, str):
        raise UnreadableRow(f'"{name}" is {kind_of(answer)}, not text')
    return with_system(prompt, system, ""), answer


def source_of(record: dict[str, Any], reading: Reading) -> str | None:
    """Where the record says it comes from; None where it does not."""
    return _short(record, reading.columns.get("source"))


def label_of(record: dict[str, Any], reading: Reading) -> str | None:
    """The record's evaluation label; None where it has none."""
    return _short(record, reading.columns.get("label"))


def lookup(record: dict[str, Any], path: str) -> Any:
    """The value of a column, or of a path such as "instances.0.output" into nested values."""
    if path in record:
        return record[path]
    value: Any = record
    for part in path.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return _MISSING
    return value


def is_there(record: Any, path: str) -> bool:
    """Whether a record has a value, null included, under a path."""
    return isinstance(record, dict) and lookup(record, path) is not _MISSING


def _required(record: dict[str, Any], path: str) -> Any:
    value = lookup(record, path)
    if value is _MISSING:
        raise UnreadableRow(f'"{path}" is missing (found: {", ".join(map(str, record)) or "nothing"})')
    if value is None:
        raise UnreadableRow(f'"{path}" is null')
    return value


def _optional_text(record: dict[str, Any], path: str | None) -> str:
    value = None if path is None else lookup(record, path)
    if value is None or value is _MISSING:
        return ""
    if not isinstance(value, str):
        raise UnreadableRow(f'"{path}" is {kind_of(value)}, not text')
    return value


def _prompt(record: dict[str, Any], reading: Reading) -> list[TurnPair]:
    name = reading.columns["prompt"]
    prompt = _required(record, name)
    extra = _optional_text(record, reading.columns.get("input"))
    if isinstance(prompt, str):
        return [("user", prompt + INPUT_LEAD + extra if extra else prompt)]
    if not isinstance(prompt, list):
        raise UnreadableRow(f'"{name}" is {kind_of(prompt)}, not text or a list of turns')
    turns = read_turns(prompt, name)
    if extra:
        if not turns or turns[-1][0] != "user":
            path = reading.columns["input"]
            raise UnreadableRow(f'"{path}" has no user turn to follow: "{name}" does not end with one')
        turns[-1] = ("user", turns[-1][1] + INPUT_LEAD + extra)
    return turns


def _history(value: Any, name: str) -> list[TurnPair]:
    """Earlier rounds as [user, assistant] pairs."""
    if not isinstance(value, list):
        raise UnreadableRow(
            f'"{name}" is {kind_of(value)}, where a list of [user, assistant] pairs is needed'
        )
    turns: list[TurnPair] = []
    for number, pair in enumerate(value, start=1):
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)):
            raise UnreadableRow(f'"{name}" entry {number} is not a pair of texts [user, assistant]')
        turns += [("user", pair[0]), ("assistant", pair[1])]
    return turns


def _short(record: dict[str, Any], path: str | None) -> str | None:
    value = None if path is None else lookup(record, path)
    if value is None or value is _MISSING or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
