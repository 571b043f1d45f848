"""Keys of the whole page, and the sheet that lists them; drawn by assets/web/page/keys.js."""

from __future__ import annotations

from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def keys(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """A "?" button, and keys while it can be seen: events `step` {by}, `mark` {kind: pin, exclude or clear}, `undo`
    and `redo` {}.

    j and k step, p, x and u mark, n opens the note of the sample on screen, / the search, z and Z undo and redo, Esc
    unticks, ? lists them. Steps of a key that is held are added up, so `by` may be more than one.

    value : {actions: which of step, mark, note, search, undo, table, escape and help there are}; None for all.
    """
    return component("keys", value, events=("step", "mark", "undo", "redo"), **options)
