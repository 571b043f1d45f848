"""How much a run scores, trains and measures, from its settings and the pool's size alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from backend.config import RunConfig, budget_of, epoch_steps, held_out_share
from backend.selection.ranking import scores_needed


@dataclass(frozen=True)
class Course:
    """What a run will go through, as far as its settings tell; a selection may come out smaller than its budget.

    candidates : samples that are scored and selected from: the pool without those held out.
    held_out : samples of a held-out loss; None where they are in a file that was not counted.
    budget : samples that an epoch trains on.
    scored : samples scored before each epoch that is begun (and before none, with 0 epochs).
    steps : optimizer steps of each epoch that is begun.
    """

    candidates: int
    held_out: int | None
    budget: int
    scored: tuple[int, ...]
    steps: tuple[int, ...]


def course(config: RunConfig, rows: int, *, held_out_rows: int | None = None, processes: int = 1) -> Course:
    """The course of a run on a pool of `rows` samples.

    held_out_rows : samples in the file that `held_out` names, where they are known.
    """
    share = held_out_share(config)
    aside = math.floor(round((share or 0.0) * rows, 9))
    candidates = rows - aside
    budget = candidates if config.strategy == "full" else budget_of(config.budget, candidates)
    top = candidates
    if config.update_ratio != 1:
        top = min(candidates, math.floor(round(config.update_ratio * budget, 9)))
    of = {"pool": candidates, "top": top, "none": 0}
    steps = epoch_steps(budget, config, processes)
    scored = [of[scores_needed(config.strategy, epoch)] for epoch in range(max(1, len(steps)))]
    return Course(candidates, held_out_rows if share is None else aside, budget, tuple(scored), tuple(steps))
