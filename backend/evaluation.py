"""Evaluating models with EleutherAI's harness (lm-eval), which is an extra: its own command line in a process of ours.

What is wrong shows before anything starts: the package is not installed, a name is no task's, a run has no model.
What only the harness finds out (a task's data cannot be fetched) is in the evaluation's state, in words.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import signal
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

from backend import processes, store
from backend.data.demo import MODEL as DEMO_MODEL
from backend.errors import EvaluationError
from backend.model import model_files
from backend.models_on_demand.asked_models import run_model
from backend.store import evaluations as stored
from backend.store.evaluations import Evaluation, Of, Plan
from backend.store.paths import new_run_id

PACKAGE, INSTALL = "lm_eval", "pip install lm-eval"
TASK = re.compile(r"[A-Za-z0-9][\w.\-/]*")
DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
HUB, HUB_SECONDS = "https://huggingface.co", 3.0
KILL_SECONDS = 10.0


def harness_version() -> str | None:
    """The version of the harness that is installed; None where there is none."""
    if importlib.util.find_spec(PACKAGE) is None:
        return None
    try:
        return metadata.version("lm-eval")
    except metadata.PackageNotFoundError:
        return "of an unknown version"


def missing() -> str:
    """What to do where the harness is not installed; "" where it is."""
    if harness_version() is not None:
        return ""
    return (
        f"Evaluating needs the package lm-eval (EleutherAI's harness), and it is not installed where this runs "
        f"({sys.executable}). Install it with: {INSTALL}"
    )


def offline() -> str:
    """Why data of tasks cannot be fetched, in words; "" where the hub answers. Asks it, for some seconds at most."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        why = "HF_HUB_OFFLINE is set"
    else:
        hub = os.environ.get("HF_ENDPOINT") or HUB
        if _answers(hub):
            return ""
        why = f"{hub} cannot be reached from here"
    return f"{why}: only tasks whose data were fetched to this machine before can be evaluated."


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
            raise EvaluationError(f"{name!r} is no task's name (letters, digits, _ - . / are allowed)")
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
            raise EvaluationError(f"{name} is {value:g}; {low} or more is needed")
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
        model, adapter = model_files.whole(base), base
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
    """Start an evaluation in a process that outlives this one, and return its id. One at a time: it may wait.

    Raises
    ------
    EvaluationError : the harness is not installed, or the same is being evaluated already.
    """
    home = Path(home).resolve()
    if wrong := missing():
        raise EvaluationError(wrong)
    for other in evaluations(home, run):
        if other.active and other.plan == plan:
            raise EvaluationError(f"the same evaluation is {other.state} already ({other.id})")
    evaluation = new_run_id()
    stored.create_evaluation(home, run, evaluation, plan, created=time.time(), host=processes.this_host())
    try:
        process = processes.spawn(
            evaluator_command(home, run, evaluation), stored.evaluation_log(home, run, evaluation)
        )
    except OSError as error:
        text = f"the process could not be started: {error}"
        stored.set_evaluation(home, run, evaluation, "failed", error=text, ended=time.time())
        raise EvaluationError(text) from error
    del process  # it writes down by itself who it is
    return evaluation


def evaluations(home: Path, run: str) -> list[Evaluation]:
    """A run's evaluations, newest first."""
    return [evaluation(home, run, one) for one in stored.evaluation_ids(home, run)]


def evaluation(home: Path, run: str, evaluation_id: str) -> Evaluation:
    """An evaluation as it is now; one whose process is gone has failed, or stopped where it was asked to.

    Raises
    ------
    EvaluationError : there is no such evaluation.
    """
    processes.reap()
    found = stored.read_evaluation(home, run, evaluation_id)
    if not found.active or not processes.is_gone(found):
        return found
    found = stored.read_evaluation(home, run, evaluation_id)  # it may have ended between the two looks
    if not found.active:
        return found
    if stored.asked_to_stop(home, run, evaluation_id):
        return replace(found, state="stopped")
    return replace(found, state="failed", error=f"the process {processes.how_it_ended(found.pid)}")


