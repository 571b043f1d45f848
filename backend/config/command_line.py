"""A run as the command that starts it."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Any

from backend.config.presets import PRESETS
from backend.config.read import config_from
from backend.config.run_config import RunConfig


def command_line(config: RunConfig, *, preset: str, home: Path) -> str:
    """The command that starts this run: what differs from the preset, nothing else."""
    words = ["python", "-m", "backend", "tune", *config.pool, "--model", config.model]
    embedded = tuple(config.pool) == ("demo",) and config.model == "demo"
    if preset != ("demo" if embedded else "paper"):  # what the command line starts from
        words += ["--preset", preset]
    base = config_from({"pool": config.pool, "model": config.model}, preset=preset)
    for f in dataclasses.fields(RunConfig):
        value = getattr(config, f.name)
        if f.name not in ("pool", "model") and value != getattr(base, f.name):
            words += option(f.name, value)
    words += ["--runs-dir", str(home)]
    return shlex.join(words)


def option(name: str, value: Any) -> list[str]:
    """One setting as options of the command line."""
    flag = "--" + name.replace("_", "-")
    if isinstance(value, bool):
        return [flag if value else flag.replace("--", "--no-", 1)]
    if isinstance(value, tuple):
        return [word for item in value for word in option(name, item)]
    if isinstance(value, dict):
        return [word for key, item in value.items() for word in option(name, f"{key}={item}")]
    text = repr(value) if isinstance(value, float) else str(value)
    # a value that begins with a dash would be read as an option
    return [f"{flag}={text}"] if text.startswith("-") else [flag, text]


def shortest_command(config: RunConfig, *, home: Path) -> str:
    """The same from the preset that leaves the least to be said."""
    return min((command_line(config, preset=preset, home=home) for preset in PRESETS), key=len)
