"""Complexity and diversity together: where the candidates are many, and which of them were selected."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from backend.analysis import complexity_edges, diversity_edges
from iterit_ui.plots.common import Figure, empty, numbers, sentences
from iterit_ui.shared.theme import SELECTED, SEQUENTIAL, counted

CELLS = 40  # of a side, about
MOST_POINTS = 1500  # selected that are drawn one by one


def density(
    complexity: np.ndarray,
    diversity: np.ndarray,
    candidates: np.ndarray,
    selected: np.ndarray,
    *,
    title: str = "Which candidates are both hard and new?",
    note: str | None = None,
) -> Figure:
    """Counts of candidates in cells of complexity and diversity, with the selected as points over them.

    A cell's `customdata` begins with its low and high complexity and its low and high diversity; the points take no clicks, so that a
    click is always the cell's. Every `k`-th of more than 1,500 selected is drawn, which the note says.

    complexity, diversity : (n,) float, NaN where unknown. candidates, selected : rows of them.
    """
    known = np.isfinite(complexity) & np.isfinite(diversity)
    rows, picked = candidates[known[candidates]], selected[known[selected]]
    if not len(rows):
        return empty("Complexity and diversity of the candidates appear here once the pool is scored.", title)
    x_edges, y_edges = _edges(complexity[rows], diversity[rows])
    cells = [x_edges, y_edges]
    counts = np.histogram2d(complexity[rows], diversity[rows], bins=cells)[0]
    taken = np.histogram2d(complexity[picked], diversity[picked], bins=cells)[0]
    beyond = len(rows) - int(counts.sum())
    every = -(-len(picked) // MOST_POINTS) or 1
    drawn = picked[::every]
    # few cells hold most samples; by the square root the others are seen, too
    height = np.where(counts > 0, np.sqrt(counts), np.nan)
    return {
        "title": title,
        "note": sentences(
            note,
            f"Beyond the axes: {counted(beyond, 'candidate')}" if beyond else "",
            f"Every {_ordinal(every)} of {len(picked):,} selected is drawn" if every > 1 else "",
        ),
        "data": [
            {
                "type": "heatmap",
                "x": numbers((x_edges[1:] + x_edges[:-1]) / 2),
                "y": numbers((y_edges[1:] + y_edges[:-1]) / 2),
                "z": [numbers(row) for row in height.T],
                "customdata": _cells(counts, taken, x_edges, y_edges),
                "colorscale": [[i / (len(SEQUENTIAL) - 1), colour] for i, colour in enumerate(SEQUENTIAL)],
                "zmin": 0,
                "showscale": False,
                "xgap": 0.5,
                "ygap": 0.5,
                "hoverongaps": False,
                "hovertemplate": "complexity %{customdata[0]:.3g} to %{customdata[1]:.3g}<br>"
                "diversity %{customdata[2]:.4g} to %{customdata[3]:.4g}<br>%{customdata[4]}<extra></extra>",
            },
            {
                "type": "scatter",
                "mode": "markers",
                "name": "selected",
                "x": np.round(complexity[drawn].astype(np.float64), 4).tolist(),
                "y": np.round(diversity[drawn].astype(np.float64), 3).tolist(),
                "marker": {
                    "color": SELECTED,
                    "size": 4 if len(drawn) > 500 else 5,
                    "line": {"width": 0.6, "color": "--surface"},
                },
                "hoverinfo": "skip",
            },
        ],
        "layout": {
            "xaxis": {
                "title": {"text": "complexity"},
                "range": [float(x_edges[0]), float(x_edges[-1])],
                "showgrid": False,
            },
            "yaxis": {
                "title": {"text": "diversity before any pick"},
                "range": [float(y_edges[0]), float(y_edges[-1])],
                "showgrid": False,
            },
        },
        "legend": [
            {"label": "few candidates in a cell", "colour": SEQUENTIAL[0]},
            {"label": f"many, up to {int(counts.max()):,}", "colour": SEQUENTIAL[-1]},
            {"label": "selected", "colour": SELECTED, "value": f"{len(selected):,}"},
        ],
    }


def _edges(complexity: np.ndarray, diversity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the cells: of the bars' axes, with bins joined until there are few enough, and none left empty."""
    made = []
    for edges, values in (
        (complexity_edges(complexity), complexity),
        (diversity_edges(diversity), diversity),
    ):
        held = np.flatnonzero(np.histogram(values, edges)[0])
        cut = edges[held[0] : held[-1] + 2] if len(held) else edges
        made.append(cut if len(cut) <= CELLS + 1 else np.linspace(cut[0], cut[-1], CELLS + 1))
    return made[0], made[1]


def _cells(
    counts: np.ndarray, taken: np.ndarray, x_edges: np.ndarray, y_edges: np.ndarray
) -> list[list[list[float | str] | None]]:
    """By line and column what a cell is: its edges in x and y, how many of its candidates were selected, and words."""
    across, up = list(pairwise(x_edges.tolist())), list(pairwise(y_edges.tolist()))
    return [
        [
            [*x, *y, f"{int(n):,} candidates, {int(k):,} selected"] if n else None
            for x, n, k in zip(across, *line)
        ]
        for y, line in zip(up, zip(counts.T, taken.T))
    ]


def _ordinal(number: int) -> str:
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ends.get(number % 10, 'th')}"
