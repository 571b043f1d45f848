"""The runs that wait for their turn, and what can be done with the run that is shown; drawn by assets/web/tune/queue.js."""

from __future__ import annotations

from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def queue_view(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """A list in order with buttons on each row; events `act` {action, id} and `pick` {id} of a row's name.

    Nothing is shown where value is None.

    value : {title, text, held, rows: [{id, name, about, chosen}], chosen: {id, name, actions: [{key, label, hint}]} or
        None}. A row's actions are front, up, down and cancel, those of the chosen run what it lists.
        `held` is a person's turn: it is shown as such, above the rows.
    """
    return component("turns", value, events=("act", "pick"), **options)
