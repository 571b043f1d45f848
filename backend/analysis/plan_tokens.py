"""How many tokens a sample of a pool has for a model, before the model has read it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend import store
from backend.analysis.plan_speeds import Measured, same_model
from backend.config import RunConfig
from backend.findings import Lengths
from backend.preflight.checks import Problem

NOT_COUNTED = "the samples' lengths are not known: count tokens here or on the Data tab, or with `lengths POOL --model MODEL`"


@dataclass(frozen=True)
class Tokens:
    """Tokens of a sample when it is trained on, scored (read twice) and measured; NaN where unknown.

    longest : of the pool's samples, after the cut; 0 where unknown. source : what it is known from, or why it is not.
    """

    trained: float
    scored: float
    measured: float
    longest: int
    source: str


def tokens_of(home: Path, config: RunConfig, pool_id: str, before: Measured) -> Tokens:
    """From the pool's counted lengths, else from what an earlier run of this model read of this pool."""
    lengths = _lengths(home, config, pool_id)
    if lengths is not None:
        return _counted(lengths, config)
    if before.per_sample:
        trained, scored, measured = (
            before.per_sample.get(stage, math.nan) for stage in ("train", "score", "evaluate")
        )
        return Tokens(
            trained, scored, measured, 0, "as many tokens a sample as an earlier run read of this pool"
        )
    return Tokens(math.nan, math.nan, math.nan, 0, NOT_COUNTED)


def unscorable(home: Path, config: RunConfig, pool_id: str) -> Problem | None:
    """What the count of a pool's tokens has shown of samples that this model cannot score: a template that refuses them,
    no response within the cut. None where nothing was counted, or all can be scored."""
    lengths = _lengths(home, config, pool_id)
    if lengths is None:
        return None
    counts = Counter(reason for reason in lengths.reason.tolist() if reason)
    if lengths.max_length != config.max_length:  # where it was cut then says nothing of the cut now
        counts = Counter({reason: count for reason, count in counts.items() if "max_length" not in reason})
    if not counts:
        return None
    reasons = "; ".join(f"{count:,} {reason}" for reason, count in counts.most_common(4))
    many, rows = sum(counts.values()), len(lengths.reason)
    text = f"{many:,} of {rows:,} samples cannot be scored with this model and are not selected: {reasons}"
    return Problem("model", text, many == rows)


def _counted(lengths: Lengths, config: RunConfig) -> Tokens:
    """From counted lengths, cut where this configuration cuts."""
    scorable = np.flatnonzero((lengths.reason == "") & (lengths.tokens >= 0))
    if not len(scorable):
        return Tokens(math.nan, math.nan, math.nan, 0, "no sample of this pool can be scored with this model")
    # the model's positions were the limit where it is below what was asked for
    limit = config.max_length
    if lengths.limit < lengths.max_length:
        limit = min(limit, lengths.limit)
    tokens = np.minimum(lengths.tokens[scorable], limit)
    responses = np.minimum(lengths.response_tokens[scorable], tokens)
    mean = float(tokens.mean())
    return Tokens(
        trained=mean,
        scored=mean + float(responses.mean()),
        measured=mean,
        longest=int(tokens.max()),
        source="at the mean length of the pool's samples; a selection may be of longer or shorter ones",
    )


def _lengths(home: Path, config: RunConfig, pool_id: str) -> Lengths | None:
    """Lengths under this model's tokenizer and system prompt, wherever they were cut: the whole length is kept."""
    if not store.pool_folder(home, pool_id).is_dir():
        return None
    keys = store.stored_lengths(home, pool_id)
    keys.sort(key=lambda key: key.max_length != config.max_length)
    for key in keys:
        if key.model in same_model(config.model) and key.system_prompt == config.system_prompt:
            return store.load_lengths(
                home, pool_id, model=key.model, max_length=key.max_length, system_prompt=key.system_prompt
            )
    return None
