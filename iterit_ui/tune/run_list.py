"""The list of runs on the Tune tab: what each is at, and how long it will take."""

from __future__ import annotations

import time
from typing import Any

from backend.jobs import lifecycle
from backend.store import RunInfo
from iterit_ui.shared.theme import duration, moment

Value = dict[str, Any]

STAGE_WORDS = {
    "load": "loading the model and the pool",
    "score": "scoring",
    "select": "selecting",
    "review": "waiting for a review",
    "train": "training",
    "measure": "measuring the held-out loss of the untouched model",
    "evaluate": "measuring the held-out loss",
    "map": "laying out the map",
    "save": "saving the model",
}
STATE_TONE = {
    "running": "candidate",
    "waiting": "selected",
    "stopping": "candidate",
    "done": "pinned",
    "failed": "rejected",
}
NO_RUNS = {
    "tone": "empty",
    "title": "No runs yet",
    "text": "A run scores the pool with the model, selects a budget of samples, trains one epoch on them, and then scores and selects again with the trained model.",
    "steps": [
        "Check pool, model and preset on the left; the demo needs no change.",
        "Launch. Progress, losses and time left appear here; the run continues if you close this page.",
        "Watch the selection change on the Epochs tab.",
    ],
}
LOST = {
    "tone": "error",
    "title": "The list of runs is lost",
    "text": "This folder holds runs that the database does not list.",
    "steps": [
        "Close the app.",
        'In a terminal, run "python -m backend repair" with this folder as --runs-dir: it lists them again.',
    ],
}
MISSING = {
    "tone": "error",
    "title": "Run not found",
    "text": "The link may be old, or the run belongs to another folder.",
    "steps": ["Choose a run from the list above, or launch one."],
}
SHOWN = 12  # newest runs that are listed; active and queued ones, and the one that is looked at, always are


def runs_table(infos: list[RunInfo], chosen: str) -> Value:
    """The newest runs. chosen : the id of the run that is shown below, or ""."""
    kept = [
        info
        for i, info in enumerate(infos)
        if i < SHOWN or info.active or info.state == "queued" or info.id == chosen
    ]
    rows = [
        {
            "name": info.name,
            "state": {"text": state_words(info), "tone": STATE_TONE.get(info.state, "plain")},
            "progress": progress_words(info),
            "left": "–" if info.eta is None else f"about {duration(info.eta)}",
            "started": moment(info.started or info.created),
        }
        for info in kept
    ]
    more = len(infos) - len(kept)
    return {
        "title": "Runs",
        "note": "Click one to see it below."
        + (f" {more:,} older ones are on the Compare tab." if more else ""),
        "columns": [
            {"key": "name", "label": "Run"},
            {"key": "state", "label": "State", "kind": "badge", "width": "160px"},
            {"key": "progress", "label": "Progress", "width": "190px"},
            {"key": "left", "label": "Time left", "align": "right", "width": "120px"},
            {"key": "started", "label": "Started", "align": "right", "width": "110px", "minor": True},
        ],
        "rows": rows,
        "ids": [info.id for info in kept],
        "page": 0,
        "pages": 1,
        "total": len(rows),
        "unit": "runs",
        "selected": chosen or None,
        "empty": "Nothing has been launched yet.",
    }


def state_words(info: RunInfo) -> str:
    """A run's state in a few words."""
    if info.state == "queued":
        return f"queued, {info.ahead} ahead" if info.ahead else "queued, next"
    return "waits for a review" if info.state == "waiting" else info.state


def progress_words(info: RunInfo) -> str:
    """How far a run is, in a few words."""
    if info.state == "done":
        return f"{info.epochs} epoch{'s' if info.epochs != 1 else ''}"
    if info.stage is None:
        return "starting" if info.active else "–"
    epoch, stage = position(info)
    part = f", {100 * info.done / info.total:.0f} %" if info.total and info.active else ""
    return f"epoch {epoch}: {'measure' if stage == 'evaluate' else stage}{part}"


def status_text(info: RunInfo) -> str:
    """What a run is doing, or how it ended, in one sentence."""
    if info.state == "queued":
        before = (
            f"{info.ahead} run{'s' if info.ahead != 1 else ''} before it" if info.ahead else "It starts next"
        )
        return f"Queued. {before}."
    if info.state == "running":
        if not lifecycle.alive(info):
            silent = duration(time.time() - (info.last_seen or info.created))
            return f"No heartbeat for {silent}; it may be short of memory."
        if info.stage is None:
            return "Starting: loading the libraries and the model."
        epoch, stage = position(info)
        of = f" ({epoch + 1} of {info.epochs})" if info.epochs else ""
        return f"Epoch {epoch}{of}: {STAGE_WORDS[stage]}."
    if info.state == "waiting":
        return "Waiting for you to review what it would train on; see below."
    if info.state == "stopping":
        stage = STAGE_WORDS[position(info)[1]] if info.stage else "starting"
        since = duration(time.time() - info.stopping) if info.stopping else ""
        what = (
            "the current training step and its checkpoint" if info.stage == "train" else "the current batch"
        )
        return f"Stopping: it is {stage}, and ends after {what}. Asked {since} ago."
    if info.state == "stopped":
        return "Stopped."
    if info.state == "failed":
        return "Failed. See the end of the log below."
    return f"Done in {duration(spent(info))}." if info.started else "Done."


def position(info: RunInfo) -> tuple[int, str]:
    """The epoch that a run is in and its stage there; what is measured after an epoch belongs to that epoch."""
    stage, epoch = info.stage or "", info.epoch or 0
    if stage == "evaluate":
        return (epoch - 1, "evaluate") if epoch else (0, "measure")
    return (max(info.epochs - 1, 0) if stage == "save" else epoch), stage


def time_left(info: RunInfo) -> str:
    """Time left in words; said to be unknown as long as it is."""
    if info.state != "running":
        return ""
    if info.eta is not None:
        return f"about {duration(info.eta)} left"
    if info.stage_eta is not None:
        return f"about {duration(info.stage_eta)} left in this stage; in all: not known yet"
    return "time left: not known yet"


def spent(info: RunInfo) -> float | None:
    """Seconds that a run has taken so far; None where it has not started."""
    return None if info.started is None else (info.ended or time.time()) - info.started
