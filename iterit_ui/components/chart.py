"""A Plotly chart with a title, a note and a legend in the page's type, drawn by assets/web/chart.js."""

from __future__ import annotations

from typing import Any

import gradio as gr

from iterit_ui.components.base import DRAWING, component


def chart(value: dict[str, Any] | None = None, *, height: int = 240, **options: Any) -> gr.HTML:
    """A chart; event `pick` with {trace, index, x, y, custom}.

    value : {title, note, data, layout, legend, empty}. `data` and `layout` are Plotly's; a string that begins
        with "--" is the name of a CSS variable and is replaced by its value. `legend` is a list of {label,
        colour, value, hatched, line}. With `empty` the text is shown in place of the plot.
    """
    template = (
        '<div class="st-chart panel"><div class="st-chart-head"></div>'
        f'<div class="st-plot" style="height:{int(height)}px"></div></div>'
    )
    return component("chart", value, events=("pick",), template=template, scripts=DRAWING, **options)
