"""The Epochs tab: step through a run's epochs and see who came, stayed and went, and why.

The builder lays out and wires; every callback below it is a plain function of ids.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from backend import analysis, store
from backend.errors import StudioError
from iterit_ui import text
from iterit_ui.components import (
    cards,
    chart,
    heading,
    map_view,
    note,
    row_of_pick,
    sample_view,
    table,
    whole,
)
from iterit_ui.epochs_show import overview, show_map, show_sample, show_table
from iterit_ui.epochs_view import FILTERS
from iterit_ui.session import DRAW, LIVE, QUIET, Session, get_pool, map_functions, map_key

STEP_SECONDS = 1.6  # how long an epoch stands while they play
TABLE_START = {"which": "selected", "page": 0, "sort": "rank", "descending": False}


def build(session: Session) -> None:
    """Lay the tab out and wire it."""
    home = session.home
    heading(text.TAB["epochs"], text.LINE["epochs"], elem_id="epochs-heading")
    with gr.Row(elem_classes="row-tight", equal_height=True):
        run = gr.Dropdown([], label="Run", elem_id="epochs-run", scale=3, interactive=True, filterable=False)
        slider = gr.Slider(0, 1, value=0, step=1, label="Epoch", elem_id="epochs-slider", scale=3, buttons=[])
        back = gr.Button("‹ Previous", elem_id="epochs-back", scale=0, min_width=110)
        forth = gr.Button("Next ›", elem_id="epochs-forth", scale=0, min_width=110)
        play = gr.Button("Play", elem_id="epochs-play", scale=0, min_width=90)
    message = note({"tone": "info", "text": "Reading the runs…"}, elem_id="epochs-note")
    with gr.Column(visible=False, elem_classes="wide") as body:
        figures = cards(elem_id="epochs-cards")
        with gr.Row():
            with gr.Column(scale=3, min_width=480):
                map_ = map_view(functions=map_functions(home), height=470, elem_id="epochs-map")
            with gr.Column(scale=2, min_width=360):
                flow = chart(height=190, elem_id="epochs-flow")
                lengths = chart(height=190, elem_id="epochs-lengths")
        with gr.Row():
            complexity = chart(height=230, elem_id="epochs-complexity")
            diversity = chart(height=230, elem_id="epochs-diversity")
        with gr.Row():
            with gr.Column():
                moved = chart(height=280, elem_id="epochs-moved")
            with gr.Column(visible=False) as labelled:
                labels = chart(height=280, elem_id="epochs-labels")
        with gr.Row():
            with gr.Column(scale=3, min_width=520):
                samples = table(elem_id="epochs-table")
            with gr.Column(scale=2, min_width=360):
                sample = sample_view(elem_id="epochs-sample")
                history = table(elem_id="epochs-history")

    seen, asked, playing = gr.State(""), gr.State(TABLE_START), gr.State(False)
    stepping = gr.Timer(STEP_SECONDS, active=False)
    run_epoch = [session.run, session.epoch]
    moments = [session.ready.change, session.run.change, session.epoch.change, seen.change]

    # what exists: the list of runs and the slider follow the disk
    told = [session.tab, session.run, seen], [session.run, seen]
    gr.on([session.ready.change, session.tab.change], partial(look, home), *told, **QUIET)
    session.watch.changed(partial(look, home), *told, **QUIET)
    gr.on(
        [session.ready.change, session.run.change, seen.change, session.tab.change],
        partial(place, home),
        run_epoch,
        [run, slider],
        **QUIET,
    )
    # where we are
    run.input(partial(choose_run, home), [run, session.epoch], run_epoch, **QUIET)
    gr.on([slider.input, slider.release], int, slider, session.epoch, **LIVE)
    back.click(partial(step, home, -1), run_epoch, [session.epoch, slider], **QUIET)
    forth.click(partial(step, home, 1), run_epoch, [session.epoch, slider], **QUIET)
    play.click(
        partial(toggle_play, home),
        [*run_epoch, playing],
        [playing, play, stepping, session.epoch, slider],
        **QUIET,
    )
    stepping.tick(
        partial(play_on, home), run_epoch, [session.epoch, slider, playing, play, stepping], **QUIET
    )
    # what it looks like
    gr.on(
        moments,
        partial(overview, home),
        run_epoch,
        [message, figures, flow, complexity, diversity, lengths, moved, labels, labelled, body],
        **DRAW,
    )
    gr.on(
        [*moments, session.sample.change, session.tab.change],
        partial(show_map, home),
        [*run_epoch, session.sample],
        map_,
        **DRAW,
    )
    gr.on(
        [*moments, asked.change],
        partial(show_table, home),
        [*run_epoch, asked, session.sample],
        samples,
        **DRAW,
    )
    gr.on(
        [*moments, session.sample.change, session.tab.change],
        partial(show_sample, home),
        [*run_epoch, session.sample],
        [sample, history],
        **DRAW,
    )

    # what was asked for; Gradio finds `event` by its annotation, which a partial does not show
    def on_row(run: str, event: gr.EventData) -> Any:
        return pick_row(home, run, event)

    def on_point(run: str, event: gr.EventData) -> Any:
        return pick_point(home, run, event)

    samples.filter(filter_by, asked, asked, **QUIET)
    samples.turn(turn_page, asked, asked, **QUIET)
    samples.sort(sort_by, asked, asked, **QUIET)
    samples.pick(on_row, session.run, session.sample, **QUIET)
    map_.pick(on_point, session.run, session.sample, **QUIET)


# ---------------------------------------------------------------- what is on disk


def runs_with_epochs(home: Path) -> list[store.RunInfo]:
    """Runs that have selected at least once, newest first."""
    return [info for info in store.runs(home) if store.epochs(home, info.id)]


def look(home: Path, tab: str, run: str, seen: str) -> Any:
    """(run, what was seen): the newest run where none is chosen, and a mark that changes with the disk."""
    if tab != "epochs":
        return gr.skip(), gr.skip()
    chosen, mark = on_disk(home, run)
    return (chosen if chosen != run else gr.skip()), (mark if mark != seen else gr.skip())


def on_disk(home: Path, run: str) -> tuple[str, str]:
    """The run, the newest where none is chosen, and a mark that changes with what is on disk."""
    infos = runs_with_epochs(home)
    chosen = run or (infos[0].id if infos else "")
    mark = ""
    for info in infos:
        mark += f"{info.id}:{info.state}:{len(store.epochs(home, info.id))} "
    if chosen:
        mark += f"| {sum(m.held_out is not None for m in metrics_of(home, chosen))}"
        pool_id = next((info.pool_id for info in infos if info.id == chosen), "")
        mark += f" {map_key(home, pool_id) if pool_id else ''}"
    return chosen, mark


def metrics_of(home: Path, run: str) -> list[Any]:
    """A run's metrics; none where there is no such run."""
    try:
        return store.read_metrics(home, run)
    except StudioError:
        return []


