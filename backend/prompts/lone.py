"""The tokens of a turn rendered alone, from those of its conversation.

A special token cuts a text: what follows it is tokenised as if nothing stood before. So where a template writes one
between the prompt and the response, the conversation and the turn rendered alone have the same tokens from there on,
and only one of them needs tokenising.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tokenizers import AddedToken, Encoding

from backend.prompts.render import NotRendered
from backend.prompts.template import ChatTemplate, Rendering
from backend.prompts.tokens import token_chars, tokenize


@dataclass(frozen=True)
class Anchor:
    """The last special token before the response in a turn rendered alone.

    token, length : its id, and its characters.
    header : the text before the response in a turn rendered alone; it begins at character `at` of it.
    before : (k,) int32, tokens before it.
    between : tokens between it and the response; one more or less where the response merges with the header.
    """

    token: int
    length: int
    header: str
    at: int
    before: np.ndarray
    between: int

    def tokens(
        self, whole: Rendering, lone: Rendering, encoding: Encoding, first: int
    ) -> tuple[np.ndarray, int] | None:
        """The tokens of `lone` and the index of its first response token, or None where they must be made.

        encoding, first : tokens of `whole` and the index of its first response token.
        """
        header = self.header[self.at :]
        if not lone.text.startswith(self.header) or lone.start != len(self.header):
            return None
        if not whole.text.endswith(header + lone.text[lone.start :]):
            return None
        begin = whole.start - len(header)
        if len(whole.text) - whole.start != len(lone.text) - lone.start:
            return None
        ids = encoding.ids
        for place in range(first - 1, max(first - self.between - 4, -1), -1):
            if ids[place] != self.token:
                continue
            if token_chars(encoding, place) != (begin, begin + self.length):
                return None
            tail = np.array(ids[place:], dtype=np.int32)
            return np.concatenate([self.before, tail]), len(self.before) + first - place
        return None


def anchor_of(template: ChatTemplate) -> Anchor | None:
    """The template's anchor; None where it writes no special token before a response, or none that surely cuts."""
    try:
        lone = template.alone("A")
    except NotRendered:
        return None
    added = template.tokenizer.backend_tokenizer.get_added_tokens_decoder()
    encoding = tokenize(template.tokenizer, [lone.text])[0]
    ids = encoding.ids
    places = [
        k for k, token in enumerate(ids) if token in added and _cuts(added[token], list(added.values()))
    ]
    before = [k for k in places if token_chars(encoding, k)[1] <= lone.start]
    if not before:
        return None
    begin, end = token_chars(encoding, before[-1])
    if lone.text[begin:end] != added[ids[before[-1]]].content:
        return None
    return Anchor(
        token=ids[before[-1]],
        length=end - begin,
        header=lone.text[: lone.start],
        at=begin,
        before=np.array(ids[: before[-1]], dtype=np.int32),
        between=len(
            [k for k in range(before[-1] + 1, len(ids)) if token_chars(encoding, k)[1] <= lone.start]
        ),
    )


def _cuts(token: AddedToken, others: list[AddedToken]) -> bool:
    """Whether a token is found as it stands, whatever is around it: it takes no spaces along, and no longer token
    holds its text."""
    if token.normalized or token.lstrip or token.rstrip or token.single_word:
        return False
    return not any(token.content in other.content for other in others if other.content != token.content)
