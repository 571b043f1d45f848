"""One raw record to one sample, for nested values and for JSON: the general way, row by row."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from backend.data import media, preference
from backend.data.formats import Reading
from backend.data.turn_parts import Said, UnreadableRow, kind_of, plain, with_reasoning
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
        raise UnreadableRow(f"is {kind_of(record)}, expected an object with named columns")
    columns = reading.columns
    bad = _marked_bad(record, reading)
    if bad and not reading.keep_bad:
        raise UnreadableRow(bad)
    system = _optional_text(record, columns.get("system"))
    tools = lookup(record, columns["tools"]) if "tools" in columns else _MISSING
    offered = NO_TOOLS if tools is _MISSING else read_tools(tools)
    said, name, chosen = _conversation(record, reading)
    sample = sample_from(said, name, system, offered)
    mapped = {path.split(".", 1)[0] for path in columns.values()}
    texts = [turn.text for turn in (*sample.turns, sample.response)]
    if reason := media.held({key: record[key] for key in record if key not in mapped}, texts):
        raise UnreadableRow(reason)
    return dataclasses.replace(sample, chosen=chosen, bad=bool(bad))


def _conversation(record: dict[str, Any], reading: Reading) -> tuple[list[Said], str, bool]:
    """All turns of a record, the column that its response is from, and whether that was preferred to another."""
    columns, speakers = reading.columns, reading.speakers
    name = columns.get("response", "")
    if "messages" in columns and not name:
        name = columns["messages"]
        return read_turns(_required(record, name), name, speakers), name, False
    chosen = "rejected" in columns or "messages" in columns
    if chosen:
        if "better" in columns:
            better = columns["better"]
            name = (name, columns["rejected"])[preference.pick(_required(record, better), better)]
        answer = preference.answer_turns(_required(record, name), name, speakers)
        context = _context(record, reading)
        if not context and not any(turn.role == "user" for turn in answer):
            raise UnreadableRow(f'"{name}" is an answer without a prompt')
        return preference.joined(context, answer, chosen=True), name, "rejected" in columns
    context = _prompt(record, reading)
    value = _required(record, name)
    if isinstance(value, list) and reading.format in ("prompt-completion", "mapping"):
        return preference.joined(context, read_turns(value, name, speakers), chosen=False), name, False
    if reading.format == "alpaca" and _is_pair(value):
        return [*context, _answer(record, reading, value[0])], name, True
    if not isinstance(value, str):
        raise UnreadableRow(f'"{name}" is {kind_of(value)}, not text')
    return [*context, _answer(record, reading, value)], name, False


def _context(record: dict[str, Any], reading: Reading) -> list[Said]:
    """What a chosen answer answers: a conversation, or a prompt; nothing where the answer brings it along."""
    columns = reading.columns
    talk = lookup(record, columns["messages"]) if "messages" in columns else None
    if talk is not _MISSING and talk not in (None, [], ""):
        return read_turns(talk, columns["messages"], reading.speakers)
    if "prompt" not in columns:
        return []
    value = lookup(record, columns["prompt"])
    if value is _MISSING or value in (None, [], ""):
        return []
    if isinstance(value, str):
        said = preference.listed(value, columns["prompt"], reading.speakers) or preference.spoken(value)
        if said:
            return said
    return _prompt(record, reading)


def _is_pair(value: Any) -> bool:
    """Whether a value is the chosen and the rejected answer in one list."""
    return isinstance(value, list) and len(value) == 2 and all(isinstance(text, str) for text in value)


def _marked_bad(record: dict[str, Any], reading: Reading) -> str:
    """Why a row counts as marked as bad; "" where it does not."""
    for role in ("good", "label"):
        path = reading.columns.get(role)
        value = None if path is None else lookup(record, path)
        text = role == "good" and isinstance(value, str) and value.strip().lower() in ("false", "no", "0")
        number = role == "good" and isinstance(value, (int, float)) and value == 0
        if value is False or text or number:
            return f'is marked as bad ("{path}" is {str(value).lower()})'
    return ""


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
    """What is asked: the prompt with its input, after the history."""
    name = reading.columns["prompt"]
    prompt = _required(record, name)
    extra = _optional_text(record, reading.columns.get("input"))
    turns: list[Said]
    if isinstance(prompt, str):
        turns = [plain("user", prompt + INPUT_LEAD + extra if extra else prompt)]
    elif isinstance(prompt, list):
        turns = read_turns(prompt, name, reading.speakers)
        if extra:
            if not turns or turns[-1].role != "user":
                path = reading.columns["input"]
                raise UnreadableRow(f'"{path}" has no user turn to follow: "{name}" does not end with one')
            turns[-1] = plain("user", turns[-1].text + INPUT_LEAD + extra)
    else:
        raise UnreadableRow(f'"{name}" is {kind_of(prompt)}, not text or a list of turns')
    history = lookup(record, reading.columns["history"]) if "history" in reading.columns else None
    if history is _MISSING or history is None:
        return turns
    return _history(history, reading.columns["history"]) + turns


def _history(value: Any, name: str) -> list[Said]:
    """Earlier rounds as [user, assistant] pairs."""
    if not isinstance(value, list):
        raise UnreadableRow(f'"{name}" is {kind_of(value)}, expected a list of [user, assistant] pairs')
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
