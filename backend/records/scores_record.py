"""The complexity of samples under a model, and scores that did not have to be computed again."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

import numpy as np

# reasons of `Scores` for samples whose complexity nobody asked for: it could be scored, is held out to measure on, has another
# response than the one that was scored, or is not in the file that the scores came from
EDITED = "edited since it was scored"
NOT_IMPORTED = "not in the imported file"
NOT_ASKED_FOR = ("not scored", "held out", EDITED, NOT_IMPORTED)


@dataclass(frozen=True)
class Scores:
    """Complexity of every sample of a pool under one model (NaN where it is not known).

    loss_cond, loss_prior : (n,) float32, nats per response token, with and without the prompt.
    complexity : (n,) float32, no unit, exp(loss_cond - loss_prior); NaN where undefined or not scored.
    response_tokens : (n,) int32, response tokens left after truncation (with what closes the turn); -1 unknown.
    reason : (n,) object of str; "" where complexity is defined, else why it is not
        ("empty response", "no response token within max_length", "non-finite loss", "not scored").
    """

    loss_cond: np.ndarray
    loss_prior: np.ndarray
    complexity: np.ndarray
    response_tokens: np.ndarray
    reason: np.ndarray

    def __len__(self) -> int:
        return len(self.complexity)

    def unscored(self) -> dict[str, int]:
        """Why samples have no complexity and how many each, the most frequent first; those that nobody wanted scored
        are not among them."""
        counts = Counter(str(reason) for reason in self.reason if reason not in ("", *NOT_ASKED_FOR))
        return dict(counts.most_common())

    def without(self, rows: np.ndarray, reason: str) -> Scores:
        """The same, but unknown for some rows ((k,) int64); itself where there are none."""
        if not len(rows):
            return self
        parts = [
            np.array(getattr(self, name))
            for name in ("loss_cond", "loss_prior", "complexity", "response_tokens", "reason")
        ]
        for values, unknown in zip(parts, (np.nan, np.nan, np.nan, -1, reason)):
            values[rows] = unknown
        return Scores(*parts)

    @staticmethod
    def unknown(n: int, response_tokens: np.ndarray | None = None, reason: str = "not scored") -> Scores:
        """Scores of n samples that no model has read."""
        nan = np.full(n, np.nan, dtype=np.float32)
        tokens = np.full(n, -1, dtype=np.int32) if response_tokens is None else response_tokens
        reasons = np.full(n, reason, dtype=object)
        return Scores(nan, nan.copy(), nan.copy(), tokens, reasons)


@dataclass(frozen=True)
class Taken:
    """Scores that were not computed again. samples : how many; at : seconds since 1970 (UTC), when the newest of them was."""

    samples: int
    at: float

    @property
    def words(self) -> str:
        """ "taken from 2026-03-01 14:05, 2,200 samples"."""
        moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.at))
        return f"taken from {moment}, {self.samples:,} sample{'' if self.samples == 1 else 's'}"
