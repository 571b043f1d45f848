"""How long samples are for a model's tokenizer, without the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NOT_SCORED = "not scored"

# what a chat template does to a sample, a bit each
REASONING_DROPPED, RESPONSE_CHANGED, TOOLS_AS_TEXT = 1, 2, 4
CHANGES = {
    "reasoning_dropped": (REASONING_DROPPED, "The template drops this sample's reasoning."),
    "response_changed": (
        RESPONSE_CHANGED,
        "The template changes the response's text; what it writes is read.",
    ),
    "tools_as_text": (TOOLS_AS_TEXT, "The template has no place for tools or calls: they are given as text."),
}


def notes_of(changes: int) -> tuple[str, ...]:
    """What a chat template does to one sample, in words."""
    return tuple(words for bit, words in CHANGES.values() if changes & bit)


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
    changes : (n,) uint8, what the chat template does to each sample, bits of `CHANGES`; None where nobody has looked.
    """

    tokens: np.ndarray
    response_tokens: np.ndarray
    reason: np.ndarray
    model: str
    max_length: int
    system_prompt: str
    limit: int
    changes: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def too_long(self) -> np.ndarray:
        """(n,) bool: is cut, because it has more tokens than the limit."""
        return self.tokens > self.limit
