"""Token ids of a pool's samples, flat, and which of the tokens are the response."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

EMPTY_RESPONSE = "empty response"
NO_RESPONSE_TOKEN = "no response token within max_length"
NOT_ENCODED = "not scored"
BEYOND_EMBEDDING = "a token beyond the model's embedding"


@dataclass(frozen=True)
class Sequences:
    """Token sequences of n samples, one behind the other.

    ids : (t,) int32, all tokens.
    offsets : (n + 1,) int64, sample i is ids[offsets[i] : offsets[i + 1]]; nothing where it was not encoded.
    first : (n,) int32, index of the first response token within the sample; the response runs to its end.
    """

    ids: np.ndarray
    offsets: np.ndarray
    first: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """(n,) int64: tokens of each sample."""
        return np.diff(self.offsets)

    def tokens(self, row: int) -> np.ndarray:
        """(length,) int32: token ids of one sample."""
        return self.ids[self.offsets[row] : self.offsets[row + 1]]


@dataclass(frozen=True)
class Encoded:
    """What a model reads of a pool of n samples.

    conditioned : the whole conversation with what closes its last turn, cut at its end after max_length tokens: what
        is trained on.
    alone : the very same response tokens behind what the template writes before an assistant's turn.
    response_tokens : (n,) int32, response tokens left after the cut, with those that close the turn; -1 where the row
        was not asked for.
    reason : (n,) object of str, "" where there is something to score, else why not.
    pad_id : token that fills the shorter rows of a batch (no model attends to it).
    changes : (n,) uint8, what the template does to each sample (`backend.findings.lengths`); None where nobody looked.
    """

    conditioned: Sequences
    alone: Sequences
    response_tokens: np.ndarray
    reason: np.ndarray
    pad_id: int
    changes: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.reason)

    def readable(self, embedding_rows: int) -> Encoded:
        """The same, but what holds an id that an embedding of so many rows does not have is not scored."""
        reason = self.reason.copy()
        for sequences in (self.conditioned, self.alone):
            over = np.flatnonzero(sequences.ids >= embedding_rows)
            rows = np.searchsorted(sequences.offsets, over, side="right") - 1
            reason[rows] = BEYOND_EMBEDDING
        return replace(self, reason=reason)
