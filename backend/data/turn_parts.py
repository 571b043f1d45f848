"""One turn as it stands in a file to its text and to the parts that chat templates know: reasoning, tool calls, names.

The text form is what is searched and counted: reasoning in `<think>` before the answer, tool calls as JSON after it.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.data import media

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
    "ai": "assistant",
    "chatbot": "assistant",
    "llm": "assistant",
    "question": "user",
    "answer": "assistant",
    "response": "assistant",
    "function_call": "assistant",
    "tool_call": "assistant",
    "tool": "tool",
    "observation": "tool",
    "function_response": "tool",
    "tool_response": "tool",
    "function": "tool",
    "ipython": "tool",
}
# turns of the assistant that are tool calls as text
CALLERS = {"function_call", "tool_call"}
# turns whose value may be an object, not its text: it is written out as JSON
# a round as one object: {human, assistant}, {question, answer} and the like, each with what was said
ASKERS = ("human", "user", "question", "query", "instruction", "prompt", "input")
ANSWERERS = ("assistant", "gpt", "bot", "ai", "model", "answer", "response", "output")
_STRUCTURED = {*CALLERS, "tool", "observation", "function_response", "tool_response"}
REASONING = ("reasoning_content", "reasoning", "thinking")
NO_LIST = ("", "[]", "{}", "null")  # how a text says that there is nothing
_TEXT_PARTS = ("text", "input_text", "output_text")
_THINKING_PARTS = ("thinking", "reasoning")
_THINK = re.compile(r"\s*<think>(.*?)</think>", re.DOTALL)


class UnreadableRow(ValueError):
    """A row cannot become a sample; the message is the reason a person reads."""


@dataclass(frozen=True)
class Said:
    """One turn.

    role : system, user, assistant or tool.
    text : what was said, as text alone.
    content : the text without reasoning and calls.
    more : reasoning_content, tool_calls, tool_call_id and name, where the turn has them.
    written : whether reasoning or calls stood in the text itself, so that the text is how the turn came in.
    missing : whether the turn says nothing at all: no content (null, not an empty text), reasoning or call.
    tools : the tools that a system turn brings, as they stand there.
    """

    role: str
    text: str
    content: str
    more: dict[str, Any] = field(default_factory=dict)
    written: bool = False
    missing: bool = False
    tools: Any = None

    @property
    def message(self) -> dict[str, Any]:
        """The turn for a chat template: {role, content, and what `more` holds}."""
        return {"role": self.role, "content": self.content, **self.more}


def plain(role: str, text: str) -> Said:
    """A turn that came in as text; an assistant's may begin with its reasoning in `<think>`."""
    found = _THINK.match(text) if role == "assistant" and "<think>" in text else None
    if found is None:
        return Said(role, text, text)
    rest = text[found.end() :].lstrip("\n")
    return Said(role, text, rest, {"reasoning_content": found[1].strip("\n")}, written=True)


def with_reasoning(reasoning: str, content: str) -> str:
    """An answer with its reasoning before it, as text alone."""
    return f"<think>\n{reasoning}\n</think>\n\n{content}"


def read_turn(turn: Any, where: str, speakers: Mapping[str, str]) -> list[Said]:
    """A turn {role, content} or {from, value} with what stands beside these; two for a round {human, assistant}.

    speakers : roles by speaker that a person named, beside those of `SPEAKERS`; in lower case.

    Raises
    ------
    UnreadableRow : its speaker is unknown, or it holds something other than text.
    """
    if not isinstance(turn, dict):
        raise UnreadableRow(f"{where} is {kind_of(turn)}, expected an object (role and content)")
    if reason := media.held(turn):
        raise UnreadableRow(f"{where} {reason}")
    return _round(turn, where) or [_one(turn, where, speakers)]


