"""A run's course: losses, learning rate, gradient norm and memory over the epochs trained, on one x axis."""

from __future__ import annotations

import numpy as np
import pandas as pd

from iterit_ui.plots.common import MUTED, Figure, empty, numbers, sentences
from iterit_ui.shared.theme import CANDIDATE, LINE, SELECTED, SERIES

TITLE = "How does the run go?"
# column, words, unit, hover format, colour, the part of the figure's height that it takes from the bottom
ROWS = (
    ("memory_gib", "memory", "GiB", ".2f", SERIES[2], (0.0, 0.12)),
    ("grad_norm", "gradient norm", "", ".3f", SERIES[3], (0.2, 0.32)),
    ("learning_rate", "learning rate", "", ".2e", LINE, (0.4, 0.52)),
)
LOSSES = (0.6, 0.93)


def course(table: pd.DataFrame, held_out: pd.DataFrame, *, epochs: int, measured_on: str = "") -> Figure:
    """Training and held-out loss above; learning rate, gradient norm and memory below, all over epochs trained.

    table : as `analysis.loss_table` gives it. held_out : as `analysis.held_out_points` gives it.
    epochs : of the whole run, for the axis. measured_on : the held-out samples, in words.
    """
    if table.empty and held_out.empty:
        return empty(
            "Nothing yet: the first values appear once the model has been evaluated or trained.", TITLE
        )
    data = [_line(table, "loss", "training loss", "", ".4f", SELECTED, "y")]
    if len(held_out):
        data.append(_held_out(held_out))
    where = f" ({measured_on})" if measured_on else ""
    notes = [f"Lower losses are better; the held-out samples{where} are never trained on"]
    broken = int((~np.isfinite(table["loss"])).sum())
    if broken:
        notes.append(f"{broken:,} steps had a non-finite loss; they are shown as gaps")
    layout: Figure = {
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "xaxis": {
            "title": {"text": "epochs trained"},
            "range": [-0.03 * max(epochs, 1), 1.03 * max(epochs, 1)],
            "anchor": "y2",
            "showgrid": False,
            "hoverformat": ".2f",
            **({"dtick": 1} if epochs <= 12 else {}),
        },
        "yaxis": {"domain": list(LOSSES), "anchor": "x"},
        "shapes": [_boundary(epoch) for epoch in range(epochs + 1)],
        "annotations": [_name("loss", 0.97)],
        "margin": {"l": 48, "r": 14, "t": 8, "b": 38},
    }
    for number, (column, words, unit, form, colour, domain) in enumerate(ROWS, start=2):
        finite = table[column][np.isfinite(table[column])]
        known = len(finite)
        layout[f"yaxis{number}"] = {
            "domain": list(domain),
            "anchor": "x",
            # said, not left to Plotly: an axis whose first picture had no line keeps that picture's range
            "range": [0, 1.1 * finite.max() if known and finite.max() > 0 else 1],
            "nticks": 3,
            **({"exponentformat": "e", "tickformat": ".0e"} if column == "learning_rate" else {}),
        }
        layout["annotations"].append(_name(f"{words} ({unit})" if unit else words, domain[1]))
        data.append(_line(table, column, words, unit, form, colour, f"y{number}"))
        if not known:
            layout[f"yaxis{number}"]["showticklabels"] = False
            layout["annotations"].append(_missing(f"{words}: not reported", sum(domain) / 2))
        elif known < len(table):
            notes.append(f"{words} is known for {known:,} of {len(table):,} lines")
    return {
        "title": TITLE,
        "note": sentences(*notes),
        "data": data,
        "layout": layout,
        "legend": [
            {"label": "training loss", "colour": SELECTED, "line": True},
            {"label": "held-out loss; large marks: after a whole epoch", "colour": CANDIDATE},
        ],
    }


def _line(
    table: pd.DataFrame, column: str, words: str, unit: str, form: str, colour: str, axis: str
) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines" if len(table) > 1 else "markers",
        "name": words,
        "x": numbers(table["epoch"]),
        "y": numbers(table[column]),
        "customdata": numbers(table["step"]),
        "yaxis": axis,
        "connectgaps": False,
        "line": {"color": colour, "width": 1.5},
        "marker": {"color": colour, "size": 5},
        "hovertemplate": f"{words} %{{y:{form}}}{f' {unit}' if unit else ''} (step %{{customdata:,}})<extra></extra>",
    }


def _held_out(table: pd.DataFrame) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers+text",
        "name": "held-out loss",
        "x": numbers(table["epoch"]),
        "y": numbers(table["held_out"]),
        "text": [f"{value:.3f}" if whole else "" for value, whole in zip(table["held_out"], table["whole"])],
        "textposition": "top center",
        "cliponaxis": False,
        "customdata": numbers(table["step"]),
        "line": {"color": CANDIDATE, "width": 2, "dash": "dot"},
        "marker": {"size": [10 if whole else 5 for whole in table["whole"]], "color": CANDIDATE},
        "hovertemplate": "held-out loss %{y:.4f} (step %{customdata:,})<extra></extra>",
    }


def _boundary(epoch: int) -> Figure:
    line = {"color": MUTED, "width": 1, "dash": "dot"}
    return {
        "type": "line",
        "yref": "paper",
        "x0": epoch,
        "x1": epoch,
        "y0": 0,
        "y1": 1,
        "line": line,
        "opacity": 0.5,
    }


def _name(text: str, height: float) -> Figure:
    """What a row of the figure shows, above it."""
    place = {"x": 0, "y": height, "xanchor": "left", "yanchor": "bottom", "yshift": 3}
    return {"xref": "paper", "yref": "paper", "text": text, "showarrow": False, **place}


def _missing(text: str, height: float) -> Figure:
    return {"xref": "paper", "yref": "paper", "x": 0.5, "y": height, "text": text, "showarrow": False}
