"""How many optimizer steps a run takes: from batches, epochs and max_steps, without a model."""

from __future__ import annotations

import math

from backend.config.run_config import RunConfig


def batches(config: RunConfig, processes: int = 1) -> tuple[int, int]:
    """Samples of a forward pass in each of the processes, and forward passes of an optimizer step."""
    share = max(1, config.batch_size // processes)
    device_batch = min(config.device_batch_size, share)
    return device_batch, max(1, share // device_batch)


def steps_per_epoch(length: int, config: RunConfig, processes: int = 1) -> int:
    """Optimizer steps of a whole epoch that reads `length` samples; the last one may hold fewer."""
    device_batch, accumulation = batches(config, processes)
    passes = math.ceil(math.ceil(length / device_batch) / processes)
    return math.ceil(passes / accumulation)


def steps_in_all(length: int, config: RunConfig, processes: int = 1) -> int:
    """Optimizer steps of a run: those of all epochs, or max_steps where these are fewer."""
    whole = steps_per_epoch(length, config, processes) * config.epochs
    return min(whole, config.max_steps) if config.max_steps else whole


def epoch_steps(length: int, config: RunConfig, processes: int = 1) -> list[int]:
    """Optimizer steps of each epoch that is begun; max_steps may end the last one early, and leave some out."""
    each = steps_per_epoch(length, config, processes)
    left = steps_in_all(length, config, processes)
    return [min(each, left - at) for at in range(0, left, each)] if each else []


def warmup_steps(length: int, config: RunConfig, processes: int = 1) -> int:
    """Optimizer steps over which the learning rate rises to its peak."""
    return math.ceil(round(config.warmup_ratio * steps_in_all(length, config, processes), 9))
