"""Evaluations of a run's model with EleutherAI's harness: what was asked for, and what came out.

home/<run id>/evaluations/<id>/     evaluation.json (the plan), command.json, log.txt, results/
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from backend.errors import EvaluationError
from backend.store.files import write_json
from backend.store.jobs import Job, find_job, list_jobs, queue_job
from backend.store.paths import RUN_ID, existing_run_folder, new_run_id, run_folder
from backend.store.run_reading import read_tail

Of = Literal["run", "base"]


@dataclass(frozen=True)
class Plan:
    """What an evaluation is to do.

    of : the model that the run has trained, or the base model that it started from. model : its folder or hub id.
    adapter : the folder of adapters on top of it, "" for none. tokenizer : "" for the model's own.
    precision : of the run's configuration. tasks : the harness's names of tasks and groups.
    limit : examples of each task: a number from 1, or a share below 1; None for all.
    shots : examples in the prompt; None leaves it to each task. batch_size : examples at once.
    chat_template : put examples into the model's chat template, with `system_prompt`.
    include_path : a folder with tasks of one's own, "" for none.
    """

    of: Of
    model: str
    adapter: str
    tokenizer: str
    precision: str
    tasks: tuple[str, ...]
    limit: float | None
    shots: int | None
    batch_size: int
    chat_template: bool
    system_prompt: str
    include_path: str


@dataclass(frozen=True)
class TaskResult:
    """One metric of one task.

    filter : how answers were extracted before they were counted ("none": not at all).
    stderr : standard error of the value, NaN where the harness gives none. n : examples, None where it does not say.
    """

    task: str
    metric: str
    filter: str
    value: float
    stderr: float
    n: int | None
    shots: int | None
    version: str
    higher_is_better: bool | None


@dataclass(frozen=True, kw_only=True)
class Evaluation(Job):
    """An evaluation as it is now: its job, and what follows.

    results : empty unless it is done. harness : its version, "" before.
    """

    run: str
    plan: Plan
    results: tuple[TaskResult, ...] = ()
    harness: str = ""


def evaluation_folder(home: Path, run: str, evaluation: str) -> Path:
    """An evaluation's folder (it need not exist).

    Raises
    ------
    RunError : there is no such run. EvaluationError : the id is none.
    """
    if not isinstance(evaluation, str) or not RUN_ID.fullmatch(evaluation):
        raise EvaluationError(
            f"{evaluation!r} is not an evaluation's id (expected something like 20251122-174455-3fa9c1)"
        )
    return existing_run_folder(home, run) / "evaluations" / evaluation


def create_evaluation(home: Path, run: str, plan: Plan) -> str:
    """Write down what an evaluation is to do, and put it at the end of the queue; returns its id."""
    evaluation = new_run_id()
    write_json(evaluation_folder(home, run, evaluation) / "evaluation.json", {"plan": asdict(plan)})
    queue_job(home, evaluation, "evaluation", run)
    return evaluation


def read_evaluation(home: Path, run: str, evaluation: str) -> Evaluation:
    """An evaluation as it was written down.

    Raises
    ------
    EvaluationError : there is none, or its files cannot be read.
    """
    folder, job = evaluation_folder(home, run, evaluation), find_job(home, evaluation)
    if job is None or job.subject != run:
        raise EvaluationError(f"run {run} has no evaluation {evaluation}")
    try:
        about = _json(folder / "evaluation.json")["plan"]
        plan = Plan(**{**about, "tasks": tuple(about["tasks"])})
    except (OSError, KeyError, TypeError) as error:
        raise EvaluationError(f"{folder} is not an evaluation ({type(error).__name__}: {error})") from error
    results, harness = read_results(folder / "results") if job.state == "done" else ((), "")
    return Evaluation(**job.__dict__, run=run, plan=plan, results=results, harness=harness)


def evaluation_jobs(home: Path, run: str) -> list[Job]:
    """The jobs of a run's evaluations, newest first."""
    existing_run_folder(home, run)
    return list_jobs(home, kind="evaluation", subject=run)


def evaluation_log(home: Path, run: str, evaluation: str) -> Path:
    """The file that an evaluation prints to."""
    return run_folder(home, run) / "evaluations" / evaluation / "log.txt"


def read_evaluation_log(home: Path, run: str, evaluation: str) -> str:
    """What an evaluation has printed."""
    return read_tail(evaluation_log(home, run, evaluation), None).strip("\n")


def has_results(folder: Path) -> bool:
    """Whether the harness has written results below this folder."""
    return any(folder.glob("**/results_*.json"))


def read_results(folder: Path) -> tuple[tuple[TaskResult, ...], str]:
    """(what the harness wrote below this folder, its version); of several files the newest, by the time in its name.

    Raises
    ------
    EvaluationError : there is no such file, or it is not of the harness's form.
    """
    files = sorted(folder.glob("**/results_*.json"), key=lambda path: path.name)
    if not files:
        raise EvaluationError(f"there are no results in {folder}")
    values = _json(files[-1])
    try:
        return tuple(_rows(values)), str(values.get("lm_eval_version") or "")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise EvaluationError(
            f"{files[-1]} is not what the harness writes ({type(error).__name__}: {error})"
        ) from error


def _rows(values: dict[str, Any]) -> Iterator[TaskResult]:
    """A row for every "metric,filter" of every task and group, in the harness's order."""
    for task, found in values["results"].items():
        for key, value in found.items():
            metric, comma, filtered = key.partition(",")
            if not comma or metric.endswith("_stderr") or isinstance(value, (str, bool)):
                continue
            stderr = found.get(f"{metric}_stderr,{filtered}")
            shots = values.get("n-shot", {}).get(task)
            better = values.get("higher_is_better", {}).get(task) or {}
            yield TaskResult(
                task,
                metric,
                filtered,
                float(value),
                float(stderr) if isinstance(stderr, (int, float)) else math.nan,
                _examples(values, task, found, key),
                shots if isinstance(shots, int) else None,
                str(version) if (version := values.get("versions", {}).get(task)) is not None else "",
                better.get(metric),
            )


def _examples(values: dict[str, Any], task: str, found: dict[str, Any], key: str) -> int | None:
    """How many examples a metric is of: a task's are counted, a group's by metric."""
    counted = (values.get("n-samples") or {}).get(task) or {}
    by_metric = found.get("sample_count") or {}
    for count in (by_metric.get(key), counted.get("effective"), found.get("sample_len")):
        if isinstance(count, int):
            return count
    return None


def _json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EvaluationError(f"{path} cannot be read ({error})") from error
