"""How a sample is written in a format, so that all records of one file have the same keys and the same types.

Readers such as the datasets library take the types from a file's beginning and refuse what does not fit later. So the
samples are looked at first (`look`): a key that one of them needs stands in every record, an absent text is "", and
where nested values differ in their own keys, or first come up late, they are written as JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from backend.data.turn_parts import text_of
from backend.records import Turn

ExportFormat = Literal["alpaca", "messages", "sharegpt"]
# what a reader is sure to look at before it takes the types for granted (10 MB, in the datasets library)
BEGINNING = 8_000_000
_SPEAKER = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}
_TEXTS = ("reasoning_content", "tool_call_id", "name", "verbatim")


@dataclass(frozen=True)
class Written:
    """One sample as it is stored.

    said : all turns as text alone, the response last. messages : the same as structure; None where it is plain.
    tools : schemas; None for none. tools_text : the same as text, as it came in. came : numbers of messages whose
    reasoning or call was part of their text. as_text : whether the tools came in as text.
    """

    said: list[Turn]
    messages: list[dict[str, Any]] | None
    tools: list[Any] | None
    tools_text: str
    came: frozenset[int]
    as_text: bool
    source: str
    label: str

    @property
    def turns(self) -> list[Turn]:
        """All turns as text, without the tools where they are known as such."""
        if not self.tools or self.messages is None:
            return self.said
        own = [Turn(role="system", content=self.messages[0]["content"])] if self._has_system else []
        return own + self.said[1:]

    @property
    def _has_system(self) -> bool:
        return bool(self.messages) and self.messages[0]["role"] == "system"  # type: ignore[index]


def written(sample: Mapping[str, Any]) -> Written:
    """A row of a pool's table (turns, response, source, label, structure)."""
    said: list[Turn] = [*sample["turns"], Turn(role="assistant", content=sample["response"])]
    kept = json.loads(sample.get("structure") or "{}")
    messages, tools, came = kept.get("messages"), kept.get("tools"), kept.get("written") or {}
    text = ""
    if tools:
        own = messages[0]["content"] if messages[0]["role"] == "system" else ""
        text = said[0]["content"].removeprefix(own).lstrip("\n").removeprefix("Tools:\n")
    return Written(
        said,
        messages,
        tools,
        text,
        frozenset(came.get("turns", ())),
        bool(came.get("tools")),
        sample["source"],
        sample["label"] or "",
    )


@dataclass
class Shape:
    """What the records of one file have in common.

    label, tools, system : whether a record needs the key. texts : the keys of a message beyond role and content.
    calls, objects, schemas : whether tool calls, their arguments and tools can be written as the values they are.
    wrapped : whether every call is written as {"type": "function", "function": ...}; ids : whether calls have an id.
    history : whether earlier rounds are written as pairs; None where the turns are listed in the instruction.
    """

    label: bool = False
    tools: bool = False
    system: bool = False
    texts: set[str] = field(default_factory=set)
    has_calls: bool = False
    calls: bool = True
    objects: bool = True
    schemas: bool = True
    wrapped: bool = True
    ids: bool = False
    history: bool | None = False


def look(samples: Iterable[Written], format: ExportFormat) -> Shape:
    """The shape that all these samples fit."""
    shape = Shape()
    size = 0
    arguments: set[Any] = set()
    schemas: set[Any] = set()
    bare: set[bool] = set()
    first_call = first_tools = first_history = None
    for sample in samples:
        shape.label |= bool(sample.label)
        shape.system |= sample.said[0]["role"] == "system"
        if format == "alpaca" and shape.history is not None:
            rounds = _rounds(sample.said)
            shape.history = None if rounds is None else shape.history or bool(rounds)
            first_history = size if rounds and first_history is None else first_history
        if sample.tools:
            shape.tools = True
            schemas.add(None if sample.as_text else _type_of(sample.tools))
            first_tools = size if first_tools is None else first_tools
        for at, message in enumerate(sample.messages or ()):
            shape.texts |= {key for key in _TEXTS if _message(sample, at).get(key)}
            for call in message.get("tool_calls", ()):
                first_call = size if first_call is None else first_call
                bare.add("function" not in call)
                shape.ids |= bool(call.get("id"))
                arguments.add(_type_of((call.get("function") or call).get("arguments")))
        if size <= BEGINNING:
            size += sum(len(turn["content"].encode()) + 40 for turn in sample.said) + len(sample.tools_text)
    shape.has_calls = first_call is not None
    shape.calls = first_call is not None and first_call < BEGINNING
    if shape.has_calls and not shape.calls:
        shape.texts.add("verbatim")
    shape.objects = len(arguments) == 1 and MIXED not in str(arguments)
    shape.wrapped = bare != {True}
    shape.schemas = (
        len(schemas) == 1
        and None not in schemas
        and MIXED not in str(schemas)
        and (first_tools or 0) < BEGINNING
    )
    if shape.history and (first_history or 0) >= BEGINNING:
        shape.history = None
    return shape


