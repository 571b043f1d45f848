"""What a configuration may hold: ranges, and values that contradict each other."""

from __future__ import annotations

import dataclasses
import math

from backend.config.run_config import TRACKERS, RunConfig
from backend.config.selection import SelectionSettings
from backend.config.shares import check_shares
from backend.errors import ConfigError


def check(settings: SelectionSettings) -> None:
    """Raise ConfigError where a value is out of its range or contradicts another."""
    for f in dataclasses.fields(settings):
        value, low, high = getattr(settings, f.name), f.metadata["low"], f.metadata["high"]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if not math.isfinite(value):
                raise ConfigError(f"{f.name} is {value}; expected a finite number")
            if low is not None and value < low:
                raise ConfigError(f"{f.name} is {value:g}; the smallest allowed value is {low:g}")
            if high is not None and value > high:
                raise ConfigError(f"{f.name} is {value:g}; the largest allowed value is {high:g}")
    if settings.budget <= 0:
        raise ConfigError(
            f"budget is {settings.budget:g}; give a share above 0 up to 1, or a number of samples"
        )
    if settings.max_response_tokens and settings.max_response_tokens < settings.min_response_tokens:
        raise ConfigError(
            f"max_response_tokens ({settings.max_response_tokens}) is below "
            f"min_response_tokens ({settings.min_response_tokens})"
        )
    both = sorted(set(settings.pinned) & set(settings.excluded))
    if both:
        raise ConfigError(f"sample {both[0]} is both pinned and excluded")
    for name, weight in settings.source_weights.items():
        if not math.isfinite(weight) or weight < 0:
            raise ConfigError(f"source_weights: {name!r} is {weight}; expected 0 or a positive number")
    check_shares(settings.source_shares)
    if isinstance(settings, RunConfig):
        _check_run(settings)


def _check_run(config: RunConfig) -> None:
    """What contradicts what in the settings that decide no selection."""
    share = held_out_share(config)
    for name in ("lora_alpha", "lora_dropout", "lora_targets", "save_merged"):
        if getattr(config, name) and not config.lora_rank:
            raise ConfigError(
                f"{name} is {_shown(getattr(config, name))} and lora_rank 0: without adapters it means nothing "
                f"(allowed: lora_rank 1 or more, or no {name})"
            )
    if config.review_minutes and not config.review:
        raise ConfigError(
            f"review_minutes is {config.review_minutes:g} and review false: nothing waits "
            "(allowed: review true, or review_minutes 0)"
        )
    if config.accelerate_config and config.processes:
        raise ConfigError(
            f"accelerate_config is {config.accelerate_config!r} and processes {config.processes}: the file says how many "
            "processes there are (allowed: one of the two)"
        )
    if config.checkpoint_every and not config.save_checkpoints:
        raise ConfigError(
            f"checkpoint_every is {config.checkpoint_every} and save_checkpoints false "
            "(allowed: save_checkpoints true, or checkpoint_every 0)"
        )
    if config.max_steps and not config.epochs:
        raise ConfigError(
            f"max_steps is {config.max_steps} and epochs 0: nothing is trained (allowed: epochs 1 or more, or max_steps 0)"
        )
    if config.held_out_every and share == 0:
        raise ConfigError(
            f"held_out_every is {config.held_out_every} and held_out {config.held_out or 'empty'}: there is nothing to "
            "measure on (allowed: a held_out share or file, or held_out_every 0)"
        )
    if config.attention == "flash_attention_2" and config.precision == "fp32":
        raise ConfigError(
            "attention is flash_attention_2 and precision fp32: it computes in 16 bits only (allowed: precision auto, "
            "bf16, fp16; or attention auto, sdpa, eager)"
        )
    unknown = [name for name in config.report_to if name not in TRACKERS]
    if unknown:
        raise ConfigError(f"report_to names {unknown[0]!r}; allowed: {', '.join(TRACKERS)}")
    _check_batches(config)


def _check_batches(config: RunConfig) -> None:
    """An optimizer step is a whole number of forward passes, the same in each process."""
    processes = max(1, config.processes) if config.epochs else 1
    if config.batch_size % processes:
        raise ConfigError(
            f"batch_size ({config.batch_size}) is not a multiple of processes ({processes}), "
            "which share each optimizer step"
        )
    share = config.batch_size // processes
    if share % min(config.device_batch_size, share):
        times = f" x processes ({processes})" if processes > 1 else ""
        raise ConfigError(
            f"batch_size ({config.batch_size}) is not a multiple of device_batch_size ({config.device_batch_size}){times}"
        )


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"


def held_out_share(config: RunConfig) -> float | None:
    """The share of the pool to keep aside, from 0 up to 1, or None where `held_out` names a file.

    Raises
    ------
    ConfigError : a number outside [0, 1).
    """
    try:
        share = float(config.held_out or 0)
    except ValueError:
        return None
    if not (math.isfinite(share) and 0 <= share < 1):
        raise ConfigError(
            f"held_out is {config.held_out}; expected a share from 0 up to (not including) 1, or a file"
        )
    return share


def budget_of(budget: float, n: int) -> int:
    """Number of samples an epoch trains on: floor(budget * n) up to 1, else the number itself, at most n."""
    if budget <= 1:
        # 0.07 * 100 is 7.000000000000001 and 0.29 * 100 is 28.999999999999996: floor what was meant
        return math.floor(round(budget * n, 9))
    return min(int(budget), n)
