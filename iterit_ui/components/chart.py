"""A Plotly chart with a title, a note and a legend in the page's type, drawn by assets/web/components/chart.js."""

from __future__ import annotations

from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def chart(value: dict[str, Any] | None = None, *, height: int = 240, **options: Any) -> gr.HTML:
    """A chart; events `pick` {trace, index, x, y, custom}, `brush` {low, high} and `clear` {}.

    value : {title, note, data, layout, legend, empty, brushable, brush, short}. `data` and `layout` are Plotly's; a string
        that begins with "--" is the name of a CSS variable and is replaced by its value. `legend` is a list of
        {label, colour, value, hatched, line}. `short` is what the x axis shows, for a small panel. With `empty` the text is shown in place of the plot.
        With `brushable`, dragging over bars or a click on one sends `brush`, low and high being edges of bars in the
        units of the x axis, and a click sends no `pick`. Bars say their edges in the last two of their `customdata`.
        `brush` {low, high} is the range that is drawn now (None for an open end), None where there is none; its button,
        Escape and a double click send `clear`.
    """
    template = (
        '<div class="st-chart panel"><div class="st-chart-head"></div><div class="st-chart-body">'
        f'<div class="st-plot" style="height:{int(height)}px"></div></div></div>'
    )
    return component("chart", value, events=("pick", "brush", "clear"), template=template, **options)
