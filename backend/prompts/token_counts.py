"""How many tokens a pool's samples have, from the tokenizer alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from transformers import PreTrainedTokenizerBase

from backend.findings import Lengths
from backend.prompts.encode import encode
from backend.prompts.encoded import NO_RESPONSE_TOKEN
from backend.records import Pool, Progress

UNCUT = np.iinfo(np.int32).max


def count_lengths(
    pool: Pool,
    tokenizer: PreTrainedTokenizerBase,
    *,
    model: str,
    positions: int | None,
    max_length: int,
    system_prompt: str,
    on_progress: Callable[[Progress], None] | None = None,
) -> Lengths:
    """Tokens of every conversation before it is cut, and what the cut leaves of its response.

    Reasons and response tokens are those that scoring would give.

    Parameters
    ----------
    model : what the tokenizer is of, as it was named.
    positions : tokens that the model was built for, None for no limit; the cut is there where max_length is larger.

    Raises
    ------
    ModelError : the tokenizer has no chat template or gives no offsets, or no sample at all can be rendered.
    """
    limit = min(max_length, positions or max_length)
    encoded = encode(pool, tokenizer, system_prompt=system_prompt, max_length=UNCUT, on_progress=on_progress)
    scorable = encoded.reason == ""
    left = np.minimum(encoded.response_tokens, np.maximum(limit - encoded.conditioned.first, 0))
    reason = encoded.reason.copy()
    reason[scorable & (left == 0)] = NO_RESPONSE_TOKEN
    return Lengths(
        tokens=np.where(scorable, encoded.conditioned.lengths, -1).astype(np.int32),
        response_tokens=np.where(scorable, left, 0).astype(np.int32),
        reason=reason,
        model=model,
        max_length=max_length,
        system_prompt=system_prompt,
        limit=limit,
        changes=encoded.changes,
    )
