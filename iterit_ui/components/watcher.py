"""Sees what other pages and workers have done, without an event of Gradio's every second; runs assets/web/page/watcher.js."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def watcher(
    value: dict[str, Any] | None = None,
    *,
    functions: list[Callable[[list[Any]], dict[str, Any]]],
    **options: Any,
) -> gr.HTML:
    """Nothing to see; what is shown is told (`screen.when_shown`) when the answer of `look([pool, run, tab])` changes.

    Pool, run and tab are read from the page's address. It asks once a second, while the page can be seen.

    functions : one named `look`: [pool id, run id, tab] -> {stamps: texts by the names that are told when they change}, or
        {"error": ...}.
    """
    return component("watcher", value, functions=functions, **options)
