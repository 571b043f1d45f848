"""What a run will cost, before it is launched: steps, samples, tokens, time and memory, each with where it is from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from backend.config import RunConfig


@dataclass(frozen=True)
class Figure:
    """A number and where it comes from.

    value : NaN where unknown. source : what it was found from, or why there is no figure.
    """

    value: float
    source: str

    @property
    def known(self) -> bool:
        return math.isfinite(self.value)


@dataclass(frozen=True)
class PlanEstimate:
    """What a run will do and need.

    Counts follow from the settings and the pool's size alone:
    candidates : samples to choose from, those kept aside left out. held_out : samples of a held-out loss; NaN value
        where they are in a file that has not been read.
    budget : samples that an epoch trains on. epochs : passes that are begun (fewer than asked for where max_steps
        ends the run first). steps_per_epoch, steps : optimizer steps; the last epoch may have fewer.
    scored_first, scored_later : samples scored before the first and before each later epoch. evaluations : how often
        the held-out loss is measured.

    Tokens count prompts and responses, after the cut at max_length:
    training_tokens, scoring_tokens, evaluating_tokens : in the whole run.

    Seconds, at the speed that an earlier run of this model has measured:
    training_seconds, scoring_seconds, evaluating_seconds : in the whole run; seconds : their sum, unknown where one
        of them is.

    Memory, in GiB, on the device that trains (a GPU's memory, else this machine's):
    weights, gradients, optimizer, activations : while training; memory : their sum. All are reckoned from the sizes
        in the model's files, and `memory.source` says so. memory_measured : the most that an earlier run of this
        model took, whatever its settings. memory_there : what the device has.
    parameters, trained : numbers in the model, and those of them (or of its adapters) that are trained.
    """

    candidates: int
    held_out: Figure
    budget: int
    epochs: int
    steps_per_epoch: int
    steps: int
    scored_first: int
    scored_later: int
    evaluations: int
    training_tokens: Figure
    scoring_tokens: Figure
    evaluating_tokens: Figure
    training_seconds: Figure
    scoring_seconds: Figure
    evaluating_seconds: Figure
    seconds: Figure
    parameters: Figure
    trained: Figure
    weights: Figure
    gradients: Figure
    optimizer: Figure
    activations: Figure
    memory: Figure
    memory_measured: Figure
    memory_there: Figure


def plan_estimate(home: Path, config: RunConfig, pool_id: str, rows: int) -> PlanEstimate:
    """What this configuration will do with this pool, as far as it can be known without running it.

    home : the runs folder, whose earlier runs say how fast the model is. pool_id : of a stored pool; lengths that
    have been counted are found there. rows : samples in the pool.

    Raises
    ------
    ConfigError : `held_out` is not a share and not a file.
    """
    raise NotImplementedError
