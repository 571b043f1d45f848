"""One setting: a field with the help, unit, range and origin of its default."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def setting(
    default: Any,
    help: str,
    *,
    group: str,
    unit: str = "",
    origin: str = "ours",
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """A dataclass field that carries what a form, a --help and a range check need."""
    meta = {"help": help, "group": group, "unit": unit, "origin": origin, "low": low, "high": high}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=meta)
    return field(default=default, metadata=meta)
