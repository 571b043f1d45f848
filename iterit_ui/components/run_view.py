"""A run as it goes, the head of its review, and its log; drawn by assets/web/tune/run.js, gate.js and log.js."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def run_view(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """State, timeline and buttons of a run; event `act` {key}.

    value : {state, title, text, eta, done, total, unit, error, columns: [text], rows: [{label, note, cells: [{state:
        done|now|ended|next|none, text, hint, share}]}], said: [text], actions: [{key, label, hint, confirm, primary}]}.
        An action with `confirm` asks once more with these words before it is sent.
    """
    return component("run", value, events=("act",), **options)


def gate(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """Head of a review; events `act` {key} and `pool` {on}.

    value : {title, text, until (seconds since 1970, or None), by_itself, changes: [text], effect, who, problem, pool
        (whether marks go to the pool too; None: nothing is marked), actions: [{key, label, hint, primary, disabled}]}.
    """
    return component("gate", value, events=("act", "pool"), **options)


def log_view(
    value: dict[str, Any] | None = None,
    *,
    functions: list[Callable[[list[Any]], dict[str, Any]]],
    **options: Any,
) -> gr.HTML:
    """A log that is fetched by the line; event `download` {}.

    value : {run, total (rows), stamp (another one: there is more), waiting (text where there is nothing)}.
    functions : `rows([run, start, count])` -> {rows: [{text, kind}]}, kind "" for output, else an event's; and
        `find([run, words])` -> {count, rows: [numbers of rows]}; or {error}.
    """
    return component("log", value, events=("download",), functions=functions, **options)
