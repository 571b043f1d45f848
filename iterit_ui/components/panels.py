"""Headings, cards, toolbars, notes and the line that says how far a job is; drawn by assets/web/components/panels.js."""

from __future__ import annotations

from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def heading(title: str, text: str = "", *, level: int = 1, **options: Any) -> gr.HTML:
    """A screen's (1) or a panel's (2) title with one line that says what it shows."""
    return component("heading", {"title": title, "text": text, "level": level}, **options)


def cards(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """Figures in a row; event `pick` {key} of a card that has a key and so is a button.

    value : {"cards": [{label, value, unit, hint, tone, delta, key, on, bar, lead, group, help, quiet,
        parts: [{label, colour, share, hint}]}], legend}, values already written. `bar` is a share in [0, 1], `parts` a stacked bar whose shares add up to 1 at most;
        in a workbench `lead` makes a figure a large one. legend : as a chart's, of the charts below that share colours.
    """
    return component("cards", value, events=("pick",), **options)


def toolbar(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """A line of words and buttons; event `act` {key}.

    value : {left: [{text, tone, hint, key}], actions: [{key, label, hint, disabled, clicks}]}; words with a key are buttons.
        clicks : selector of another component's button that is clicked instead, "" for none.
    """
    return component("toolbar", value, events=("act",), **options)


def note(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """A message or an empty state; nothing where value is None. Event `act` {key} of its button.

    value : {tone, title, text, steps, action: {key, label}, fold}; tone is info, empty, warn, error or good. With `fold`
        the title is all there is until somebody opens it.
    """
    return component("note", value, events=("act",), **options)


def status_line(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """State, stages and progress of a job.

    value : {state, title, text, stages: [{label, state: done|now|next}], done, total, unit, eta, error}.
    """
    return component("status", value, **options)
