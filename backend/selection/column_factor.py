"""A column of the data as a factor of the gain: complexity^a x diversity^b x value^w."""

from __future__ import annotations

import numpy as np

from backend.config import SelectionSettings
from backend.errors import ConfigError
from backend.records import Pool

NO_GAIN = ("longest", "random", "random-each-epoch", "full")  # strategies that weigh nothing


def reads_column(settings: SelectionSettings) -> bool:
    """Whether a column of the data decides along with complexity and diversity."""
    return bool(settings.factor_column and settings.factor_weight > 0 and settings.strategy not in NO_GAIN)


def column_factor(pool: Pool, settings: SelectionSettings) -> np.ndarray | None:
    """(n,) float64: value^w of each sample, NaN where it has no value; None where no column is read.

    Raises
    ------
    ConfigError : the pool has no such column, it holds text, or a value below 0 or without measure; says in which row.
    """
    if not reads_column(settings):
        return None
    name = settings.factor_column
    kind = pool.own_columns.get(name)
    if kind is None:
        numbers = [other for other, one in pool.own_columns.items() if one == "number"]
        known = f"columns with numbers: {', '.join(numbers)}" if numbers else "it has no columns with numbers"
        raise ConfigError(f"factor_column: no column {name!r} in this pool ({known})")
    values = pool.own(name)
    if kind == "text":
        at, found = next(
            ((row, text) for row, text in enumerate(values) if text is not None and not _is_number(text)),
            (0, ""),
        )
        example = f" ({found!r} in {_where(pool, at)})" if found else ""
        raise ConfigError(f"factor_column: {name} holds text{example}; expected numbers")
    with np.errstate(invalid="ignore"):
        bad = np.flatnonzero((values < 0) | np.isinf(values))
    if len(bad):
        more = f", and {len(bad) - 1:,} more" if len(bad) > 1 else ""
        raise ConfigError(
            f"factor_column: {name} is {values[bad[0]]:g} in {_where(pool, int(bad[0]))}{more}; "
            "a factor of the gain must be a number of 0 or more"
        )
    return np.asarray(values**settings.factor_weight)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _where(pool: Pool, row: int) -> str:
    place = pool.take(np.array([row]), ["file", "row"]).to_pylist()[0]
    return f"row {place['row']:,} of {place['file']}"
