"""Samples -> token ids, with and without their prompts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Encoding
from transformers import PreTrainedTokenizerBase

from backend.errors import ModelError
from backend.prompts.encoded import EMPTY_RESPONSE, NO_RESPONSE_TOKEN, NOT_ENCODED, Encoded, Sequences
from backend.prompts.template import ChatTemplate, NotRendered, Rendering, read_template
from backend.records import Pool, Progress, Turn

CHUNK = 512  # samples rendered and tokenised at once: enough to keep the tokenizer's threads busy


def encode(
    pool: Pool,
    tokenizer: PreTrainedTokenizerBase,
    *,
    system_prompt: str,
    max_length: int,
    rows: np.ndarray | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Encoded:
    """Render and tokenise a pool's samples, with and without their prompts.

    Parameters
    ----------
    pool : n samples.
    system_prompt : put before conversations that bring no system turn; "" for none.
    max_length : tokens after which a conversation is cut (the caller minds the model's positions).
    rows : (m,) int, the rows wanted; None for all. The result has n entries either way.
    on_progress : called between chunks; may raise `Stopped`.

    Raises
    ------
    ModelError : the tokenizer has no chat template or gives no offsets, or no sample at all can be rendered.
    """
    template = checked_template(tokenizer)
    n = len(pool)
    wanted = np.arange(n) if rows is None else np.unique(np.asarray(rows, dtype=np.int64))
    response_tokens = np.full(n, -1, dtype=np.int32)
    reason = np.full(n, NOT_ENCODED, dtype=object)
    conditioned, alone = _Builder(n), _Builder(n)
    tokens = 0
    for begin in range(0, len(wanted), CHUNK):
        chunk = wanted[begin : begin + CHUNK]
        table = pool.take(chunk, ("turns", "response")).to_pydict()
        samples = encode_chunk(template, table["turns"], table["response"], system_prompt, max_length)
        for row, sample in zip(chunk, samples, strict=True):
            reason[row], response_tokens[row] = sample.reason, sample.response_tokens
            if not sample.reason:
                conditioned.add(row, sample.conditioned, sample.first)
                alone.add(row, sample.alone, sample.alone_first)
                tokens += len(sample.conditioned)
        if on_progress is not None:
            on_progress(Progress("load", 0, begin + len(chunk), len(wanted), tokens=tokens))
    refused = [text for text in reason[wanted] if text.startswith("chat template")]
    if len(wanted) and len(refused) == len(wanted):
        raise ModelError(f"no sample of {pool.name} can be rendered; {refused[0]}")
    pad_id = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else (tokenizer.eos_token_id or 0)
    return Encoded(conditioned.done(), alone.done(), response_tokens, reason, int(pad_id))


@dataclass(frozen=True)
class _Sample:
    """One encoded sample, before it goes into the flat arrays."""

    conditioned: np.ndarray
    first: int
    alone: np.ndarray
    alone_first: int
    response_tokens: int
    reason: str


class _Builder:
    """Collects the sequences of n samples row by row, in increasing order of rows."""

    def __init__(self, n: int) -> None:
        self.pieces: list[np.ndarray] = []
        self.lengths = np.zeros(n, dtype=np.int64)
        self.first = np.zeros(n, dtype=np.int32)

    def add(self, row: int, ids: np.ndarray, first: int) -> None:
        self.pieces.append(ids)
        self.lengths[row], self.first[row] = len(ids), first

    def done(self) -> Sequences:
        ids = np.concatenate(self.pieces) if self.pieces else np.zeros(0, dtype=np.int32)
        return Sequences(ids, np.concatenate([[0], np.cumsum(self.lengths)]), self.first)


def checked_template(tokenizer: PreTrainedTokenizerBase) -> ChatTemplate:
    """The tokenizer's chat template, or a ModelError where it has none or the tokenizer gives no offsets."""
    if not tokenizer.is_fast:
        raise ModelError(
            f"the tokenizer of {tokenizer.name_or_path or 'this model'} ({type(tokenizer).__name__}) gives no token "
            "offsets, so the response cannot be told from the prompt; a tokenizer.json is needed"
        )
    return read_template(tokenizer)


def encode_chunk(
    template: ChatTemplate,
    turns: Sequence[Sequence[Turn]],
    responses: Sequence[str],
    system_prompt: str,
    max_length: int,
) -> list[_Sample]:
    """Render samples and tokenise all of their texts at once, on as many threads as there are."""
    rendered = [
        _render_both(template, prompt, response, system_prompt)
        for prompt, response in zip(turns, responses, strict=True)
    ]
    texts = [text for both in rendered if not isinstance(both, str) for text in (both[0].text, both[1].text)]
    encodings = iter(tokenize(template.tokenizer, texts))
    samples = []
    for both in rendered:
        if isinstance(both, str):
            samples.append(_nothing(both))
        else:
            samples.append(_cut(both, next(encodings), next(encodings), max_length))
    return samples


def _render_both(
    template: ChatTemplate, turns: Sequence[Turn], response: str, system_prompt: str
) -> tuple[Rendering, Rendering] | str:
    """The two renderings of a sample, or the reason why there are none."""
    if not response.strip():
        return EMPTY_RESPONSE
    try:
        return template.conversation(turns, response, system_prompt=system_prompt), template.alone(response)
    except NotRendered as error:
        return f"chat template: {error}"


def _cut(both: tuple[Rendering, Rendering], whole: Encoding, lone: Encoding, max_length: int) -> _Sample:
    """Cut the ends, so that both renderings keep the same number of response tokens."""
    first, lone_first = _first_token(whole, both[0].start), _first_token(lone, both[1].start)
    left = min(len(whole), max_length) - first
    left = min(left, min(len(lone), max_length) - lone_first)
    if left <= 0:
        return _nothing(NO_RESPONSE_TOKEN)
    ids, lone_ids = np.array(whole.ids, dtype=np.int32), np.array(lone.ids, dtype=np.int32)
    return _Sample(ids[: first + left], first, lone_ids[: lone_first + left], lone_first, left, "")


def _nothing(reason: str) -> _Sample:
    empty = np.zeros(0, dtype=np.int32)
    return _Sample(empty, 0, empty, 0, 0, reason)


def tokenize(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[Encoding]:
    """The template has written every special token; verbose=False: a text over the model's length is cut later."""
    if not texts:
        return []
    encodings = tokenizer(
        texts, add_special_tokens=False, padding=False, truncation=False, verbose=False
    ).encodings
    assert encodings is not None  # a fast tokenizer, see checked_template
    return encodings


def _first_token(encoding: Encoding, start: int) -> int:
    """Index of the first token that ends behind a character: its end counts, because a token's own leading space
    may lie before the response, and the spaces of a token can be missing from its offsets."""
    return bisect_right(range(len(encoding)), start, key=lambda token: token_chars(encoding, token)[1])


def token_chars(encoding: Encoding, token: int) -> tuple[int, int]:
    """The characters of one token. None is for the special tokens that a tokenizer adds, and it adds none here."""
    span = encoding.token_to_chars(token)
    assert span is not None
    return span
