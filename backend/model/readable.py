"""What a model reads of one sample and how well it expects each token: what the engine finds out and a screen shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

SegmentKind = Literal["prompt", "response", "mark", "cut"]


class Segment(NamedTuple):
    """A part of a text. kind : "mark" is what closes the response's turn, "cut" what max_length leaves out."""

    kind: SegmentKind
    text: str


@dataclass(frozen=True)
class ModelText:
    """One sample exactly as a model reads it.

    text, start, end : the whole conversation, and its characters that are the response; what follows closes the turn.
    cut : index of the first character that max_length leaves out; len(text) where nothing is cut.
    tokens, response_tokens : tokens that are left after the cut, and those of them that are the response with what
        closes its turn; response_tokens is 0 where the sample cannot be scored.
    whole_tokens : tokens of the conversation if nothing were cut.
    max_length : tokens after which it is cut.
    alone_text, alone_start, alone_end, alone_tokens : likewise the same response behind what the template writes before
        an assistant's turn, after the cut.
    reason : "" where the sample can be scored, else why not. Where the template refuses it there is no text.
    notes : what the template does to the sample that a person should know, each a sentence.
    """

    text: str
    start: int
    end: int
    cut: int
    tokens: int
    response_tokens: int
    whole_tokens: int
    max_length: int
    alone_text: str
    alone_start: int
    alone_end: int
    alone_tokens: int
    reason: str
    notes: tuple[str, ...] = ()

    @property
    def segments(self) -> list[Segment]:
        """The text in parts, none of them empty, which joined are `text`."""
        return self._parts(self.text, self.start, self.end, self.cut)

    @property
    def alone_segments(self) -> list[Segment]:
        """The same of the turn without its prompt; its "prompt" is what the template writes before a response."""
        return self._parts(self.alone_text, self.alone_start, self.alone_end, len(self.alone_text))

    @staticmethod
    def _parts(text: str, start: int, end: int, cut: int) -> list[Segment]:
        start, end = min(start, cut), min(end, cut)
        parts = [
            Segment("prompt", text[:start]),
            Segment("response", text[start:end]),
            Segment("mark", text[end:cut]),
            Segment("cut", text[cut:]),
        ]
        return [part for part in parts if part.text]


@dataclass(frozen=True)
class TokenLosses:
    """How well a model expects each piece of a sample's response, with and without its prompt.

    pieces : k texts which joined are the response with what closes its turn, up to where max_length cuts. A piece is one
        token, or several that cannot be told apart by their characters: the bytes of one character.
    tokens : (k,) int32, tokens of each piece.
    conditioned, alone : (k,) float64, nats of each piece (the sum over its tokens) behind the prompt and without it;
        NaN where nothing stands before the first token.
    closing : index of the first piece that closes the turn; k where that is cut.
    loss_cond, loss_prior : means in nats per token, the two losses of which complexity is made.
    response_tokens : tokens of the response, with those that close the turn.
    reason : "" where complexity is defined, else why it is not; without a scorable token there are no pieces.
    """

    pieces: list[str]
    tokens: np.ndarray
    conditioned: np.ndarray
    alone: np.ndarray
    closing: int
    loss_cond: float
    loss_prior: float
    response_tokens: int
    reason: str

    @property
    def complexity(self) -> float:
        """exp(loss_cond - loss_prior); NaN where it is undefined."""
        return math.nan if self.reason else math.exp(self.loss_cond - self.loss_prior)


def to_json(found: ModelText | TokenLosses) -> dict[str, Any]:
    """Plain JSON values; what is not a number there is null."""
    values = asdict(found)
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            values[name] = [_plain(item) for item in value.tolist()]
        elif isinstance(value, tuple):
            values[name] = list(value)
        elif isinstance(value, float):
            values[name] = _plain(value)
    return values


def text_from_json(values: Mapping[str, Any]) -> ModelText:
    """What `to_json` wrote."""
    return ModelText(**{**values, "notes": tuple(values.get("notes", ()))})


def losses_from_json(values: Mapping[str, Any]) -> TokenLosses:
    """What `to_json` wrote; the arrays are read-only, for they may be shared."""
    given = dict(values)
    kinds = {"tokens": np.int32, "conditioned": np.float64, "alone": np.float64}
    for name, kind in kinds.items():
        array = np.array([math.nan if item is None else item for item in given[name]], dtype=kind)
        array.setflags(write=False)
        given[name] = array
    for name in ("loss_cond", "loss_prior"):
        given[name] = math.nan if given[name] is None else given[name]
    return TokenLosses(**given)


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
