"""A run in full: its state, its stages epoch by epoch, and what can be done with it."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

from backend import analysis, store
from backend.analysis import Cell, EpochLine, GoesOn
from backend.config import RunConfig
from backend.errors import without_folders
from backend.jobs import lifecycle
from backend.records import Metrics
from backend.store import RunInfo
from iterit_ui.shared import theme
from iterit_ui.tune.run_list import status_text, time_left

Value = dict[str, Any]

COLUMNS = ["Score", "Select", "Review", "Train", "Evaluate"]
STAGES = ("score", "select", "review", "train", "evaluate")
EMPTY: Value = {"state": "none"}


def run_value(home: Path, info: RunInfo, config: RunConfig, metrics: list[Metrics]) -> Value:
    """All that is said of a run above its charts."""
    line = analysis.timeline(home, info, config, metrics)
    goes_on = analysis.goes_on_from(home, info.id, config)
    reviewed = any(row.cells["review"].state != "none" for row in line.epochs)
    stages = [stage for stage in STAGES if stage != "review" or reviewed]
    empty = [EMPTY] * len(stages)
    first = [*empty]
    first[0] = cell(line.load, "load model and pool")
    first[-1] = cell(line.untouched, _loss(line.untouched_loss, "untouched model"))
    last = [*empty]
    last[0] = cell(line.save, "save the model")
    rows = [{"label": "Before", "cells": first}]
    rows += [epoch_row(row, stages, info) for row in line.epochs]
    if line.save.state != "none" or config.epochs:
        rows.append({"label": "After", "cells": last})
    return {
        "state": info.state,
        "title": info.name,
        "text": status_text(info),
        "eta": time_left(info),
        "done": info.done if info.state in ("running", "stopping") else 0,
        "total": info.total if info.state in ("running", "stopping") else 0,
        "unit": info.unit,
        "error": without_folders(info.error or "") if info.state == "failed" else None,
        "columns": [name for name, stage in zip(COLUMNS, STAGES, strict=True) if stage in stages],
        "rows": rows,
        "said": attempts_said(line.attempts),
        "actions": actions(home, info, goes_on),
    }


def epoch_row(row: EpochLine, stages: list[str], info: RunInfo) -> Value:
    """One epoch's line of the timeline."""
    words: dict[str, str] = {"select": "", "review": "", "evaluate": _loss(row.held_out, "held-out loss")}
    if row.taken is not None:
        words["score"] = f"scores {row.taken.words}"
    if row.selected is not None:
        words["select"] = theme.counted(row.selected, "sample")
        if row.came is not None:
            words["select"] += f", +{row.came:,} −{row.went:,}"
    if row.review is not None:
        words["review"] = (
            "waits for an answer"
            if row.review.answered is None
            else f"by {row.review.who}"
            if row.review.who
            else "no answer in time"
        )
    notes: list[Value] = [{"text": f"resumed here (attempt {number})"} for number in row.attempts]
    if row.changes:
        names = ", ".join(name.replace("_", " ") for name in row.changes)
        notes.append({"text": f"changed by hand: {names}", "hand": True})
    return {
        "label": f"Epoch {row.epoch}",
        "notes": notes,
        "cells": [cell(row.cells[stage], words.get(stage, "")) for stage in stages],
    }


def cell(found: Cell, words: str = "") -> Value:
    """A stage of an epoch as it is drawn."""
    if found.state == "none":
        return {"state": "none", "hint": "not needed"} if not words else {"state": "none"}
    if found.state == "next":
        return {"state": "next"}
    parts = [words] if words and found.state != "now" else []
    value: Value = {"state": found.state, "text": theme.duration(found.seconds)}
    if math.isfinite(found.speed):
        parts.append(f"{found.speed:,.0f} tokens/s")
    if found.state == "now":
        if found.total:
            value["share"] = found.done / found.total
            value["text"] = f"{100 * found.done / found.total:.0f} %"
        if found.left is not None:
            parts.insert(0, f"{theme.duration(found.left)} left")
    if found.state == "ended":
        value["text"] = "broke off" + (f" at {100 * found.done / found.total:.0f} %" if found.total else "")
    return value | {"hint": " · ".join(parts)}


def attempts_said(attempts: Any) -> list[str]:
    """The workers that have been started, where there was more than one."""
    if len(attempts) < 2:
        return []
    words = [
        f"attempt {one.number}: {theme.moment(one.began)}"
        + (f" to {theme.moment(one.ended)}, {one.outcome}" if one.ended else ", goes on")
        for one in attempts
    ]
    return ["; ".join(words).capitalize() + ". Times are those of the attempt that finished a stage."]


def actions(home: Path, info: RunInfo, goes_on: GoesOn) -> list[Value]:
    """What can be done with a run now, and what each costs."""
    found: list[Value] = []
    kept = goes_on_words(goes_on)
    if info.state == "queued":
        found.append(
            {"key": "stop", "label": "Cancel", "hint": "Takes it out of the queue; it can be resumed."}
        )
    if info.state in ("running", "waiting"):
        found += [
            {
                "key": "stop",
                "label": "Stop after the current step",
                "hint": "Writes a checkpoint while it trains, so that no finished work is lost.",
            },
            {
                "key": "kill",
                "label": "Stop at once",
                "confirm": "Yes, stop at once",
                "hint": f"Loses progress since the last checkpoint: it would resume {kept}.",
            },
        ]
    if info.state == "stopping":
        waited = time.time() - (info.stopping or time.time())
        late = waited > lifecycle.GRACE_SECONDS
        found.append(
            {
                "key": "kill",
                "label": "Stop at once",
                "confirm": "Yes, stop at once",
                "hint": (f"It has not ended for {theme.duration(waited)}. " if late else "")
                + f"It would resume {kept}.",
            }
        )
    if info.resumable:
        found.append({"key": "resume", "label": "Resume", "primary": True, "hint": f"Resumes {kept}."})
    if store.epochs(home, info.id):
        found.append({"key": "open", "label": "Open in Epochs", "hint": "Who came, stayed and went."})
    return found


def goes_on_words(goes_on: GoesOn) -> str:
    """From where a resumed run goes on, to follow "goes on"."""
    if goes_on.step:
        trained = f", {goes_on.epochs:.2f} epochs trained" if math.isfinite(goes_on.epochs) else ""
        return f"from the checkpoint at step {goes_on.step:,}{trained}"
    if goes_on.selected:
        return "from the beginning of training; epoch 0's scores and selection are kept"
    return "from the beginning"


def _loss(value: float, words: str) -> str:
    return f"{words} {value:.3f}" if math.isfinite(value) else words
