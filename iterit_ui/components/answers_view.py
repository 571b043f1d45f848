"""Answers of several models to one prompt, side by side, as they are written; drawn by assets/web/compare/answers.js."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def answers(
    value: dict[str, Any] | None = None,
    *,
    functions: list[Callable[[list[Any]], dict[str, Any]]],
    **options: Any,
) -> gr.HTML:
    """Answers; events `stop` {id}, `free` {} (unload the models) and `again` {id}.

    The page asks for what it shows by itself, twice a second while an answer is written, and so shows after a reload
    what it showed before: the question whose id it remembers for as long as this browser tab is open, else the newest.

    value : {show: id} of a question that was just asked, None at first.
    functions : one named `look`: [question id or "", stamp] -> {same: true} where the stamp is still right, or
        {stamp, worker: {text, tone, loaded, note}, warn, question, history: [{id, text, when, models}]} with
        question : None, or {id, when, facts, turns: [{role, content}], live, waits, again, columns: [{label, hint,
        state, tone, text, facts: [text], loss, delta, error}]}; a column without `state` is the reference response.
    """
    return component(
        "answers",
        value,
        events=("stop", "free", "again"),
        functions=functions,
        **options,
    )
