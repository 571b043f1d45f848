"""The loss of each token of one response, with and without its prompt, and the text that each token is."""

from __future__ import annotations

import math

import numpy as np
from tokenizers import Encoding
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from backend.complexity.batches import pad
from backend.complexity.losses import ResponseLosses
from backend.complexity.score import NON_FINITE, NOTHING_BEFORE, reading
from backend.config import Precision
from backend.model.load import autocast
from backend.model.readable import TokenLosses
from backend.prompts import Rendering, Sequences
from backend.prompts.encode import checked_template, encode_one
from backend.prompts.tokens import token_chars, tokenize
from backend.records import Conversation

CHECKED_TOKENS = 24  # of a sample, on which it is found out how the model can be read


def token_losses(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    sample: Conversation,
    *,
    system_prompt: str,
    max_length: int,
    precision: Precision = "fp32",
) -> TokenLosses:
    """Nats of each response token of one sample; their means are the sample's `loss_cond` and `loss_prior`.

    max_length : tokens after which the sample is cut (the caller minds the model's positions); what is cut has no
        loss.
    precision : what to compute in where the weights are float32; losses are float32 in any case.

    Raises
    ------
    ModelError : the tokenizer has no chat template or gives no offsets.
    """
    template = checked_template(tokenizer)
    encoded = encode_one(template, sample, system_prompt, max_length)
    if encoded.reason:
        empty = np.zeros(0)
        return TokenLosses([], empty.astype(np.int32), empty, empty, 0, math.nan, math.nan, 0, encoded.reason)
    of = Sequences(
        ids=np.concatenate([encoded.conditioned, encoded.alone]),
        offsets=np.cumsum([0, len(encoded.conditioned), len(encoded.alone)]),
        first=np.array([encoded.first, encoded.alone_first], dtype=np.int32),
    )
    conditioned, alone = _nats(model, of, tokenizer.pad_token_id or 0, precision)
    loss_cond, loss_prior = (_mean(nats, of.first) for nats in (conditioned, alone))

    whole = template.conversation(sample, system_prompt=system_prompt)
    (encoding,) = tokenize(tokenizer, [whole.text])
    ends = _ends(whole, encoding, encoded.first, encoded.response_tokens)
    borders = np.unique(ends)
    begins = np.concatenate([[0], borders[:-1]])
    return TokenLosses(
        pieces=[whole.text[whole.start :][begin:end] for begin, end in zip(begins, borders, strict=True)],
        tokens=np.diff(np.searchsorted(ends, borders, side="right"), prepend=0).astype(np.int32),
        conditioned=_by_piece(conditioned, ends, borders),
        alone=_by_piece(alone, ends, borders),
        closing=int(np.searchsorted(begins, whole.end - whole.start)),
        loss_cond=loss_cond,
        loss_prior=loss_prior,
        response_tokens=encoded.response_tokens,
        reason=_reason(loss_cond, loss_prior, of, encoded.response_tokens),
    )


def _nats(
    model: PreTrainedModel, of: Sequences, pad_id: int, precision: Precision
) -> tuple[np.ndarray, np.ndarray]:
    """Two (k,) float64: nats of the response tokens of the two sequences; NaN for one that nothing stands before."""
    ids = of.tokens(0)[-CHECKED_TOKENS:]
    shorter = ids[len(ids) // 3 :]  # of another length, so that one of the two is padded
    probe = Sequences(
        ids=np.concatenate([ids, shorter]),
        offsets=np.cumsum([0, len(ids), len(shorter)]),
        first=np.array([len(ids) // 2, len(shorter) // 2], dtype=np.int32),
    )
    with reading(model), autocast(model, precision):
        read = ResponseLosses(model)
        read.check(pad(probe, np.arange(2), pad_id=pad_id))
        conditioned, alone = (
            read(pad(of, np.array([row]), pad_id=pad_id)).cpu().double().numpy() for row in (0, 1)
        )
    first = [[np.nan] if begin == 0 else [] for begin in of.first]
    return np.concatenate([first[0], conditioned]), np.concatenate([first[1], alone])


def _mean(nats: np.ndarray, first: np.ndarray) -> float:
    """Mean over the tokens that something stands before in both readings, the same as scoring takes."""
    scored = nats[1:] if first.min() == 0 else nats
    return float(scored.mean()) if len(scored) else math.nan


def _ends(rendering: Rendering, encoding: Encoding, first: int, count: int) -> np.ndarray:
    """(count,) int64: where in the response each of its tokens ends, the response's beginning being 0.

    Ends alone decide: the spaces before a token may be missing from its place, and its first character may be one
    that it shares with the token before.
    """
    ends = [token_chars(encoding, token)[1] - rendering.start for token in range(first, first + count)]
    if first + count == len(encoding):
        ends[-1] = len(rendering.text) - rendering.start  # what is missing from the last token's place
    return np.maximum.accumulate(np.array(ends, dtype=np.int64))


def _by_piece(nats: np.ndarray, ends: np.ndarray, borders: np.ndarray) -> np.ndarray:
    """(k,) float64: nats of each piece, which ends at its border."""
    return np.bincount(np.searchsorted(borders, ends), weights=nats, minlength=len(borders))


def _reason(loss_cond: float, loss_prior: float, of: Sequences, response_tokens: int) -> str:
    """Why complexity is undefined, in the words of scoring; "" where it is not."""
    with np.errstate(over="ignore", invalid="ignore"):
        complexity = np.exp(np.float32(loss_cond) - np.float32(loss_prior))
    if np.isfinite(complexity):
        return ""
    return NOTHING_BEFORE if of.first[1] == 0 and response_tokens == 1 else NON_FINITE
