"""One raw record to one sample, for nested values and for JSON: the general way, row by row."""

from __future__ import annotations

import json
from typing import Any

from backend.data.formats import Reading
from backend.data.messages import Said, UnreadableRow, kind_of, plain, with_reasoning
from backend.data.turns import NO_TOOLS, Sample, read_tools, read_turns, sample_from

INPUT_LEAD = "\nInput: "
_MISSING = object()


def sample_of(record: Any, reading: Reading) -> Sample:
    """The turns before the response, the response, and their structure.

    Raises
    ------
    UnreadableRow : with the reason.
    """
    if not isinstance(record, dict):
        raise UnreadableRow(f"is {kind_of(record)}, where an object with named columns is needed")
    columns = reading.columns
    system = _optional_text(record, columns.get("system"))
    tools = lookup(record, columns["tools"]) if "tools" in columns else _MISSING
    offered = NO_TOOLS if tools is _MISSING else read_tools(tools)
    if "messages" in columns:
        name = columns["messages"]
        return sample_from(read_turns(_required(record, name), name), name, system, offered)
    prompt = _prompt(record, reading)
    history = lookup(record, columns["history"]) if "history" in columns else None
    if history is not _MISSING and history is not None:
        prompt = _history(history, columns["history"]) + prompt
    name = columns["response"]
    answer = _required(record, name)
    if isinstance(answer, list) and reading.format in ("prompt-completion", "mapping"):
        return sample_from(prompt + read_turns(answer, name), name, system, offered)
    if not isinstance(answer, str):
        raise UnreadableRow(f'"{name}" is {kind_of(answer)}, not text')
    return sample_from([*prompt, _answer(record, reading, answer)], name, system, offered)


def _answer(record: dict[str, Any], reading: Reading, text: str) -> Said:
    """A response that is a text, with the reasoning that stands in a column beside it."""
    reasoning = _optional_text(record, reading.columns.get("reasoning"))
    said = plain("assistant", text)
    if not reasoning or said.more.get("reasoning_content", "").strip() == reasoning.strip():
        return said
    return Said("assistant", with_reasoning(reasoning, text), text, {"reasoning_content": reasoning})


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


def _prompt(record: dict[str, Any], reading: Reading) -> list[Said]:
    name = reading.columns["prompt"]
    prompt = _required(record, name)
    extra = _optional_text(record, reading.columns.get("input"))
    if isinstance(prompt, str):
        return [plain("user", prompt + INPUT_LEAD + extra if extra else prompt)]
    if not isinstance(prompt, list):
        raise UnreadableRow(f'"{name}" is {kind_of(prompt)}, not text or a list of turns')
    turns = read_turns(prompt, name)
    if extra:
        if not turns or turns[-1].role != "user":
            path = reading.columns["input"]
            raise UnreadableRow(f'"{path}" has no user turn to follow: "{name}" does not end with one')
        turns[-1] = plain("user", turns[-1].text + INPUT_LEAD + extra)
    return turns


def _history(value: Any, name: str) -> list[Said]:
    """Earlier rounds as [user, assistant] pairs."""
    if not isinstance(value, list):
        raise UnreadableRow(
            f'"{name}" is {kind_of(value)}, where a list of [user, assistant] pairs is needed'
        )
    turns: list[Said] = []
    for number, pair in enumerate(value, start=1):
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)):
            raise UnreadableRow(f'"{name}" entry {number} is not a pair of texts [user, assistant]')
        turns += [plain("user", pair[0]), plain("assistant", pair[1])]
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
