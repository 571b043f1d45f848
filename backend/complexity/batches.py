"""Token sequences of uneven length -> padded batches of even cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.prompts import Sequences

# logits of one batch: 2^28 numbers are 1 GiB in float32, whatever the vocabulary
LOGIT_CELLS = 1 << 28


@dataclass(frozen=True)
class Batch:
    """Right-padded sequences, and where their response tokens are predicted.

    items : (b,) int64, which of the sequences given are in this batch.
    ids, mask : (b, length) int64, tokens and 1 where there is one.
    sequence, position : (k,) int64, the hidden state that predicts response token k.
    target : (k,) int64, that token.
    """

    items: np.ndarray
    ids: np.ndarray
    mask: np.ndarray
    sequence: np.ndarray
    position: np.ndarray
    target: np.ndarray


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
    begin = cells = 0
    for at, item in enumerate(order):
        cost = int(responses[item]) * vocabulary
        padded = int(lengths[order[begin]]) * (at - begin + 1)
        if at > begin and (padded > batch_tokens or cells + cost > LOGIT_CELLS):
            batches.append(order[begin:at])
            begin, cells = at, 0
        cells += cost
    if begin < len(order):
        batches.append(order[begin:])
    return batches


def pad(items: np.ndarray, sequences: list[tuple[Sequences, int]], *, pad_id: int) -> Batch:
    """The batch of `items`, each a (sequences, row) pair; the first token of a text has nothing that predicts it."""
    tokens = [sequences[item][0].tokens(sequences[item][1]) for item in items]
    firsts = [max(1, int(sequences[item][0].first[sequences[item][1]])) for item in items]
    longest = max(len(ids) for ids in tokens)
    padded = np.full((len(items), longest), pad_id, dtype=np.int64)
    mask = np.zeros_like(padded)
    for at, ids in enumerate(tokens):
        padded[at, : len(ids)] = ids
        mask[at, : len(ids)] = 1
    return Batch(
        items=items,
        ids=padded,
        mask=mask,
        sequence=np.repeat(np.arange(len(items)), [len(ids) - first for ids, first in zip(tokens, firsts)]),
        position=np.concatenate([np.arange(first - 1, len(ids) - 1) for ids, first in zip(tokens, firsts)]),
        target=np.concatenate([ids[first:].astype(np.int64) for ids, first in zip(tokens, firsts)]),
    )
