"""A button that takes picked samples along, and the sheet that asks how; drawn by assets/web/components/exporter.js."""

from __future__ import annotations

from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def exporter(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """A primary button; event `export` {which, format, ending, scores, heldOut, recipe, folder} once its sheet was answered.

    Nothing is shown where value is None.

    value : {label, off, choices: [{key, label, count, group, heldOut}], chosen}. off : why there is nothing to export, "" where
        there is. chosen : the key that is offered first; with one choice alone the sheet asks for none.
    """
    return component("exporter", value, events=("export",), **options)


def report_button(**options: Any) -> gr.HTML:
    """A button for the report of what Present would show; drawn by assets/web/present/present.js, which asks for it."""
    return component("reporter", **options)
