"""The form of a run, drawn by assets/web/tune/tune_form.js."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def run_form(
    value: dict[str, Any] | None = None, *, functions: list[Callable[[Any], dict[str, Any]]], **options: Any
) -> gr.HTML:
    """The form; events `launch` with the form and `carried` as it was told, `pool` {pool}, `look` {seq} whenever it is opened,
    `try_first` {form, carried, pilot: what its panel asks for} and `compare` {comparison} from the panel of pilots.

    The form's values live in the page (and outlive a reload of it), so that no answer overwrites what was typed. A form
    is {pool, model, preset, values: {setting: text or bool}, parallel, parent}.

    value : {schema (see `tune/form_fields.schema`), pools, models, runs: [[label, value]], files: {setting: [path to offer]}, demo: the embedded pool's id, pool:
        the session's, carried: {setting: form value} from Curate, filled: {key, ...} what to fill in once (see
        `tune/form_config.loaded`), note: {key, tone, title, lines} what to say once, pilot: the panel (see `tune/pilot_panel.panel`),
        piloted: like note, in that panel,
        seen: the `seq` of the `look` that this answers}. Nothing can be launched before the last `look` is answered.
    functions : `verdict(form)` -> see `tune/form_check.verdict`; `load({run} or {text, name})` -> see `tune/form_config.loaded`;
        each may answer {error}. `count({form, begin})` -> see `tune/token_count.count`; `pilot({form, pilot, open})` -> see
        `tune/pilot_panel.answer`.
    """
    return component(
        "tuneform",
        value,
        events=("launch", "pool", "look", "try_first", "compare"),
        # shown until the first answer has come
        template='<div class="st-tuneform st-form"><p class="st-field-help">Setting up the form…</p></div>',
        functions=functions,
        **options,
    )
