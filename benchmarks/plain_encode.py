"""Encoding as it is defined, through transformers' public methods and nothing else: what the fast way must agree with.

Every conversation and every turn rendered alone is rendered twice by `apply_chat_template`, with the response and
with a sentinel in its place, and both texts are tokenised.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import takewhile

import jinja2
import numpy as np
from transformers import PreTrainedTokenizerBase

from backend.prompts import EMPTY_RESPONSE, NO_RESPONSE_TOKEN
from backend.records import Pool, Turn

TEMPLATE_DATE = "26 Jul 2024"
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
    header = lone_header(tokenizer)
    samples: list[Sample] = []
    for begin in range(0, len(pool), CHUNK):
        rendered: list[tuple[tuple[str, int], tuple[str, int]] | str] = []
        table = pool.take(np.arange(begin, min(begin + CHUNK, len(pool))), ("turns", "response")).to_pydict()
        for turns, response in zip(table["turns"], table["response"], strict=True):
            if not response.strip():
                rendered.append(EMPTY_RESPONSE)
                continue
            try:
                whole = conversation(tokenizer, turns, response, system_prompt, shows_system, shows_tools)
                rendered.append((whole, alone(tokenizer, header, response)))
            except Refused as error:
                rendered.append(f"chat template: {error}")
        texts = [text for both in rendered if not isinstance(both, str) for text, _ in both]
        tokens = iter(offsets(tokenizer, texts))
        for both in rendered:
            if isinstance(both, str):
                samples.append(([], 0, [], 0, 0, both))
            else:
                samples.append(cut(both, next(tokens), next(tokens), max_length))
    return samples


def offsets(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[tuple[list[int], list[int]]]:
    """Ids and the ends of the tokens, in characters."""
    if not texts:
        return []
    made = tokenizer(texts, add_special_tokens=False, padding=False, truncation=False, verbose=False)
    return [(one.ids, [end for _, end in one.offsets]) for one in made.encodings]


def cut(both, whole, lone, max_length):  # type: ignore[no-untyped-def]
    first, lone_first = bisect_right(whole[1], both[0][1]), bisect_right(lone[1], both[1][1])
    left = min(min(len(whole[0]), max_length) - first, min(len(lone[0]), max_length) - lone_first)
    if left <= 0:
        return [], 0, [], 0, 0, NO_RESPONSE_TOKEN
    return whole[0][: first + left], first, lone[0][: lone_first + left], lone_first, left, ""


def conversation(
    tokenizer: PreTrainedTokenizerBase,
    turns: Sequence[Turn],
    response: str,
    system_prompt: str,
    shows_system: bool,
    shows_tools: bool,
) -> tuple[str, int]:
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


def alone(tokenizer: PreTrainedTokenizerBase, header: str | None, response: str) -> tuple[str, int]:
    if header is None:
        return with_span(tokenizer, [], response)
    text, start = with_span(tokenizer, U, response)
    return header + text[start:], len(header)


def lone_header(tokenizer: PreTrainedTokenizerBase) -> str | None:
    try:
        with_span(tokenizer, [], "A")
        return None
    except Refused:
        pass
    text, start = with_span(tokenizer, U, "A")
    try:
        shorter = apply(tokenizer, U)
    except Refused:
        shorter = ""
    before = text[:start]
    header = before[len(shorter) :] if shorter and before.startswith(shorter) else ""
    begin = tokenizer.bos_token or ""
    return (begin if begin and before.startswith(begin) else "") + header


def with_span(tokenizer: PreTrainedTokenizerBase, prompt: Sequence[Turn], response: str) -> tuple[str, int]:
    sentinel = "ResponseSentinel"
    while any(sentinel in turn["content"] for turn in prompt):
        sentinel += "X"
    marked = apply(tokenizer, [*prompt, Turn(role="assistant", content=sentinel)])
    start = marked.rfind(sentinel)
    if start < 0:
        raise Refused("the assistant's content is not in what it writes")
    before, closing = marked[:start], marked[start + len(sentinel) :]
    text = apply(tokenizer, [*prompt, Turn(role="assistant", content=response)])
    if text == before + response + closing:
        return text, start
    if text.startswith(before) and text.endswith(closing) and len(text) >= len(before) + len(closing):
        return text, start
    return text, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, before)))


def apply(tokenizer: PreTrainedTokenizerBase, turns: Sequence[Turn]) -> str:
    messages = [{"role": turn["role"], "content": turn["content"]} for turn in turns]
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
