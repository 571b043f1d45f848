"""What the page shows of evaluations: tables and words from what lies on disk."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend.data.demo import MODEL as DEMO_MODEL
from backend.store import evaluations as stored
from backend.store.evaluations import Evaluation, TaskResult
from iterit_ui.shared.theme import duration, moment

MOST_LOG_LINES = 400
ARROW = {"higher": "↑", "lower": "↓", "": ""}
TONE = {"running": "candidate", "queued": "candidate", "done": "pinned", "failed": "rejected"}
Value = dict[str, Any]


def results_table(found: Sequence[Evaluation], names: dict[str, str]) -> Value | None:
    """A row for each metric of each task, a column for each model; None where nothing is done.

    Values stand in one row only where task version, shots, number of examples and prompt format are the same. Of
    several evaluations of one model by the same measure the newest counts.
    """
    done = [one for one in found if one.state == "done"]
    if not done:
        return None
    models: dict[str, str] = {}
    for one in sorted(done, key=lambda one: one.plan.of != "base"):
        models[model_key(one)] = model_name(one, names)
    rows: dict[tuple[Any, ...], dict[str, str]] = {}
    for one in sorted(done, key=lambda one: one.created):
        for row in one.results:
            measure = (
                row.task,
                row.metric,
                row.filter,
                row.version,
                row.shots,
                row.n,
                one.plan.chat_template,
            )
            cells = rows.setdefault(measure, {})
            cells[model_key(one)] = value_words(row)
            cells["better"] = {True: "higher", False: "lower", None: ""}[row.higher_is_better]
    columns = [
        {"key": "task", "label": "Task", "width": "170px"},
        {"key": "metric", "label": "Metric", "hint": "and whether higher or lower is better"},
        {"key": "n", "label": "Examples", "align": "right", "width": "90px"},
        {"key": "shots", "label": "Shots", "align": "right", "width": "64px"},
        {"key": "version", "label": "Version", "align": "right", "width": "72px", "minor": True},
        *(
            {"key": key, "label": name, "align": "right", "hint": f"{name}: value ± standard error"}
            for key, name in models.items()
        ),
    ]
    lines = []
    for (task, metric, filtered, version, shots, n, chat), cells in rows.items():
        how = [
            words
            for words in ("" if filtered == "none" else filtered, "chat template" if chat else "")
            if words
        ]
        named = f"{metric} ({', '.join(how)})" if how else metric
        lines.append(
            {
                "task": task,
                "metric": f"{named} {ARROW[cells['better']]}".strip(),
                "n": "unknown" if n is None else f"{n:,}",
                "shots": "unknown" if shots is None else str(shots),
                "version": version or "–",
                **{key: cells.get(key, "–") for key in models},
            }
        )
    return {
        "title": "Results",
        "note": "Value ± standard error, as lm-eval reports it; a difference within the errors means nothing.",
        "columns": columns,
        "rows": lines,
        "ids": [f"{at}" for at in range(len(lines))],
        "page": 0,
        "pages": 1,
        "total": len(lines),
        "unit": "metrics",
        "selected": None,
    }


def evaluations_table(found: Sequence[Evaluation], names: dict[str, str], chosen: str) -> Value | None:
    """Every evaluation of these models, newest first; None where there is none."""
    if not found:
        return None
    rows = []
    for one in found:
        limit = one.plan.limit
        of = (
            "all examples"
            if limit is None
            else f"{limit:.0%} of each"
            if limit < 1
            else f"{limit:,.0f} of each"
        )
        took = (one.ended or time.time()) - one.started if one.started else None
        rows.append(
            {
                "model": model_name(one, names),
                "tasks": f"{', '.join(one.plan.tasks)} · {of}",
                "state": {"text": one.state, "tone": TONE.get(one.state, "plain")},
                "started": moment(one.started or one.created),
                "took": duration(took) if took is not None and not one.unfinished else "–",
            }
        )
    return {
        "title": "Evaluations",
        "note": "Click one to read its log, or to stop it.",
        "columns": [
            {"key": "model", "label": "Model"},
            {"key": "tasks", "label": "Tasks"},
            {"key": "state", "label": "State", "kind": "badge", "width": "110px"},
            {"key": "started", "label": "Started", "align": "right", "width": "110px"},
            {"key": "took", "label": "Took", "align": "right", "width": "90px"},
        ],
        "rows": rows,
        "ids": [f"{one.run}/{one.id}" for one in found],
        "page": 0,
        "pages": 1,
        "total": len(rows),
        "unit": "evaluations",
        "selected": chosen or None,
    }


def value_words(row: TaskResult) -> str:
    """A value with its standard error, where the harness gives one."""
    if not math.isfinite(row.value):
        return "not a number"
    return f"{row.value:.3f} ± {row.stderr:.3f}" if math.isfinite(row.stderr) else f"{row.value:.3f}"


def model_name(one: Evaluation, names: dict[str, str]) -> str:
    """What a person calls the evaluated model."""
    if one.plan.of == "base":
        model = one.plan.model
        if model == str(DEMO_MODEL):
            return "demo (base)"
        return f"{Path(model).name if Path(model).is_absolute() else model} (base)"
    name = names.get(one.run, one.run)
    return name if list(names.values()).count(name) == 1 else f"{name} ({one.run[-6:]})"


def log_text(home: Path, one: Evaluation) -> str:
    """The end of an evaluation's log."""
    lines = stored.read_evaluation_log(home, one.run, one.id).split("\n")
    cut = [f"… {len(lines) - MOST_LOG_LINES:,} lines before"] if len(lines) > MOST_LOG_LINES else []
    return "\n".join([*cut, *lines[-MOST_LOG_LINES:]]) or "(no output yet)"


def model_key(one: Evaluation) -> str:
    return f"base {one.plan.model}" if one.plan.of == "base" else one.run
