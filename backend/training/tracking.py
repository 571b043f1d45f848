"""Reporting to trackio, tensorboard and wandb, beside the run's own metrics."""

from __future__ import annotations

from pathlib import Path

from transformers import TrainerCallback
from transformers.integrations import TensorBoardCallback

from backend.config import RunConfig

TENSORBOARD = "tensorboard"


def services(config: RunConfig) -> list[str]:
    """Those of `report_to` that the Trainer sets up by itself."""
    return [name for name in config.report_to if name != TENSORBOARD]


def callbacks(config: RunConfig, folder: Path, *, step: int) -> list[TrainerCallback]:
    """What writes for TensorBoard, into `folder`.

    step : optimizer steps done; lines of later ones, which a resumed run measures again, are dropped.
    """
    if TENSORBOARD not in config.report_to:
        return []
    from torch.utils.tensorboard import SummaryWriter  # an optional package

    writer = SummaryWriter(log_dir=str(folder), purge_step=step + 1 if step else None)
    return [TensorBoardCallback(tb_writer=writer)]
