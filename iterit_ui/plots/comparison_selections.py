"""What the strategies of a comparison selected: overlap, response lengths, sources and planted noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from iterit_ui.plots.common import MUTED, Figure, empty, numbers
from iterit_ui.plots.comparison_losses import looks
from iterit_ui.shared.theme import LINE


def overlap(labels: Sequence[str], values: np.ndarray, *, when: str) -> Figure:
    """Jaccard overlap between the strategies' selections. values : (a, a), NaN where unknown. when : "for epoch 1"."""
    title = "Do they choose the same samples?"
    if not len(labels) or not np.isfinite(values).any():
        return empty("No two selections from one pool to compare.", title)
    return {
        "title": title,
        "note": f"Jaccard overlap {when}: samples in both / samples in either. Diagonal: a strategy with itself, between "
        "different seeds.",
        "data": [
            {
                "type": "heatmap",
                "x": list(labels),
                "y": list(labels),
                "z": [[_number(value) for value in row] for row in values],
                "text": [[f"{value:.2f}" if np.isfinite(value) else "" for value in row] for row in values],
                "texttemplate": "%{text}",
                "zmin": 0,
                "zmax": 1,
                "colorscale": pale_to_strong(),
                "showscale": False,
                "xgap": 2,
                "ygap": 2,
                "hoverongaps": False,
                "hovertemplate": "%{y} and %{x}<br>overlap %{z:.3f}<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {"type": "category", "tickangle": -35, "automargin": True, "showgrid": False},
            "yaxis": {"type": "category", "autorange": "reversed", "automargin": True, "showgrid": False},
        },
    }


def length_boxes(table: pd.DataFrame, arms: Sequence[tuple[str, str]], *, when: str) -> Figure:
    """Response lengths by strategy: median, quartiles, and the middle nine tenths. table : as `length_table` gives it."""
    title = "How long are the responses?"
    known = table.dropna(subset=["median"])
    if known.empty:
        return empty("Lengths are known once the pool is scored.", title)
    look = looks(arms)
    data = []
    for row in known.iloc[::-1].to_dict("records"):
        arm = row["arm"]
        colour = LINE if arm == "pool" else look[arm][0]
        data.append(
            {
                "type": "box",
                "orientation": "h",
                "name": arm,
                "y": [arm],
                "q1": numbers([row["q1"]]),
                "median": numbers([row["median"]]),
                "q3": numbers([row["q3"]]),
                "lowerfence": numbers([row["p5"]]),
                "upperfence": numbers([row["p95"]]),
                "line": {"color": colour, "width": 1.6},
                "fillcolor": "rgba(0,0,0,0)",
                "hoverinfo": "x",
            }
        )
    unknown = int(known["unknown"].max())
    return {
        "title": title,
        "note": f"Response tokens of what was selected {when}, all seeds together. Box: quartiles and median; whiskers: 5 % to "
        "95 %." + (f" Lengths unknown: up to {unknown:,}." if unknown else ""),
        "data": data,
        "layout": {
            "xaxis": {"title": {"text": "response tokens"}, "rangemode": "tozero", "showgrid": True},
            "yaxis": {"type": "category", "automargin": True},
            "boxgap": 0.4,
        },
    }


def shares(table: pd.DataFrame, *, what: str, title: str, note: str) -> Figure:
    """Shares of sources or labels in what was selected, a row per strategy; the pool on top.

    table : as `source_table` or `label_shares` gives it. what : its second column.
    """
    if table.empty:
        return empty("Nothing has been selected yet.", title)
    wide = table.pivot_table(index="arm", columns=what, values="share", sort=False)
    pool = wide.to_dict("index")["pool"]
    names = sorted(wide.columns, key=lambda name: -pool[name])
    kept = names[:12]
    wide = wide[kept]
    return {
        "title": title,
        "note": note + (f" The {len(names) - 12} smallest are not drawn." if len(names) > 12 else ""),
        "data": [
            {
                "type": "heatmap",
                "x": [str(name) for name in kept],
                "y": [_pool_name(arm) for arm in wide.index],
                "z": [[_number(100 * value) for value in row] for row in wide.to_numpy()],
                "text": [[f"{100 * value:.0f} %" for value in row] for row in wide.to_numpy()],
                "texttemplate": "%{text}",
                "zmin": 0,
                "zmax": float(100 * max(wide.to_numpy().max(), 1e-9)),
                "colorscale": pale_to_strong(),
                "showscale": False,
                "xgap": 2,
                "ygap": 2,
                "hovertemplate": "%{y}: %{z:.1f} % %{x}<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {"type": "category", "automargin": True, "showgrid": False},
            "yaxis": {"type": "category", "autorange": "reversed", "automargin": True, "showgrid": False},
        },
    }


def noise(table: pd.DataFrame, arms: Sequence[tuple[str, str]], *, when: str) -> Figure:
    """Share of planted noise in what was selected. table : as `noise_table` gives it, with a row "pool"."""
    title = "How much planted noise was picked?"
    if table.empty:
        return empty("This pool has no evaluation labels to judge the selection by.", title)
    look = looks(arms)
    chosen = table[table["arm"] != "pool"].sort_values("mean", ascending=False)
    pool = float(table.loc[table["arm"] == "pool", "mean"].iloc[0])
    return {
        "title": title,
        "note": f"Share of what was selected {when}, mean ± sample sd over the seeds. The method does not use labels.",
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "y": list(chosen["arm"]),
                "x": numbers(100 * chosen["mean"]),
                "customdata": [
                    [int(n), f"{100 * sd:.1f}" if np.isfinite(sd) else "unknown"]
                    for n, sd in zip(chosen["n"], chosen["sd"])
                ],
                "error_x": {
                    "type": "data",
                    "array": [100 * sd if np.isfinite(sd) else 0 for sd in chosen["sd"]],
                    "color": MUTED,
                    "thickness": 1.5,
                    "width": 4,
                },
                "marker": {"color": [look[arm][0] for arm in chosen["arm"]], "line": {"width": 0}},
                "hovertemplate": "%{y}: %{x:.1f} % planted noise<br>sd %{customdata[1]}, %{customdata[0]} seed(s)<extra></extra>",
            }
        ],
        "layout": {
            "bargap": 0.35,
            "xaxis": {
                "title": {"text": "planted noise (% of the selected)"},
                "rangemode": "tozero",
                "showgrid": True,
            },
            "yaxis": {"type": "category", "automargin": True},
            "shapes": [
                {
                    "type": "line",
                    "yref": "paper",
                    "x0": 100 * pool,
                    "x1": 100 * pool,
                    "y0": 0,
                    "y1": 1,
                    "line": {"color": LINE, "width": 1.5, "dash": "dash"},
                }
            ],
            "annotations": [
                {
                    "x": 100 * pool,
                    "yref": "paper",
                    "y": 1,
                    "text": f"the pool: {100 * pool:.0f} %",
                    "showarrow": False,
                    "xanchor": "right",
                    "yanchor": "bottom",
                    "xshift": -2,
                }
            ],
            "margin": {"l": 44, "r": 16, "t": 20, "b": 38},
        },
    }


def pale_to_strong() -> list[list[Any]]:
    """Pale to strong in one colour of the page, so that the numbers in the cells can be read in light and dark."""
    return [[0, "--surface-2"], [1, "--candidate"]]


def _pool_name(arm: Any) -> str:
    return "(the pool)" if arm == "pool" else str(arm)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
