"""Token sequences of uneven length -> padded batches of even cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.prompts import Sequences

# logits of one batch: 2^28 numbers are 1 GiB in float32, whatever the vocabulary
LOGIT_CELLS = 1 << 28
# A batch ends early where more than this share of it would be padding, once it is large enough to be worth a call
PADDING = 0.04
FEW_TOKENS = 1024


@dataclass(frozen=True)
class Batch:
    """Right-padded sequences, and where their response tokens are predicted.

    ids, mask : (b, length) int64, tokens and 1 where there is one.
    sequence, position : (k,) int64, the hidden state that predicts response token k.
    target : (k,) int64, that token.
    """

    ids: np.ndarray
    mask: np.ndarray
    sequence: np.ndarray
    position: np.ndarray
    target: np.ndarray

    def means(self, nll: np.ndarray) -> np.ndarray:
        """(b,) float64: mean of the (k,) losses of each sequence; NaN where it has none."""
        sums = np.bincount(self.sequence, weights=nll, minlength=len(self.ids))
        counts = np.bincount(self.sequence, minlength=len(self.ids))
        return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)


def plan(
    lengths: np.ndarray, responses: np.ndarray, *, batch_tokens: int, vocabulary: int
) -> list[np.ndarray]:
    """Group sequences of like length, so that little is padding.

    Parameters
    ----------
    lengths, responses : (m,) int, tokens of each sequence, and how many of them are the response.
    batch_tokens : tokens of a batch, padding included; a single longer sequence is a batch of its own.
    vocabulary : logits a response token costs.

    Returns the batches' members, the longest first: what does not fit into memory fails at once, not at the end.
    """
    batches: list[np.ndarray] = []
    order = np.argsort(-lengths, kind="stable")
    begin = cells = tokens = 0
    for at, item in enumerate(order):
        length, cost = int(lengths[item]), int(responses[item]) * vocabulary
        longest = int(lengths[order[begin]])
        padded = longest * (at - begin + 1)
        full = padded > batch_tokens or cells + cost > LOGIT_CELLS
        wasteful = padded - longest >= FEW_TOKENS and tokens + length < padded * (1 - PADDING)
        if at > begin and (full or wasteful):
            batches.append(order[begin:at])
            begin, cells, tokens = at, 0, 0
        cells, tokens = cells + cost, tokens + length
    if begin < len(order):
        batches.append(order[begin:])
    return batches


def pad(of: Sequences, rows: np.ndarray, *, pad_id: int, skip: int = 0) -> Batch:
    """The batch of these rows, without their first `skip` tokens, which come before any that predicts a response.

    The first token of a text has nothing that predicts it, and is no response token here.
    """
    tokens = [of.tokens(row)[skip:] for row in rows]
    firsts = [max(1, int(of.first[row])) - skip for row in rows]
    longest = max(len(ids) for ids in tokens)
    padded = np.full((len(rows), longest), pad_id, dtype=np.int64)
    mask = np.zeros_like(padded)
    for at, ids in enumerate(tokens):
        padded[at, : len(ids)] = ids
        mask[at, : len(ids)] = 1
    return Batch(
        ids=padded,
        mask=mask,
        sequence=np.repeat(np.arange(len(rows)), [len(ids) - first for ids, first in zip(tokens, firsts)]),
        position=np.concatenate([np.arange(first - 1, len(ids) - 1) for ids, first in zip(tokens, firsts)]),
        target=np.concatenate([ids[first:].astype(np.int64) for ids, first in zip(tokens, firsts)]),
    )


def common_prefix(of: Sequences, rows: np.ndarray) -> int:
    """How many tokens all of these rows begin with, not counting any that predicts a response token."""
    if len(rows) < 2:
        return 0
    longest = int(np.maximum(1, of.first[rows]).min()) - 1
    begins = of.ids[of.offsets[rows][:, None] + np.arange(longest)]
    same = (begins == begins[0]).all(axis=0)
    return int(longest if same.all() else np.argmin(same))
