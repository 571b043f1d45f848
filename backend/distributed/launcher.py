"""The command that works on a run: one process, or several that `accelerate launch` starts."""

from __future__ import annotations

import sys
from pathlib import Path

from backend.config import RunConfig


def several(config: RunConfig) -> bool:
    """Whether a run's worker is a launcher with processes of its own. (Scoring alone shares the work by itself.)"""
    return bool(config.epochs and (config.processes > 1 or config.accelerate_config))


def worker_command(home: Path, run_id: str, config: RunConfig) -> list[str]:
    """The command that works on a claimed run."""
    worker = ["backend.jobs.worker", str(home), run_id, "--claimed"]
    if not several(config):
        return [sys.executable, "-m", *worker]
    launch = [sys.executable, "-m", "accelerate.commands.launch"]
    if config.accelerate_config:
        launch += ["--config_file", config.accelerate_config]
    else:
        # "multi_gpu" is its word for processes that meet over torch.distributed; without a GPU they do so on the CPU
        launch += ["--multi_gpu", "--num_processes", str(config.processes), "--num_machines", "1"]
        launch += ["--dynamo_backend", "no", "--main_process_port", "0"]
    # the arithmetic is the run's own setting
    return [*launch, "--mixed_precision", "no", "-m", *worker, "--launched"]
