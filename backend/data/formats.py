"""Which format a table or a record has, and which of its columns plays which role.

| format            | recognised by                                                    | optional                      |
|-------------------|------------------------------------------------------------------|-------------------------------|
| preference        | `chosen` and `rejected`, or two answers and which is better; with a prompt or a conversation | `system`, `input`, `history`, `tools` |
| sharegpt          | `conversations` (or `conversation`): list of {from, value}        | `system`, `tools`             |
| messages          | `messages`: list of {role, content}                              | `system`, `tools`             |
| alpaca            | `instruction` and `output` (or `response`)                       | `input` (or `context`), `system`, `history` |
| prompt-completion | `prompt` and `completion` (or `response`); `question` and `answer` where no context or choices stand beside them | `system` |
| mapping           | columns named by the reader, by role                             | every role but prompt/response or messages |

The first that fits wins. `source` and `label` are taken in every format. Capitals and spaces around a column's
name do not matter. Where a table has none of these, a mapping says which column is what; a path such as
"instances.0.output" goes into nested values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from backend.data import media, preference
from backend.errors import PoolError

Format = Literal["preference", "sharegpt", "messages", "alpaca", "prompt-completion", "mapping"]
ROLES = (
    "prompt", "input", "response", "rejected", "better", "reasoning", "system", "history", "messages", "tools", "source",
    "label", "good",
)  # fmt: skip
EXPECTED = (
    "alpaca (instruction, input, output), sharegpt (conversations: [{from, value}]), "
    "messages (messages: [{role, content}]), prompt-completion (prompt, completion), "
    "preference (prompt, chosen, rejected)"
)
_OPTIONAL = {"source": ("source",), "label": ("label",), "good": ("kto_tag",)}
_FORMATS: tuple[tuple[Format, dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]], ...] = (
    (
        "sharegpt",
        {"messages": ("conversations",)},
        {"system": ("system",), "tools": ("tools", "functions")},
    ),
    ("messages", {"messages": ("messages",)}, {"system": ("system",), "tools": ("tools", "functions")}),
    (
        "alpaca",
        {"prompt": ("instruction",), "response": ("output", "response")},
        {
            "input": ("input", "context"),
            "system": ("system",),
            "history": ("history",),
            "reasoning": ("reasoning_content", "thinking"),
            "tools": ("tools",),
        },
    ),
    (
        "prompt-completion",
        {"prompt": ("prompt",), "response": ("completion", "response")},
        {"system": ("system",), "reasoning": ("reasoning_content", "thinking"), "tools": ("tools",)},
    ),
    (
        "prompt-completion",
        {"prompt": ("question",), "response": ("answer",)},
        {"system": ("system",), "reasoning": ("reasoning_content", "thinking")},
    ),
    ("prompt-completion", {"prompt": ("human",), "response": ("assistant",)}, {"system": ("system",)}),
    # last, since it may be the name of something else beside columns that fit
    ("sharegpt", {"messages": ("conversation",)}, {"system": ("system",), "tools": ("tools", "functions")}),
)
# beside a question these hold part of what was asked: a person has to say how they belong together
_MORE_THAN_A_QUESTION = {"context", "choices", "options", "passage", "input"}


@dataclass(frozen=True)
class Reading:
    """How to read a source: its format and the column of each role.

    speakers : roles by speaker that a person named, in lower case. keep_bad : read rows that are marked as bad.
    """

    format: Format
    columns: Mapping[str, str]
    speakers: Mapping[str, str] = field(default_factory=dict)
    keep_bad: bool = False

    def used(self, names: Sequence[str]) -> list[str]:
        """Those of a table's columns that are read, in the table's order; where images lie is looked at."""
        wanted = {head_of(path, names) for path in self.columns.values()}
        return [name for name in names if name in wanted or media.is_media(name)]

    def fits(self, record: Mapping[str, Any]) -> bool:
        """Whether a record has the columns that make a sample."""
        needed = (
            ("messages",)
            if "messages" in self.columns and self.format != "preference"
            else ("prompt", "response")
        )
        return all(self.columns[role] in record for role in needed if role in self.columns)

    def within(self, names: Iterable[str]) -> dict[str, str]:
        """The roles whose columns are among `names`."""
        known = list(names)
        return {role: path for role, path in self.columns.items() if head_of(path, known) in known}


def head_of(path: str, names: Sequence[str]) -> str:
    """The column that a path starts in: a column of that very name, else its first part."""
    return path if path in names else path.split(".", 1)[0]


def detect(names: Iterable[str]) -> Reading | None:
    """The reading of a table or record with these columns; None where no format fits."""
    by_name: dict[str, str] = {}
    for name in names:
        by_name.setdefault(name.strip().casefold(), name)

    def first_of(options: tuple[str, ...]) -> str | None:
        return next((by_name[option] for option in options if option in by_name), None)

    preferred = _preference(by_name)
    if preferred is not None:
        return preferred
    for kind, needed, optional in _FORMATS:
        found = {role: first_of(options) for role, options in needed.items()}
        if any(column is None for column in found.values()):
            continue
        if needed["prompt" if "prompt" in needed else "messages"] == ("question",) and (
            _MORE_THAN_A_QUESTION & set(by_name)
        ):
            continue
        more = {role: first_of(options) for role, options in (optional | _OPTIONAL).items()}
        return Reading(kind, {role: column for role, column in (found | more).items() if column is not None})
    return None


def _preference(by_name: Mapping[str, str]) -> Reading | None:
    """The reading of data that brings a chosen and a rejected answer; None where it does not."""
    columns: dict[str, str] = {}
    for chosen, rejected in preference.PAIRS:
        if chosen in by_name and rejected in by_name:
            columns = {"response": by_name[chosen], "rejected": by_name[rejected]}
            break
    else:
        for first, second, judges in preference.JUDGED:
            judge = next((name for name in judges if name in by_name), None)
            if first in by_name and second in by_name and judge:
                columns = {"response": by_name[first], "rejected": by_name[second], "better": by_name[judge]}
                break
    if not columns:
        return None
    optional = {
        "messages": preference.CONVERSATIONS,
        "prompt": preference.PROMPTS,
        "input": ("input", "context"),
        "system": ("system", "system_prompt"),
        "history": ("history",),
        "tools": ("tools", "functions"),
        **_OPTIONAL,
    }
    for role, options in optional.items():
        name = next(
            (by_name[o] for o in options if o in by_name and by_name[o] not in columns.values()), None
        )
        if name is not None and (
            role not in ("input", "history") or columns.get("prompt") == by_name.get("instruction")
        ):
            columns[role] = name
    return Reading("preference", columns)


@lru_cache(maxsize=1024)
def detect_keys(names: tuple[str, ...]) -> Reading | None:
    """`detect` of a record's keys: most records of a file have the same."""
    return detect(names)


