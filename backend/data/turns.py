"""Conversations as lists of turns: which turn is the response, what stands before it, and what is kept as structure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from backend.data.turn_parts import NO_LIST, Said, UnreadableRow, kind_of, plain, read_turn, without_nulls


@dataclass(frozen=True)
class Tools:
    """The tools that a conversation may call.

    text : as the model reads them where a template has no place for them; "" for none.
    schemas : the same as JSON schemas, as they came in; None where the text is no list of these.
    written : whether they came in as text.
    """

    text: str = ""
    schemas: list[dict[str, Any]] | None = None
    written: bool = False


NO_TOOLS = Tools()


@dataclass(frozen=True)
class Sample:
    """One sample as it is stored; see `backend.records.Pool`.

    structure : JSON, None where it is plain. chosen : whether its response was preferred to another one.
    bad : whether it is marked as a bad one, and kept all the same.
    """

    turns: list[Said]
    response: Said
    structure: str | None
    chosen: bool = False
    bad: bool = False


def sample_from(said: list[Said], name: str, system: str = "", tools: Tools = NO_TOOLS) -> Sample:
    """The sample that a conversation is: its last assistant turn is the response, what follows that is dropped."""
    brought = next((turn.tools for turn in said if turn.tools), None)
    if brought and not tools.text:  # a system turn may bring them as well as a column
        tools = read_tools(brought)
    said = _with_system([turn for turn in said if turn.text or turn.role != "system"], system, tools)
    for at in range(len(said) - 1, -1, -1):
        if said[at].role == "assistant":
            return Sample(said[:at], said[at], structure_of(said[: at + 1], tools))
    found = ", ".join(dict.fromkeys(turn.role for turn in said)) or "no turns"
    raise UnreadableRow(f'"{name}" has no assistant turn (found: {found})')


def structure_of(said: Sequence[Said], tools: Tools = NO_TOOLS) -> str | None:
    """All turns and the tools as JSON, where one of them is more than text; None where it is not.

    `written` says what came in as text, for the way out: the numbers of such turns, and whether the tools did.
    """
    if not tools.schemas and not any(turn.more for turn in said):
        return None
    messages = [turn.message for turn in said]
    if tools.schemas and messages and messages[0]["role"] == "system":
        own = messages[0]["content"].removesuffix(_tools_part(tools)).removesuffix("\n\n")
        messages = [{**messages[0], "content": own}, *messages[1:]] if own else messages[1:]
    first = len(said) - len(messages)
    structure: dict[str, Any] = {"messages": messages}
    if tools.schemas:
        structure["tools"] = tools.schemas
    written = [at - first for at, turn in enumerate(said) if turn.written]
    if written or (tools.schemas and tools.written):
        structure["written"] = {"turns": written, "tools": bool(tools.schemas and tools.written)}
    return json.dumps(structure, ensure_ascii=False, default=str)


def read_turns(value: Any, name: str, speakers: Mapping[str, str] = MappingProxyType({})) -> list[Said]:
    """A list of {from, value}, {role, content} or {human, assistant}, or such a list as JSON text.

    speakers : see `read_turn`. An empty system turn is left out.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise UnreadableRow(f'"{name}" is text that is not JSON, expected a list of turns') from None
    if not isinstance(value, list):
        raise UnreadableRow(f'"{name}" is {kind_of(value)}, expected a list of turns')
    said: list[Said] = []
    unsaid: int | None = None
    for number, turn in enumerate(value, start=1):
        said += read_turn(turn, f'"{name}" turn {number}', speakers)
        if said[-1].role == "assistant":
            unsaid = number if said[-1].missing else None
    if unsaid is not None:
        raise UnreadableRow(f'"{name}" turn {unsaid}, the last of the assistant, has no content')
    return [turn for turn in said if turn.text or turn.tools or turn.role != "system"]


def _with_system(said: list[Said], system: str, tools: Tools) -> list[Said]:
    """The turns with a system turn in front: the column's text, the conversation's own, then the tools.

    The parts are parted by an empty line; tools follow a line "Tools:". Text that the conversation already
    begins with is not said twice.
    """
    own = said[0].text if said and said[0].role == "system" else ""
    parts = [part for part in dict.fromkeys((system, own, _tools_part(tools))) if part]
    if not parts:
        return said
    return [plain("system", "\n\n".join(parts)), *(said[1:] if own else said)]


def _tools_part(tools: Tools) -> str:
    return f"Tools:\n{tools.text}" if tools.text else ""


def read_tools(value: Any) -> Tools:
    """A `tools` value: a list of schemas, or text that spells one, or text of another kind."""
    if isinstance(value, str):
        if value.strip() in NO_LIST:
            return NO_TOOLS
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            found = None
        return Tools(value, _schemas(found), written=True)
    cleaned = without_nulls(value)
    if not cleaned:
        return NO_TOOLS
    schemas = _schemas(cleaned)
    # one schema that stands alone goes out as the text it is
    return Tools(
        json.dumps(cleaned, ensure_ascii=False, default=str), schemas, written=isinstance(cleaned, dict)
    )


def _schemas(value: Any) -> list[dict[str, Any]] | None:
    """The value as a list of JSON schemas; None where it is something else."""
    schemas = [value] if isinstance(value, dict) else value
    if not isinstance(schemas, list) or not schemas:
        return None
    return schemas if all(isinstance(schema, dict) for schema in schemas) else None
