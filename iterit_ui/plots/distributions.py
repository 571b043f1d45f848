"""Distributions and lengths: bars over fixed bins, and who is in front of whom."""

from __future__ import annotations

from collections.abc import Sequence

from backend.analysis.histograms import Histogram
from iterit_ui.plots.common import (
    MUTED,
    SERIES_COLOUR,
    SERIES_DASH,
    SERIES_LABEL,
    Figure,
    axis_range,
    bars,
    brushing,
    by_series,
    empty,
    numbers,
    sentences,
    steps,
    vertical,
)
from iterit_ui.shared.theme import SELECTED


def distribution(
    histogram: Histogram,
    *,
    title: str,
    x_title: str,
    ceiling: float | None = None,
    ceiling_text: str = "limit",
    note: str | None = None,
    brush: Sequence[float | None] | None = None,
    brushable: bool = False,
) -> Figure:
    """Overlaid bars over the same bins: pool grey, candidates blue, selected amber, each in front of the former.

    A series "filtered" (what a filter keeps) is an outline over the bars.

    ceiling : a vertical line, for complexity at 1.
    brush : the range that somebody chose, (low, high), None for an open end. brushable : whether one can be chosen.
    """
    table = histogram.table
    if table.empty or not table["count"].sum():
        return empty("No sample has a value yet: score the pool.", title)
    data, legend = [], []
    for name, part in by_series(table):
        colour, label = SERIES_COLOUR.get(name, MUTED), SERIES_LABEL.get(name, name)
        if name == "filtered":
            data.append(steps(part, part["count"], name, colour))
        else:
            hover = f"%{{customdata[0]}} to %{{customdata[1]}}<br>%{{y:,}} {name}<extra></extra>"
            shown = bars(part, part["count"], name, colour, 0.55 if name == "pool" else 0.9)
            data.append(shown | {"hovertemplate": hover})
        legend.append(
            {"label": label, "colour": colour, "value": total(histogram, name), "line": name == "filtered"}
        )
    layout: Figure = {
        "barmode": "overlay",
        "bargap": 0.04,
        "xaxis": {"title": {"text": x_title}, "range": axis_range(histogram.edges)},
        "yaxis": {"title": {"text": "samples"}, "rangemode": "tozero"},
    }
    if ceiling is not None:
        layout |= vertical(ceiling, f"{ceiling_text} {ceiling:g}")
    return {
        "title": title,
        "note": sentences(note, histogram.outside_text()),
        "data": data,
        "layout": layout,
        "legend": legend,
        **brushing(brush, brushable),
    }


def lengths(
    histogram: Histogram,
    *,
    title: str = "How long are the responses that were selected?",
    note: str | None = None,
    brush: Sequence[float | None] | None = None,
    brushable: bool = False,
) -> Figure:
    """Response lengths as a share of each series: the pool as bars, the selected filled, the others as lines.

    brush, brushable : as in `distribution`.
    """
    table = histogram.table
    if table.empty or not table["count"].sum():
        return empty("Response lengths are known once the pool is scored.", title)
    data, legend = [], []
    for name, part in by_series(table):
        colour, label = SERIES_COLOUR.get(name, MUTED), SERIES_LABEL.get(name, name)
        percent = 100 * part["share"]
        is_bar = name in ("pool", "selected")
        if is_bar:
            hover = (
                f"%{{customdata[0]}} to %{{customdata[1]}} tokens<br>%{{y:.1f}} % of {label}<extra></extra>"
            )
            data.append(
                bars(part, percent, label, colour, 0.5 if name == "pool" else 0.75) | {"hovertemplate": hover}
            )
        elif name == "filtered":
            data.append(steps(part, percent, label, colour))
        else:
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": label,
                    "x": numbers((part["left"] + part["right"]) / 2),
                    "y": numbers(percent),
                    "line": {
                        "color": colour,
                        "width": 2,
                        "shape": "hvh",
                        "dash": SERIES_DASH.get(name, "solid"),
                    },
                    "hovertemplate": f"%{{x:.0f}} tokens<br>%{{y:.1f}} % of {label}<extra></extra>",
                }
            )
        legend.append(
            {"label": label, "colour": colour, "line": not is_bar, "dash": SERIES_DASH.get(name, "")}
        )
    layout = {
        "barmode": "overlay",
        "bargap": 0.04,
        "xaxis": {"title": {"text": "response length (tokens)"}, "range": axis_range(histogram.edges)},
        "yaxis": {"title": {"text": "share (%)"}, "rangemode": "tozero"},
    }
    return {
        "title": title,
        "note": sentences(note, histogram.outside_text()),
        "data": data,
        "layout": layout,
        "legend": legend,
        **brushing(brush, brushable),
    }


def against(histogram: Histogram, *, title: str, x_title: str) -> Figure:
    """A selection as bars ("selected"), and the one before it as an outline ("epoch before"), over the same bins."""
    table = histogram.table
    if table.empty or not table["count"].sum():
        return empty("None of the selected samples has a value here.", title)
    data, legend = [], []
    for name, part in by_series(table):
        if name == "selected":
            hover = "%{customdata[0]} to %{customdata[1]}<br>%{y:,} selected<extra></extra>"
            data.append(bars(part, part["count"], name, SELECTED, 0.85) | {"hovertemplate": hover})
        else:
            data.append(steps(part, part["count"], name, "--text-1"))
        colour = SELECTED if name == "selected" else "--text-1"
        legend.append(
            {"label": name, "colour": colour, "value": total(histogram, name), "line": name != "selected"}
        )
    return {
        "title": title,
        "note": sentences(histogram.outside_text()),
        "data": data,
        "layout": {
            "barmode": "overlay",
            "bargap": 0.04,
            "xaxis": {"title": {"text": x_title}, "range": axis_range(histogram.edges)},
            "yaxis": {"title": {"text": "samples"}, "rangemode": "tozero"},
        },
        "legend": legend,
    }


def total(histogram: Histogram, name: str) -> str:
    row = histogram.outside[histogram.outside["series"] == name].iloc[0]
    return f"{int(row['total']):,}"
