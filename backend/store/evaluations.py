"""Evaluations of a run's model with EleutherAI's harness: what was asked for, how far each is, and what came out.

home/<run id>/evaluations/<id>/     evaluation.json, state.json, stop (where asked to), log.txt, results/
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from backend.errors import EvaluationError
from backend.store.files import write_json
from backend.store.paths import RUN_ID, existing_run_folder

EvaluationState = Literal["waiting", "running", "done", "stopped", "failed"]
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


@dataclass(frozen=True)
class Evaluation:
    """An evaluation as it is now.

    created, started, ended : seconds since 1970 (UTC), None where it has not happened.
    error : why it failed, for a person. results : empty unless it is done. harness : its version, "" before.
    host, pid, process_started, last_seen : its process, as `backend.processes` knows one.
    """

    id: str
    run: str
    plan: Plan
    state: EvaluationState
    created: float
    started: float | None = None
    ended: float | None = None
    error: str = ""
    results: tuple[TaskResult, ...] = ()
    harness: str = ""
    host: str | None = None
    pid: int | None = None
    process_started: float | None = None
    last_seen: float | None = None

    @property
    def active(self) -> bool:
        """Whether a process is, or should be, at it."""
        return self.state in ("waiting", "running")


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


def create_evaluation(
    home: Path, run: str, evaluation: str, plan: Plan, *, created: float, host: str
) -> None:
    """Make an evaluation's folder; it waits for its process."""
    folder = evaluation_folder(home, run, evaluation)
    write_json(folder / "evaluation.json", {"created": created, "plan": asdict(plan)})
    set_evaluation(home, run, evaluation, "waiting", host=host, last_seen=created)


def set_evaluation(home: Path, run: str, evaluation: str, state: EvaluationState, **values: Any) -> None:
    """Write down an evaluation's state, and what else is known: the last three lines of `Evaluation`'s fields."""
    if state not in get_args(EvaluationState):
        raise EvaluationError(f"state is {state!r}; allowed: {', '.join(get_args(EvaluationState))}")
    path = evaluation_folder(home, run, evaluation) / "state.json"
    write_json(path, {**(_json(path) if path.is_file() else {}), **values, "state": state})


def ask_to_stop(home: Path, run: str, evaluation: str) -> None:
    """Write down that somebody wants an evaluation to stop."""
    (evaluation_folder(home, run, evaluation) / "stop").touch()


def asked_to_stop(home: Path, run: str, evaluation: str) -> bool:
    """Whether somebody wants an evaluation to stop."""
    return (evaluation_folder(home, run, evaluation) / "stop").exists()


def read_evaluation(home: Path, run: str, evaluation: str) -> Evaluation:
    """An evaluation as it was written down.

    Raises
    ------
    EvaluationError : there is none, or its files cannot be read.
    """
    folder = evaluation_folder(home, run, evaluation)
    try:
        about, state = _json(folder / "evaluation.json"), _json(folder / "state.json")
        plan = Plan(**{**about["plan"], "tasks": tuple(about["plan"]["tasks"])})
        found = Evaluation(id=evaluation, run=run, plan=plan, created=about["created"], **state)
    except FileNotFoundError as error:
        raise EvaluationError(f"run {run} has no evaluation {evaluation}") from error
    except (KeyError, TypeError) as error:
        raise EvaluationError(f"{folder} is not an evaluation ({type(error).__name__}: {error})") from error
    if found.state != "done":
        return found
    results, harness = read_results(folder / "results")
    return replace(found, results=results, harness=harness)


def evaluation_ids(home: Path, run: str) -> list[str]:
    """The ids of a run's evaluations, newest first."""
    folder = existing_run_folder(home, run) / "evaluations"
    if not folder.is_dir():
        return []
    there = (path.parent.name for path in folder.glob("*/evaluation.json"))
    return sorted((name for name in there if RUN_ID.fullmatch(name)), reverse=True)


def evaluation_log(home: Path, run: str, evaluation: str) -> Path:
    """The file that an evaluation prints to."""
    return evaluation_folder(home, run, evaluation) / "log.txt"


def read_evaluation_log(home: Path, run: str, evaluation: str) -> str:
    """What an evaluation has printed; of a line that a progress bar has written over and over, its last."""
    try:
        text = evaluation_log(home, run, evaluation).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(re.split(r"\r+", line.rstrip("\r"))[-1] for line in text.split("\n")).strip("\n")


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
