"""Encoded samples as the Trainer reads them: the model sees the prompt, the loss sees the response."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from backend.prompts import Encoded

IGNORED = -100  # the label that transformers' losses leave out


class ResponseDataset(Dataset[tuple[np.ndarray, int]]):
    """Row of the pool -> (token ids, index of the first response token)."""

    def __init__(self, encoded: Encoded) -> None:
        self.encoded = encoded

    def __len__(self) -> int:
        return len(self.encoded)

    def __getitem__(self, row: int) -> tuple[np.ndarray, int]:
        return self.encoded.conditioned.tokens(row), int(self.encoded.conditioned.first[row])


def collate(samples: Sequence[tuple[np.ndarray, int]], *, pad_id: int) -> dict[str, torch.Tensor]:
    """Right-padded input_ids, attention_mask and labels, each (b, longest) int64; labels on response tokens only.

    No sample at all is one padding token without a label: it adds 0 to the loss and to every gradient.
    """
    if not samples:
        samples = [(np.array([pad_id]), 1)]
    longest = max(len(ids) for ids, _ in samples)
    input_ids = torch.full((len(samples), longest), pad_id)
    attention_mask = torch.zeros_like(input_ids)
    labels = torch.full_like(input_ids, IGNORED)
    for at, (ids, first) in enumerate(samples):
        tokens = torch.from_numpy(ids.astype(np.int64))
        input_ids[at, : len(ids)] = tokens
        attention_mask[at, : len(ids)] = 1
        labels[at, first : len(ids)] = tokens[first:]
    return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}