def detect_records(records: Sequence[Any]) -> Reading | None:
    """The format that most of these records have.

    A role that none of them brings is looked for under its usual name in later ones.
    """
    shapes = Counter(tuple(record) for record in records if isinstance(record, dict))
    votes: Counter[tuple[str, str]] = Counter()
    names: dict[tuple[str, str], dict[str, None]] = {}
    for keys, count in shapes.items():
        reading = detect(keys)
        if reading is not None:
            kind = reading.format, reading.columns.get("response", "")
            votes[kind] += count
            names.setdefault(kind, {}).update(dict.fromkeys(keys))
    if not votes:
        return None
    reading = detect(names[votes.most_common(1)[0][0]])
    assert reading is not None
    optional = next((more for kind, _, more in _FORMATS if kind == reading.format), {})
    usual = {role: options[0] for role, options in (optional | _OPTIONAL).items()}
    return Reading(reading.format, {**usual, **reading.columns})


def check_columns(reading: Reading, names: Sequence[str], where: str) -> None:
    """Raise PoolError where a mapped column is missing, or one that is read occurs twice."""
    for role, path in reading.columns.items():
        head = head_of(path, names)
        if reading.format == "mapping" and head not in names:
            raise PoolError(
                f'{where}: mapping {role}={path}: column "{head}" is not there (found: {", ".join(names)})'
            )
        if list(names).count(head) > 1:
            at = [str(i + 1) for i, name in enumerate(names) if name == head]
            raise PoolError(
                f'{where}: column "{head}" occurs {len(at)} times (columns {", ".join(at)}); rename all but one'
            )
