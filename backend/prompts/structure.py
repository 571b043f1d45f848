"""A conversation with reasoning, tools and tool calls, put as one chat template wants it.

What a template has a place for goes there; the rest stands in the text: reasoning in `<think>`, calls as JSON, the tools
in the system turn.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from backend.data.turn_parts import calls_text, with_reasoning
from backend.prompts.render import Message, NotRendered, Render
from backend.records import Conversation

REASONING_NAMES = ("reasoning_content", "thinking", "reasoning")  # what published templates read
Arguments = Literal["", "object", "text"]

_USER: Message = {"role": "user", "content": "U"}
_SCHEMA = {
    "type": "function",
    "function": {
        "name": "ToolProbe",
        "description": "D",
        "parameters": {
            "type": "object",
            "properties": {"k": {"type": "string", "description": "K"}},
            "required": ["k"],
        },
    },
}


@dataclass(frozen=True)
class Abilities:
    """What a template writes.

    reasoning : the names under which it is given reasoning; none where it has no place for it.
    tools : whether it writes the tools that may be called.
    calls : how it takes the arguments of a call, "" where it writes no calls.
    """

    reasoning: tuple[str, ...]
    tools: bool
    calls: Arguments


def abilities(render: Render) -> Abilities:
    """Found out by rendering small conversations."""
    tools = "ToolProbe" in _tried(render, [_USER, {"role": "assistant", "content": "A"}], [_SCHEMA])
    return Abilities(_reasoning(render), tools, _calls(render, [_SCHEMA] if tools else None))


def _reasoning(render: Render) -> tuple[str, ...]:
    for names in (REASONING_NAMES, *((name,) for name in REASONING_NAMES)):
        answer = {"role": "assistant", "content": "A", **dict.fromkeys(names, "ReasonProbe")}
        if _tried(render, [_USER, answer]).count("ReasonProbe") == 1:
            return names
    return ()


def _calls(render: Render, tools: list[Any] | None) -> Arguments:
    given: tuple[tuple[Arguments, Any], ...] = (
        ("object", {"key": "ArgProbe"}),
        ("text", '{"key": "ArgProbe"}'),
    )
    for kind, arguments in given:
        call = {
            "id": "abcdef123",
            "type": "function",
            "function": {"name": "ToolProbe2", "arguments": arguments},
        }
        answer = {"role": "assistant", "content": "", "tool_calls": [call]}
        result = {"role": "tool", "content": "R", "tool_call_id": "abcdef123", "name": "ToolProbe2"}
        text = _tried(render, [_USER, answer, result, {"role": "assistant", "content": "A"}], tools)
        text = text or _tried(render, [_USER, answer], tools)
        # written as Python writes a dictionary, or a text quoted once more, is not how a model should see it
        odd = "'key': " in text or '\\"key' in text
        if "ToolProbe2" in text and "ArgProbe" in text and not odd:
            return kind
    return ""


def _tried(render: Render, messages: list[Message], tools: list[Any] | None = None) -> str:
    try:
        return render(messages, tools=tools)
    except NotRendered:
        return ""


@dataclass(frozen=True)
class Put:
    """A conversation as a template is given it: the turns before the response, the response, the tools.

    as_text : whether tools or calls had to go into the text.
    """

    prompt: list[Message]
    response: Message
    tools: list[Any] | None = None
    as_text: bool = False


def forms(sample: Conversation, can: Abilities) -> Iterable[Put]:
    """The ways to give a sample to a template, the one that keeps most of its structure first."""
    text = Put([dict(turn) for turn in sample.turns], {"role": "assistant", "content": sample.response})
    if not sample.messages:
        yield text
        return
    called = bool(sample.tools) or any(message.get("tool_calls") for message in sample.messages)
    messages = [_message(message, can) for message in sample.messages]
    tools = [_schema(tool) for tool in sample.tools] if sample.tools and can.tools else None
    as_text = bool(sample.tools) and not can.tools
    if as_text and sample.turns and sample.turns[0]["role"] == "system":
        own = messages[1:] if messages[0]["role"] == "system" else messages
        messages = [dict(sample.turns[0]), *own]  # its system turn holds the tools as text
    calls = any(message.get("tool_calls") for message in sample.messages)
    as_text = as_text or (calls and not can.calls)
    if can.calls and calls:
        yield Put(messages[:-1], messages[-1], tools, as_text)
        numbered = _numbered(messages)  # some templates insist on ids of nine letters or digits
        yield Put(numbered[:-1], numbered[-1], tools, as_text)
    else:
        yield Put(messages[:-1], messages[-1], tools, as_text)
    yield Put(text.prompt, text.response, None, called)


def _message(message: Message, can: Abilities) -> Message:
    """A turn as the template takes it."""
    given = {"role": message["role"], "content": message.get("content") or ""}
    calls = message.get("tool_calls") or []
    if calls and can.calls:
        given["tool_calls"] = [_call(call, can.calls) for call in calls]
    elif calls:
        given["content"] = "\n".join(part for part in (given["content"], calls_text(calls)) if part)
    reasoning = message.get("reasoning_content")
    if reasoning and can.reasoning:
        given |= dict.fromkeys(can.reasoning, reasoning)
    elif reasoning is not None and not can.reasoning:
        given["content"] = with_reasoning(reasoning, given["content"])
    return given | {key: message[key] for key in ("tool_call_id", "name") if key in message}


def _call(call: dict[str, Any], kind: Arguments) -> dict[str, Any]:
    function = call.get("function") or call
    arguments = function.get("arguments", {})
    if kind == "text" and not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    if kind == "object" and isinstance(arguments, str):
        try:
            parsed = json.loads(arguments)
        except (ValueError, RecursionError):
            parsed = arguments  # no JSON: the template writes the text it is
        arguments = parsed if isinstance(parsed, dict) else arguments
    made = {"type": "function", "function": {"name": function["name"], "arguments": arguments}}
    return {"id": call["id"], **made} if call.get("id") else made


def _schema(tool: Any) -> Any:
    """A tool as templates expect it: {type, function}."""
    if isinstance(tool, dict) and "function" not in tool and "name" in tool:
        return {"type": "function", "function": tool}
    return tool


def _numbered(messages: list[Message]) -> list[Message]:
    """The turns with ids of their own: calls in order, each result with that of the first call still without one."""
    number = 0
    waiting: list[str] = []
    made = []
    for message in messages:
        if message.get("tool_calls"):
            calls = []
            for call in message["tool_calls"]:
                number += 1
                waiting.append(f"call{number:05d}")
                calls.append({**call, "id": waiting[-1]})
            message = {**message, "tool_calls": calls}
        elif message["role"] == "tool" and waiting:
            message = {**message, "tool_call_id": waiting.pop(0)}
        made.append(message)
    return made
