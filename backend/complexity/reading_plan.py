"""What has to be read to score some rows, cut into batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.complexity.batches import common_prefix, pad, plan
from backend.complexity.losses import Prefix, ResponseLosses
from backend.prompts import Sequences

CPU_TOKENS = 2048  # of a batch on a CPU: more leave its cache, fewer keep it busy with overhead


@dataclass(frozen=True)
class Work:
    """One batch: `items`, (b,) int64, of a group's rows, after the prefix that they share.

    tokens : those of the texts, with the prefix. read : those behind it. cost : `read` with the padding.
    """

    group: int
    items: np.ndarray
    prefix: Prefix | None
    tokens: int
    read: int
    cost: int

    @property
    def skip(self) -> int:
        return self.prefix.length if self.prefix else 0


def works_of(
    read: ResponseLosses,
    groups: tuple[Sequences, ...],
    rows: np.ndarray,
    pad_id: int,
    batch_tokens: int,
    *,
    there: np.ndarray | None = None,
) -> list[Work]:
    """All batches of these rows in each group, after it was found out how the model can be read.

    there : (groups, m) bool, what need not be read; None for nothing. A batch of which nothing is there is the batch that
        it would be if nothing were there at all: a scoring that goes on after it was killed rounds as it would have without.
    """
    vocabulary = int(read.model.config.get_text_config().vocab_size)
    if read.model.device.type == "cpu":
        batch_tokens = min(batch_tokens, CPU_TOKENS)
    if there is None:
        there = np.zeros((len(groups), len(rows)), dtype=bool)
    works: list[Work] = []
    for group, of in enumerate(groups):
        lengths = of.lengths[rows]
        few = rows[_two_lengths(lengths)]
        if group == 0:
            read.check(pad(of, few, pad_id=pad_id))
        prefix = read.share(of, few, common_prefix(of, rows), pad_id=pad_id)
        left = lengths - (prefix.length if prefix else 0)
        responses = lengths - of.first[rows]
        limits = {"batch_tokens": batch_tokens, "vocabulary": vocabulary}
        batches = plan(left, responses, **limits)
        whole = [items for items in batches if not there[group, items].any()]
        parts = [items[~there[group, items]] for items in batches if there[group, items].any()]
        loose = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
        for items in [*whole, *(loose[some] for some in plan(left[loose], responses[loose], **limits))]:
            tokens, unshared = int(lengths[items].sum()), int(left[items].sum())
            works.append(Work(group, items, prefix, tokens, unshared, len(items) * int(left[items].max())))
    return works


def _two_lengths(lengths: np.ndarray) -> np.ndarray:
    """(1 or 2,) int64: a shortest sequence and one of the next length, so that one is padded; a sequence and its
    like where all are of one length."""
    order = np.argsort(lengths, kind="stable")
    longer = np.searchsorted(lengths[order], lengths[order[0]], side="right")
    return order[[0, min(longer, len(order) - 1)]] if len(order) > 1 else order
