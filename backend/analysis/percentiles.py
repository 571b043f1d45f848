"""Where one value stands among all."""

from __future__ import annotations

import numpy as np


def percentile(values: np.ndarray, row: int) -> float:
    """The share of known values below that of `row`, from 0 to 1; equal ones (itself among them) count half.

    values : (n,) numbers, NaN where unknown. Returns NaN where the row's own is.
    """
    value = values[row]
    if not np.isfinite(value):
        return float("nan")
    known = int(np.isfinite(values).sum())
    return float((int((values < value).sum()) + 0.5 * int((values == value).sum())) / known)