MIXED = "mixed"


def _type_of(value: Any) -> Any:
    """A value's type with those of all its parts; `MIXED` within it where the items of a list differ."""
    if isinstance(value, dict):
        return tuple((key, _type_of(value[key])) for key in sorted(value))
    if isinstance(value, list):
        kinds = {_type_of(item) for item in value}
        return ("list", next(iter(kinds))) if len(kinds) == 1 else ("list", MIXED)
    return type(value).__name__


def record_of(format: ExportFormat, shape: Shape) -> Callable[[Written], dict[str, Any]]:
    """A function from a sample to its record."""
    write = {"alpaca": _alpaca, "messages": _messages, "sharegpt": _sharegpt}[format]

    def record(sample: Written) -> dict[str, Any]:
        made = write(sample, shape)
        made["source"] = sample.source
        if shape.label:
            made["label"] = sample.label
        return made

    return record


def _rounds(said: list[Turn]) -> list[list[str]] | None:
    """Earlier rounds as pairs; None where user and assistant do not take turns."""
    talk = said[1:] if said[0]["role"] == "system" and said[0]["content"] else said
    roles = [turn["role"] for turn in talk]
    if len(talk) % 2 or roles != ["user", "assistant"] * (len(talk) // 2):
        return None
    texts = [turn["content"] for turn in talk[:-2]]
    return [list(pair) for pair in zip(texts[::2], texts[1::2], strict=True)]


def _alpaca(sample: Written, shape: Shape) -> dict[str, Any]:
    if shape.history is None:
        return {"instruction": _spoken(sample.said[:-1]), "input": "", "output": sample.said[-1]["content"]}
    said = sample.said
    record: dict[str, Any] = {"instruction": said[-2]["content"], "input": "", "output": said[-1]["content"]}
    if shape.system:
        record["system"] = said[0]["content"] if said[0]["role"] == "system" else ""
    if shape.history:
        record["history"] = _rounds(said)
    return record


def _messages(sample: Written, shape: Shape) -> dict[str, Any]:
    if sample.messages is None:
        plain: list[dict[str, Any]] = [dict(turn) for turn in sample.said]
    else:
        plain = [_message(sample, at) for at in range(len(sample.messages))]
        if not shape.calls:  # calls as text do not tell how they read: the turn's text does
            for turn, message in zip(sample.turns, plain, strict=True):
                if message.get("tool_calls"):
                    message["verbatim"] = turn["content"]
    if shape.texts or shape.has_calls:
        plain = [_full(message, shape) for message in plain]
    record: dict[str, Any] = {"messages": plain}
    if shape.tools:
        if shape.schemas:
            record["tools"] = sample.tools or []
        else:
            record["tools"] = sample.tools_text or "[]"
    return record


def _message(sample: Written, at: int) -> dict[str, Any]:
    """A message as it came in, and its text where that cannot be told from its parts."""
    assert sample.messages is not None
    message = dict(sample.messages[at])
    text = sample.turns[at]["content"]
    calls = message.get("tool_calls")
    if at in sample.came and not calls:
        return {"role": message["role"], "content": text}
    if calls:
        message["content"] = message["content"] or None
    if text_of({**message, "content": message["content"] or ""}) != text:
        message["verbatim"] = text
    return message


def _full(message: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """A message with every key that any message of the file has."""
    full: dict[str, Any] = {"role": message["role"], "content": message["content"]}
    full |= {key: message.get(key, "") for key in _TEXTS if key in shape.texts}
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


def _sharegpt(sample: Written, shape: Shape) -> dict[str, Any]:
    spoken = _spoken(sample.turns)
    for turn, message in zip(spoken, sample.messages or (), strict=False):
        if message.get("tool_calls"):
            turn["from"] = "function_call"
    record: dict[str, Any] = {"conversations": spoken}
    if shape.tools:
        record["tools"] = sample.tools_text or "[]"
    return record


def _spoken(turns: Iterable[Turn]) -> list[dict[str, str]]:
    return [{"from": _SPEAKER[turn["role"]], "value": turn["content"]} for turn in turns]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
