"""Texts -> tokens, and which token stands where in a text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection

from tokenizers import Encoding
from transformers import PreTrainedTokenizerBase


def tokenize(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[Encoding]:
    """Tokens with their places. add_special_tokens=False: the template has written every special token.

    The tokenizer's own core is called, as transformers does: what that puts around it takes as long again.
    """
    if not texts:
        return []
    backend = tokenizer.backend_tokenizer
    # set only where it is not so already: a tokenizer that another thread uses cannot be changed
    if backend.truncation is not None:
        backend.no_truncation()
    if backend.padding is not None:
        backend.no_padding()
    if backend.encode_special_tokens != tokenizer.split_special_tokens:
        backend.encode_special_tokens = tokenizer.split_special_tokens
    encodings: list[Encoding] = backend.encode_batch(texts, add_special_tokens=False)
    return encodings


def first_token(encoding: Encoding, text: str, start: int, special: Collection[int]) -> int:
    """Index of the first token that holds a character from `start` on, the response's beginning.

    A token's end counts: its own leading space may lie before the response, and the spaces of a token can be missing
    from its offsets. A special token that the template writes before the response and that takes spaces along is no
    token of the response, be these the response's own.
    """
    first = bisect_right(range(len(encoding)), start, key=lambda token: token_chars(encoding, token)[1])
    while first < len(encoding) and encoding.ids[first] in special:
        begin, end = token_chars(encoding, first)
        if begin >= start or text[start:end].strip():
            break
        first += 1
    return first


def token_chars(encoding: Encoding, token: int) -> tuple[int, int]:
    """The characters of one token. None is for the special tokens that a tokenizer adds, and it adds none here."""
    span = encoding.token_to_chars(token)
    assert span is not None
    return span