def _round(turn: dict[str, Any], where: str) -> list[Said]:
    """A round as one object {human, assistant}, with a system text where it has one; none where it is a turn."""
    if turn.get("role") is not None or turn.get("from") is not None:
        return []
    keys = {str(key).strip().casefold(): key for key in turn}
    asker = next((keys[name] for name in ASKERS if name in keys), None)
    answerer = next((keys[name] for name in ANSWERERS if name in keys), None)
    if asker is None or answerer is None:
        return []
    said = []
    for role, key in (("system", keys.get("system")), ("user", asker), ("assistant", answerer)):
        value = turn.get(key) if key is not None else ""
        if not isinstance(value, str):
            raise UnreadableRow(f'{where}: "{key}" is {kind_of(value)}, not text')
        if value or role != "system":
            said.append(plain(role, value))
    return said


def _one(turn: dict[str, Any], where: str, speakers: Mapping[str, str]) -> Said:
    """One turn of one speaker."""
    speaker = turn.get("role") if turn.get("role") is not None else turn.get("from")
    if speaker is None:
        raise UnreadableRow(f'{where} has no "role" or "from" (found: {", ".join(map(str, turn))})')
    name = speaker.strip().lower() if isinstance(speaker, str) else ""
    role = speakers.get(name) or SPEAKERS.get(name)
    if role is None:
        raise UnreadableRow(
            f"{where}: role {speaker!r} is unknown (known: {', '.join({**SPEAKERS, **speakers})}; "
            "role.NAME=user, assistant, system or tool in the mapping names another)"
        )
    value = turn.get("content") if turn.get("content") is not None else turn.get("value")
    thought = ""
    if isinstance(value, (dict, list)) and name in _STRUCTURED and not _parts(value):
        content: str | None = json.dumps(without_nulls(value), ensure_ascii=False, default=str)
    else:
        content, thought = _content(value, where)
    if role == "tool":
        names = {key: str(turn[key]) for key in ("tool_call_id", "name") if turn.get(key) not in (None, "")}
        return Said(role, content or "", content or "", names, missing=content is None)
    if role != "assistant":
        tools = turn.get("tools") if role == "system" else None
        return Said(role, content or "", content or "", missing=content is None, tools=tools)
    return _assistant(turn, name, content, thought, where)


def _assistant(turn: dict[str, Any], name: str, content: str | None, thought: str, where: str) -> Said:
    """A turn of the assistant with its reasoning and its calls."""
    beside = _reasoning(turn, where) or thought
    calls, as_text = _calls(turn, where)
    said = _called(content or "") if name in CALLERS and not calls else plain("assistant", content or "")
    if beside and said.more.get("reasoning_content", "").strip() == beside.strip():
        beside = ""  # it stands in the content as well: once is enough
    more, text = dict(said.more), said.text
    if as_text:
        text = f"{text}\n{as_text}" if text else as_text
    if calls:
        more["tool_calls"] = calls
    if beside:
        text = with_reasoning(beside, text)
        if "reasoning_content" in more:  # a text that begins with other reasoning stays whole behind it
            said = Said("assistant", said.text, said.text)
        more["reasoning_content"] = beside
    verbatim = turn.get("verbatim")  # how an export keeps a text whose spacing its parts do not tell
    if isinstance(verbatim, str) and verbatim and calls:
        text = verbatim
    missing = content is None and not as_text and not beside
    return Said("assistant", text, said.content, more, said.written and not beside and not calls, missing)


def _reasoning(turn: dict[str, Any], where: str) -> str:
    """What stands beside a turn's content as its reasoning; "" for none."""
    for key in REASONING:
        value = turn.get(key)
        if value is None or value == "":
            continue
        if isinstance(value, list) and _parts(value):
            value = _content(value, where)[0]
        if not isinstance(value, str):
            raise UnreadableRow(f'{where}: "{key}" is {kind_of(value)}, not text')
        return value
    return ""


def _parts(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(p, str) or (isinstance(p, dict) and "type" in p) for p in value)
    )


