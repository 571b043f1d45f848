"""How far a job is, and what a run measures on its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stage = Literal["load", "score", "select", "review", "train", "evaluate", "map", "save"]
JobState = Literal["absent", "queued", "running", "waiting", "stopping", "stopped", "failed", "done"]


@dataclass(frozen=True)
class Progress:
    """Progress of a stage: `done` of `total` in `unit` ("samples", "steps"); total 0 where unknown."""

    stage: Stage
    epoch: int
    done: int
    total: int
    unit: str = "samples"
    tokens: int = 0  # tokens the model has read in this stage


@dataclass(frozen=True)
class Metrics:
    """One line of a run's metrics; None where a value was not measured at this moment.

    epoch counts finished passes as a float (1.5 = half way through the second); losses in nats per token.
    held_out : mean response loss of the held-out samples, by token, after `epoch` epochs (0.0: the untouched model).
    held_out_epoch : the number of whole epochs trained when it was measured; None where that was within an epoch.
    """

    step: int
    epoch: float
    loss: float | None = None
    learning_rate: float | None = None
    grad_norm: float | None = None
    held_out: float | None = None
    held_out_epoch: int | None = None
    tokens: int | None = None
    seconds: float | None = None
    memory_gib: float | None = None
