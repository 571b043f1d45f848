"""Arms that train on as many response tokens as a run did: what was selected is longer than what is drawn.

At equal steps a strategy that prefers long responses has read more text. These arms take as many more samples as it takes
to read as much.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend import config, store
from backend.config import RunConfig
from backend.errors import RunError
from backend.jobs.comparison_start import Variant
from backend.records import Status


@dataclass(frozen=True)
class Trained:
    """What a run trained on. tokens : response tokens over all epochs. mean : of a sample that it might have selected.

    samples : that it might have selected: all but those held out or without a response token.
    """

    run_id: str
    tokens: int
    mean: float
    samples: int


def trained(home: Path, run_id: str) -> Trained:
    """How many response tokens a run trained on, from its selections.

    Raises
    ------
    RunError : no such run; it is not done, or was ended by `max_steps`, so that its selections do not tell.
    """
    info = store.run_info(home, run_id)
    made = store.read_config(home, run_id)
    if info.state != "done" or not made.epochs or made.max_steps:
        why = f"it is {info.state}" if info.state != "done" else "it did not train whole epochs"
        raise RunError(f"{info.name} ({run_id}) cannot give a number of tokens: {why}")
    first = store.read_epoch(home, run_id, 0)
    lengths = first.scores.response_tokens
    able = (first.selection.status != Status.HELD_OUT) & (lengths > 0)
    tokens = sum(int(lengths[store.read_picks(home, run_id, e)].sum()) for e in store.epochs(home, run_id))
    return Trained(run_id, tokens, float(lengths[able].mean()), int(able.sum()))


def equal_token_variants(base: RunConfig, made: Trained) -> list[Variant]:
    """`random-each-epoch` and `full` for about as many response tokens as a run trained on, at the pool's mean length.

    Raises
    ------
    RunError : not even one sample an epoch, or more than the pool holds.
    """
    samples = round(made.tokens / (base.epochs * made.mean))
    if not 1 <= samples <= made.samples:
        raise RunError(
            f"{made.tokens:,} response tokens are {samples:,} samples in each of {base.epochs} epochs; the pool has "
            f"{made.samples:,}"
        )
    # a part of the last batch is a step too
    steps = int(np.ceil(made.tokens / made.mean / base.batch_size))
    of_tokens = f"{made.tokens:,} response tokens"
    variants = [
        Variant(
            f"random-each-epoch, {of_tokens}", {"strategy": "random-each-epoch", "budget": _budget(samples)}
        )
    ]
    if steps < config.steps_in_all(made.samples, base):
        variants.append(Variant(f"full, {of_tokens}", {"strategy": "full", "max_steps": steps}))
    return variants


def _budget(samples: int) -> float:
    # a budget up to 1 is a share
    if samples == 1:
        raise RunError("1 sample an epoch cannot be asked for; a budget of 1 is the whole pool")
    return float(samples)
