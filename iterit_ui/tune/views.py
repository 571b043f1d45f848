"""What the right side of the Tune tab shows, read from disk; only what has changed since is made and sent."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.errors import StudioError
from backend.jobs import lifecycle
from backend.records import Metrics
from backend.store import RunInfo
from iterit_ui.tune.charts import course_figure, figures, metrics_stamp, read_metrics
from iterit_ui.tune.log_view import log_value
from iterit_ui.tune.review import panel, views
from iterit_ui.tune.run_list import LOST, MISSING, NO_RUNS, runs_table
from iterit_ui.tune.timeline_view import run_value

Value = dict[str, Any]
NAMES = (
    "runs",
    "note",
    "run",
    "cards",
    "course",
    "details",
    "log",
    *(f"review {name}" for name in panel.NAMES),
    "review",
)
"""The parts that `run_values` gives, in the order of its answer; after them comes what was seen."""
PUMP_SECONDS = 2.0  # how often the queue is looked after, whatever number of pages is open

_pumped: dict[Path, float] = {}
_pump_lock = threading.Lock()


def run_values(home: Path, run: str, tab: str, view: Value, seen: Value) -> tuple[Any, ...]:
    """Every part in the order of NAMES, skipped where it is as it was `seen`; and what is seen now."""
    if tab != "tune":
        return (*(gr.skip() for _ in NAMES), seen)
    found = parts(home, run, view)
    marks = {name: mark for name, (mark, _) in found.items()}
    changed = [found[name][1]() if marks[name] != seen.get(name) else gr.skip() for name in NAMES]
    return (*changed, marks)


def parts(home: Path, run: str, view: Value) -> dict[str, tuple[str, Callable[[], Any]]]:
    """Each part: what names it as it is now, and what makes it."""
    infos = store.runs(home)
    info = next((one for one in infos if one.id == run), infos[0] if infos and not run else None)
    note = None if info else MISSING if infos else LOST if store.unlisted_runs(home) else NO_RUNS
    found = {
        "runs": _ready(runs_table(infos, info.id if info else "") if infos else None),
        "note": _ready(note),
        "details": (str(bool(info)), lambda: gr.Column(visible=bool(info))),
    }
    if info is None:
        nothing = _ready(None)
        found |= dict.fromkeys(("run", "cards", "course", "log"), nothing)
    else:
        found |= _of_run(home, info)
    review = views.values(home, info, view)
    found |= {f"review {name}": _ready(review[name]) for name in panel.NAMES}
    there = review["table"] is not None
    found["review"] = (str(there), lambda: gr.Column(visible=there))
    return found


def _of_run(home: Path, info: RunInfo) -> dict[str, tuple[str, Callable[[], Any]]]:
    stamp = f"{info.id} {info.state} {metrics_stamp(home, info.id)}"
    metrics: list[Metrics] = []
    try:
        metrics = read_metrics(home, info.id)
        value = run_value(home, info, store.read_config(home, info.id), metrics)
    except StudioError as error:
        value = {"state": info.state, "title": info.name, "text": "", "error": str(error)}
    return {
        "run": _ready(value),
        "cards": (f"cards {stamp}", lambda: figures(home, info, metrics)),
        "course": (f"course {stamp}", lambda: course_figure(home, info, metrics)),
        "log": _ready(_log(home, info.id)),
    }


def _log(home: Path, run: str) -> Value:
    """The log, or why there is none to see."""
    try:
        return log_value(home, run)
    except StudioError as error:
        return {"run": run, "total": 0, "stamp": str(error), "waiting": str(error)}


def _ready(value: Any) -> tuple[str, Callable[[], Any]]:
    """A part that is cheap to make: it is named by itself."""
    words = json.dumps(value, default=str, sort_keys=True).encode()
    return hashlib.sha1(words, usedforsecurity=False).hexdigest(), lambda: value


def stamp(home: Path, run: str) -> tuple[str, bool]:
    """(another text once there is something new to show of the runs, whether something is going on)."""
    infos = store.runs(home)
    shown = [
        (
            i.id,
            i.name,
            i.state,
            i.stage,
            i.epoch,
            i.done,
            i.total,
            i.error,
            i.ahead,
            i.attempt,
            lifecycle.alive(i),
        )
        for i in infos
    ]
    info = next((one for one in infos if one.id == run), infos[0] if infos and not run else None)
    busy = any(i.active or i.state == "queued" for i in infos)
    own: tuple[Any, ...] = ()
    if info is not None:
        own = (metrics_stamp(home, info.id), store.log_stamp(home, info.id))
        if info.state == "waiting" and (review := store.open_review(home, info.id)) is not None:
            own += (review, store.read_draft(home, info.id, review.epoch))
        if info.state == "stopping":
            own += (int(time.time()),)  # how long it has been stopping is said
    text = repr((shown, own))
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), busy


def pump(home: Path) -> None:
    """Start what is queued, and notice workers that are gone: now and then, for all pages together."""
    with _pump_lock:
        if time.monotonic() - _pumped.get(home, -PUMP_SECONDS) < PUMP_SECONDS:
            return
        _pumped[home] = time.monotonic()
    infos = store.runs(home)
    if any(info.state == "queued" for info in infos):
        lifecycle.pump(home)
    elif any(info.active for info in infos):
        lifecycle.refresh(home)
