"""Columns that came with the data, as a filter limits them: a range of numbers, words in a text, some of its values.

    {"judge": [3, null], "topic": ["law", ""], "comment": "see above"}

A range holds both its ends. A list of texts holds any of these values, "" for samples that have none. A text is looked for
in the values, whatever its capitals.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.data.limits import OWN_CHARS, OWN_COLUMNS, OWN_NAME
from backend.errors import ConfigError
from backend.records import Pool

PREFIX = "own:"  # before a column's name where a word means a part of a filter or an order
MOST_VALUES = 50
_CONDITION = re.compile(r"(?P<name>.+?)(?P<sign>>=|<=|!=|=|~|>|<)(?P<value>.*)", re.DOTALL)


def cleaned_own(given: Any) -> dict[str, Any]:
    """What of `given` is a filter of own columns; the rest is left out."""
    kept: dict[str, Any] = {}
    if not isinstance(given, dict):
        return kept
    for name, value in list(given.items())[:OWN_COLUMNS]:
        if not isinstance(name, str) or not 0 < len(name) <= OWN_NAME:
            continue
        if isinstance(value, str) and 0 < len(value.strip()) <= OWN_CHARS:
            kept[name] = value.strip()
        elif isinstance(value, (list, tuple)) and 0 < len(value) <= MOST_VALUES:
            if all(isinstance(one, str) and len(one) <= OWN_CHARS for one in value):
                kept[name] = list(dict.fromkeys(value))
            elif len(value) == 2 and all(map(_is_limit, value)):
                low, high = value
                if (low is not None or high is not None) and (low is None or high is None or low <= high):
                    kept[name] = [low, high]
    return kept


def own_mask(pool: Pool, wanted: Mapping[str, Any]) -> np.ndarray:
    """(n,) bool: samples that hold in all of these columns; nobody does in a column that the pool does not have."""
    keep: np.ndarray = np.ones(len(pool), dtype=bool)
    for name, value in wanted.items():
        kind = pool.own_columns.get(name)
        if kind is None:
            return np.zeros(len(pool), dtype=bool)
        values = pool.own(name)
        if is_range(value):
            if kind == "text":
                return np.zeros(len(pool), dtype=bool)
            low, high = value
            with np.errstate(invalid="ignore"):
                keep &= (values >= (-math.inf if low is None else low)) & (
                    values <= (math.inf if high is None else high)
                )
            continue
        texts = [own_text(one) for one in values]
        if isinstance(value, str):
            word = value.casefold()
            keep &= np.array([word in text.casefold() for text in texts], dtype=bool)
        else:
            among = set(value)
            keep &= np.array([text in among for text in texts], dtype=bool)
    return keep


def own_key(pool: Pool, name: str, rows: np.ndarray) -> np.ndarray:
    """(m,) float64: what rows are sorted by in an own column, NaN where they have no value: texts by letters."""
    if name not in pool.own_columns:
        return np.full(len(rows), np.nan)
    values = pool.own(name)[rows]
    if pool.own_columns[name] == "number":
        return np.asarray(values, dtype=np.float64)
    order = {
        text: place
        for place, text in enumerate(sorted({v for v in values if v is not None}, key=str.casefold))
    }
    return np.array([math.nan if value is None else order[value] for value in values], dtype=np.float64)


def own_text(value: Any) -> str:
    """A value as it is shown: numbers without needless digits, "" for none."""
    if value is None or value != value:
        return ""
    return str(value) if isinstance(value, str) else f"{float(value):.10g}"


def own_words(name: str, value: Any) -> str:
    """A condition in words."""
    if isinstance(value, str):
        return f"{name} contains {value}"
    if is_range(value):
        low, high = value
        if low is None:
            return f"{name} at most {high:,.6g}"
        return f"{name} at least {low:,.6g}" if high is None else f"{name} {low:,.6g} to {high:,.6g}"
    return f"{name} is {' or '.join(one or 'missing' for one in value)}"


def is_range(value: Any) -> bool:
    """Whether a condition is a range of numbers."""
    return isinstance(value, list) and not any(isinstance(one, str) for one in value)


def own_conditions(pool: Pool, given: Sequence[str]) -> dict[str, Any]:
    """Conditions as somebody types them, as a filter: judge>=3, topic=law, comment~see above, topic= (has no value).

    `=` once more for the same text column adds a value.

    Raises
    ------
    ConfigError : it is no condition, the pool has no such column, or a number is compared with text.
    """
    wanted: dict[str, Any] = {}
    for text in given:
        name, sign, value = _parts(pool, text)
        if pool.own_columns[name] == "text" or (sign == "=" and not value) or sign == "~":
            if sign not in ("=", "~"):
                raise ConfigError(f"{text!r}: {name} holds text; expected {name}=VALUE or {name}~WORDS")
            before = wanted.get(name, [])
            wanted[name] = value if sign == "~" else [*(before if isinstance(before, list) else []), value]
            continue
        try:
            number = float(value)
        except ValueError:
            raise ConfigError(f"{text!r}: {name} holds numbers, and {value!r} is none") from None
        low, high = wanted.get(name, [None, None])
        if sign == "=":
            wanted[name] = [number, number]
        elif sign in (">=", ">"):
            wanted[name] = [number if sign == ">=" else float(np.nextafter(number, math.inf)), high]
        elif sign in ("<=", "<"):
            wanted[name] = [low, number if sign == "<=" else float(np.nextafter(number, -math.inf))]
        else:
            raise ConfigError(f"{text!r}: expected {name}>=NUMBER, {name}<=NUMBER or {name}=NUMBER")
    return wanted


def _parts(pool: Pool, text: str) -> tuple[str, str, str]:
    # a column's name may hold a sign, so the names that there are come first
    for name in sorted(pool.own_columns, key=len, reverse=True):
        if text.startswith(name):
            found = re.fullmatch(r"\s*(>=|<=|!=|=|~|>|<)(.*)", text[len(name) :], re.DOTALL)
            if found:
                return name, found[1], found[2].strip()
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise ConfigError(f"{text!r}: expected COLUMN>=NUMBER, COLUMN<=NUMBER, COLUMN=VALUE or COLUMN~WORDS")
    known = ", ".join(pool.own_columns) or "none beside those that are read"
    raise ConfigError(f"{text!r}: no column {found['name'].strip()!r} in this pool (there are: {known})")


def _is_limit(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value is None or (number and math.isfinite(value))
