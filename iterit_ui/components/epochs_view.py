"""What only the Epochs tab has: a player, an alluvial diagram, and a chart with choices below it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def player(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """Steps and plays through epochs, drawn by assets/web/epochs/player.js; events `go` {epoch, seq} and `reset` {}.

    The page asks for one epoch at a time, and for the last that was wished for once the answer is there. An answer is a
    value with the `seq` of what it answers; every `go` needs one.

    value : {epochs: the epochs that there are, epoch: the one that is shown, planned: how many there will be, seq,
        list: {label, count} of what the table lists where that is not the usual, else None}.
    """
    return component("player", value, events=("go", "reset"), **options)


def alluvial(value: dict[str, Any] | None = None, *, height: int = 240, **options: Any) -> gr.HTML:
    """Columns with bands between them, drawn by assets/web/epochs/alluvial.js; events `pick` {key} and `epoch` {epoch}.

    value : {title, note, legend, empty, epoch: the column that is shown, on: the key of what is listed,
        columns: [{epoch, selected, gone: counts, keys: {selected, gone: {key, words}}}],
        bands: [{start, end: epochs, kind: kept, new, back, dropped or away, count, key, words}]}.
    """
    template = (
        '<div class="st-chart panel"><div class="st-chart-head"></div>'
        f'<div class="st-flow" style="height:{int(height)}px"></div></div>'
    )
    return component(
        "alluvial",
        value,
        events=("pick", "epoch"),
        template=template,
        **options,
    )


def chooser(value: dict[str, Any] | None = None, *, height: int = 240, **options: Any) -> gr.HTML:
    """A `chart` with buttons for its parts, drawn by assets/web/components/choices.js; events `pick` as a chart's, `choice`
    {key}, `against` {key}.

    value : a chart's, with choices: [{key, label, count, share, colour, hint, disabled}], on: the key of the one that
        is listed, and against: {label, value, options: [{key, label}]}, shown where there are two options or more.
    """
    template = (
        '<div class="st-chart chooser panel"><div class="st-chart-head"></div><div class="st-against" hidden></div>'
        f'<div class="st-chart-body"><div class="st-plot" style="height:{int(height)}px"></div></div>'
        '<div class="st-choices" hidden></div></div>'
    )
    return component(
        "choices",
        value,
        events=("pick", "choice", "against"),
        template=template,
        **options,
    )
