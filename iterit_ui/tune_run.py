"""The right side of the Tune tab: every run of this folder, watched from disk.

A timer reads what the workers write. The builder lays out and wires; every callback below it is a plain function of
ids.
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from backend import jobs, store
from backend.errors import StudioError
from iterit_ui import tune_watch
from iterit_ui.components import cards, chart, note, status_line, table
from iterit_ui.session import QUIET, Session

BUSY_SECONDS, IDLE_SECONDS = 1.5, 5.0


def build(session: Session) -> None:
    """Lay the right side out, in the column that is open, and wire it."""
    home = session.home
    listed = table(elem_id="tune-runs")
    watched = note({"tone": "info", "text": "Reading the runs…"}, elem_id="tune-watch-note")
    status = status_line(elem_id="tune-status")
    with gr.Row(elem_classes="row-tight"):
        stop = gr.Button("Stop", elem_id="tune-stop", visible=False, scale=0, min_width=110)
        resume = gr.Button("Resume", elem_id="tune-resume", visible=False, scale=0, min_width=110)
        epochs = gr.Button("Open in Epochs", elem_id="tune-open", visible=False, scale=0, min_width=150)
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

    seen, timer = gr.State(""), gr.Timer(IDLE_SECONDS)
    shown = [listed, watched, status, stop, resume, epochs, figures, loss, rate, details, log, timer, seen]
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
