"""Bounds on a source's share of a selection: how they are written, and how many samples they are."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from backend.errors import ConfigError

_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)?"
_FORM = re.compile(rf"\s*{_NUMBER}\s*-\s*{_NUMBER}\s*")


def share_bounds(source: str, text: str) -> tuple[float, float]:
    """(at least, at most) as shares from 0 to 1, of "0.1-0.3", "0.1-" or "-0.3"; the one that is left out is 0, or 1.

    source : whose they are, for the error.

    Raises
    ------
    ConfigError : it is not written so, a share is above 1, or the lower bound is above the upper.
    """
    found = _FORM.fullmatch(text)
    if found is None or found.group(1) is found.group(2) is None:
        raise ConfigError(
            f"source_shares: {source!r} is {text!r}; expected low-high, low- or -high, as shares from 0 to 1 (0.1-0.3)"
        )
    low, high = float(found.group(1) or 0), float(found.group(2) or 1)
    if max(low, high) > 1:
        raise ConfigError(f"source_shares: {source!r} is {text!r}; the largest allowed share is 1")
    if low > high:
        raise ConfigError(
            f"source_shares: {source!r} is {text!r}; the lower bound ({low:g}) is above the upper ({high:g})"
        )
    return low, high


def share_text(low: float, high: float) -> str:
    """The bounds as the text of the setting; "" where they bound nothing."""
    if low <= 0 and high >= 1:
        return ""
    return f"{_written(low) if low > 0 else ''}-{_written(high) if high < 1 else ''}"


def check_shares(shares: Mapping[str, str]) -> None:
    """Raise ConfigError where a source's bounds cannot be read, or the lower ones add up to more than everything."""
    lows = [share_bounds(source, text)[0] for source, text in shares.items()]
    if sum(lows) > 1 + 1e-9:
        raise ConfigError(f"source_shares: the lower bounds add up to {sum(lows):.6g}; they can be 1 at most")


def at_least(low: float, budget: int) -> int:
    """Samples that a lower bound asks for: ceil(low * budget)."""
    # 0.07 * 100 is 7.000000000000001: round up what was meant
    return math.ceil(round(low * budget, 9))


def at_most(high: float, budget: int) -> int:
    """Samples that an upper bound allows: floor(high * budget)."""
    return math.floor(round(high * budget, 9))


def _written(share: float) -> str:
    return f"{share:.9f}".rstrip("0").rstrip(".")
