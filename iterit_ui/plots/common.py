"""What every figure shares: colour names, legend words, and how numbers become JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from iterit_ui.theme import CANDIDATE, LINE, POOL, SELECTED, SERIES

Figure = dict[str, Any]

MUTED = "--text-2"

SERIES_COLOUR = {
    "pool": POOL,
    "candidates": CANDIDATE,
    "selected": SELECTED,
    "random": SERIES[1],
    "longest": SERIES[2],
    "superfiltering": SERIES[3],
}
SERIES_LABEL = {"longest": "longest responses", "random": "random draw", "superfiltering": "Superfiltering"}


def empty(message: str, title: str = "") -> Figure:
    """A chart that has nothing to show and says what would fill it."""
    return {"title": title, "data": [], "layout": {}, "empty": message}


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
