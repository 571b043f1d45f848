"""A map of a pool, one point per sample, drawn by assets/web/components/map.js."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def map_view(
    value: dict[str, Any] | None = None,
    *,
    functions: list[Callable[[list[Any]], dict[str, Any]]],
    height: int = 440,
    **options: Any,
) -> gr.HTML:
    """A map; events `pick` {key, row}, `lasso` {key, n, count, bits}, `clear` {key}, `mode` {key}, `cluster` {cluster}.

    functions : named `coordinates`, `hover` and `detail`; `hover([key, row])` -> {title, text}, `detail([key, x0, x1, y0,
        y1])` -> {labels: [{x, y, text, and row or box and n}]}, names of what is in sight after zooming in. An exception
        would arrive as `undefined`, so they return {"error": ...}.
    value : a dict of

        key        names the coordinates, fetched once by `coordinates([key])` -> {n, x, y} (base64 float32, NaN where
                   a sample has no place). Another key is another picture: zoom and what was drawn around start anew.
        title, note, legend    above the map, as a chart's. empty : text that is shown in the map's place.
        legend_shared    that legend says what another one on the screen says, too: a workbench shows one of them.
        codes      a byte per sample (base64), an index into `palette` (names of CSS variables), or with a `scale`
                   {colours, low, high, unknown} a place on it from 0 to 254, with 255 for unknown; low and high are
                   words under its ends.
        top, above codes, and a bit set of samples (base64, little-endian), drawn larger and over the others.
        dim        a bit set of samples that are drawn faintly, None for none.
        labels     [{x, y, text, cluster}] in the map's coordinates, the most important first: they are drawn as long as
                   they find room. show_labels : whether they are shown at first.
        modes, mode    what colours the points can mean, [{key, label}], and which it is now.
        highlight  the row that a ring is drawn around, None for none.
        final      False for a first picture that another one will replace.
        drawn      how many samples are drawn around where the page knows it (after a reload), None once that filter
                   was taken away; left out, the map looks after it alone.
    """
    template = (
        '<div class="st-map panel"><div class="st-chart-head"></div><div class="st-map-bar" hidden></div>'
        '<div class="st-map-body" hidden><div class="st-plot st-stage" tabindex="0" role="group" aria-label="Map"'
        f' style="height:{int(height)}px"><canvas></canvas></div></div></div>'
    )
    return component(
        "map",
        value,
        events=("pick", "lasso", "clear", "mode", "cluster"),
        template=template,
        functions=list(functions),
        **options,
    )
