"""Distributions as bars computed here, never as points: a page gets fifty numbers, not fifty thousand.

Bins are decided once (from epoch 0) and given to every later epoch, so that a change is seen and not an axis
that moved. What lies outside the range is counted and said, never silently cut.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backend.records import Scores, Selection, Status

BINS = 48  # about this many; the width is rounded to a number a person can read

NOT_ELIGIBLE = (
    Status.TOO_COMPLEX,
    Status.UNSCORABLE,
    Status.TOO_SHORT,
    Status.TOO_LONG,
    Status.EXCLUDED,
    Status.SOURCE_OFF,
    Status.HELD_OUT,
    Status.NOT_CANDIDATE,
    Status.TRAINED,
    Status.NO_VALUE,
)


@dataclass(frozen=True)
class Histogram:
    """Counts of several series over the same bins.

    edges : (b + 1,) float64, bin b holds edges[b] <= value < edges[b + 1].
    table : one row per bin and series: left, right, series, count, share (of the series' known values, 0 to 1).
    outside : one row per series: below, above, unknown (no value), total (all rows of the series).
    """

    edges: np.ndarray
    table: pd.DataFrame
    outside: pd.DataFrame

    def outside_text(self) -> str:
        """What the bars do not show, in a few words; "" where they show everything."""
        rows = self.outside.to_dict("records")
        beyond = [
            f"{row['below'] + row['above']:,} {row['series']}" for row in rows if row["below"] + row["above"]
        ]
        unknown = [f"{row['unknown']:,} {row['series']}" for row in rows if row["unknown"]]
        parts = [
            f"beyond the axis: {', '.join(beyond)}" if beyond else "",
            f"no value: {', '.join(unknown)}" if unknown else "",
        ]
        return "; ".join(part for part in parts if part)


def nice_width(span: float, bins: int = BINS) -> float:
    """A bin width of 1, 2, 2.5 or 5 times a power of ten that cuts `span` into at most `bins` bins."""
    if not math.isfinite(span) or span <= 0:
        return 1.0
    raw = span / bins
    power = 10.0 ** math.floor(math.log10(raw))
    for factor in (1.0, 2.0, 2.5, 5.0, 10.0):
        if factor * power >= raw * (1 - 1e-9):
            return factor * power
    return 10.0 * power


def _edges(low: float, high: float, *, anchor: float = 0.0, bins: int = BINS) -> np.ndarray:
    """Edges of readable width from `low` to `high`, with `anchor` on an edge."""
    width = nice_width(high - low, bins)
    first = math.floor((low - anchor) / width + 1e-9)
    last = max(math.ceil((high - anchor) / width - 1e-9), first + 1)
    return np.round(anchor + width * np.arange(first, last + 1), 10)


def complexity_edges(complexity: np.ndarray) -> np.ndarray:
    """Bins for complexity with room for what training moves; 1 (the paper's ceiling) is always an edge.

    complexity : (n,) float, NaN where unknown; give epoch 0's, and the result to every epoch.
    """
    known = complexity[np.isfinite(complexity)]
    if not len(known):
        return _edges(0.0, 1.2, anchor=1.0)
    low, quarter, three, high = np.quantile(known, [0.005, 0.25, 0.75, 0.995])
    # a few responses with a complexity of 7 must not squeeze the others into three bars
    reach = 4 * (three - quarter)
    low, high = max(low, quarter - reach), min(high, three + reach)
    low, high = min(float(low), 1.0), max(float(high), 1.0)
    room = 0.25 * (high - low) + 0.01
    return _edges(max(low - room, 0.0), high + 0.5 * room, anchor=1.0)


def diversity_edges(diversity: np.ndarray) -> np.ndarray:
    """Bins for diversity from 0 to nearly its largest value. diversity : (n,) float, NaN where unknown."""
    known = diversity[np.isfinite(diversity)]
    high = float(np.quantile(known, 0.999)) if len(known) else 1.0
    # a little more, so that many equal values do not lie on the last edge, which counts as beyond
    return _edges(0.0, 1.001 * high if high > 0 else 1.0)


def length_edges(tokens: np.ndarray) -> np.ndarray:
    """Bins for response lengths in tokens from 0. tokens : (n,) int, -1 where unknown."""
    known = tokens[tokens >= 0]
    # one more: lengths are whole, and a value on the last edge counts as beyond it
    high = max(float(np.quantile(known, 0.995)) if len(known) else 100.0, 10.0) + 1
    edges = _edges(0.0, high, bins=32)
    return edges if edges[1] >= 1 else np.arange(0.0, np.ceil(high) + 1)


def histogram(series: Mapping[str, np.ndarray], edges: np.ndarray) -> Histogram:
    """Count every series over the same bins.

    series : values by name, each (k,) float, NaN where a row of the series has no value.
    edges : (b + 1,) float64 of equal widths.
    """
    tables, outside = [], []
    for name, values in series.items():
        values = np.asarray(values, dtype=np.float64)
        known = values[np.isfinite(values)]
        # np.histogram closes the last bin on the right; a value on the last edge is beyond the axis here
        inside = known[(known >= edges[0]) & (known < edges[-1])]
        counts = np.histogram(inside, edges)[0]
        share = counts / len(known) if len(known) else np.zeros(len(counts))
        tables.append(
            pd.DataFrame(
                {"left": edges[:-1], "right": edges[1:], "series": name, "count": counts, "share": share}
            )
        )
        outside.append(
            {
                "series": name,
                "below": int((known < edges[0]).sum()),
                "above": int((known >= edges[-1]).sum()),
                "unknown": len(values) - len(known),
                "total": len(values),
            }
        )
    return Histogram(
        edges=edges,
        table=pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(),
        outside=pd.DataFrame(outside, columns=["series", "below", "above", "unknown", "total"]),
    )


def candidate_rows(selection: Selection) -> np.ndarray:
    """(m,) int64: rows that the selection could have picked, the picked ones among them."""
    return np.flatnonzero(~np.isin(selection.status, NOT_ELIGIBLE))


def complexity_histogram(
    scores: Scores,
    selection: Selection | None = None,
    *,
    edges: np.ndarray | None = None,
    filtered: np.ndarray | None = None,
) -> Histogram:
    """Complexity of the pool, of the candidates and of the selected.

    edges : shared by a run's epochs. filtered : (n,) bool, samples that are one more series, "filtered".
    """
    return _of_pool(scores.complexity, selection, complexity_edges(scores.complexity), edges, filtered)


def diversity_histogram(
    diversity: np.ndarray,
    selection: Selection | None = None,
    *,
    edges: np.ndarray | None = None,
    filtered: np.ndarray | None = None,
) -> Histogram:
    """Diversity before any pick of the candidates and the selected. diversity : (n,) float64, NaN otherwise.

    filtered : (n,) bool, samples that are one more series, "filtered", as far as they are candidates.
    """
    chosen = edges if edges is not None else diversity_edges(diversity)
    if selection is None:
        series = {"candidates": diversity[np.isfinite(diversity)]}
    else:
        series = {"candidates": diversity[candidate_rows(selection)], "selected": diversity[selection.rows]}
    if filtered is not None:
        series["filtered"] = diversity[filtered & np.isfinite(diversity)]
    return histogram(series, chosen)


def length_histogram(
    scores: Scores,
    selection: Selection | None,
    baselines: Mapping[str, np.ndarray],
    *,
    edges: np.ndarray | None = None,
    filtered: np.ndarray | None = None,
) -> Histogram:
    """Response lengths in tokens: the pool, the selected, and other strategies at the same budget.

    baselines : rows by strategy, as `baselines` gives them.
    filtered : (n,) bool, samples that are one more series, "filtered".
    """
    tokens = np.where(scores.response_tokens >= 0, scores.response_tokens, np.nan).astype(np.float64)
    series = {"pool": tokens}
    if selection is not None:
        series["selected"] = tokens[selection.rows]
    series |= {name: tokens[rows] for name, rows in baselines.items()}
    if filtered is not None:
        series["filtered"] = tokens[filtered]
    return histogram(series, edges if edges is not None else length_edges(scores.response_tokens))


def _of_pool(
    values: np.ndarray,
    selection: Selection | None,
    default: np.ndarray,
    edges: np.ndarray | None,
    filtered: np.ndarray | None,
) -> Histogram:
    series = {"pool": values}
    if selection is not None:
        series["candidates"] = values[candidate_rows(selection)]
        series["selected"] = values[selection.rows]
    if filtered is not None:
        series["filtered"] = values[filtered]
    return histogram(series, edges if edges is not None else default)
