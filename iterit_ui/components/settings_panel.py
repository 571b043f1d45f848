"""The settings of a selection as a panel of fields, drawn by assets/web/components/settings.js."""

from __future__ import annotations

from typing import Any

import gradio as gr

from iterit_ui.components.base import component

EVENTS = ("set", "weigh", "reset", "undo", "redo", "save", "recall", "forget", "compare")


def settings_panel(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """Settings; events `set` {name, value}, `weigh` {index, weight} or
    {index, least, most}, `reset` {name or None for all}, `undo`, `redo`,
    `compare` {}, `save`, `recall`, `forget` {name}; each with `seq`, its number.

    At most one event is under way: the next is sent when a value arrives whose `seq` is that of the last one, or after
    1.5 s. A control whose last event is not yet answered keeps what the person gave it; so the answer to every event,
    also one that changes nothing, is a value with its `seq`. (`recall` and not "load", which Gradio would fire by
    itself when the page starts.)

    value : {title, groups: [{title ("": does not fold), open, fields}], sources: {title, help, items: [{name, colour,
        count, weight, least, most (percent of the selection), message}]}, total (samples in the pool), can_undo, can_redo, saved: [{name, hint}] (None: cannot be
        saved), seq}.
    field : {name, label, help, kind: slider, number, choice or budget, min, max, step, value, default, unit,
        options: [{value, label, hint}], words: {value: words}, off, message}. A budget is a share of `total` up to 1,
        else a number of samples. `off` says why the setting has no effect now, `message` what was wrong with the
        value sent, `words` what a special value means.
    """
    return component("settings", value, events=EVENTS, **options)
