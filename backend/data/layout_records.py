"""A sample as a record of a format, with the keys and types that all records of its export have."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from backend.data.layouts import ExportFormat, Shape, Written, message_of, rounds
from backend.records import Turn

_SPEAKER = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}


def record_of(format: ExportFormat, shape: Shape) -> Callable[[Written], dict[str, Any]]:
    """A function from a sample to its record."""
    write = {
        "alpaca": _alpaca,
        "messages": _messages,
        "prompt_completion": _prompt_completion,
        "sharegpt": _sharegpt,
    }[format]

    def record(sample: Written) -> dict[str, Any]:
        made = write(sample, shape)
        made["source"] = sample.source
        if shape.label:
            made["label"] = sample.label
        for name, (column, absent, as_text) in shape.own.items():
            value = sample.own.get(column)
            made[name] = absent if value is None else str(value) if as_text else value
        return made

    return record


def _alpaca(sample: Written, shape: Shape) -> dict[str, Any]:
    said = sample.said
    record: dict[str, Any] = {"instruction": said[-2]["content"], "input": "", "output": said[-1]["content"]}
    if shape.system:
        record["system"] = said[0]["content"] if said[0]["role"] == "system" else ""
    if shape.history:
        record["history"] = rounds(said)
    return record


def _messages(sample: Written, shape: Shape) -> dict[str, Any]:
    return {"messages": _flagged(_turns(sample, shape), shape), **_tools(sample, shape)}


def _prompt_completion(sample: Written, shape: Shape) -> dict[str, Any]:
    turns = _turns(sample, shape)
    return {"prompt": turns[:-1], "completion": turns[-1:], **_tools(sample, shape)}


def _sharegpt(sample: Written, shape: Shape) -> dict[str, Any]:
    spoken: list[dict[str, Any]] = list(_spoken(sample.turns))
    for turn, message in zip(spoken, sample.messages or (), strict=False):
        if message.get("tool_calls"):
            turn["from"] = "function_call"
    record: dict[str, Any] = {"conversations": _flagged(spoken, shape)}
    if shape.tools:
        record["tools"] = sample.tools_text or shape.no_tools
    return record


def _flagged(turns: list[dict[str, Any]], shape: Shape) -> list[dict[str, Any]]:
    """The turns, the last one marked as the one that is trained on where the export has such marks."""
    last = len(turns) - 1
    return [{**turn, "train": at == last} for at, turn in enumerate(turns)] if shape.flags else turns


def _tools(sample: Written, shape: Shape) -> dict[str, Any]:
    if not shape.tools:
        return {}
    if shape.schemas:
        return {"tools": sample.tools}
    return {"tools": sample.tools_text or shape.no_tools}


def _turns(sample: Written, shape: Shape) -> list[dict[str, Any]]:
    if sample.messages is None:
        plain: list[dict[str, Any]] = [dict(turn) for turn in sample.said]
    else:
        plain = [message_of(sample, at) for at in range(len(sample.messages))]
        if not shape.calls:  # calls as text do not tell how they read: the turn's text does
            for turn, message in zip(sample.turns, plain, strict=True):
                if message.get("tool_calls"):
                    message["verbatim"] = turn["content"]
    return [_full(message, shape) for message in plain] if shape.texts or shape.has_calls else plain


def _full(message: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """A message with every key that any message of the export has."""
    full: dict[str, Any] = {"role": message["role"], "content": message["content"]}
    full |= {key: message.get(key) or absent for key, absent in shape.texts.items()}
    if shape.has_calls:
        calls = [_call(call, shape) for call in message.get("tool_calls", ())]
        full["tool_calls"] = (calls or None) if shape.calls else (_text(calls) if calls else "")
    return full


def _call(call: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """A tool call with the keys that any other one has."""
    function = call.get("function") or call
    arguments = function.get("arguments")
    if not shape.objects and not isinstance(arguments, str):
        arguments = _text({} if arguments is None else arguments)
    named = {"name": function["name"], "arguments": arguments}
    made: dict[str, Any] = {"id": call.get("id") or ""} if shape.ids else {}
    return {**made, "type": "function", "function": named} if shape.wrapped else {**made, **named}


def _spoken(turns: Iterable[Turn]) -> list[dict[str, str]]:
    return [{"from": _SPEAKER[turn["role"]], "value": turn["content"]} for turn in turns]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
