"""Samples -> token ids, with and without their prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from tokenizers import Encoding
from transformers import PreTrainedTokenizerBase

from backend.errors import ModelError
from backend.prompts.encoded import EMPTY_RESPONSE, NO_RESPONSE_TOKEN, NOT_ENCODED, Encoded, Sequences
from backend.prompts.lone import LoneHeaders
from backend.prompts.render import NotRendered
from backend.prompts.template import ChatTemplate, Rendering, read_template
from backend.prompts.tokens import first_token, tokenize
from backend.records import Conversation, Pool, Progress

CHUNK = 512  # samples rendered and tokenised at once: enough to keep the tokenizer's threads busy

# a conversation, or the reason why there is none
_Rendered = Rendering | str


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
    changes = np.zeros(n, dtype=np.uint8)
    conditioned, alone = _Builder(n), _Builder(n)
    tokens = done = 0
    for chunk, samples in _chunks(pool, wanted, template, system_prompt, max_length):
        for row, sample in zip(chunk, samples, strict=True):
            reason[row], response_tokens[row] = sample.reason, sample.response_tokens
            changes[row] = sample.changes
            if not sample.reason:
                conditioned.add(row, sample.conditioned, sample.first)
                alone.add(row, sample.alone, sample.alone_first)
                tokens += len(sample.conditioned)
        done += len(chunk)
        if on_progress is not None:
            on_progress(Progress("load", 0, done, len(wanted), tokens=tokens))
    refused = [text for text in reason[wanted] if text.startswith("chat template")]
    if len(wanted) and len(refused) == len(wanted):
        raise ModelError(f"no sample of {pool.name} can be rendered; {refused[0]}")
    pad_id = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else (tokenizer.eos_token_id or 0)
    return Encoded(conditioned.done(), alone.done(), response_tokens, reason, int(pad_id), changes)


@dataclass(frozen=True)
class _Sample:
    """One encoded sample, before it goes into the flat arrays."""

    conditioned: np.ndarray
    first: int
    alone: np.ndarray
    alone_first: int
    response_tokens: int
    reason: str
    changes: int = 0


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


def _chunks(
    pool: Pool, wanted: np.ndarray, template: ChatTemplate, system_prompt: str, max_length: int
) -> Iterator[tuple[np.ndarray, list[_Sample]]]:
    """The samples chunk by chunk; one chunk is tokenised, on other threads, while the next is rendered."""
    headers = LoneHeaders(template)
    with ThreadPoolExecutor(1) as others:
        waiting: tuple[np.ndarray, list[_Rendered], Future[list[Encoding]]] | None = None
        for begin in [*range(0, len(wanted), CHUNK), None]:
            following = None
            if begin is not None:
                chunk = wanted[begin : begin + CHUNK]
                rendered = _render(template, pool.conversations(chunk), system_prompt)
                following = chunk, rendered, others.submit(tokenize, template.tokenizer, _wholes(rendered))
            if waiting is not None:
                chunk, rendered, encodings = waiting
                yield chunk, _samples(template, headers, rendered, encodings.result(), max_length)
            waiting = following


def encode_one(template: ChatTemplate, sample: Conversation, system_prompt: str, max_length: int) -> _Sample:
    """Render and tokenise one sample."""
    rendered = _render(template, [sample], system_prompt)
    encodings = tokenize(template.tokenizer, _wholes(rendered))
    return _samples(template, LoneHeaders(template), rendered, encodings, max_length)[0]


def _render(template: ChatTemplate, samples: Sequence[Conversation], system_prompt: str) -> list[_Rendered]:
    return [_render_one(template, sample, system_prompt) for sample in samples]


def _wholes(rendered: Sequence[_Rendered]) -> list[str]:
    """The texts of the conversations that could be rendered."""
    return [whole.text for whole in rendered if not isinstance(whole, str)]


def _samples(
    template: ChatTemplate,
    headers: LoneHeaders,
    rendered: Sequence[_Rendered],
    encodings: Sequence[Encoding],
    max_length: int,
) -> list[_Sample]:
    """Samples from their renderings and the tokens of the conversations among them."""
    samples: list[_Sample] = []
    unused = iter(encodings)
    for whole in rendered:
        if isinstance(whole, str):
            samples.append(_nothing(whole))
            continue
        encoding = next(unused)
        first = first_token(encoding, whole.text, whole.start, template.special)
        ids = np.array(encoding.ids[:max_length], dtype=np.int32)
        left = len(ids) - first
        if left <= 0:
            samples.append(_nothing(NO_RESPONSE_TOKEN))
            continue
        header = headers.before(whole, encoding, first)
        # a model's positions are for both: a header (with a default system text) that is too long loses its beginning
        header = header[max(0, len(header) + left - max_length) :]
        samples.append(
            _Sample(ids, first, np.concatenate([header, ids[first:]]), len(header), left, "", whole.changes)
        )
    return samples


def _render_one(template: ChatTemplate, sample: Conversation, system_prompt: str) -> _Rendered:
    """A sample's conversation, or the reason why there is none."""
    if not sample.response.strip():
        return EMPTY_RESPONSE
    try:
        return template.conversation(sample, system_prompt=system_prompt)
    except NotRendered as error:
        return f"chat template: {error}"


def _nothing(reason: str) -> _Sample:
    empty = np.zeros(0, dtype=np.int32)
    return _Sample(empty, 0, empty, 0, 0, reason)
