"""A map of a pool, one point per sample, drawn by assets/web/map.js."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from iterit_ui.components.base import DRAWING, component


def map_view(
    value: dict[str, Any] | None = None,
    *,
    functions: list[Callable[[list[Any]], dict[str, Any]]],
    height: int = 440,
    **options: Any,
) -> gr.HTML:
    """A map; events `pick` {key, row}, `lasso` {key, n, count, bits}, `clear` {key}.

    value : {key, title, note, legend, codes, palette, top, highlight, empty}. `key` names the coordinates,
        fetched once by `coordinates([key])` -> {n, x, y} (base64 float32, NaN where a sample has no place).
        `codes` is a byte per sample (base64), an index into `palette`; samples whose code is in `top` are drawn
        larger and above the others.
    functions : named `coordinates` and `hover`; `hover([key, row])` -> {title, text}. An exception would arrive
        as `undefined`, so they return {"error": ...}.
    """
    template = (
        '<div class="st-map panel"><div class="st-chart-head"></div>'
        f'<div class="st-map-body"><div class="st-plot" style="height:{int(height)}px"></div>'
        '<div class="st-tip" hidden></div></div></div>'
    )
    return component(
        "map",
        value,
        events=("pick", "lasso", "clear"),
        template=template,
        scripts=DRAWING,
        functions=list(functions),
        **options,
    )
