"""The Tune tab: set up a run, launch it, and watch this and every other run from disk.

Nothing runs in the page: a launch starts a process of its own, and a timer reads what it writes. The builder lays
out and wires; every callback below it is a plain function of ids and the form's values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from backend import jobs, store
from backend.errors import StudioError
from iterit_ui import text, tune_watch
from iterit_ui.components import cards, chart, heading, note, status_line, table
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

BUSY_SECONDS, IDLE_SECONDS = 1.5, 5.0


def build(session: Session) -> None:
    """Lay the tab out and wire it."""
    home, models = session.home, session.model_roots
    first = first_fill(models)
    heading(text.TAB["tune"], text.LINE["tune"], elem_id="tune-heading")
    with gr.Row(elem_classes="columns"):
        with gr.Column(elem_classes=["side", "sheet", "sticky"]):
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
        with gr.Column(elem_classes="wide"):
            listed = table(elem_id="tune-runs")
            watched = note({"tone": "info", "text": "Reading the runs…"}, elem_id="tune-watch-note")
            status = status_line(elem_id="tune-status")
            with gr.Row(elem_classes="row-tight"):
                stop = gr.Button("Stop", elem_id="tune-stop", visible=False, scale=0, min_width=110)
                resume = gr.Button("Resume", elem_id="tune-resume", visible=False, scale=0, min_width=110)
                epochs = gr.Button(
                    "Open in Epochs", elem_id="tune-open", visible=False, scale=0, min_width=150
                )
            with gr.Column(visible=False, elem_classes="wide") as details:
                figures = cards(elem_id="tune-cards")
                loss = chart(height=260, elem_id="tune-loss")
                rate = chart(height=150, elem_id="tune-rate")
                with (
                    gr.Column(elem_classes="sheet"),
                    gr.Accordion("Log", open=False, elem_id="tune-log-box"),
                ):
                    log = gr.Textbox(
                        lines=14,
                        max_lines=14,
                        show_label=False,
                        interactive=False,
                        elem_id="tune-log",
                        elem_classes="mono",
                    )

    form = [controls[name] for name in form_fields()]
    selection = [controls[name] for name in SELECTION]
    filled, seen, timer = gr.State(first), gr.State(""), gr.Timer(IDLE_SECONDS)
    shown = [listed, watched, status, stop, resume, epochs, figures, loss, rate, details, log, timer, seen]
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
    # runs follow the disk
    watch = [session.run, session.tab, seen]
    gr.on(
        [session.ready.change, session.run.change, session.tab.change, timer.tick],
        partial(look, home),
        watch,
        shown,
        **QUIET,
    )

    # Gradio finds `event` by its annotation, which a partial does not show
    def on_run(run: str, event: gr.EventData) -> Any:
        return pick_run(home, run, event)

    listed.pick(on_run, session.run, session.run, **QUIET)
    stop.click(partial(stop_run, home), session.run, None, **QUIET).then(
        partial(look, home), watch, shown, **QUIET
    )
    resume.click(partial(resume_run, home), session.run, None, **QUIET).then(
        partial(look, home), watch, shown, **QUIET
    )
    epochs.click(partial(last_epoch, home), session.run, [session.epoch, session.tabs], **QUIET)


# ---------------------------------------------------------------- the form


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


# ---------------------------------------------------------------- the runs


def look(home: Path, run: str, tab: str, seen: str) -> tuple[Any, ...]:
    """Everything about the runs as it is on disk now; nothing where nothing has changed since.

    Order: runs, note, status, stop, resume, open in Epochs, cards, loss, rate, details, log, timer, what was seen.
    """
    jobs.pump(home)
    infos = store.runs(home)
    busy = any(info.active or info.state == "queued" for info in infos)
    if tab != "tune":
        return (gr.skip(),) * 13
    info = next((info for info in infos if info.id == run), infos[0] if infos and not run else None)
    values = watch_values(home, info)
    shown = [tune_watch.runs_table(infos, info.id if info else "") if infos else None, *values]
    mark = hashlib.sha1(json.dumps([shown, busy], default=str).encode(), usedforsecurity=False).hexdigest()
    if mark == seen:
        return (gr.skip(),) * 13
    listed, watched, status, figures, loss, rate, log = shown
    return (
        listed,
        watched,
        status,
        gr.Button(visible=bool(info) and info.state in ("running", "queued")),
        gr.Button(visible=bool(info) and info.resumable),
        gr.Button(visible=bool(info) and bool(store.epochs(home, info.id))),
        figures,
        loss,
        rate,
        gr.Column(visible=bool(info)),
        log,
        gr.Timer(BUSY_SECONDS if busy else IDLE_SECONDS),
        mark,
    )


def watch_values(home: Path, info: store.RunInfo | None) -> list[Any]:
    """(note, status, cards, loss, rate, log) of one run; the note says what to do where there is none."""
    if info is None:
        missing = {
            "tone": "error",
            "title": "This run is not here",
            "text": "The link may be old, or the run belongs to another folder.",
            "steps": ["Choose a run from the list above, or launch one."],
        }
        return [missing if store.runs(home) else tune_watch.NO_RUNS, None, None, None, None, ""]
    metrics = tune_watch.read_metrics(home, info.id)
    return [
        None,
        tune_watch.status_value(info),
        tune_watch.figures(info, metrics),
        tune_watch.loss_figure(home, info, metrics),
        tune_watch.rate_figure(info, metrics),
        tune_watch.log_text(home, info.id),
    ]


def pick_run(home: Path, run: str, event: gr.EventData) -> Any:
    """The run of the row that was clicked."""
    asked = str(event._data.get("id", ""))
    return asked if asked in [info.id for info in store.runs(home)] else run


def stop_run(home: Path, run: str) -> None:
    """Ask the shown run to stop."""
    act(home, run, jobs.stop)


def resume_run(home: Path, run: str) -> None:
    """Put the shown run back into the queue."""
    act(home, run, jobs.resume)


def act(home: Path, run: str, what: Any) -> None:
    """Do something with the shown run (the newest where none is chosen); a refusal is shown as a message."""
    infos = store.runs(home)
    chosen = run or (infos[0].id if infos else "")
    try:
        what(home, chosen)
    except StudioError as error:
        gr.Warning(str(error))


def last_epoch(home: Path, run: str) -> tuple[Any, Any]:
    """(the last epoch that the run has, the Epochs tab)."""
    try:
        known = store.epochs(home, run)
    except StudioError:
        known = []
    return (known[-1] if known else 0), gr.Tabs(selected="epochs")
