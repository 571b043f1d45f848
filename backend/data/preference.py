"""Preference data: of two answers to the same prompt, the chosen one is the response.

The two stand in columns such as chosen and rejected, or in two columns beside one that says which is better. The
chosen answer may be a text, a turn, the turns of the answer, or the whole conversation with the prompt in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from backend.data.turn_parts import Said, UnreadableRow, kind_of, plain
from backend.data.turns import read_turns

# (chosen, rejected)
PAIRS = (
    *((f"chosen{end}", f"rejected{end}") for end in ("_messages", "_conversations", "_conversation")),
    ("chosen", "rejected"),
    *((f"chosen_{kind}", f"rejected_{kind}") for kind in ("response", "answer", "completion", "output", "text")),
    *((f"{kind}_chosen", f"{kind}_rejected") for kind in ("response", "answer", "completion", "output", "text")),
    ("preferred", "dispreferred"),
    ("response_j", "response_k"),
)  # fmt: skip
# two answers, and the columns that say which of them is better
JUDGED = (
    ("response_0", "response_1", ("better_response_id",)),
    ("conversation_a", "conversation_b", ("winner",)),
    ("response_a", "response_b", ("winner", "preference", "chosen")),
)
CONVERSATIONS = ("messages", "conversations", "conversation", "context_messages")
PROMPTS = ("prompt", "instruction", "question", "query", "input", "post")
_FIRST, _SECOND = ("0", "a", "model_a", "response_a"), ("1", "b", "model_b", "response_b")
_SPOKEN = re.compile(r"\s*(Human|User): ?")
_SPEAKERS = {"Human": "user", "User": "user", "Assistant": "assistant", "System": "system"}


def counterpart(chosen: str, names: Iterable[str]) -> str:
    """The column of the rejected answer to a column of chosen ones; "" where there is none."""
    by_name = {name.strip().casefold(): name for name in names}
    others = dict(PAIRS)
    return by_name.get(others.get(chosen.strip().casefold(), ""), "")


def pick(value: Any, name: str) -> int:
    """Which of two answers is better: 0 or 1.

    Raises
    ------
    UnreadableRow : neither is (a tie).
    """
    word = str(value).strip().lower()
    if word in _FIRST or word in _SECOND:
        return int(word in _SECOND)
    raise UnreadableRow(f'neither answer is the better one ("{name}" is {word[:40]})')


def answer_turns(value: Any, name: str, speakers: Mapping[str, str]) -> list[Said]:
    """A chosen answer as turns: a text, one turn, or a list of turns, with or without the prompt in it."""
    if isinstance(value, dict):
        return read_turns([value], name, speakers)
    if isinstance(value, list):
        return read_turns(value, name, speakers)
    if not isinstance(value, str):
        raise UnreadableRow(f'"{name}" is {kind_of(value)}, not text or a list of turns')
    return listed(value, name, speakers) or spoken(value) or [plain("assistant", value)]


def listed(text: str, name: str, speakers: Mapping[str, str]) -> list[Said]:
    """The turns that a text spells as a JSON list; none where it is another text."""
    if not text.lstrip().startswith("[{"):
        return []
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    is_turns = all(isinstance(turn, dict) and ("role" in turn or "from" in turn) for turn in value)
    return read_turns(value, name, speakers) if is_turns else []


def spoken(text: str) -> list[Said]:
    r"""The turns of a text such as "\n\nHuman: Hi\n\nAssistant: Hello"; none where it is another text."""
    if not _SPOKEN.match(text) or "\nAssistant:" not in text:
        return []
    gap = r"\n\n" if "\n\nAssistant:" in text else r"\n"
    parts = re.split(rf"(?:\A\s*|{gap})(Human|User|Assistant|System):[ \t]?", text)
    said = [
        plain(_SPEAKERS[speaker], content.strip())
        for speaker, content in zip(parts[1::2], parts[2::2], strict=True)
    ]
    return said


def joined(context: list[Said], answer: list[Said], *, chosen: bool) -> list[Said]:
    """A conversation and the answer to it as one; what the answer repeats of the conversation stands once.

    chosen : the answer takes the place of the one that the conversation ends with; where it is a whole conversation
        of its own, it is the conversation.
    """
    while chosen and context and context[-1].role == "assistant":
        context = context[:-1]
    # of a completion something is left: a turn of the assistant may be said twice
    for length in range(min(len(context), len(answer) - (not chosen)), 0, -1):
        if [_said(turn) for turn in context[-length:]] == [_said(turn) for turn in answer[:length]]:
            return context + answer[length:]
    if chosen and any(turn.role == "user" for turn in answer):
        system = [turn for turn in context[:1] if turn.role == "system" != answer[0].role]
        return system + answer
    return context + answer


def _said(turn: Said) -> tuple[str, str]:
    return turn.role, turn.text.strip()
