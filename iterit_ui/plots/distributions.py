"""Distributions and lengths: bars over fixed bins, and who is in front of whom."""

from __future__ import annotations

from backend.analysis.histograms import Histogram
from iterit_ui.plots.common import (
    MUTED,
    SERIES_COLOUR,
    SERIES_LABEL,
    Figure,
    axis_range,
    empty,
    numbers,
    sentences,
    short,
    vertical,
)


def distribution(
    histogram: Histogram,
    *,
    title: str,
    x_title: str,
    ceiling: float | None = None,
    ceiling_text: str = "ceiling",
    note: str | None = None,
) -> Figure:
    """Overlaid bars over the same bins: pool grey, candidates blue, selected amber, each in front of the former.

    ceiling : a vertical line, for complexity at 1.
    """
    table = histogram.table
    if table.empty or not table["count"].sum():
        return empty(
            "Nothing to show yet: no sample has a value here. Score the pool to fill this chart.", title
        )
    data, legend = [], []
    for name in table["series"].unique():
        part = table[table["series"] == name]
        colour = SERIES_COLOUR.get(name, MUTED)
        data.append(
            {
                "type": "bar",
                "name": name,
                "x": numbers((part["left"] + part["right"]) / 2),
                "y": numbers(part["count"]),
                "width": numbers(part["right"] - part["left"]),
                "customdata": [
                    [short(left), short(right)] for left, right in zip(part["left"], part["right"])
                ],
                "marker": {"color": colour, "line": {"width": 0}},
                "opacity": 0.55 if name == "pool" else 0.9,
                "hovertemplate": f"%{{customdata[0]}} to %{{customdata[1]}}<br>%{{y:,}} {name}<extra></extra>",
            }
        )
        legend.append({"label": name, "colour": colour, "value": total(histogram, name)})
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
    }


def lengths(
    histogram: Histogram,
    *,
    title: str = "How long are the responses that were selected?",
    note: str | None = None,
) -> Figure:
    """Response lengths as a share of each series: the pool as bars, the selected filled, the baselines as lines."""
    table = histogram.table
    if table.empty or not table["count"].sum():
        return empty("Response lengths are not measured yet: they come with the first scoring.", title)
    data, legend = [], []
    for name in table["series"].unique():
        part = table[table["series"] == name]
        colour, label = SERIES_COLOUR.get(name, MUTED), SERIES_LABEL.get(name, name)
        middle, percent = (part["left"] + part["right"]) / 2, 100 * part["share"]
        hover = f"%{{x:.0f}} tokens<br>%{{y:.1f}} % of {label}<extra></extra>"
        common = {"name": label, "x": numbers(middle), "y": numbers(percent), "hovertemplate": hover}
        if name in ("pool", "selected"):
            data.append(
                common
                | {
                    "type": "bar",
                    "width": numbers(part["right"] - part["left"]),
                    "marker": {"color": colour, "line": {"width": 0}},
                    "opacity": 0.5 if name == "pool" else 0.75,
                }
            )
        else:
            data.append(
                common
                | {
                    "type": "scatter",
                    "mode": "lines",
                    "line": {"color": colour, "width": 2, "shape": "hvh"},
                }
            )
        legend.append({"label": label, "colour": colour, "line": name not in ("pool", "selected")})
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
    }


def total(histogram: Histogram, name: str) -> str:
    row = histogram.outside[histogram.outside["series"] == name].iloc[0]
    return f"{int(row['total']):,}"
