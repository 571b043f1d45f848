"""One sample in full: the conversation, its scores, and why it was picked or not; drawn by assets/web/sample.js."""

from __future__ import annotations

from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def sample_view(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """A sample; events `pin`, `exclude`, `unmark`, `undo` {id} and `close` {}.

    value : {id, title, badges: [{label, tone}], facts: [{label, value, hint}], why: [sentence], terms: [{term,
        part}], turns: [{role, content}], response, actions} or {empty: text}.
    """
    return component("sample", value, events=("pin", "exclude", "unmark", "undo", "close"), **options)
