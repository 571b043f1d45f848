"""Where an interrupted run goes on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from backend.config import RunConfig, steps_per_epoch
from backend.errors import RunError
from backend.training import Checkpoint, damaged_checkpoints, last_checkpoint

logger = logging.getLogger(__name__)


class Start(NamedTuple):
    """Where a run goes on: its checkpoint (None: from its beginning), and the epoch that comes then.

    Records up to this epoch hold: the model of the checkpoint decides them again in the same way. Later ones were made
    with a model that is trained once more.
    """

    checkpoint: Checkpoint | None = None
    epoch: int = 0


def start_of(config: RunConfig, folder: Path, decided: Mapping[int, int], *, processes: int = 1) -> Start:
    """Where a run in `folder` goes on.

    decided : by epoch, how many samples were selected for it.

    Raises
    ------
    RunError : the last checkpoint was written in an epoch whose record, or that of an earlier one, is not there.
    """
    checkpoint = last_checkpoint(folder / "checkpoints")
    if checkpoint is None:
        return Start()
    if 0 not in decided:
        raise RunError(f"{checkpoint.path} has no epoch record that leads to it")
    epoch, within = divmod(checkpoint.step, steps_per_epoch(decided[0], config, processes))
    missing = [before for before in range(epoch + bool(within)) if before not in decided]
    if missing:
        raise RunError(
            f"{checkpoint.path} is at step {checkpoint.step}, in epoch {epoch}, and the record of epoch {missing[0]} is "
            f"missing (found: epochs {sorted(decided)})"
        )
    logger.info("going on in epoch %d, after step %d, from %s", epoch, checkpoint.step, checkpoint.path)
    return Start(checkpoint, epoch)


def passed_over(folder: Path, start: Start) -> list[str]:
    """For each checkpoint in a run's folder that a run would have gone on from but for its damage: what it has, and where
    the run goes on instead."""
    step = start.checkpoint.step if start.checkpoint else 0
    instead = f"after step {step}" if start.checkpoint else "from its beginning"
    found = damaged_checkpoints(folder / "checkpoints", after=step)
    return [f"{text}; the run goes on {instead}" for text in found]
