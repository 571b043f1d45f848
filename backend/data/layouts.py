"""What the records of one export have in common, so that all of them have the same keys and the same types.

Readers such as the datasets library take the types from a file's beginning and refuse what does not fit later. So the
samples are looked at first (`look`): a key that one of them needs stands in every record. What a record lacks is null
where the beginning of the file shows the type, else "". Where nested values differ in their own keys, or first come up
late, they are written as JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from backend.data.turn_parts import text_of
from backend.records import Turn

ExportFormat = Literal["alpaca", "messages", "prompt_completion", "sharegpt"]
# what a reader is sure to look at before it takes the types for granted (10 MB, in the datasets library)
BEGINNING = 8_000_000
TEXTS = ("reasoning_content", "tool_call_id", "name", "verbatim")
# columns that a format or a trainer gives a meaning to: what a file held under such a name is written as own_NAME
KNOWN = frozenset(
    """messages prompt completion conversations instruction input output system history tools source label train text
    chosen rejected chat_template_kwargs images image videos audios input_ids attention_mask labels completion_mask
    assistant_masks loss_mask""".split()
)
MIXED = "mixed"


@dataclass(frozen=True)
class Written:
    """One sample as it is stored.

    said : all turns as text alone, the response last. messages : the same as structure; None where it is plain.
    tools : schemas; None for none. tools_text : the same as text, as it came in. came : numbers of messages whose
    reasoning or call was part of their text. as_text : whether the tools came in as text. own : what the file's other
    columns hold, numbers or text, where the pool keeps them.
    """

    said: list[Turn]
    messages: list[dict[str, Any]] | None
    tools: list[Any] | None
    tools_text: str
    came: frozenset[int]
    as_text: bool
    source: str
    label: str
    own: Mapping[str, Any] = field(default_factory=dict)

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
        sample.get("own") or {},
    )


def message_of(sample: Written, at: int) -> dict[str, Any]:
    """A message of a sample with structure as it came in, and its text where that cannot be told from its parts."""
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


def rounds(said: list[Turn]) -> list[list[str]] | None:
    """Earlier rounds as pairs; None where user and assistant do not take turns."""
    talk = said[1:] if said[0]["role"] == "system" and said[0]["content"] else said
    roles = [turn["role"] for turn in talk]
    if len(talk) % 2 or roles != ["user", "assistant"] * (len(talk) // 2):
        return None
    texts = [turn["content"] for turn in talk[:-2]]
    return [list(pair) for pair in zip(texts[::2], texts[1::2], strict=True)]


def fitting(files: Sequence[Iterable[Written]], format: ExportFormat) -> list[list[bool]]:
    """Of each file's samples, whether they can be records of the format. messages and sharegpt take all of them.

    alpaca : user and assistant take turns; earlier rounds must come up in the file's beginning, or a reader takes the
        empty lists before them for its type. prompt_completion : something stands before the response.
    """
    if format == "prompt_completion":
        return [[len(sample.said) > 1 for sample in samples] for samples in files]
    if format != "alpaca":
        return [[True for _ in samples] for samples in files]
    seen = _Seen(len(files))
    found: list[list[list[list[str]] | None]] = []
    for at, samples in enumerate(files):
        found.append([])
        for sample in samples:
            earlier = rounds(sample.said)
            if earlier:
                seen.note("history", at)
            seen.grow(at, sample)
            found[-1].append(earlier)
    late = seen.has("history") and not seen.early("history")
    return [[one is not None and not (one and late) for one in earlier] for earlier in found]


@dataclass
class Shape:
    """What the records of one export have in common.

    label, system, history, tools : whether a record needs the key. no_tools : what stands there for none.
    texts : the keys of a message beyond role and content, with what stands there where it has none.
    calls, objects, schemas : whether tool calls, their arguments and tools can be written as the values they are.
    wrapped : whether every call is written as {"type": "function", "function": ...}; ids : whether calls have an id.
    answers : the most turns of the assistant that a sample has. flags : whether each turn says if it is trained on.
    uneven : samples in which turns of the assistant and of others do not alternate; LLaMA-Factory leaves them out.
    own : other columns of the file, by the name that they are written under: (column, what stands for none, whether as text).
    """

    label: bool = False
    system: bool = False
    history: bool = False
    tools: bool = False
    no_tools: str | None = None
    texts: dict[str, str | None] = field(default_factory=dict)
    has_calls: bool = False
    calls: bool = True
    objects: bool = True
    schemas: bool = True
    wrapped: bool = True
    ids: bool = False
    answers: int = 0
    flags: bool = False
    uneven: int = 0
    own: dict[str, tuple[str, str | None, bool]] = field(default_factory=dict)


def look(files: Sequence[Iterable[Written]], *, flags: bool = False, taken: Collection[str] = ()) -> Shape:
    """The shape that all samples of these files fit; the first file is the one whose types the others must have.

    flags : have each turn say whether it is trained on, where a sample has several turns of the assistant.
    taken : names of columns that something else is written under.
    """
    shape = Shape()
    seen = _Seen(len(files))
    arguments: set[Any] = set()
    schemas: set[Any] = set()
    bare: set[bool] = set()
    kinds: dict[str, set[bool]] = {}
    for at, samples in enumerate(files):
        for sample in samples:
            shape.label |= bool(sample.label)
            shape.system |= sample.said[0]["role"] == "system"
            shape.history |= bool(rounds(sample.said))
            shape.answers = max(shape.answers, sum(turn["role"] == "assistant" for turn in sample.said))
            shape.uneven += not _alternates(sample.said)
            for name, value in sample.own.items():
                if value is not None:
                    seen.note(f"own {name}", at)
                    kinds.setdefault(name, set()).add(isinstance(value, str))
            if sample.tools:
                schemas.add(None if sample.as_text else _type_of(sample.tools))
                seen.note("tools", at)
            for number, message in enumerate(sample.messages or ()):
                kept = message_of(sample, number)
                for key in TEXTS:
                    if kept.get(key):
                        seen.note(key, at)
                for call in message.get("tool_calls", ()):
                    seen.note("calls", at)
                    bare.add("function" not in call)
                    shape.ids |= bool(call.get("id"))
                    arguments.add(_type_of((call.get("function") or call).get("arguments")))
            seen.grow(at, sample)
    shape.texts = {key: None if seen.early(key) else "" for key in TEXTS if seen.has(key)}
    shape.has_calls = seen.has("calls")
    shape.calls = seen.early("calls")
    if shape.has_calls and not shape.calls:
        shape.texts["verbatim"] = ""
    shape.objects = len(arguments) == 1 and MIXED not in str(arguments)
    shape.wrapped = bare != {True}
    shape.tools = seen.has("tools")
    shape.no_tools = None if seen.early("tools") else "[]"
    shape.schemas = (
        len(schemas) == 1 and None not in schemas and MIXED not in str(schemas) and seen.early("tools")
    )
    shape.flags = flags and shape.answers > 1
    for name, texts in kinds.items():
        early = seen.early(f"own {name}")
        called = name
        while called in taken or called in KNOWN or called in shape.own:
            called = f"own_{called}"
        shape.own[called] = (name, None if early else "", not early or len(texts) > 1)
    return shape


def _alternates(said: list[Turn]) -> bool:
    talk = said[1:] if said[0]["role"] == "system" else said
    return len(talk) % 2 == 0 and all(
        (turn["role"] == "assistant") == (at % 2 == 1) and turn["role"] != "system"
        for at, turn in enumerate(talk)
    )


class _Seen:
    """How far into each file a key first comes up, in bytes, roughly."""

    def __init__(self, files: int) -> None:
        self.sizes = [0] * files
        self.first: dict[str, dict[int, int]] = {}

    def note(self, key: str, file: int) -> None:
        self.first.setdefault(key, {}).setdefault(file, self.sizes[file])

    def grow(self, file: int, sample: Written) -> None:
        if self.sizes[file] <= BEGINNING:
            texts = sum(len(turn["content"].encode()) + 40 for turn in sample.said)
            self.sizes[file] += texts + len(sample.tools_text)

    def has(self, key: str) -> bool:
        return key in self.first

    def early(self, key: str) -> bool:
        """Whether the first file shows the key in its beginning, and the others do where they have it."""
        found = self.first.get(key, {})
        return 0 in found and all(size < BEGINNING for size in found.values())


def _type_of(value: Any) -> Any:
    """A value's type with those of all its parts; `MIXED` within it where the items of a list differ or are unknown."""
    if isinstance(value, dict):
        return tuple((key, _type_of(value[key])) for key in sorted(value)) or MIXED
    if isinstance(value, list):
        kinds = {_type_of(item) for item in value}
        return ("list", next(iter(kinds))) if len(kinds) == 1 else ("list", MIXED)
    return type(value).__name__
