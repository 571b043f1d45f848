"""The right side of the Tune tab: the runs of this folder, and one of them in full, watched from disk.

The page's watcher says when there is something new. The builder lays out and wires; every callback below it is a plain
function of ids.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.errors import StudioError
from backend.jobs import lifecycle
from iterit_ui.components import cards, chart, note, table
from iterit_ui.components.run_view import log_view, run_view
from iterit_ui.components.screen import when_shown
from iterit_ui.shared import messages
from iterit_ui.shared.answer_order import all_numbered
from iterit_ui.shared.download_folder import download_folder
from iterit_ui.shared.session import DRAW, QUIET, Session, bound
from iterit_ui.tune.log_view import log_functions
from iterit_ui.tune.review import panel
from iterit_ui.tune.views import run_values

FETCH = "() => setTimeout(() => document.querySelector('#tune-log-file')?.click(), 80)"
ACTIONS = {"stop": lifecycle.stop, "kill": lifecycle.kill, "resume": lifecycle.resume}


def build(session: Session) -> None:
    """Lay the right side out, in the column that is open, and wire it."""
    home = session.home
    listed = table(elem_id="tune-runs")
    watched = note({"tone": "info", "text": "Reading the runs…"}, elem_id="tune-watch-note")
    run = run_view(elem_id="tune-status")
    screen = panel.lay_out()
    with gr.Column(visible=False, elem_classes="wide") as details:
        figures = cards(elem_id="tune-cards")
        course = chart(height=560, elem_id="tune-loss")
        log = log_view(functions=log_functions(home), elem_id="tune-log")
        file = gr.DownloadButton("Log", elem_id="tune-log-file", elem_classes="unseen")
    seen = gr.State({})
    shown = [listed, watched, run, figures, course, details, log, *screen.parts.values(), screen.body, seen]
    watch = [session.run, session.tab, screen.view, seen]

    def see(
        run: str, tab: str, view: dict[str, Any], before: dict[str, Any], request: gr.Request
    ) -> list[Any]:
        # the number first: what was asked for before a click in the review is not drawn after the click's answer
        known, number = panel.newest(request.session_hash or "", run, view)
        return all_numbered(shown, run_values(home, run, tab, known, before), number)

    when_shown("tune", "ready", "run", "tab", "watch")(see, watch, shown, **DRAW)

    def on_run(event: gr.EventData, run: str) -> Any:
        return pick_run(home, run, event._data)

    def on_act(event: gr.EventData, run: str) -> Any:
        return act(home, run, event._data)

    listed.pick(on_run, session.run, session.run, **QUIET)
    run.act(on_act, session.run, [session.epoch, session.tabs], **QUIET).then(see, watch, shown, **DRAW)
    log.download(bound(log_file, home), session.run, file, **QUIET).success(
        None, None, None, js=FETCH, **QUIET
    )
    panel.wire(session, screen)


def pick_run(home: Path, run: str, data: Any) -> str:
    """The run of the row that was clicked."""
    asked = str(data.get("id", "")) if isinstance(data, dict) else ""
    return asked if asked in [info.id for info in store.runs(home)] else run


def act(home: Path, run: str, data: Any) -> tuple[Any, Any]:
    """Do with the shown run what a button says: (epoch, tabs), which only "open" changes. A refusal is a message."""
    key = data.get("key") if isinstance(data, dict) else None
    info = panel.chosen(home, run)
    if info is None:
        return gr.skip(), gr.skip()
    if key == "open":
        known = store.epochs(home, info.id)
        return (known[-1] if known else 0), gr.Tabs(selected="epochs")
    if key in ACTIONS:
        try:
            ACTIONS[key](home, info.id)
        except StudioError as error:
            messages.warning(str(error))
    return gr.skip(), gr.skip()


def log_file(home: Path, run: str) -> str:
    """A copy of the shown run's log, to be downloaded.

    Raises
    ------
    StudioError : there is none yet.
    """
    info = panel.chosen(home, run)
    source = store.log_path(home, info.id) if info else None
    if info is None or source is None or not source.is_file():
        raise gr.Error("This run has no output yet.", print_exception=False)
    path = download_folder("log") / f"{info.id}-log.txt"
    shutil.copyfile(source, path)
    return str(path)
