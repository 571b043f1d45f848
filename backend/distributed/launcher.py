"""How a run's processes are started: one in place, or several that `accelerate launch` starts, to score and to train alike."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from backend.config import RunConfig
from backend.preflight.machine import gpu_count

LAUNCHED = "--launched"  # tells a process that this launcher has started it


def several(config: RunConfig) -> bool:
    """Whether a launcher starts the processes of a run."""
    return bool(config.accelerate_config) or _processes(config) > 1


def _processes(config: RunConfig) -> int:
    """How many: as many as asked for; for 0 one that trains, or one per GPU where nothing is trained."""
    return config.processes or (1 if config.epochs else max(1, gpu_count()))


def command(config: RunConfig, words: Sequence[str]) -> list[str]:
    """`python -m WORDS`, in as many processes as the configuration asks for."""
    if not several(config):
        return [sys.executable, "-m", *words]
    launch = [sys.executable, "-m", "accelerate.commands.launch"]
    if config.accelerate_config:
        launch += ["--config_file", config.accelerate_config]
    else:
        # "multi_gpu" is its word for processes that meet over torch.distributed; without a GPU they do so on the CPU
        launch += ["--multi_gpu", "--num_processes", str(_processes(config)), "--num_machines", "1"]
        launch += ["--dynamo_backend", "no", "--main_process_port", "0"]
    # the arithmetic is the run's own setting
    return [*launch, "--mixed_precision", "no", "-m", *words, LAUNCHED]


def environment() -> dict[str, str]:
    """This process's environment, in which `python -m backend...` is this code wherever it is started: a folder of that name
    there is somebody else's."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


def worker_command(home: Path, run_id: str, config: RunConfig) -> list[str]:
    """The command that works on a claimed run."""
    return command(config, ["backend.jobs.worker", str(home), run_id, "--claimed"])
