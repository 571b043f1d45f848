"""A configuration from plain values, and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

from backend.config.check import check
from backend.config.presets import PRESETS, preset_values
from backend.config.run_config import RunConfig
from backend.config.selection import SelectionSettings
from backend.errors import ConfigError


def config_from(values: Mapping[str, Any], *, preset: str = "paper") -> RunConfig:
    """A checked run configuration from a preset and what differs from it.

    Raises
    ------
    ConfigError : an unknown name, a value of the wrong kind, out of range, or in contradiction to another.
    """
    if preset not in PRESETS:
        raise ConfigError(f"preset {preset!r} is unknown (known: {', '.join(PRESETS)})")
    known = {f.name for f in dataclasses.fields(RunConfig)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(f"setting {unknown[0]!r} is unknown (known: {', '.join(sorted(known))})")
    merged = {**preset_values(preset, values.get("pool")), **values}
    hints = get_type_hints(RunConfig)
    config = RunConfig(**{name: _coerce(name, value, hints[name]) for name, value in merged.items()})
    check(config)
    return config


def selection_settings(config: SelectionSettings, **changes: Any) -> SelectionSettings:
    """The selection part of a configuration, with some of it changed and checked."""
    names = [f.name for f in dataclasses.fields(SelectionSettings)]
    hints = get_type_hints(SelectionSettings)
    unknown = sorted(set(changes) - set(names))
    if unknown:
        raise ConfigError(f"setting {unknown[0]!r} is unknown (known: {', '.join(names)})")
    values = {name: getattr(config, name) for name in names} | changes
    settings = SelectionSettings(
        **{name: _coerce(name, value, hints[name]) for name, value in values.items()}
    )
    check(settings)
    return settings


def typed_value(name: str, value: Any) -> Any:
    """One setting's value as the type that its field has; whether it is in range is for `check` to say.

    Raises
    ------
    ConfigError : no such setting, or a value of the wrong kind.
    """
    hints = get_type_hints(RunConfig)
    if name not in hints:
        raise ConfigError(f"setting {name!r} is unknown (known: {', '.join(sorted(hints))})")
    return _coerce(name, value, hints[name])


def to_json(config: SelectionSettings) -> dict[str, Any]:
    """The configuration as plain JSON values."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def _coerce(name: str, value: Any, hint: Any) -> Any:
    """`value` as the field's type, or a ConfigError that says what is needed."""
    origin = get_origin(hint)
    if origin is Literal:
        allowed = get_args(hint)
        if value not in allowed:
            raise ConfigError(f"{name} is {value!r}; allowed: {', '.join(map(str, allowed))}")
        return value
    try:
        if origin is tuple:
            return (value,) if isinstance(value, str) else tuple(str(item) for item in value)
        if origin is dict:
            kind = get_args(hint)[1]
            return {str(key): kind(item) for key, item in dict(value).items()}
        if hint is bool:
            if not isinstance(value, bool):
                raise ValueError("true or false")
            return value
        if hint is int:
            if float(value) != int(value):
                raise ValueError("a whole number")
            return int(value)
        if hint is str and not isinstance(value, (str, int, float)):
            raise ValueError("text")  # str() would make "None" of null
        return hint(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError(
            f"{name} is {value!r}; needed: {getattr(hint, '__name__', hint)} ({error})"
        ) from error
