"""Texts -> tokens, and which token stands where in a text."""

from __future__ import annotations

from bisect import bisect_right

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


def first_token(encoding: Encoding, start: int) -> int:
    """Index of the first token that ends behind a character: its end counts, because a token's own leading space
    may lie before the response, and the spaces of a token can be missing from its offsets."""
    return bisect_right(range(len(encoding)), start, key=lambda token: token_chars(encoding, token)[1])


def token_chars(encoding: Encoding, token: int) -> tuple[int, int]:
    """The characters of one token. None is for the special tokens that a tokenizer adds, and it adds none here."""
    span = encoding.token_to_chars(token)
    assert span is not None
    return span