def _content(value: Any, where: str) -> tuple[str | None, str]:
    """A turn's content and the reasoning in it: text, null, or a list of parts, whose texts are joined."""
    if value is None or isinstance(value, str):
        return value, ""
    if not isinstance(value, list):
        raise UnreadableRow(f"{where}: the content is {kind_of(value)}, not text")
    texts: list[str] = []
    thoughts: list[str] = []
    for part in value:
        kind = _kind(part)
        if kind in _THINKING_PARTS:
            found = next((part[key] for key in (*_THINKING_PARTS, "text", "value") if part.get(key)), "")
            thoughts.append(found if isinstance(found, str) else _content(found, where)[0] or "")
            continue
        text = part if isinstance(part, str) else _text_of(part) if isinstance(part, dict) else None
        if not isinstance(text, str) or kind not in _TEXT_PARTS:
            raise UnreadableRow(f"{where} holds a part of type {kind!r}; only text can be read")
        texts.append(text)
    return "".join(texts), "\n\n".join(thoughts)


def _kind(part: Any) -> str:
    """The type of a part; one that names none is what it holds."""
    if not isinstance(part, dict):
        return "text"
    if part.get("type") is not None:
        return str(part["type"])
    return next((str(key) for key, value in part.items() if value and media.is_media(str(key))), "text")


def _text_of(part: dict[str, Any]) -> Any:
    return part.get("text") if part.get("text") is not None else part.get("value")


def _calls(turn: dict[str, Any], where: str) -> tuple[list[dict[str, Any]], str]:
    """A turn's tool calls as they came in, and as JSON text: {"name", "arguments"}, or a list of these; "" for none."""
    calls = turn.get("tool_calls") or ([turn["function_call"]] if turn.get("function_call") else [])
    if isinstance(calls, str):
        return ([], "") if calls.strip() in NO_LIST else (_checked(_parsed(calls)) or [], calls)
    if isinstance(calls, dict):
        calls = [calls]
    if not isinstance(calls, list):
        raise UnreadableRow(f'{where}: "tool_calls" is {kind_of(calls)}, expected a list')
    calls = [_without_id(call) for call in without_nulls(calls)]
    checked = _checked(calls)
    if checked is None:
        raise UnreadableRow(f'{where}: "tool_calls" holds something other than calls by name')
    return checked, calls_text(checked)


def _without_id(call: Any) -> Any:
    """A call without an id that says nothing."""
    return (
        {key: value for key, value in call.items() if key != "id" or value}
        if isinstance(call, dict)
        else call
    )


def _called(text: str) -> Said:
    """A turn that is a call as text: JSON, which reasoning or words may precede."""
    said = plain("assistant", text)
    for at in (0, said.content.rfind("\n{") + 1, said.content.rfind("\n[") + 1):
        calls = _checked(_parsed(said.content[at:]))
        if calls:
            content = said.content[:at].rstrip("\n") if at else ""
            calls = [{"type": "function", "function": call} for call in calls]
            return Said("assistant", text, content, {**said.more, "tool_calls": calls}, written=True)
    return said


def _checked(value: Any) -> list[dict[str, Any]] | None:
    """The value as a list of calls by name; None where it is something else."""
    calls = [value] if isinstance(value, dict) else value
    if not isinstance(calls, list):
        return None
    for call in calls:
        function = call.get("function") or call if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            return None
    return calls


def text_of(message: dict[str, Any]) -> str:
    """A message as text alone: reasoning in `<think>`, the content, the calls."""
    calls = calls_text(message.get("tool_calls") or [])
    text = "\n".join(part for part in (message["content"], calls) if part)
    reasoning = message.get("reasoning_content")
    return text if reasoning is None else with_reasoning(reasoning, text)


def calls_text(calls: list[dict[str, Any]]) -> str:
    """Tool calls as JSON text: {"name", "arguments"}, or a list of these; "" for none."""
    read = []
    for call in calls:
        function = call.get("function") or call
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            # arguments that are no JSON stay the text they are
            with contextlib.suppress(ValueError, RecursionError):
                arguments = json.loads(arguments)
        read.append(without_nulls({"name": function["name"], "arguments": arguments}))
    if not read:
        return ""
    return json.dumps(read[0] if len(read) == 1 else read, ensure_ascii=False, default=str)


def _parsed(text: str) -> Any:
    """The value that a text spells in JSON; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


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
