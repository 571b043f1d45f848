"""Complexity then and now, with the areas that have a name: points where they are few, cells where they are many."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from backend.analysis.quadrants import QUADRANTS, Quadrants
from iterit_ui.plots.common import MUTED, Figure, empty, numbers, sentences
from iterit_ui.shared.theme import GOOD, POOL, REJECTED, SELECTED, SEQUENTIAL, SERIES

QUADRANT_COLOUR = {
    "learned": GOOD,
    "still hard": SELECTED,
    "got harder": SERIES[3],
    "rejected": REJECTED,
    "easy both times": POOL,
}
MOST_POINTS = 2000
CELLS = 32  # of a side, about
TITLE = "Did training change what is hard?"


def then_and_now(found: Quadrants, limits: tuple[float, float], *, note: str | None = None) -> Figure:
    """Complexity at an earlier epoch against complexity now.

    The `customdata` of a point is its row, of a cell the key of its quadrant and words.

    limits : ends of both axes, the same for every epoch of a run.
    """
    if found.reason:
        first = found.earlier == found.epoch
        return empty(
            "This is the first scoring. From the next epoch on, this shows how complexity moved."
            if first and "needs no model" not in found.reason
            else f"{found.reason[0].upper()}{found.reason[1:]}.",
            TITLE,
        )
    low, high = limits
    inside = (found.before >= low) & (found.before < high) & (found.after >= low) & (found.after < high)
    beyond = len(found) - int(inside.sum())
    many = len(found) > MOST_POINTS
    return {
        "title": TITLE,
        "note": sentences(note, f"Beyond the axes: {beyond:,}" if beyond else ""),
        "data": [_cells(found, limits)] if many else _points(found, inside),
        "layout": {
            "xaxis": {
                "title": {"text": f"complexity before epoch {found.earlier}"},
                "range": [low, high],
                "showgrid": False,
            },
            "yaxis": {
                "title": {"text": f"complexity before epoch {found.epoch}"},
                "range": [low, high],
                "showgrid": False,
            },
            "shapes": [*_areas(found, limits), *_lines(found, limits)],
            "annotations": _words(found, limits),
        },
    }


def _points(found: Quadrants, inside: np.ndarray) -> list[Figure]:
    made = []
    for code, name in enumerate(QUADRANTS):
        of = inside & (found.code == code)
        made.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": np.round(found.before[of], 4).tolist(),
                "y": np.round(found.after[of], 4).tolist(),
                "customdata": found.rows[of].tolist(),
                "marker": {"color": QUADRANT_COLOUR[name], "size": 5, "opacity": 0.8, "line": {"width": 0}},
                "hovertemplate": f"then %{{x:.3f}}, now %{{y:.3f}}: {name}<br>click to read it<extra></extra>",
            }
        )
    return made


def _cells(found: Quadrants, limits: tuple[float, float]) -> Figure:
    """Counts in cells none of which lies in two quadrants: the lines between those are edges of cells."""
    low, high = limits
    plain = np.linspace(low, high, CELLS + 1)
    across = _with_edges(plain, [found.line])
    up = _with_edges(plain, [found.line, found.ceiling])
    counts = np.histogram2d(found.after, found.before, bins=[up, across])[0]
    words: list[list[Any]] = []
    for (y0, y1), found_here in zip(pairwise(up.tolist()), counts):
        line: list[Any] = []
        for (x0, x1), count in zip(pairwise(across.tolist()), found_here):
            if not count:
                line.append(None)
                continue
            name = _name(found, (x0 + x1) / 2, (y0 + y1) / 2)
            line.append([f"quadrant:{name}", f"then {x0:.3f} to {x1:.3f}, now {y0:.3f} to {y1:.3f}: {name}"])
        words.append(line)
    # few cells hold most samples; by the square root the others are seen, too
    height = np.where(counts > 0, np.sqrt(counts), np.nan)
    return {
        "type": "heatmap",
        "x": numbers(across),
        "y": numbers(up),
        "z": [numbers(line) for line in height],
        "text": [[f"{int(count):,}" for count in line] for line in counts],
        "customdata": words,
        "colorscale": [[i / (len(SEQUENTIAL) - 1), colour] for i, colour in enumerate(SEQUENTIAL)],
        "zmin": 0,
        "showscale": False,
        "hoverongaps": False,
        "hovertemplate": "%{customdata[1]}<br>%{text} samples; click to list the whole area<extra></extra>",
    }


def _with_edges(edges: np.ndarray, wanted: list[float]) -> np.ndarray:
    """Edges that hold the wanted values, without slivers beside them."""
    width = edges[1] - edges[0]
    inside = [value for value in wanted if edges[0] < value < edges[-1]]
    near = np.array([any(abs(edge - value) < width / 3 for value in inside) for edge in edges])
    near[[0, -1]] = False
    return np.unique(np.concatenate([edges[~near], inside]))


def _name(found: Quadrants, before: float, after: float) -> str:
    if after >= found.ceiling:
        return "rejected"
    if before >= found.line:
        return "still hard" if after >= found.line else "learned"
    return "got harder" if after >= found.line else "easy both times"


def _corners(found: Quadrants, limits: tuple[float, float]) -> dict[str, tuple[float, float, float, float]]:
    """x0, x1, y0, y1 of every area."""
    low, high = limits
    line, ceiling = min(found.line, high), min(found.ceiling, high)
    middle = min(line, ceiling)
    return {
        "learned": (line, high, low, middle),
        "still hard": (line, high, middle, ceiling),
        "got harder": (low, line, middle, ceiling),
        "easy both times": (low, line, low, middle),
        "rejected": (low, high, ceiling, high),
    }


def _areas(found: Quadrants, limits: tuple[float, float]) -> list[Figure]:
    return [
        {
            "type": "rect",
            "x0": x0,
            "x1": x1,
            "y0": y0,
            "y1": y1,
            "fillcolor": QUADRANT_COLOUR[name],
            "opacity": 0.1,
            "line": {"width": 0},
            "layer": "below",
        }
        for name, (x0, x1, y0, y1) in _corners(found, limits).items()
        if y1 > y0 and x1 > x0
    ]


def _lines(found: Quadrants, limits: tuple[float, float]) -> list[Figure]:
    low, high = limits

    def line(x0: float, x1: float, y0: float, y1: float, dash: str) -> Figure:
        style = {"color": MUTED, "width": 1, "dash": dash}
        return {"type": "line", "x0": x0, "x1": x1, "y0": y0, "y1": y1, "line": style}

    made = [line(low, high, low, high, "dash"), line(low, high, found.ceiling, found.ceiling, "solid")]
    if low < found.line < high:
        made.append(line(low, high, found.line, found.line, "dot"))
        made.append(line(found.line, found.line, low, min(found.ceiling, high), "dot"))
    return made


def _words(found: Quadrants, limits: tuple[float, float]) -> list[Figure]:
    """The areas' names, in the corner of each that is farthest from the diagonal."""
    counts = found.counts()
    corner = {
        "learned": ("right", "bottom"),
        "still hard": ("right", "top"),
        "got harder": ("left", "top"),
        "easy both times": ("left", "bottom"),
        "rejected": ("left", "top"),
    }
    made = []
    for name, (x0, x1, y0, y1) in _corners(found, limits).items():
        if y1 <= y0 or x1 <= x0:
            continue
        side, end = corner[name]
        made.append(
            {
                "x": x1 if side == "right" else x0,
                "y": y1 if end == "top" else y0,
                "text": f"{name} {counts[name]:,}",
                "showarrow": False,
                "xanchor": side,
                "yanchor": end,
                "xshift": -5 if side == "right" else 5,
                "font": {"size": 11, "color": "--text-1"},
                "bgcolor": "--surface",
                "opacity": 0.85,
                "borderpad": 1,
            }
        )
    return made
