"""Encoding as it is defined, through transformers' public methods and nothing else: what the fast way must agree with.

Every conversation is rendered twice by `apply_chat_template`, with the response and with a sentinel in its place, and
tokenised. Without its prompt a response has the same tokens, behind those of what the template writes before an
assistant's turn.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile

import jinja2
import numpy as np
from transformers import PreTrainedTokenizerBase
from transformers.utils.chat_template_utils import _compile_jinja_template

from backend.prompts import EMPTY_RESPONSE, NO_RESPONSE_TOKEN
from backend.records import Pool, Turn

TEMPLATE_DATE = "26 Jul 2024"
TEMPLATE_DAY = datetime(2024, 7, 26)
CHUNK = 512
Sample = tuple[
    list[int], int, list[int], int, int, str
]  # ids, first, lone ids, lone first, response tokens, reason
U = [Turn(role="user", content="U")]


class Refused(Exception):
    pass


def plain_encode(
    pool: Pool, tokenizer: PreTrainedTokenizerBase, *, system_prompt: str, max_length: int
) -> list[Sample]:
    """What `backend.prompts.encode` makes of every row."""
    shows_system = writes(tokenizer, [Turn(role="system", content="SystemProbe"), *U], "SystemProbe")
    call = [*U, Turn(role="assistant", content="A"), Turn(role="tool", content="ToolProbe")]
    shows_tools = writes(tokenizer, call, "ToolProbe")
    begin, header = lone_header(tokenizer)
    samples: list[Sample] = []
    for start in range(0, len(pool), CHUNK):
        rendered: list[tuple[str, int, str] | str] = []
        table = pool.take(np.arange(start, min(start + CHUNK, len(pool))), ("turns", "response")).to_pydict()
        for turns, response in zip(table["turns"], table["response"], strict=True):
            if not response.strip():
                rendered.append(EMPTY_RESPONSE)
                continue
            try:
                text, at, rest = conversation(
                    tokenizer, turns, response, system_prompt, shows_system, shows_tools
                )
            except Refused as error:
                rendered.append(f"chat template: {error}")
                continue
            # where the template begins this very response before its usual place, so does the lone turn
            rest = rest[-len(header) :] if header else ""
            lone = header.removesuffix(rest) or begin if rest and header.endswith(rest) else header
            rendered.append((text, at, lone))
        tokens = iter(offsets(tokenizer, [one[0] for one in rendered if not isinstance(one, str)]))
        for one in rendered:
            if isinstance(one, str):
                samples.append(([], 0, [], 0, 0, one))
            else:
                samples.append(cut(tokenizer, *one, next(tokens), max_length))
    return samples


def offsets(
    tokenizer: PreTrainedTokenizerBase, texts: list[str]
) -> list[tuple[list[int], list[tuple[int, int]]]]:
    """Ids and the characters of the tokens."""
    if not texts:
        return []
    made = tokenizer(texts, add_special_tokens=False, padding=False, truncation=False, verbose=False)
    return [(one.ids, one.offsets) for one in made.encodings]


def cut(tokenizer, text, start, header, tokens, max_length):  # type: ignore[no-untyped-def]
    ids, places = tokens
    first = bisect_right([end for _, end in places], start)
    while first < len(ids) and ids[first] in tokenizer.added_tokens_decoder:
        begin, end = places[first]
        if begin >= start or text[start:end].strip():
            break
        first += 1
    lone = offsets(tokenizer, [header])[0][0] if header else []
    taken = text[places[first - 1][1] : start] if first else ""
    if first and lone[-1:] != ids[first - 1 : first] and taken and header.endswith(taken):
        header = header.removesuffix(taken)
        lone = offsets(tokenizer, [header])[0][0] if header else []
    ids = ids[:max_length]
    left = len(ids) - first
    if left <= 0:
        return [], 0, [], 0, 0, NO_RESPONSE_TOKEN
    lone = lone[max(0, len(lone) + left - max_length) :]
    return ids, first, lone + ids[first:], len(lone), left, ""


def conversation(
    tokenizer: PreTrainedTokenizerBase,
    turns: Sequence[Turn],
    response: str,
    system_prompt: str,
    shows_system: bool,
    shows_tools: bool,
) -> tuple[str, int, str]:
    prompt = [Turn(role=turn["role"], content=turn["content"]) for turn in turns]
    if system_prompt and all(turn["role"] != "system" for turn in prompt):
        prompt.insert(0, Turn(role="system", content=system_prompt))
    if not shows_system:
        prompt = system_into_first_user(prompt)
    if not shows_tools:
        prompt = [tool_as_user(turn) for turn in prompt]
    refusals = []
    for plain in (prompt, alternating(prompt), alternating(system_into_first_user(prompt))):
        try:
            return with_span(tokenizer, plain, response)
        except Refused as error:
            refusals.append(error)
    raise refusals[0]


def lone_header(tokenizer: PreTrainedTokenizerBase) -> tuple[str, str]:
    """The token that begins every text, and what stands before a response whose turn is all there is."""
    before, _ = frame(tokenizer, U)
    begin = tokenizer.bos_token or ""
    begin = begin if before.startswith(begin) else ""
    try:
        shorter = apply(tokenizer, U)
    except Refused:
        shorter = ""
    opening = before[len(shorter) :] if shorter and before.startswith(shorter) else ""
    try:
        alone, _ = frame(tokenizer, [])
    except Refused:
        return begin, begin + opening
    return begin, alone if alone.endswith(opening) else begin + opening


def frame(tokenizer: PreTrainedTokenizerBase, prompt: Sequence[Turn]) -> tuple[str, str]:
    sentinel = "ResponseSentinel"
    while any(sentinel in turn["content"] for turn in prompt):
        sentinel += "X"
    marked = apply(tokenizer, [*prompt, Turn(role="assistant", content=sentinel)])
    start = marked.rfind(sentinel)
    if start < 0:
        raise Refused("the assistant's content is not in what it writes")
    return marked[:start], marked[start + len(sentinel) :]


def with_span(
    tokenizer: PreTrainedTokenizerBase, prompt: Sequence[Turn], response: str
) -> tuple[str, int, str]:
    """The text, where the response begins, and how much of what usually stands before it does not."""
    before, closing = frame(tokenizer, prompt)
    text = apply(tokenizer, [*prompt, Turn(role="assistant", content=response)])
    if text.startswith(before) and text.endswith(closing) and len(text) >= len(before) + len(closing):
        return text, len(before), ""
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, before)))
    return text, start, before[start:]


def apply(tokenizer: PreTrainedTokenizerBase, turns: Sequence[Turn]) -> str:
    messages = [{"role": turn["role"], "content": turn["content"]} for turn in turns]
    _compile_jinja_template(tokenizer.chat_template).globals["strftime_now"] = TEMPLATE_DAY.strftime
    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, date_string=TEMPLATE_DATE))
    except (jinja2.TemplateError, TypeError, ValueError) as error:
        raise Refused(str(error)) from error


def writes(tokenizer: PreTrainedTokenizerBase, prompt: Sequence[Turn], probe: str) -> bool:
    try:
        return probe in apply(tokenizer, [*prompt, Turn(role="assistant", content="A")])
    except Refused:
        return False


def tool_as_user(turn: Turn) -> Turn:
    return Turn(role="user", content=turn["content"]) if turn["role"] == "tool" else turn


def system_into_first_user(prompt: Sequence[Turn]) -> list[Turn]:
    """The prompt without system turns, their text on top of the first user turn (or as one)."""
    system = "\n\n".join(turn["content"] for turn in prompt if turn["role"] == "system" and turn["content"])
    rest = [turn for turn in prompt if turn["role"] != "system"]
    if not system:
        return rest
    for at, turn in enumerate(rest):
        if turn["role"] == "user":
            return [*rest[:at], Turn(role="user", content=f"{system}\n\n{turn['content']}"), *rest[at + 1 :]]
    return [Turn(role="user", content=system), *rest]


def alternating(prompt: Sequence[Turn]) -> list[Turn]:
    """The prompt with a tool's turns as a user's and neighbours of one role as one turn."""
    merged: list[Turn] = []
    for turn in map(tool_as_user, prompt):
        if merged and merged[-1]["role"] == turn["role"]:
            merged[-1] = Turn(role=turn["role"], content=f"{merged[-1]['content']}\n\n{turn['content']}")
        else:
            merged.append(turn)
    return merged
