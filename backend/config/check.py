"""What a configuration may hold: ranges, and values that contradict each other."""

from __future__ import annotations

import dataclasses
import math

from backend.config.run import RunConfig
from backend.config.selection import SelectionSettings
from backend.errors import ConfigError


def check(settings: SelectionSettings) -> None:
    """Raise ConfigError where a value is out of its range or contradicts another."""
    for f in dataclasses.fields(settings):
        value, low, high = getattr(settings, f.name), f.metadata["low"], f.metadata["high"]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if not math.isfinite(value):
                raise ConfigError(f"{f.name} is {value}; a finite number is needed")
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
            raise ConfigError(f"source_weights: {name!r} is {weight}; 0 or a positive number is needed")
    if not isinstance(settings, RunConfig):
        return
    held_out_share(settings)
    if settings.processes > 1 and settings.epochs:
        raise ConfigError(
            f"processes is {settings.processes} and epochs {settings.epochs}: a run that trains scores with the model it "
            "trains, in one process (allowed: processes 0 or 1, or epochs 0)"
        )
    if settings.batch_size % min(settings.device_batch_size, settings.batch_size):
        raise ConfigError(
            f"batch_size ({settings.batch_size}) is not a multiple of device_batch_size ({settings.device_batch_size})"
        )


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
            f"held_out is {config.held_out}; a share from 0 up to (not including) 1, or a file, is needed"
        )
    return share


def budget_of(budget: float, n: int) -> int:
    """Number of samples an epoch trains on: floor(budget * n) up to 1, else the number itself, at most n."""
    if budget <= 1:
        # 0.07 * 100 is 7.000000000000001 and 0.29 * 100 is 28.999999999999996: floor what was meant
        return math.floor(round(budget * n, 9))
    return min(int(budget), n)
