"""Jobs that the Curate tab starts and waits for: scoring a pool that has no scores, and laying out its map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from backend import analysis, store
from backend.analysis.score_sets import DEMO
from backend.config import config_from
from backend.errors import StudioError, without_folders
from backend.jobs import lifecycle, pool_work, run_launch
from backend.jobs.scoring_anew import score_edited
from backend.store import Job
from backend.store.imported_scores import is_imported
from iterit_ui.components import note, status_line
from iterit_ui.components.screen import when_shown
from iterit_ui.curate.words import EDITED_IMPORTED, EDITED_NOTE, MAP_STAGE, MAP_WAIT
from iterit_ui.shared import messages
from iterit_ui.shared.launch import model_choices
from iterit_ui.shared.selections import scores_choices, scores_key
from iterit_ui.shared.session import DRAW, QUIET, Session, bound, get_pool
from iterit_ui.shared.theme import counted, duration

MAP_BY_ITSELF = 200_000  # samples up to which a map is a matter of seconds


def build_scorer(session: Session) -> gr.HTML:
    """A model and a button, shown while a pool has no scores; then the scoring as it goes. Returns the note on samples
    that were edited since they were scored, whose button scores these."""
    home = session.home
    edited = note(None, elem_id="curate-edited")
    run = gr.State("")
    with gr.Row(visible=False, elem_classes=["scorer"], elem_id="scorer") as panel:
        model = gr.Dropdown(
            model_choices(session.model_roots),
            value="demo",
            label="Model to score with",
            allow_custom_value=False,
            interactive=True,
            scale=3,
            elem_id="score-model",
        )
        start = gr.Button("Score this pool", variant="primary", scale=1, min_width=150, elem_id="score-pool")
    progress = status_line(None, elem_id="score-status")
    timer = gr.Timer(1.0, active=False)
    when_shown("curate", "pool", "scores")(bound(offered, home), session.pool, panel, **DRAW)
    start.click(
        bound(scored, home, session.model_roots),
        [session.pool, model],
        [run, progress, timer, panel],
        **QUIET,
    )
    timer.tick(
        bound(followed, home),
        [run, session.pool, session.scores],
        [progress, timer, session.scores],
        **QUIET,
    )
    edited.act(
        bound(edited_scored, home), [session.pool, session.scores], [run, progress, timer, edited], **QUIET
    )
    return edited


def build_map_maker(session: Session) -> None:
    """Lays the map out by itself where a pool has none, and shows how far that is."""
    home = session.home
    with gr.Row(visible=False, elem_classes=["scorer"], elem_id="map-maker") as panel:
        start = gr.Button("Lay out the map", elem_id="make-map", scale=0, min_width=160)
        progress = status_line(None, elem_id="map-status")
    timer = gr.Timer(1.0, active=False)
    out = [panel, start, progress, timer]
    when_shown("curate", "pool")(bound(map_opened, home), session.pool, out, **DRAW)
    start.click(bound(map_started, home), session.pool, out, **DRAW)
    timer.tick(bound(map_followed, home), session.pool, out, **DRAW)


def offered(home: Path, pool_id: str) -> Any:
    """The scorer is shown where the pool has no scores."""
    return gr.Row(visible=bool(pool_id) and not scores_choices(home, pool_id))


def scored(home: Path, roots: tuple[Path, ...], pool_id: str, model: str) -> list[Any]:
    """Start scoring: a run without epochs."""
    if not pool_id or model not in [value for _, value in model_choices(roots)]:
        return [gr.skip()] * 4
    try:
        info = store.pool_info(home, pool_id)
        values = {
            "pool": info.inputs,
            "model": model,
            "epochs": 0,
            "held_out": "0",
            "make_map": False,
            "name": f"scores of {info.name}",
        }
        limits = {"max_length": 512, "system_prompt": ""} if model == "demo" else {}
        run_id = run_launch.launch(home, config_from({**values, **limits}), pool=pool_id)
    except StudioError as error:
        return [
            "",
            {"state": "failed", "title": "The pool could not be scored", "error": str(error)},
            gr.Timer(active=False),
            gr.skip(),
        ]
    return [run_id, job_value(home, run_id), gr.Timer(active=True), gr.Row(visible=False)]


def edited_value(home: Path, pool_id: str, scores: str) -> dict[str, Any] | None:
    """The note on samples that were edited since they were scored; None where there are none."""
    key = scores_key(home, pool_id, scores) if pool_id else ""
    if not key:
        return None
    count = len(analysis.edited_since_scored(home, get_pool(home, pool_id), key))
    if not count:
        return None
    many = counted(count, "edited sample")
    title, button, trained = EDITED_NOTE
    value: dict[str, Any] = {"tone": "warn", "title": title[count > 1].format(many)}
    if is_imported(key):
        return {**value, "text": EDITED_IMPORTED}
    if key.rpartition("/")[2] not in ("0", DEMO):
        return {**value, "text": trained}
    return {**value, "action": {"key": "score", "label": button.format(many)}}


def edited_scored(home: Path, pool_id: str, scores: str) -> list[Any]:
    """Start scoring the samples that were edited since the present scores were made, and only these."""
    try:
        run_id = score_edited(home, pool_id, scores_key(home, pool_id, scores))
    except StudioError as error:
        messages.warning(messages.sentence(str(error)))
        return [gr.skip()] * 4
    return [run_id, job_value(home, run_id), gr.Timer(active=True), None]


def followed(home: Path, run_id: str, pool_id: str, scores: str) -> list[Any]:
    """How far the scoring is; when it is done, its scores are the ones on screen."""
    if not run_id:
        return [None, gr.Timer(active=False), gr.skip()]
    lifecycle.pump(home)
    info = store.run_info(home, run_id)
    if info.state == "done":
        return [
            None,
            gr.Timer(active=False),
            f"{run_id}/0" if store.root_of(home, info.pool_id) == pool_id else gr.skip(),
        ]
    running = info.state in ("queued", "running", "stopping")
    return [job_value(home, run_id), gr.Timer(active=running), gr.skip()]


def job_value(home: Path, run_id: str) -> dict[str, Any]:
    """A scoring run for `status_line`."""
    info = store.run_info(home, run_id)
    words = {
        "load": "Loading the model",
        "score": "Reading every sample with and without its prompt",
        "select": "Selecting",
    }
    return {
        "state": info.state,
        "title": info.name,
        "text": words.get(
            info.stage or "", "Waiting for another run to end" if info.state == "queued" else "Starting"
        ),
        "done": info.done or 0,
        "total": info.total or 0,
        "unit": info.unit or "",
        "eta": f"about {duration(info.eta)} left" if info.eta else "",
        "error": without_folders(info.error or ""),
    }


def map_opened(home: Path, pool_id: str) -> list[Any]:
    """A pool was opened: its map is laid out where it has none, unless that would take long; then there is a button."""
    if not pool_id:
        return [gr.Row(visible=False), gr.skip(), None, gr.Timer(active=False)]
    missing = pool_work.work_info(home, pool_id, "map").state == "absent"
    if missing and len(get_pool(home, pool_id)) <= MAP_BY_ITSELF and not store.is_read_only(home):
        pool_work.start_work(home, pool_id, "map")
    return map_followed(home, pool_id)


def map_started(home: Path, pool_id: str) -> list[Any]:
    """Lay the map out in a process of its own, because somebody asked for it."""
    if pool_id:
        pool_work.start_work(home, pool_id, "map")
    return map_followed(home, pool_id)


def map_followed(home: Path, pool_id: str) -> list[Any]:
    """How far the map is: the row, its button, the line, the timer."""
    if not pool_id:
        return [gr.Row(visible=False), gr.skip(), None, gr.Timer(active=False)]
    info = pool_work.work_info(home, pool_id, "map")
    running = info.unfinished
    return [
        gr.Row(visible=info.state != "done"),
        gr.Button(
            visible=not running and info.state != "done",
            value="Try again" if info.error else "Lay out the map",
        ),
        map_job_value(info) if running or info.state == "failed" else None,
        gr.Timer(active=running),
    ]


def map_job_value(info: Job) -> dict[str, Any]:
    """The work on a map for `status_line`."""
    return {
        "state": "running" if info.unfinished else info.state,
        "title": "Map",
        "text": MAP_STAGE.get(info.stage or "", info.stage or MAP_WAIT),
        "done": info.done,
        "total": info.total,
        "error": without_folders(info.error or ""),
    }