def place(home: Path, run: str, epoch: int) -> tuple[Any, Any]:
    """The list of runs with the chosen one, and the slider over its epochs."""
    infos = runs_with_epochs(home)
    choices = [(run_label(info, len(store.epochs(home, info.id))), info.id) for info in infos]
    known = epochs_of(home, run)
    last = known[-1] if known else 0
    value = run if run in [info.id for info in infos] else None
    return (
        gr.Dropdown(choices=choices, value=value),
        gr.Slider(maximum=max(last, 1), value=min(epoch, last), interactive=last > 0),
    )


def run_label(info: store.RunInfo, epochs: int) -> str:
    """A run in one line of a list."""
    state = "" if info.state == "done" else f", {info.state}"
    return f"{info.name} · {info.pool_name} · {epochs} epoch{'s' if epochs != 1 else ''}{state}"


def epochs_of(home: Path, run: str) -> list[int]:
    """The epochs that a run has; none where there is no such run."""
    try:
        return store.epochs(home, run) if run else []
    except StudioError:
        return []


# ---------------------------------------------------------------- where we are


def choose_run(home: Path, run: str, epoch: int) -> tuple[str, int]:
    """A run of the list; the epoch stays where the run has it."""
    known = epochs_of(home, run)
    return run, min(epoch, known[-1]) if known else 0


def step(home: Path, by: int, run: str, epoch: int) -> tuple[int, int]:
    """The epoch before or after, for the state and the slider."""
    known = epochs_of(home, run)
    there = min(max(epoch + by, 0), known[-1] if known else 0)
    return there, there


def toggle_play(home: Path, run: str, epoch: int, playing: bool) -> tuple[Any, ...]:
    """Start or pause; at the end it starts over. (playing, button, timer, epoch, slider)"""
    known = epochs_of(home, run)
    if playing or len(known) < 2:
        return False, gr.Button("Play"), gr.Timer(active=False), gr.skip(), gr.skip()
    start = 0 if epoch >= known[-1] else epoch
    return True, gr.Button("Pause"), gr.Timer(active=True), start, start


def play_on(home: Path, run: str, epoch: int) -> tuple[Any, ...]:
    """The next epoch; playing ends at the last. (epoch, slider, playing, button, timer)"""
    there, _ = step(home, 1, run, epoch)
    known = epochs_of(home, run)
    if not known or there >= known[-1]:
        return there, there, False, gr.Button("Play"), gr.Timer(active=False)
    return there, there, True, gr.skip(), gr.skip()


# ---------------------------------------------------------------- what was asked for


def filter_by(asked: dict[str, Any], event: gr.EventData) -> dict[str, Any]:
    """Another kind of samples, from its first page."""
    which = event._data.get("key")
    return {**asked, "which": which, "page": 0} if which in FILTERS else asked


def turn_page(asked: dict[str, Any], event: gr.EventData) -> dict[str, Any]:
    """Another page of the same table."""
    return {**asked, "page": whole(event._data.get("page"), 0, 10**7)}


def sort_by(asked: dict[str, Any], event: gr.EventData) -> dict[str, Any]:
    """Sort by a column; again, the other way round. Numbers that are better when large start with the largest."""
    column = event._data.get("column")
    if column not in analysis.SORTS:
        return asked
    if asked["sort"] == column:
        return {**asked, "page": 0, "sort": column, "descending": not asked["descending"]}
    return {
        **asked,
        "page": 0,
        "sort": column,
        "descending": column in ("gain", "complexity", "diversity", "tokens"),
    }


def pick_row(home: Path, run: str, event: gr.EventData) -> Any:
    """The sample of the row that was clicked."""
    return known_sample(home, run, str(event._data.get("id", "")))


def pick_point(home: Path, run: str, event: gr.EventData) -> Any:
    """The sample of the point that was clicked."""
    try:
        pool = get_pool(home, store.run_info(home, run).pool_id)
        if event._data.get("key") != pool.id:
            return gr.skip()
        return str(pool.ids[row_of_pick(event._data, len(pool))])
    except StudioError:
        return gr.skip()


def known_sample(home: Path, run: str, sample: str) -> Any:
    """A sample id that the run's pool has, else nothing changes."""
    try:
        pool = get_pool(home, store.run_info(home, run).pool_id)
    except StudioError:
        return gr.skip()
    return sample if sample in pool.row_of else gr.skip()
