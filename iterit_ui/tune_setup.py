"""The left side of the Tune tab: set up a run and launch it.

Nothing runs in the page: a launch starts a process of its own. The builder lays out and wires; every callback below
it is a plain function of ids and the form's values.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.errors import StudioError
from iterit_ui.components import heading, note
from iterit_ui.session import LIVE, QUIET, Session, get_pool
from iterit_ui.tune_fill import (
    ONE_AT_A_TIME,
    SELECTION,
    carry_over,
    fill_model,
    fill_pool,
    fill_preset,
    first_fill,
)
from iterit_ui.tune_form import COMMON, GROUPS, advanced, config_of, control, form_fields
from iterit_ui.tune_launch import (
    allowed_model,
    command_line,
    explain,
    model_choices,
    pool_inputs,
    preset_choices,
    preset_words,
    start,
    summary,
)


def build(session: Session) -> None:
    """Lay the left side out, in the column that is open, and wire it."""
    home, models = session.home, session.model_roots
    first = first_fill(models)
    pool = gr.Dropdown(
        [],
        label="Pool",
        info="The samples to pick from.",
        elem_id="tune-pool",
        interactive=True,
        filterable=False,
    )
    model = gr.Dropdown(
        model_choices(models),
        label="Model",
        info="The model to fine-tune: from the list, or a hub id (owner/name).",
        allow_custom_value=True,
        elem_id="tune-model",
        interactive=True,
    )
    preset = gr.Dropdown(
        preset_choices(),
        value=first["preset"],
        label="Preset",
        info=preset_words(),
        elem_id="tune-preset",
        filterable=False,
    )
    message = note(None, elem_id="tune-message")
    launch = gr.Button("Launch", variant="primary", elem_id="tune-launch")
    command = gr.Textbox(
        lines=3,
        max_lines=12,
        label="The same in a terminal",
        interactive=False,
        buttons=["copy"],
        elem_id="tune-command",
        elem_classes="mono",
    )
    carried = note(None, elem_id="tune-carried")
    controls = {name: control(name, first["preset"]) for name in COMMON}
    with gr.Accordion("All other settings", open=False, elem_id="tune-advanced"):
        for group, title in GROUPS.items():
            heading(title, level=2)
            controls |= {name: control(name, first["preset"]) for name in advanced(group)}
        parallel = gr.Checkbox(
            False,
            label="Run beside others",
            info="Start at once even while another run is going; both become slower. Default: off.",
            elem_id="tune-parallel",
        )

    form = [controls[name] for name in form_fields()]
    selection = [controls[name] for name in SELECTION]
    filled = gr.State(first)
    setup = [pool, model, preset, *form]

    # the form follows the session: the pool, and what was set on the Curate tab
    gr.on(
        [session.ready.change, session.pool.change],
        partial(fill_pool, home, models),
        [session.pool, session.settings, model, filled],
        [pool, model, preset, carried, *form, filled],
        **QUIET,
        **ONE_AT_A_TIME,
    ).then(partial(check, home, model_roots=models), setup, [message, launch, command], **QUIET)
    gr.on(
        [session.settings.change, session.tab.change],
        partial(carry_over, home),
        [session.pool, session.settings, session.tab, filled],
        [carried, *selection, filled],
        **LIVE,
        **ONE_AT_A_TIME,
    )
    pool.input(None, pool, session.pool, js="(pool) => pool || ''", **QUIET)
    model.input(
        partial(fill_model, home),
        [session.pool, session.settings, model, filled],
        [preset, *form, filled],
        **QUIET,
        **ONE_AT_A_TIME,
    )
    # input, not change: one that was set by the form's own filling has filled the form already
    preset.input(
        partial(fill_preset, home),
        [preset, session.pool, session.settings, filled],
        [*form, filled],
        **QUIET,
        **ONE_AT_A_TIME,
    )
    gr.on(
        [item.change for item in setup],
        partial(check, home, model_roots=models),
        setup,
        [message, launch, command],
        **LIVE,
    )
    launch.click(
        partial(launch_run, home, session.data_roots, models),
        [parallel, *setup],
        [session.run, message],
        concurrency_limit=1,
        **QUIET,
    )


def check(
    home: Path,
    pool_id: str | None,
    model: str | None,
    preset: str,
    *values: Any,
    model_roots: Sequence[Path] | None = None,
) -> tuple[Any, Any, Any]:
    """(what a launch would do or what is wrong, the button, the same as a command)."""
    try:
        config = config_of(values, pool=pool_inputs(home, pool_id or ""), model=model or "", preset=preset)
        if model_roots is not None:
            allowed_model(config.model, model_roots)
        rows = len(get_pool(home, pool_id or ""))
        return (
            {"tone": "info", "text": summary(config, rows)},
            gr.Button(interactive=True),
            command_line(config, preset=preset, home=home),
        )
    except StudioError as error:
        return explain(error), gr.Button(interactive=False), gr.skip()


def launch_run(
    home: Path,
    data_roots: Sequence[Path],
    model_roots: Sequence[Path],
    parallel: bool,
    pool_id: str | None,
    model: str | None,
    preset: str,
    *values: Any,
) -> tuple[Any, Any]:
    """Start the run that the form describes: (its id, a note)."""
    try:
        config = config_of(values, pool=pool_inputs(home, pool_id or ""), model=model or "", preset=preset)
        run = start(
            home,
            config,
            pool_id or "",
            data_roots=data_roots,
            model_roots=model_roots,
            allow_parallel=parallel,
        )
    except StudioError as error:
        return gr.skip(), explain(error)
    info = store.run_info(home, run)
    return run, {
        "tone": "good",
        "title": f"{info.name} {'is queued' if info.state == 'queued' else 'was launched'}",
        "text": "It goes on without this page; progress is on the right.",
    }
