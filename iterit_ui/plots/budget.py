"""What a larger budget would bring: gain by rank, and how much of the vocabulary a budget covers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from iterit_ui.plots.common import MUTED, Figure, empty, numbers, sentences
from iterit_ui.shared.theme import CANDIDATE, LINE, SELECTED, share


def frontier(
    table: pd.DataFrame,
    *,
    budget: int,
    n: int,
    title: str = "What would a larger budget add?",
    note: str | None = None,
) -> Figure:
    """Gain of the last pick and vocabulary covered, over the budget; the current budget is marked and said.

    table : as `analysis.frontier` gives it: budget, gain (NaN where the strategy has none), covered (0 to 1), present.
    budget : the present one. n : samples of the pool, of which the budgets are told as a share.
    """
    if table.empty:
        return empty("Shown once something can be selected.", title)
    budgets, covered, gain = (
        table[name].to_numpy(dtype=np.float64) for name in ("budget", "covered", "gain")
    )
    last = budgets[-1]
    now = float(min(budget, last))
    reached = float(np.interp(now, budgets, covered))
    has_gain = bool(np.isfinite(gain).any())
    at = np.flatnonzero(table["present"].to_numpy(dtype=bool))
    panels = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "vocabulary covered",
            "x": numbers(budgets),
            "y": numbers(100 * covered),
            "line": {"color": CANDIDATE, "width": 2},
            "hovertemplate": "first %{x:,} picks<br>%{y:.1f} % of the vocabulary<extra></extra>",
        }
    ]
    if has_gain:
        panels.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "gain",
                "x": numbers(budgets),
                "y": numbers(gain),
                "yaxis": "y2",
                "line": {"color": SELECTED, "width": 2},
                "hovertemplate": "pick %{x:,}<br>gain %{y:.3f}<extra></extra>",
            }
        )
    if len(at):
        panels.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": numbers(budgets[at]),
                "y": numbers(100 * covered[at]),
                "marker": {"size": 9, "color": CANDIDATE, "line": {"width": 1.5, "color": "--surface"}},
                "hoverinfo": "skip",
            }
        )
    layout: Figure = {
        "xaxis": {
            "title": {"text": "budget (samples)"},
            "range": [0, last],
            "anchor": "y2" if has_gain else "y",
        },
        "yaxis": {
            "title": {"text": "covered (%)"},
            "range": [0, 105],
            "domain": [0.54, 1] if has_gain else [0, 1],
        },
        "shapes": [
            {
                "type": "line",
                "yref": "paper",
                "x0": now,
                "x1": now,
                "y0": 0,
                "y1": 1,
                "line": {"color": LINE, "width": 1.5, "dash": "dash"},
            }
        ],
        "annotations": [
            {
                "x": now,
                "yref": "paper",
                "y": 0.56 if has_gain else 0.04,
                "text": f"{int(now):,} samples: {100 * reached:.0f} %",
                "showarrow": False,
                "xanchor": "left" if now < 0.6 * last else "right",
                "yanchor": "bottom",
                "xshift": 5 if now < 0.6 * last else -5,
            }
        ],
    }
    if has_gain:
        top = float(np.nanmax(gain))
        layout["yaxis2"] = {"title": {"text": "gain"}, "range": [0, 1.05 * top or 1], "domain": [0, 0.42]}
    double = min(2 * now, last)
    return {
        "title": title,
        "note": sentences(
            f"{share(round(now / n, 3))} of the pool covers {100 * reached:.0f} % of the vocabulary"
            + (
                f"; doubling it would reach {100 * float(np.interp(double, budgets, covered)):.0f} %"
                if double > now
                else ""
            ),
            note,
            "" if has_gain else "This strategy does not rank samples by gain",
        ),
        "data": panels,
        "layout": layout,
        "legend": [
            {"label": "vocabulary covered", "colour": CANDIDATE, "line": True},
            *([{"label": "gain of the last pick", "colour": SELECTED, "line": True}] if has_gain else []),
            {"label": "current budget", "colour": MUTED, "line": True},
        ],
    }
