"""Conversations as lists of turns: whose turn it is, its text, and which turn is the response."""

from __future__ import annotations

import contextlib
import json
from typing import Any

TurnPair = tuple[str, str]  # role (system, user, assistant, tool), content

SPEAKERS = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "function_call": "assistant",
    "tool_call": "assistant",
    "tool": "tool",
    "observation": "tool",
    "function_response": "tool",
    "tool_response": "tool",
    "function": "tool",
    "ipython": "tool",
}
# turns whose value may be an object, not its text: it is written out as JSON
_STRUCTURED = {"function_call", "tool_call", "tool", "observation", "function_response", "tool_response"}


class UnreadableRow(ValueError):
    """A row cannot become a sample; the message is the reason a person reads."""


def split_response(turns: list[TurnPair], name: str) -> tuple[list[TurnPair], str]:
    """The turns before the last assistant turn, and its text; what follows it is dropped."""
    for at in range(len(turns) - 1, -1, -1):
        if turns[at][0] == "assistant":
            return turns[:at], turns[at][1]
    found = ", ".join(dict.fromkeys(role for role, _ in turns)) or "no turns"
    raise UnreadableRow(f'"{name}" has no assistant turn (found: {found})')


def read_turns(value: Any, name: str) -> list[TurnPair]:
    """A list of {from, value} or {role, content}, or such a list as JSON text.

    An assistant turn that calls tools (`tool_calls`, `function_call`) reads as its text, if any, and the calls as
    JSON: {"name": ..., "arguments": {...}}, or a list of these. An empty system turn is left out.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise UnreadableRow(
                f'"{name}" is text that is not JSON, where a list of turns is needed'
            ) from None
    if not isinstance(value, list):
        raise UnreadableRow(f'"{name}" is {kind_of(value)}, where a list of turns is needed')
    turns: list[TurnPair] = []
    last_missing: str | None = None
    for number, turn in enumerate(value, start=1):
        role, content = _turn(turn, f'"{name}" turn {number}')
        if role == "assistant":
            last_missing = f'"{name}" turn {number}, the last of the assistant, has no content'
            last_missing = last_missing if content is None else None
        if content or role != "system":
            turns.append((role, content or ""))
    if last_missing:
        raise UnreadableRow(last_missing)
    return turns


def with_system(turns: list[TurnPair], system: str, tools: str) -> list[TurnPair]:
    """The turns with a system turn in front: the column's text, the conversation's own, then the tools.

    The parts are parted by an empty line; tools follow a line "Tools:". Text that the conversation already
    begins with is not said twice.
    """
    own = turns[0][1] if turns and turns[0][0] == "system" else ""
    parts = [part for part in dict.fromkeys((system, own)) if part]
    if tools:
        parts.append(f"Tools:\n{tools}")
    if not parts:
        return turns
    return [("system", "\n\n".join(parts)), *(turns[1:] if own else turns)]


def tools_text(value: Any) -> str:
    """A `tools` value as the text that the model reads; "" for none."""
    if value is None:
        return ""
    if isinstance(value, str):
        return "" if value.strip() in ("", "[]", "{}", "null") else value
    cleaned = without_nulls(value)
    return json.dumps(cleaned, ensure_ascii=False) if cleaned else ""


def without_nulls(value: Any) -> Any:
    """Nested values without their nulls: a table gives every object every key that any other one has."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def kind_of(value: Any) -> str:
    """What a value is, in a reader's words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"{str(value).lower()}"
    if isinstance(value, (int, float)):
        text = str(value) if not isinstance(value, int) or abs(value) < 10**15 else "large"
        return f"a number ({text})"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    return f"a {type(value).__name__}"


def _turn(turn: Any, where: str) -> tuple[str, str | None]:
    if not isinstance(turn, dict):
        raise UnreadableRow(f"{where} is {kind_of(turn)}, where an object (role and content) is needed")
    speaker = turn.get("role") if turn.get("role") is not None else turn.get("from")
    if speaker is None:
        raise UnreadableRow(f'{where} has no "role" or "from" (found: {", ".join(map(str, turn))})')
    role = SPEAKERS.get(speaker.strip().lower()) if isinstance(speaker, str) else None
    if role is None:
        raise UnreadableRow(f"{where}: role {speaker!r} is unknown (known: {', '.join(SPEAKERS)})")
    value = turn.get("content") if turn.get("content") is not None else turn.get("value")
    if isinstance(value, (dict, list)) and speaker.strip().lower() in _STRUCTURED and not _parts(value):
        content: str | None = json.dumps(without_nulls(value), ensure_ascii=False)
    else:
        content = _text(value, where)
    calls = _calls(turn) if role == "assistant" else ""
    if calls:
        content = f"{content}\n{calls}" if content else calls
    return role, content


def _parts(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(p, str) or (isinstance(p, dict) and "type" in p) for p in value)
    )


def _text(value: Any, where: str) -> str | None:
    """A turn's content: text, null, or a list of text parts, which are joined."""
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise UnreadableRow(f"{where}: the content is {kind_of(value)}, not text")
    texts = []
    for part in value:
        text = part if isinstance(part, str) else part.get("text") if isinstance(part, dict) else None
        kind = part.get("type", "text") if isinstance(part, dict) else "text"
        if not isinstance(text, str) or kind not in ("text", "input_text", "output_text"):
            raise UnreadableRow(f"{where} holds a part of type {kind!r}; only text can be read")
        texts.append(text)
    return "".join(texts)


def _calls(turn: dict[str, Any]) -> str:
    """A turn's tool calls as JSON text, "" for none."""
    calls = turn.get("tool_calls") or ([turn["function_call"]] if turn.get("function_call") else [])
    if isinstance(calls, str):
        return calls
    if isinstance(calls, dict):
        calls = [calls]
    read = []
    for call in calls:
        function = call.get("function") if isinstance(call, dict) and call.get("function") else call
        if isinstance(function, dict) and "name" in function:
            arguments = function.get("arguments")
            if isinstance(arguments, str):
                # arguments that are no JSON stay the text they are
                with contextlib.suppress(ValueError, RecursionError):
                    arguments = json.loads(arguments)
            function = {"name": function["name"], "arguments": arguments}
        read.append(without_nulls(function))
    if not read:
        return ""
    return json.dumps(read[0] if len(read) == 1 else read, ensure_ascii=False)
