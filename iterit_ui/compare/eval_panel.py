"""Evaluating chosen runs' models with EleutherAI's harness: start, watch, stop, read; results beside the base model's.

The builder lays out and wires; every callback below it is a plain function. What is shown is what lies on disk.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.errors import EvaluationError, StudioError, without_folders
from backend.jobs import evaluation_jobs, harness
from iterit_ui.compare.eval_views import Value, evaluations_table, log_text, results_table
from iterit_ui.components import heading, note, table
from iterit_ui.components.screen import when_shown
from iterit_ui.shared.session import DRAW, EVENT, QUIET, Session, bound

BUSY_SECONDS, IDLE_SECONDS = 2.0, 15.0
LINE = "lm-eval, EleutherAI's harness, measures models on public tasks such as arc_easy or hellaswag. One evaluation runs at a time; it continues if you close this page."


def build_eval(session: Session, runs: gr.State) -> None:
    """Lay the part out and wire it. runs : ids of the chosen runs, list[str]."""
    home = session.home
    chosen, seen, timer = gr.State(""), gr.State(""), gr.Timer(IDLE_SECONDS)
    with gr.Column(elem_classes="sheet", elem_id="eval"):
        heading("Evaluate on tasks", LINE, level=2)
        message = note(None, elem_id="eval-message")
        with gr.Column(visible=not harness.missing(), elem_id="eval-form") as form:
            with gr.Row(elem_classes="row-tight"):
                tasks = gr.Textbox(
                    label="Tasks",
                    info="Task or group names of lm-eval, separated by commas.",
                    placeholder="arc_easy, hellaswag",
                    scale=3,
                    min_width=260,
                    elem_id="eval-tasks",
                )
                # a number field shows 0 where it is empty, and empty means something here
                limit = gr.Textbox(
                    label="Limit",
                    info="Examples per task, or a share below 1.",
                    placeholder="all",
                    min_width=150,
                    elem_id="eval-limit",
                )
                shots = gr.Textbox(
                    label="Shots",
                    info="Solved examples in the prompt.",
                    placeholder="each task's own",
                    min_width=150,
                    elem_id="eval-shots",
                )
                batch = gr.Number(
                    8,
                    label="Batch size",
                    info="Examples per batch; fewer need less memory.",
                    precision=0,
                    minimum=1,
                    min_width=150,
                    elem_id="eval-batch",
                )
            with gr.Row(elem_classes="row-tight"):
                base = gr.Checkbox(
                    True,
                    label="Also evaluate the base model",
                    info="The model that the chosen runs started from.",
                    elem_id="eval-base",
                )
                template = gr.Checkbox(
                    False,
                    label="Use the chat template",
                    info="Puts each example into a conversation, with the run's system prompt.",
                    elem_id="eval-template",
                )
            with gr.Row(elem_classes="row-tight"):
                start = gr.Button("Evaluate", variant="primary", scale=0, min_width=130, elem_id="eval-go")
        results = table(elem_id="eval-results")
        listed = table(elem_id="eval-list")
        with gr.Column(visible=False, elem_id="eval-one") as one:
            failed = note(None, elem_id="eval-failed")
            with gr.Row(elem_classes="row-tight"):
                stop = gr.Button(
                    "Stop this evaluation", visible=False, scale=0, min_width=210, elem_id="eval-stop"
                )
            log = gr.Textbox(
                label="Log",
                lines=10,
                max_lines=16,
                interactive=False,
                elem_id="eval-log",
                elem_classes="mono",
            )

    shown = [results, listed, one, failed, stop, log, form, timer, seen]
    read = [runs, chosen, seen]
    opened = when_shown("compare", "ready")
    gr.on(
        [opened, runs.change, chosen.change, timer.tick],
        bound(evaluation_values, home),
        read,
        shown,
        **DRAW,
    )
    gr.on([opened, runs.change], ready_words, runs, message, **DRAW)
    start.click(
        bound(started, home),
        [runs, base, tasks, limit, shots, batch, template],
        [chosen, message],
        concurrency_limit=1,
        **QUIET,
    ).then(bound(evaluation_values, home), read, shown, **DRAW)

    # Gradio finds `event` by its annotation, which a bound function does not show
    def on_pick(picked: str, event: gr.EventData) -> Any:
        return pick(home, picked, event)

    listed.pick(on_pick, chosen, chosen, **EVENT)
    stop.click(bound(stopped, home), chosen, message, **QUIET).then(
        bound(evaluation_values, home), read, shown, **DRAW
    )


# ---------------------------------------------------------------- starting and stopping


def ready_words(runs: list[str]) -> Value | None:
    """What is missing before anything can be evaluated; None where nothing is."""
    if harness.missing():
        return {
            "tone": "empty",
            "title": "lm-eval is not installed",
            "text": "Evaluation needs this package on the machine that runs the app.",
            "steps": [f"Run: {harness.INSTALL}", "Restart this app.", "Evaluations appear here."],
        }
    if not runs:
        return {
            "tone": "empty",
            "text": "Choose runs above: their models can be evaluated once they have been trained.",
        }
    return None


def started(
    home: Path,
    runs: list[str],
    base: bool,
    tasks: str,
    limit: str,
    shots: str,
    batch: float | None,
    template: bool,
) -> tuple[Any, Any]:
    """Start an evaluation of each chosen run's model, and of each base model: (the first one's name, a note)."""
    try:
        if wrong := harness.missing():
            raise EvaluationError(wrong)
        if not runs:
            raise EvaluationError("choose at least one run above")
        if batch is None:
            raise EvaluationError("batch size is empty; expected a number")
        given: dict[str, Any] = {
            "limit": _number("limit", limit),
            "shots": None if (few := _number("shots", shots)) is None else int(few),
            "batch_size": int(batch),
            "chat_template": bool(template),
        }
        names = evaluation_jobs.tasks_of(tasks or "")
        wanted = _wanted(home, runs, bool(base))
        plans = [(run, evaluation_jobs.plan(home, run, names, of=of, **given)) for run, of in wanted]
        begun = [f"{run}/{evaluation_jobs.start(home, run, plan)}" for run, plan in plans]
    except StudioError as error:
        return gr.skip(), {
            "tone": "error",
            "title": "This cannot be evaluated",
            "text": _sentence(str(error)),
        }
    count = len(begun)
    said = f"{count} evaluation{'s' if count > 1 else ''} started; one runs at a time."
    if without := harness.offline():
        return begun[0], {"tone": "warn", "text": f"{said} {_sentence(without)}"}
    if any(info.active for info in store.runs(home)):
        said += " A training run is active too: both become slower, and memory may be short."
    return begun[0], {"tone": "good", "text": said}


def _wanted(home: Path, runs: Sequence[str], base: bool) -> list[tuple[str, Any]]:
    """(run, "run" or "base") of what is to be evaluated; each base model once."""
    found: list[tuple[str, Any]] = []
    bases: set[str] = set()
    for run in runs:
        model = store.read_config(home, run).model
        if base and model not in bases:
            found.append((run, "base"))
            bases.add(model)
    return [*found, *((run, "run") for run in runs)]


def stopped(home: Path, chosen: str) -> Any:
    """Stop the evaluation that is shown."""
    try:
        run, one = _parts(chosen)
        evaluation_jobs.stop(home, run, one)
    except StudioError as error:
        return {"tone": "error", "text": _sentence(str(error))}
    return None


def pick(home: Path, chosen: str, event: gr.EventData) -> Any:
    """The evaluation of the row that was clicked."""
    asked = str(event._data.get("id", "")) if isinstance(event._data, dict) else ""
    try:
        run, one = _parts(asked)
        evaluation_jobs.evaluation(home, run, one)
    except StudioError:
        return chosen
    return asked


# ---------------------------------------------------------------- showing


def evaluation_values(home: Path, runs: list[str], chosen: str, seen: str) -> tuple[Any, ...]:
    """Evaluations as they are on disk now; nothing where nothing has changed since.

    Order: results, evaluations, the shown one, why it failed, Stop, its log, the form, timer, what was seen.
    """
    try:
        found = evaluation_jobs.compared(home, runs or [])
    except StudioError as error:
        empty = {"tone": "error", "text": _sentence(str(error))}
        return None, None, gr.Column(visible=True), empty, *[gr.skip()] * 5
    names = {info.id: info.name for info in store.runs(home)}
    one = next((one for one in found if f"{one.run}/{one.id}" == chosen), None)
    log = log_text(home, one) if one else ""
    results, listed = results_table(found, names), evaluations_table(found, names, chosen)
    installed = not harness.missing()
    mark = hashlib.sha1(
        json.dumps([results, listed, log, installed]).encode(), usedforsecurity=False
    ).hexdigest()
    if mark == seen:
        return (gr.skip(),) * 9
    wrong = without_folders(one.error or "") if one and one.state == "failed" else ""
    return (
        results,
        listed,
        gr.Column(visible=one is not None),
        {"tone": "error", "title": "It failed", "text": wrong} if wrong else None,
        gr.Button(visible=bool(one and one.unfinished)),
        log,
        gr.Column(visible=installed),
        gr.Timer(BUSY_SECONDS if any(other.unfinished for other in found) else IDLE_SECONDS),
        mark,
    )


def _parts(name: str) -> tuple[str, str]:
    run, slash, one = name.partition("/")
    if not slash:
        raise EvaluationError("no evaluation is chosen")
    return run, one


def _number(name: str, text: str) -> float | None:
    """What was typed as a number; None where nothing was."""
    if not (text or "").strip():
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise EvaluationError(f"{name} is {text!r}; expected a number, or nothing") from error
    if not math.isfinite(value):
        raise EvaluationError(f"{name} is {text!r}; expected a finite number, or nothing")
    return value


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