def stop(home: Path, run: str, evaluation_id: str) -> None:
    """Stop an evaluation, with all its processes; the harness keeps nothing of one that is not done.

    Raises
    ------
    EvaluationError : it has ended already, or runs on another machine.
    """
    found = evaluation(home, run, evaluation_id)
    if not found.active:
        raise EvaluationError(f"evaluation {evaluation_id} is {found.state} already")
    if found.host != processes.this_host():
        raise EvaluationError(f"evaluation {evaluation_id} runs on {found.host}; stop it there")
    stored.ask_to_stop(home, run, evaluation_id)
    processes.send(found, signal.SIGTERM)
    until = time.monotonic() + KILL_SECONDS
    while processes.process_of(found) is not None:
        if time.monotonic() > until:
            processes.send(found, signal.SIGKILL)
            break
        time.sleep(0.02)


def compared(home: Path, runs: Sequence[str]) -> list[Evaluation]:
    """Evaluations of these runs' models and of their base models, whoever's run started those; newest first."""
    models = {store.read_config(home, run).model for run in runs}
    found = [one for run in runs for one in evaluations(home, run) if one.plan.of == "run"]
    for info in store.runs(home):
        if info.model in models:
            found += [one for one in evaluations(home, info.id) if one.plan.of == "base"]
    return sorted(found, key=lambda one: one.id, reverse=True)


def harness_command(plan: Plan, results: Path, *, arithmetic: str) -> list[str]:
    """The harness's own command line. arithmetic : what the run's precision is on this machine, a key of `DTYPES`."""
    # JSON, so that a folder's name may hold commas and equal signs
    model: dict[str, Any] = {"pretrained": plan.model, "dtype": DTYPES[arithmetic]}
    model |= {"peft": plan.adapter} if plan.adapter else {}
    model |= {"tokenizer": plan.tokenizer} if plan.tokenizer else {}
    command = [sys.executable, "-m", PACKAGE, "--model", "hf", "--model_args", json.dumps(model)]
    command += ["--tasks", ",".join(plan.tasks), "--batch_size", str(plan.batch_size)]
    command += ["--output_path", str(results)]
    if plan.limit is not None:
        command += ["--limit", f"{plan.limit:g}"]
    if plan.shots is not None:
        command += ["--num_fewshot", str(plan.shots)]
    if plan.chat_template:
        command += ["--apply_chat_template"]
        command += ["--system_instruction", plan.system_prompt] if plan.system_prompt else []
    if plan.include_path:
        command += ["--include_path", plan.include_path]
    return command


def words_of(command: Sequence[str]) -> str:
    """A command as somebody types it."""
    return shlex.join(command)


def evaluator_command(home: Path, run: str, evaluation_id: str) -> list[str]:
    """The command that works on an evaluation."""
    return [sys.executable, "-m", "backend.evaluator", str(home), run, evaluation_id]


def why_it_failed(log: str, code: int) -> str:
    """What a person needs to know of the harness's last words, instead of its traceback."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [
        line
        for line in lines
        if re.match(r"([\w.]+(Error|Exception|Exit|Enabled)|lm[-_]eval\S*: error)\b", line)
    ]
    last = errors[-1] if errors else lines[-1] if lines else "it printed nothing"
    if re.search(
        r"Couldn't reach|LocalEntryNotFound|OfflineMode|Max retries|ConnectionError|ConnectError|offline",
        last,
    ):
        return (
            "A task's data, or the model, could not be fetched: there is no network, or the hub does not answer. "
            f"Fetch them where there is one, or choose tasks whose data are on this machine. It said: {last}"
        )
    if re.search(r"Tasks? not found|not found in|No matching tasks", last):
        return f"The harness does not know a task: {last} (python -m lm_eval ls tasks lists them)"
    if re.search(r"out of memory|can't allocate memory", last):
        return f"Memory came to its end: {last} A smaller batch size needs less."
    if code < 0:
        return f"The harness was ended by {signal.Signals(-code).name}; it may have run out of memory. It said: {last}"
    return f"The harness ended with exit code {code}: {last}"


def _answers(address: str, connect: Callable[..., Any] | None = None) -> bool:
    """Whether a server takes a connection."""
    import socket

    parts = urllib.parse.urlparse(address)
    port = parts.port or (80 if parts.scheme == "http" else 443)
    try:
        with (connect or socket.create_connection)((parts.hostname, port), timeout=HUB_SECONDS):
            return True
    except OSError:
        return False
