"""Complexity written straight from its definition, as the authors' code computes it."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel

from backend.prompts import Encoded, Sequences

IGNORED = -100


def plain_complexity(
    model: PreTrainedModel, encoded: Encoded, rows: np.ndarray, *, size: int
) -> tuple[np.ndarray, int]:
    """(m,) float64 complexity of the rows, and how many tokens were read with the padding.

    Batches of `size` samples in the rows' order, padded on the right to the longest with a mask, logits of every
    position, cross entropy over all of them with the labels of what is not response ignored; one pass with the
    prompts, one without.
    """
    conditioned, read = _losses(model, encoded.conditioned, rows, size, encoded.pad_id)
    alone, read_alone = _losses(model, encoded.alone, rows, size, encoded.pad_id)
    return np.exp(conditioned - alone), read + read_alone


def _losses(
    model: PreTrainedModel, of: Sequences, rows: np.ndarray, size: int, pad_id: int
) -> tuple[np.ndarray, int]:
    """(m,) float64: mean loss of each row's response, and the tokens read."""
    losses, read = [], 0
    for begin in range(0, len(rows), size):
        batch = rows[begin : begin + size]
        texts = [torch.from_numpy(of.tokens(row).astype(np.int64)) for row in batch]
        ids = pad_sequence(texts, batch_first=True, padding_value=pad_id)
        mask = pad_sequence([torch.ones_like(text) for text in texts], batch_first=True)
        labels = ids.masked_fill(mask == 0, IGNORED)
        for at, row in enumerate(batch):
            labels[at, : of.first[row]] = IGNORED
        ids, mask, labels = (tensor.to(model.device) for tensor in (ids, mask, labels))
        with torch.no_grad():
            logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
            wanted = labels[:, 1:].contiguous()
            nll = functional.cross_entropy(
                logits[:, :-1].float().contiguous().view(-1, logits.shape[-1]),
                wanted.view(-1),
                reduction="none",
                ignore_index=IGNORED,
            ).view(wanted.shape)
        losses.append((nll.sum(1) / (wanted != IGNORED).sum(1)).cpu())
        read += ids.numel()
    return torch.cat(losses).double().numpy(), read
