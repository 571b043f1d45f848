"""The bar that says what map, charts and table show: a search and removable chips; drawn by assets/web/components/filterbar.js."""

from __future__ import annotations

from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def filter_bar(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """A filter; events `search` {text}, `chip` {key} (take this part away), `chips_clear` {}.

    value : {search: {text, error, placeholder}, chips: [{key, label}], count (None: no filter), picked, total}.
    """
    return component("filterbar", value, events=("search", "chip", "chips_clear"), **options)
