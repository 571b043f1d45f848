"""A run's course: losses and learning rate over the epochs trained."""

from __future__ import annotations

import pandas as pd

from iterit_ui.plots.common import Figure, empty, numbers
from iterit_ui.theme import CANDIDATE, LINE, SELECTED


def loss(table: pd.DataFrame, held_out: pd.DataFrame, *, epochs: int) -> Figure:
    """Training loss over epochs with the held-out loss before training and after each epoch.

    table, held_out : as `loss_table` and `held_out_table` give them. epochs : of the whole run, for the axis.
    """
    title = "Is the model learning?"
    if table.empty and held_out.empty:
        return empty("No loss yet: the first comes once the model has been measured or trained.", title)
    data, legend = [], []
    if not table.empty:
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "training loss",
                "x": numbers(table["epoch"]),
                "y": numbers(table["loss"]),
                "line": {"color": SELECTED, "width": 1.5},
                "hovertemplate": "epoch %{x:.2f}<br>training loss %{y:.3f}<extra></extra>",
            }
        )
        legend.append({"label": "training loss, one batch", "colour": SELECTED, "line": True})
    if not held_out.empty:
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers+text",
                "name": "held-out loss",
                "x": numbers(held_out["epoch"]),
                "y": numbers(held_out["held_out"]),
                "text": [f"{value:.3f}" for value in held_out["held_out"]],
                "textposition": "top center",
                "cliponaxis": False,
                "line": {"color": CANDIDATE, "width": 2, "dash": "dot"},
                "marker": {"size": 10, "color": CANDIDATE},
                "hovertemplate": "after %{x:.0f} epochs<br>held-out loss %{y:.4f}<extra></extra>",
            }
        )
        legend.append({"label": "held-out loss, before training and after each epoch", "colour": CANDIDATE})
    layout = {
        "xaxis": {
            "title": {"text": "epochs trained"},
            "range": [-0.08 * max(epochs, 1), 1.08 * max(epochs, 1)],
            "dtick": 1 if epochs <= 12 else None,
        },
        "yaxis": {"title": {"text": "loss (nats per token)"}},
    }
    if layout["xaxis"]["dtick"] is None:
        del layout["xaxis"]["dtick"]
    return {
        "title": title,
        "note": "Lower is better. The held-out samples are never trained on.",
        "data": data,
        "layout": layout,
        "legend": legend,
    }


def learning_rate(table: pd.DataFrame, *, epochs: int) -> Figure:
    """The learning rate over epochs."""
    title = "How fast may the model change?"
    known = table.dropna(subset=["learning_rate"]) if not table.empty else table
    if known.empty:
        return empty("No step has been trained yet.", title)
    return {
        "title": title,
        "note": "One schedule over all epochs.",
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "x": numbers(known["epoch"]),
                "y": numbers(known["learning_rate"]),
                "line": {"color": LINE, "width": 1.5},
                "hovertemplate": "epoch %{x:.2f}<br>learning rate %{y:.2e}<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {
                "title": {"text": "epochs trained"},
                "range": [-0.08 * max(epochs, 1), 1.08 * max(epochs, 1)],
            },
            "yaxis": {"title": {"text": "learning rate"}, "rangemode": "tozero", "exponentformat": "e"},
        },
    }
