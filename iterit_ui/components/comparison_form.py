"""A form that starts runs to compare, drawn by assets/web/compare/start_form.js."""

from __future__ import annotations

from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def comparison_form(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """The form; events `set` {name of what was changed, values, seq} and `start` {values, seq}.

    values : of all fields by name. At most one event is under way, as in `settings_panel`.
    value : {fields (see `settings_panel`; a text may have `offered`: [{value, label}]), button: its words, ready: whether
        it may be pressed, seq: of the event that this answers}.
    """
    return component(
        "startform",
        value,
        events=("set", "start"),
        template='<div class="st-startform st-form"></div>',
        **options,
    )
