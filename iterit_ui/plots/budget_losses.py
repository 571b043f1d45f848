"""A search for the smallest budget: held-out loss by budget beside the full pool's."""

from __future__ import annotations

import math

import numpy as np

from backend.analysis.budget_result import BudgetResult
from backend.analysis.budget_verdict import FULL, BudgetRow
from iterit_ui.plots.common import MUTED, Figure, empty, missing, numbers
from iterit_ui.plots.comparison_losses import STRATEGY_COLOUR
from iterit_ui.shared.theme import LINE, SELECTED

TITLE = "How small may the budget be?"
SIDE = 0.12  # of the step between two budgets: how far the seeds' dots lie beside the mean


def budget_losses(found: BudgetResult) -> Figure:
    """Loss after the last epoch by budget, halved from left to right: mean, sample sd and every seed.

    Shaded is what counts as no worse than the full pool: from its mean, the dashed line, up to the spread above it.
    """
    rows, verdict = found.verdict.rows, found.verdict
    known = [(at, row) for at, row in enumerate(rows) if math.isfinite(row.mean)]
    if not known:
        return empty(
            "No run has finished with a held-out loss yet. It appears here when the first one has.", TITLE
        )
    colour = STRATEGY_COLOUR.get(found.strategy, SELECTED)
    place = {row.budget: at for at, row in enumerate(rows)}
    seeds = list(found.seeds)
    shift = dict(zip(seeds, np.linspace(-SIDE, SIDE, len(seeds)), strict=True))
    points = [run for run in found.runs if math.isfinite(run.loss)]
    shades = [_colour(row, colour) for _, row in known]
    data: list[Figure] = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [float(place[run.budget] + shift[run.seed]) for run in points],
            "y": numbers([run.loss for run in points]),
            "customdata": [f"{run.seed}" for run in points],
            "marker": {
                "size": 7,
                "color": [_colour(rows[place[run.budget]], colour) for run in points],
                "opacity": 0.4,
            },
            "hovertemplate": "seed %{customdata}: %{y:.4f}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": [at for at, _ in known],
            "y": numbers([row.mean for _, row in known]),
            "customdata": [
                [_name(row), f"{row.sd:.4f}" if math.isfinite(row.sd) else "unknown", row.n]
                for _, row in known
            ],
            "line": {"color": LINE, "width": 1},
            "marker": {
                "size": [12 if _chosen(row, found) else 9 for _, row in known],
                "symbol": ["diamond" if _chosen(row, found) else "circle" for _, row in known],
                "color": shades,
                "opacity": 1,
            },
            "error_y": {
                "type": "data",
                "array": [row.sd if math.isfinite(row.sd) else 0 for _, row in known],
                "color": MUTED,
                "thickness": 2,
                "width": 5,
            },
            "hovertemplate": "%{customdata[0]}: mean %{y:.4f}, sd %{customdata[1]}, %{customdata[2]} seed(s)<extra></extra>",
        },
    ]
    shapes, legend = (
        [],
        [
            {"label": "mean ± sample sd", "colour": colour, "line": True},
            {"label": "a seed", "colour": colour},
        ],
    )
    full = rows[0].mean
    if math.isfinite(full):
        shapes.append(
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": full,
                "y1": full,
                "layer": "below",
                "line": {"color": MUTED, "width": 1.3, "dash": "dash"},
            }
        )
        legend.append({"label": "the full pool's mean", "colour": MUTED, "line": True, "dash": "dash"})
    if math.isfinite(verdict.spread):
        shapes.append(
            {
                "type": "rect",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": full,
                "y1": full + verdict.spread,
                "layer": "below",
                "line": {"width": 0},
                "fillcolor": "--surface-2",
            }
        )
    none = "not needed" if verdict.ended else "no result"
    gaps = [missing(at, none) for at, row in enumerate(rows) if row.n == 0]
    return {
        "title": TITLE,
        "note": _note(found),
        "data": data,
        "layout": {
            "xaxis": {
                "title": {"text": "samples an epoch"},
                "range": [-0.5, len(rows) - 0.5],
                "tickvals": list(range(len(rows))),
                "ticktext": [_name(row) for row in rows],
                "showgrid": False,
                "zeroline": False,
            },
            "yaxis": {"title": {"text": "held-out loss (lower is better)"}},
            "shapes": shapes,
            "annotations": gaps,
        },
        "legend": legend,
    }


def _note(found: BudgetResult) -> str:
    on = f"On {found.measured}. " if found.measured else ""
    shaded = (
        "Shaded: no worse than the full pool, from its mean up to the spread between seeds above it. "
        if math.isfinite(found.verdict.spread)
        else ""
    )
    so_far = "" if found.verdict.ended else ", so far"
    chosen = f"Diamond: the smallest budget that does as well{so_far}. " if found.verdict.smallest else ""
    return f"{on}{shaded}{chosen}Each budget is half of the one to its left."


def _chosen(row: BudgetRow, found: BudgetResult) -> bool:
    return bool(row.budget) and row.budget == found.verdict.smallest


def _colour(row: BudgetRow, colour: str) -> str:
    """The full pool and what is too small are grey."""
    return MUTED if row.budget == FULL or row.within is False else colour


def _name(row: BudgetRow) -> str:
    return f"{row.budget:,}" if row.budget else "full pool"
