"""A workbench: panels that share the window's height, drawn by assets/web/components/bench.js."""

from __future__ import annotations

from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def bench(value: dict[str, Any], **options: Any) -> gr.HTML:
    """What can be widened, folded away and made as large as the window; no event, it is remembered by the browser.

    Stands last in a row with the class `bench`, whose panels have the class `bench-<key>`; where the window is narrow they
    stand one below the other as on any page.

    value : {key, under which this browser remembers it; panels: [{key, title, bar, full, fold, strip, divider, views}]}.
        `bar` gives a panel a line of its own for its title, `full` a button that fills the window with it, `fold` False
        takes the one that folds it away, `strip` says whether it folds to a "row" or a "column" (the default),
        `divider` at which side it can be dragged, and `views` [{id, label}] which of its components it shows one at a time.
    """
    return component("bench", value, elem_classes="bench-config", **options)
