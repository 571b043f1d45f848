"""How long samples are for a model's tokenizer, without the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NOT_SCORED = "not scored"


@dataclass(frozen=True)
class Lengths:
    """Tokens of a pool's n samples under one tokenizer, chat template and system prompt.

    tokens : (n,) int32, tokens of the whole conversation before it is cut; -1 where it cannot be rendered or its
        response is empty.
    response_tokens : (n,) int32, response tokens left after the cut (with what closes the turn); 0 where none is.
    reason : (n,) object of str; "" where there is something to score, else why not ("empty response",
        "no response token within max_length", "chat template: ...").
    model, max_length, system_prompt : what was asked for.
    limit : tokens after which a conversation is cut: max_length, or the model's positions where they are fewer.
    """

    tokens: np.ndarray
    response_tokens: np.ndarray
    reason: np.ndarray
    model: str
    max_length: int
    system_prompt: str
    limit: int

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def too_long(self) -> np.ndarray:
        """(n,) bool: is cut, because it has more tokens than the limit."""
        return self.tokens > self.limit
