"""One sample exactly as the model reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from backend.prompts.encode import checked_template, encode_one
from backend.prompts.render import NotRendered
from backend.prompts.tokens import token_chars, tokenize
from backend.records import Turn


@dataclass(frozen=True)
class Shown:
    """One sample exactly as the model reads it, for a screen.

    text, start : the whole conversation and the index of the response's first character.
    cut : index of the first character that max_length leaves out; len(text) where nothing is cut.
    tokens, response_tokens : tokens of the conversation and of the response that are left after the cut.
    alone_text, alone_start, alone_tokens : the assistant turn rendered alone.
    reason : "" where the sample can be scored, else why not.
    """

    text: str
    start: int
    cut: int
    tokens: int
    response_tokens: int
    alone_text: str
    alone_start: int
    alone_tokens: int
    reason: str


def show(
    turns: Sequence[Turn],
    response: str,
    tokenizer: PreTrainedTokenizerBase,
    *,
    system_prompt: str,
    max_length: int,
) -> Shown:
    """One sample exactly as the model reads it: text, response span, where it is cut, token counts."""
    template = checked_template(tokenizer)
    sample = encode_one(template, turns, response, system_prompt, max_length)
    try:
        whole = template.conversation(turns, response, system_prompt=system_prompt)
        lone = template.alone(response)
    except NotRendered:
        return Shown("", 0, 0, 0, 0, "", 0, 0, sample.reason)
    whole_tokens, lone_tokens = tokenize(tokenizer, [whole.text, lone.text])
    kept = min(len(whole_tokens), max_length)
    cut = len(whole.text) if kept == len(whole_tokens) else token_chars(whole_tokens, kept)[0]
    return Shown(
        text=whole.text,
        start=whole.start,
        cut=cut,
        tokens=kept,
        response_tokens=sample.response_tokens,
        alone_text=lone.text,
        alone_start=lone.start,
        alone_tokens=min(len(lone_tokens), max_length),
        reason=sample.reason,
    )
