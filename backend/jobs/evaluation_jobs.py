"""Evaluating what runs have trained, and the models that they started from, with EleutherAI's harness (see `harness`).

What is wrong shows before anything starts: the package is not installed, a name is no task's, a run has no model.
What only the harness finds out (a task's data cannot be fetched) is in the evaluation's state, in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from backend import store
from backend.data.demo import MODEL as DEMO_MODEL
from backend.errors import EvaluationError
from backend.jobs import harness, lifecycle
from backend.model import model_files
from backend.models_on_demand.asked_models import run_model
from backend.store import evaluations as stored
from backend.store.evaluations import Evaluation, Of, Plan

TASK = re.compile(r"[A-Za-z0-9][\w.\-/]*")


def tasks_of(text: str | Iterable[str]) -> tuple[str, ...]:
    """Names of tasks, separated by commas or spaces, each once.

    Raises
    ------
    EvaluationError : none, or one that cannot be a task's name.
    """
    parts = [text] if isinstance(text, str) else text
    names = [name for part in parts for name in re.split(r"[\s,]+", part) if name]
    if not names:
        raise EvaluationError("name at least one task, such as arc_easy or hellaswag")
    for name in names:
        if not TASK.fullmatch(name):
            raise EvaluationError(f"{name!r} is not a valid task name (letters, digits, _ - . / are allowed)")
    return tuple(dict.fromkeys(names))


def plan(
    home: Path,
    run: str,
    tasks: Sequence[str],
    *,
    of: Of = "run",
    limit: float | None = None,
    shots: int | None = None,
    batch_size: int = 8,
    chat_template: bool = False,
    include_path: str = "",
) -> Plan:
    """What an evaluation of a run's model, or of its base model, is to do.

    Raises
    ------
    RunError : no such run, or it has no trained model. EvaluationError : a number is out of its range.
    """
    for name, value, low in (("limit", limit, 0), ("shots", shots, 0), ("batch size", batch_size, 1)):
        if value is not None and value < low:
            raise EvaluationError(f"{name} is {value:g}; expected {low} or more")
    if limit == 0:
        raise EvaluationError("limit is 0; give the number of examples of each task, or a share below 1")
    if include_path and not Path(include_path).is_dir():
        raise EvaluationError(f"include path {include_path} is not a folder")
    config = store.read_config(home, run)
    base = str(DEMO_MODEL) if config.model == "demo" else config.model
    model, adapter = base, ""
    if of == "run":
        model, adapter = _trained(home, run, base)
    elif _holds_adapters(base):
        model, adapter = model_files.full_path(base), base
    tokenizer = adapter if adapter and (Path(adapter) / "tokenizer.json").is_file() else ""
    return Plan(
        of,
        model,
        adapter,
        tokenizer,
        config.precision,
        tasks_of(tasks),
        limit,
        shots,
        batch_size,
        chat_template,
        config.system_prompt,
        str(Path(include_path).resolve()) if include_path else "",
    )


def _trained(home: Path, run: str, base: str) -> tuple[str, str]:
    """(model, adapters on top of it) of what a run has trained, as the harness takes it."""
    folder = run_model(home, run)
    merged = folder.parent / "merged"
    if not _holds_adapters(str(folder)):
        return str(folder), ""
    if (merged / "config.json").is_file():
        return str(merged), ""
    if _holds_adapters(base):
        raise EvaluationError(
            f"run {run} trained adapters on top of a model that is adapters itself, which the harness cannot load; "
            "train with --save-merged, and the merged model is evaluated"
        )
    return base, str(folder)


def _holds_adapters(model: str) -> bool:
    return model_files.is_adapter(Path(model))


def start(home: Path, run: str, plan: Plan) -> str:
    """Queue an evaluation, start it if its turn has come, and return its id. It goes on when this process ends.

    Raises
    ------
    EvaluationError : the harness is not installed, or the same is being evaluated already.
    """
    home = Path(home).resolve()
    if wrong := harness.missing():
        raise EvaluationError(wrong)
    for other in evaluations(home, run):
        if other.unfinished and other.plan == plan:
            raise EvaluationError(f"the same evaluation is {other.state} already ({other.id})")
    evaluation = stored.create_evaluation(home, run, plan)
    lifecycle.pump(home, kinds=("evaluation",))
    return evaluation


def evaluations(home: Path, run: str) -> list[Evaluation]:
    """A run's evaluations as they are now, newest first; one whose turn has come is started."""
    lifecycle.pump(home, kinds=("evaluation",))
    return [stored.read_evaluation(home, run, job.id) for job in stored.evaluation_jobs(home, run)]


def evaluation(home: Path, run: str, evaluation_id: str) -> Evaluation:
    """An evaluation as it is now; one whose turn has come is started.

    Raises
    ------
    EvaluationError : there is no such evaluation.
    """
    lifecycle.pump(home, kinds=("evaluation",))
    return stored.read_evaluation(home, run, evaluation_id)


def stop(home: Path, run: str, evaluation_id: str) -> None:
    """Stop an evaluation, with all its processes; the harness keeps nothing of one that is not done.

    Raises
    ------
    EvaluationError : it has ended already.
    """
    found = evaluation(home, run, evaluation_id)
    if not found.unfinished:
        raise EvaluationError(f"evaluation {evaluation_id} is {found.state} already")
    lifecycle.stop(home, evaluation_id)


def compared(home: Path, runs: Sequence[str]) -> list[Evaluation]:
    """Evaluations of these runs' models and of their base models, whoever's run started those; newest first."""
    lifecycle.pump(home, kinds=("evaluation",))
    bases = {store.read_config(home, run).model for run in runs}
    model_of = {info.id: info.model for info in store.runs(home)}
    related = [job for job in store.list_jobs(home, kind="evaluation") if model_of.get(job.subject) in bases]
    found = [stored.read_evaluation(home, job.subject, job.id) for job in related]
    return [one for one in found if one.plan.of == "base" or one.run in runs]
