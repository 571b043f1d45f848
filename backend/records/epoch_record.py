"""The record of an epoch: its scores and its selection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backend.records.scores_record import Scores, Taken
from backend.records.selection_record import Selection


@dataclass(frozen=True)
class EpochRecord:
    """Everything decided before one epoch: scores as they were known then, and the selection made from them.

    rescored : (n,) bool, rescored before this epoch, or taken from those who scored them with the very same model.
    diversity : (n,) float64, diversity of every candidate before any pick of this epoch; NaN otherwise. All n-grams weigh
        1 then, or with ``iterit-cumulative`` what earlier epochs have left them.
    changes : selection settings that a person changed for this epoch alone, by name.
    taken : those of `rescored` whose scores were taken; None where all were computed.
    round : how often the pool had been used up before this epoch (``iterit-cumulative``; 0 for all others).
    earlier : (n,) int32, how often each sample was trained on in this round before; None where the strategy does not ask.
    scored_tokens : tokens of both readings of `rescored`, of those that were taken too; None where it was not counted.
    """

    epoch: int
    scores: Scores
    rescored: np.ndarray
    diversity: np.ndarray
    selection: Selection
    seconds: dict[str, float] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    taken: Taken | None = None
    round: int = 0
    earlier: np.ndarray | None = None
    scored_tokens: int | None = None
