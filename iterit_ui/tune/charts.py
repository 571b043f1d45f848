"""Cards and charts of a run, from its metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from backend import analysis, store
from backend.analysis.held_out_words import words_or_none
from backend.errors import StudioError
from backend.store import RunInfo
from iterit_ui import plots
from iterit_ui.shared.theme import number, score
from iterit_ui.tune.words import DEMO_HELD_OUT

Value = dict[str, Any]


def course_figure(home: Path, info: RunInfo, metrics: list[Any]) -> Value:
    """Losses, learning rate, gradient norm and memory of a run."""
    figure = plots.course(
        analysis.loss_table(metrics),
        analysis.held_out_points(metrics),
        epochs=info.epochs,
        measured_on=words_or_none(home, info.id),
    )
    if store.read_config(home, info.id).held_out == "demo" and "note" in figure:
        figure["note"] += DEMO_HELD_OUT
    return figure


def figures(home: Path, info: RunInfo, metrics: list[Any]) -> Value:
    """Cards of a run: loss, held-out loss, speed, memory; a dash where nothing was measured."""
    losses, held_out = analysis.loss_table(metrics), analysis.held_out_table(metrics)
    last = losses.iloc[-1] if len(losses) else None
    recent = float(losses["loss"].tail(10).mean()) if len(losses) else float("nan")
    # of the last epoch that was trained: what lies between epochs (scoring, a review) is not training
    trained = [stage for stage in store.stage_times(home, info.id) if stage.stage == "train"]
    speed = trained[-1].tokens_per_second if trained else float("nan")
    change = float(held_out["change"].iloc[-1]) if len(held_out) > 1 else float("nan")
    untouched = "the untouched model" if len(held_out) else "not measured yet"
    where = words_or_none(home, info.id)
    return {
        "cards": [
            _card("Step", "–" if last is None else number(last["step"]), hint=_trained(last, info)),
            _card("Training loss", score(recent), hint="mean of the last 10 lines"),
            _card(
                "Held-out loss",
                score(held_out["held_out"].iloc[-1]) if len(held_out) else "–",
                hint=(f"{change:+.3f} against the untouched model" if np.isfinite(change) else untouched)
                + (f"; on {where}" if where else ""),
            ),
            _card("Speed", number(speed), unit="tokens/s", hint="training, in the last epoch"),
            _card(
                "Memory",
                "–" if last is None else score(last["memory_gib"], 1),
                unit="GiB",
                hint="of the worker, at the last line",
            ),
        ]
    }


def read_metrics(home: Path, run: str) -> list[Any]:
    """A run's metrics; none where they cannot be read yet."""
    try:
        return store.read_metrics(home, run)
    except StudioError:
        return []


def metrics_stamp(home: Path, run: str) -> tuple[int, int]:
    """Another one once there are other metrics."""
    try:
        found = (store.run_folder(home, run) / "metrics.jsonl").stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _trained(last: Any, info: RunInfo) -> str:
    return "no step trained yet" if last is None else f"{last['epoch']:.2f} of {info.epochs} epochs trained"


def _card(label: str, value: str, *, hint: str, unit: str = "") -> Value:
    return {
        "label": label,
        "value": value,
        "unit": unit if value != "–" else "",
        "hint": hint,
        "tone": "plain",
    }
