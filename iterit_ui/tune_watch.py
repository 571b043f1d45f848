"""What the Tune tab shows of runs: their list, and one run's state, losses and log, read from disk."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from backend import analysis, jobs, store
from backend.errors import StudioError
from backend.store import RunInfo
from iterit_ui import plots, text
from iterit_ui.theme import duration, moment, number, score

Value = dict[str, Any]

# (key, words) of an epoch's stages; the untouched model is measured once, before the first training
FIRST = [
    ("load", "load"),
    ("score", "score"),
    ("select", "select"),
    ("measure", "measure untouched"),
    ("train", "train"),
    ("evaluate", "measure"),
]
LATER = [("score", "score again"), ("select", "select again"), ("train", "train"), ("evaluate", "measure")]
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
STATE_TONE = {"running": "candidate", "done": "pinned", "failed": "rejected"}
NO_RUNS = {
    "tone": "empty",
    "title": "No runs yet",
    "text": "A run scores the pool with the model, selects a budget of samples, trains one epoch on them, and then "
    "scores and selects again with the model as it is by then.",
    "steps": [
        "Check pool, model and preset on the left; the demo needs no change.",
        "Launch. Progress, losses and time left appear here, and go on without this page.",
        "Watch the selection change on the Epochs tab.",
    ],
}


def runs_table(infos: list[RunInfo], chosen: str) -> Value:
    """All runs, newest first. chosen : the id of the run that is shown below, or ""."""
    rows = []
    for info in infos:
        rows.append(
            {
                "name": info.name,
                "state": {"text": state_words(info), "tone": STATE_TONE.get(info.state, "plain")},
                "pool": f"{info.pool_name} · {info.pool_rows:,}",
                "model": Path(info.model).name or info.model,
                "started": moment(info.started or info.created),
                "took": duration(spent(info)),
            }
        )
    return {
        "title": "Runs",
        "note": "One runs at a time; the others wait for their turn. Click one to see it below.",
        "columns": [
            {"key": "name", "label": "Run"},
            {"key": "state", "label": "State", "kind": "badge", "width": "170px"},
            {"key": "pool", "label": "Pool · samples"},
            {"key": "model", "label": "Model"},
            {"key": "started", "label": "Started", "align": "right", "width": "110px"},
            {"key": "took", "label": "Took", "align": "right", "width": "90px"},
        ],
        "rows": rows,
        "ids": [info.id for info in infos],
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
    if info.state == "running" and info.stage is not None:
        epoch, stage = position(info)
        return f"epoch {epoch}: {'measure' if stage == 'evaluate' else stage}"
    return info.state


def status_value(info: RunInfo) -> Value:
    """State, stages, progress and time left of one run."""
    return {
        "state": info.state,
        "title": info.name,
        "text": status_text(info),
        "stages": stages(info),
        "done": info.done if info.state == "running" else 0,
        "total": info.total if info.state == "running" else 0,
        "unit": info.unit,
        "eta": time_left(info),
        "error": info.error if info.state == "failed" else None,
    }


def status_text(info: RunInfo) -> str:
    """What a run is doing, or how it ended, in one sentence."""
    if info.state == "queued":
        before = (
            f"{info.ahead} run{'s' if info.ahead != 1 else ''} before it" if info.ahead else "It starts next"
        )
        return f"Waiting for its turn. {before}."
    if info.state == "running":
        if not jobs.alive(info):
            return f"No sign of life for {duration(time.time() - (info.last_seen or info.created))}; it may be short of memory."
        if info.stage is None:
            return "Starting: loading the libraries and the model."
        epoch, stage = position(info)
        of = f" ({epoch + 1} of {info.epochs})" if info.epochs else ""
        return f"Epoch {epoch}{of}: {STAGE_WORDS[stage]}."
    if info.state == "stopping":
        return "Stopping after the present batch; what is finished is kept."
    if info.state == "stopped":
        return "Stopped. It can be resumed after its last finished epoch."
    if info.state == "failed":
        return "Failed. The log below says more; it can be resumed after its last finished epoch."
    return f"Done in {duration(spent(info))}." if info.started else "Done."


def position(info: RunInfo) -> tuple[int, str]:
    """The epoch that a run is in and its stage there; what is measured after an epoch belongs to that epoch."""
    stage, epoch = info.stage or "", info.epoch or 0
    if stage == "evaluate":
        return (epoch - 1, "evaluate") if epoch else (0, "measure")
    return (max(info.epochs - 1, 0) if stage == "save" else epoch), stage


def stages(info: RunInfo) -> list[Value]:
    """The stages of the present epoch, and which it has come to."""
    if info.state == "done":
        return [{"label": f"epoch {epoch}", "state": "done"} for epoch in range(max(info.epochs, 1))]
    epoch, stage = position(info)
    here = FIRST if epoch == 0 else LATER
    if info.epochs == 0:
        here = FIRST[:3]
    if info.epochs and epoch == info.epochs - 1:
        here = [*here, ("save", "save")]
    keys = [key for key, _ in here]
    if info.state == "queued" or stage not in keys:
        at = -1
    else:
        at = keys.index(stage)
    words = ["done" if i < at else "now" if i == at and info.active else "next" for i in range(len(keys))]
    return [{"label": label, "state": state} for (_, label), state in zip(here, words)]


def time_left(info: RunInfo) -> str:
    """Time left in words; said to be unknown as long as it is."""
    if info.state != "running":
        return ""
    if info.eta is not None:
        return f"about {duration(info.eta)} left"
    if info.stage_eta is not None:
        return f"about {duration(info.stage_eta)} left in this stage; in all: not known yet"
    return "time left: not known yet"


def figures(info: RunInfo, metrics: list[Any]) -> Value:
    """Cards of a run: loss, held-out loss, speed, memory; a dash where nothing was measured."""
    losses, held_out = analysis.loss_table(metrics), analysis.held_out_table(metrics)
    last = losses.iloc[-1] if len(losses) else None
    recent = float(losses["loss"].tail(10).mean()) if len(losses) else float("nan")
    speed = analysis.tokens_per_second(metrics)
    change = float(held_out["change"].iloc[-1]) if len(held_out) > 1 else float("nan")
    return {
        "cards": [
            _card("Step", "–" if last is None else number(last["step"]), hint=_epochs_trained(last, info)),
            _card("Training loss", score(recent), hint="nats per token, mean of the last 10 steps"),
            _card(
                "Held-out loss",
                score(held_out["held_out"].iloc[-1]) if len(held_out) else "–",
                hint=f"{change:+.3f} against the untouched model"
                if np.isfinite(change)
                else _untouched(len(held_out)),
            ),
            _card("Speed", number(speed), unit="tokens/s", hint="training, the last steps"),
            _card(
                "Memory",
                "–" if last is None else score(last["memory_gib"], 1),
                unit="GiB",
                hint="of the worker, at the last step",
            ),
        ]
    }


def _epochs_trained(last: Any, info: RunInfo) -> str:
    if last is None:
        return "no step trained yet"
    return f"{last['epoch']:.2f} of {info.epochs} epochs trained"


def _untouched(count: int) -> str:
    return "the untouched model" if count else "not measured yet"


def _card(label: str, value: str, *, hint: str, unit: str = "") -> Value:
    return {
        "label": label,
        "value": value,
        "unit": unit if value != "–" else "",
        "hint": hint,
        "tone": "plain",
    }


def loss_figure(home: Path, info: RunInfo, metrics: list[Any]) -> Value:
    """Training and held-out loss of a run."""
    figure = plots.loss(analysis.loss_table(metrics), analysis.held_out_table(metrics), epochs=info.epochs)
    if store.read_config(home, info.id).held_out == "demo" and "note" in figure:
        figure["note"] += text.DEMO_HELD_OUT
    return figure


def rate_figure(info: RunInfo, metrics: list[Any]) -> Value:
    """The learning rate of a run."""
    return plots.learning_rate(analysis.loss_table(metrics), epochs=info.epochs)


def log_text(home: Path, run: str, lines: int = 60) -> str:
    """What happened to a run, then the end of its log."""
    happened = [
        f"{time.strftime('%H:%M:%S', time.localtime(e.at))}  {e.kind}: {e.text}"
        for e in store.events(home, run)
    ]
    printed = store.read_log(home, run, tail=lines)
    return "\n".join([*happened, "", printed or "(the worker has printed nothing yet)"])


def read_metrics(home: Path, run: str) -> list[Any]:
    """A run's metrics; none where they cannot be read yet."""
    try:
        return store.read_metrics(home, run)
    except StudioError:
        return []


def spent(info: RunInfo) -> float | None:
    """Seconds that a run has taken so far; None where it has not started."""
    if info.started is None:
        return None
    return (info.ended or time.time()) - info.started
