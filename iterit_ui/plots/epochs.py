"""What changes from epoch to epoch: members, complexity, and which labels were picked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from iterit_ui.plots.common import MUTED, Figure, empty, numbers, sentences
from iterit_ui.theme import ADDED, DROPPED, KEPT, POOL, SELECTED, SEQUENTIAL


def flow(table: pd.DataFrame, *, epoch: int | None = None) -> Figure:
    """Stacked bars by epoch: kept and added above the line (together the selection), dropped below it."""
    title = "Who stays, who comes, who goes?"
    if table.empty:
        return empty("No epoch has been selected yet.", title)
    x = [f"epoch {int(e)}" for e in table["epoch"]]
    first = numbers(table["selected"].where(table["epoch"] == table["epoch"].min(), 0))
    added = numbers(table["added"].where(table["epoch"] != table["epoch"].min(), 0))
    kept = [a + b for a, b in zip(first, numbers(table["kept"]))]
    dropped = numbers(table["dropped"])
    faded = [1.0 if epoch is None or int(e) == epoch else 0.5 for e in table["epoch"]]

    def bars(name: str, values: Sequence[float], colour: str, sign: int) -> Figure:
        return {
            "type": "bar",
            "name": name,
            "x": x,
            "y": [sign * value for value in values],
            "text": [f"{value:,.0f}" if value else "" for value in values],
            "textposition": "inside",
            "insidetextanchor": "middle",
            "textangle": 0,
            "customdata": list(values),
            "marker": {"color": colour, "opacity": faded, "line": {"width": 0}},
            "hovertemplate": f"%{{x}}<br>%{{customdata:,}} {name}<extra></extra>",
        }

    return {
        "title": title,
        "note": "Above the line what an epoch trains on, below it what it let go of. Epoch 0 is the first selection.",
        "data": [
            bars("kept (epoch 0: selected)", kept, KEPT, 1),
            bars("added", added, ADDED, 1),
            bars("dropped", dropped, DROPPED, -1),
        ],
        "layout": {
            "barmode": "relative",
            "bargap": 0.35,
            "xaxis": {"type": "category"},
            "yaxis": {"title": {"text": "samples"}, "zeroline": True},
        },
        "legend": [
            {"label": "kept", "colour": KEPT},
            {"label": "added", "colour": ADDED},
            {"label": "dropped", "colour": DROPPED},
        ],
    }


def then_and_now(
    table: pd.DataFrame, edges: np.ndarray, *, epoch: int, earlier: int, ceiling: float = 1.0
) -> Figure:
    """Complexity at an earlier epoch against complexity now, as counts in cells; the selected share on hover.

    table : as `complexity_change` gives it. edges : the cells' edges, the same for every epoch of a run.
    """
    title = "Did training change what is hard?"
    if table.empty:
        return empty(
            "Nothing to compare: this strategy scores the pool once, or this is the first scoring."
            if epoch > earlier
            else "This is the first scoring. From the next epoch on, this shows how complexity moved.",
            title,
        )
    cells = edges
    counts, _, _ = np.histogram2d(table["now"], table["before"], bins=[cells, cells])
    middle = (cells[1:] + cells[:-1]) / 2
    inside = int(counts.sum())
    beyond = len(table) - inside
    fell = float((table["now"] < table["before"]).mean())
    sequential = [[i / 6, colour] for i, colour in enumerate(SEQUENTIAL)]
    low, high = float(cells[0]), float(cells[-1])
    return {
        "title": title,
        "note": sentences(
            f"{len(table):,} samples scored at epoch {earlier} and again before epoch {epoch}; "
            f"complexity fell for {100 * fell:.0f} % of them (below the diagonal)",
            f"Beyond the axes: {beyond:,}" if beyond else "",
        ),
        "data": [
            {
                "type": "heatmap",
                "x": numbers(middle),
                "y": numbers(middle),
                "z": [[None if value == 0 else int(value) for value in row] for row in counts],
                "colorscale": sequential,
                "showscale": False,
                "xgap": 1,
                "ygap": 1,
                "hoverongaps": False,
                "hovertemplate": "then %{x:.2f}, now %{y:.2f}<br>%{z:,} samples<extra></extra>",
            },
            {
                "type": "scatter",
                "mode": "lines",
                "x": [low, high],
                "y": [low, high],
                "line": {"color": MUTED, "width": 1, "dash": "dash"},
                "hoverinfo": "skip",
            },
        ],
        "layout": {
            "xaxis": {"title": {"text": f"complexity at epoch {earlier}"}, "range": [low, high]},
            "yaxis": {"title": {"text": f"complexity before epoch {epoch}"}, "range": [low, high]},
            "shapes": [
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "y0": ceiling,
                    "y1": ceiling,
                    "line": {"color": MUTED, "width": 1, "dash": "dot"},
                }
            ],
            "annotations": [
                {
                    "xref": "paper",
                    "x": 1,
                    "y": ceiling,
                    "text": f"ceiling {ceiling:g}",
                    "showarrow": False,
                    "xanchor": "right",
                    "yanchor": "bottom",
                }
            ],
        },
    }


def labels(table: pd.DataFrame, *, title: str = "What did it pick, by evaluation label?") -> Figure:
    """Share of each evaluation label in the pool and in the selection, as paired horizontal bars."""
    if table.empty:
        return empty(
            "This pool brings no evaluation labels, so what was picked cannot be judged by them.", title
        )
    table = table.iloc[::-1]
    names = [str(name) for name in table["label"]]

    def bars(name: str, share: str, count: str, colour: str) -> Figure:
        return {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": names,
            "x": numbers(100 * table[share]),
            "customdata": numbers(table[count]),
            "text": [f"{100 * value:.1f} %" for value in table[share]],
            "textposition": "outside",
            "cliponaxis": False,
            "marker": {"color": colour, "line": {"width": 0}},
            "hovertemplate": f"%{{y}}: %{{x:.1f}} % of the {name}<br>%{{customdata:,}} samples<extra></extra>",
        }

    top = 100 * float(max(table["share_pool"].max(), table["share_selected"].max()))
    return {
        "title": title,
        "note": "Planted for evaluation: nothing in the method reads these labels.",
        "data": [
            bars("pool", "share_pool", "pool", POOL),
            bars("selection", "share_selected", "selected", SELECTED),
        ],
        "layout": {
            "barmode": "group",
            "bargap": 0.3,
            "xaxis": {"title": {"text": "share (%)"}, "range": [0, min(1.18 * top + 2, 118)]},
            "yaxis": {"type": "category", "automargin": True},
        },
        "legend": [{"label": "pool", "colour": POOL}, {"label": "selection", "colour": SELECTED}],
    }
