"""A response without its prompt: the tokens that stand before it where the assistant's turn is all there is.

The response's own tokens are those of the conversation: a loss with the prompt and one without it are of the very same
tokens, however a template writes a turn that stands alone.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from tokenizers import Encoding

from backend.prompts.template import ChatTemplate, Rendering
from backend.prompts.tokens import token_chars, tokenize


class LoneHeaders:
    """Tokens of what a template writes before an assistant's turn; a pool needs few of them, so they are kept."""

    def __init__(self, template: ChatTemplate) -> None:
        @lru_cache(maxsize=1024)
        def tokens(text: str) -> np.ndarray:
            return np.array(tokenize(template.tokenizer, [text])[0].ids, dtype=np.int32)

        self._tokens = tokens

    def before(self, whole: Rendering, encoding: Encoding, first: int) -> np.ndarray:
        """(k,) int32: what stands before the response's tokens where its turn is alone.

        encoding, first : tokens of `whole` and the index of its first response token.
        """
        ids = self._tokens(whole.header)
        if not first or (len(ids) and ids[-1] == encoding.ids[first - 1]):
            return ids
        # the first response token takes the header's end along, as "\n\n" does with a response that begins with "\n"
        taken = whole.text[token_chars(encoding, first - 1)[1] : whole.start]
        if taken and whole.header.endswith(taken):
            return self._tokens(whole.header.removesuffix(taken))
        return ids
