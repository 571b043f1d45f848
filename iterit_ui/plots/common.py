"""What every figure shares: colour names, legend words, and how numbers become JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from iterit_ui.shared.theme import CANDIDATE, LINE, POOL, SELECTED, SERIES

Figure = dict[str, Any]

MUTED = "--text-2"

SERIES_COLOUR = {
    "pool": POOL,
    "candidates": CANDIDATE,
    "selected": SELECTED,
    "random": SERIES[1],
    "longest": SERIES[2],
    "superfiltering": SERIES[3],
    "filtered": "--text-1",
}
SERIES_LABEL = {"longest": "longest", "random": "random draw", "superfiltering": "Superfiltering"}
SERIES_DASH = {"random": "solid", "longest": "dash", "superfiltering": "dot"}


def empty(message: str, title: str = "") -> Figure:
    """A chart that has nothing to show and says what would fill it."""
    return {"title": title, "data": [], "layout": {}, "empty": message}


def by_series(table: pd.DataFrame) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """The name and columns of each series in a histogram's table. Plain arrays, because slicing the table takes longer than
    drawing the chart."""
    columns = {name: table[name].to_numpy() for name in table.columns}
    for name in dict.fromkeys(columns["series"].tolist()):
        rows = columns["series"] == name
        yield name, {column: values[rows] for column, values in columns.items()}


def bars(part: dict[str, np.ndarray], heights: Any, name: str, colour: str, opacity: float) -> Figure:
    """Bars from edge to edge, which they also name: as words for people and as numbers for a brush."""
    return {
        "type": "bar",
        "name": name,
        "x": numbers((part["left"] + part["right"]) / 2),
        "y": numbers(heights),
        "width": numbers(part["right"] - part["left"]),
        "customdata": [
            [short(left), short(right), float(left), float(right)]
            for left, right in zip(part["left"], part["right"])
        ],
        "marker": {"color": colour, "line": {"width": 0}},
        "opacity": opacity,
    }


def steps(part: dict[str, np.ndarray], heights: Any, name: str, colour: str) -> Figure:
    """The outline of bars, from the ground to the ground."""
    edges = [*part["left"], part["right"][-1]]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": numbers([edges[0], *edges]),
        "y": [0, *numbers(heights), 0],
        "line": {"color": colour, "width": 1.6, "shape": "hv"},
        "hoverinfo": "skip",
    }


def brushing(brush: Sequence[float | None] | None, brushable: bool) -> Figure:
    """What a chart's value says about the range of its x axis that somebody chose; ends may be open."""
    low, high = brush if brush is not None else (None, None)
    return {"brushable": brushable, "brush": None if brush is None else {"low": low, "high": high}}


def vertical(x: float, text: str) -> Figure:
    """A labelled vertical line over the whole height."""
    return {
        "shapes": [
            {
                "type": "line",
                "yref": "paper",
                "x0": x,
                "x1": x,
                "y0": 0,
                "y1": 1,
                "line": {"color": LINE, "width": 1.5, "dash": "dash"},
            }
        ],
        "annotations": [
            {
                "x": x,
                "yref": "paper",
                "y": 1,
                "text": text,
                "showarrow": False,
                "xanchor": "left",
                "yanchor": "top",
                "xshift": 4,
            }
        ],
    }


def numbers(values: Any) -> list[Any]:
    """Plain Python numbers, None where there is none (JSON has no NaN)."""
    return [None if not np.isfinite(v) else (int(v) if float(v).is_integer() else float(v)) for v in values]


def axis_range(edges: np.ndarray) -> list[float]:
    return [float(edges[0]), float(edges[-1])]


def short(value: float) -> str:
    return f"{value:.4g}"


def sentences(*parts: str | None) -> str:
    kept = [part[0].upper() + part[1:].rstrip(".") for part in parts if part]
    return ". ".join(kept) + "." if kept else ""


def missing(at: int, text: str, axis: str = "x") -> Figure:
    """An annotation that stands upright at a place of the x axis where there is nothing to draw."""
    return {
        "x": at,
        "xref": axis,
        "y": 0,
        "yref": "paper",
        "text": text,
        "textangle": -90,
        "showarrow": False,
        "xanchor": "center",
        "yanchor": "bottom",
        "yshift": 6,
        "font": {"color": MUTED},
    }
