"""The command that evaluates models with EleutherAI's harness."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console
from backend.cli.options import AsJson, RunsDir
from backend.cli.showing import find_run
from backend.errors import EvaluationError, Stopped

if TYPE_CHECKING:
    from backend.store.evaluations import Evaluation

LOOK_SECONDS = 1.0


def evaluate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its beginning, or 'last'.")],
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--tasks", metavar="T1,T2", help="lm-eval tasks; without any, earlier results are shown."
        ),
    ] = None,
    base: Annotated[
        bool, typer.Option("--base", help="Evaluate the model that the run started from instead.")
    ] = False,
    limit: Annotated[
        float | None,
        typer.Option("--limit", metavar="N", help="Examples per task, or a share below 1. [default: all]"),
    ] = None,
    shots: Annotated[
        int | None, typer.Option("--shots", help="Examples in the prompt. [default: each task's own]")
    ] = None,
    batch_size: Annotated[int, typer.Option("--batch-size", help="Examples at once.")] = 8,
    chat_template: Annotated[
        bool,
        typer.Option(
            "--chat-template", help="Put examples into the model's chat template, as it was trained."
        ),
    ] = False,
    include_path: Annotated[
        str, typer.Option("--include-path", metavar="DIR", help="Folder with your own tasks.")
    ] = "",
    watch: Annotated[
        bool, typer.Option("--watch/--detach", help="Wait for the end (Ctrl-C stops it), or return at once.")
    ] = True,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Evaluate a run's model with lm-eval, EleutherAI's harness (an extra: pip install lm-eval).

    It goes on when this command ends. Shown are all evaluations of the run's model and of its base model.
    """
    from backend.jobs import evaluation_jobs, harness

    home = runs_dir.resolve()
    run_id = find_run(home, run)
    if tasks:
        plan = evaluation_jobs.plan(
            home,
            run_id,
            evaluation_jobs.tasks_of(tasks),
            of="base" if base else "run",
            limit=limit,
            shots=shots,
            batch_size=batch_size,
            chat_template=chat_template,
            include_path=include_path,
        )
        if wrong := harness.missing():
            raise EvaluationError(wrong)
        if without := harness.offline():
            console.say(f"note: {without}")
        started = evaluation_jobs.start(home, run_id, plan)
        console.say(f"evaluation {started} of {'the base model' if base else 'run'} {run_id}")
        if watch:
            _wait(home, run_id, started)
    found = evaluation_jobs.compared(home, [run_id])
    if as_json:
        console.print_json([dataclasses.asdict(one) for one in found])
    else:
        _print(found)


def _wait(home: Path, run: str, evaluation: str) -> None:
    """Wait until an evaluation has ended; Ctrl-C stops it."""
    from backend.jobs import evaluation_jobs
    from backend.store.evaluations import evaluation_log

    with console.progress_bar() as bar:
        try:
            while (found := evaluation_jobs.evaluation(home, run, evaluation)).unfinished:
                bar.show("queued" if found.state == "queued" else "evaluating", 0, 0)
                time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            evaluation_jobs.stop(home, run, evaluation)
            raise Stopped(f"evaluation {evaluation} is stopped") from None
    if found.state == "failed":
        raise EvaluationError(f"{found.error}\nIts log: {evaluation_log(home, run, evaluation)}")
    if found.state == "stopped":
        raise Stopped(f"evaluation {evaluation} was stopped")


def _print(found: Sequence[Evaluation]) -> None:
    columns = ["model", "task", "metric", "value", "± stderr", "n", "shots", "version", "state"]
    print_rows: list[list[str]] = []
    for one in found:
        model = "base" if one.plan.of == "base" else one.run
        for row in one.results:
            metric = row.metric if row.filter == "none" else f"{row.metric} ({row.filter})"
            print_rows.append(
                [model, row.task, metric, console.number(row.value, 4), console.number(row.stderr, 4), _or_dash(row.n),
                 _or_dash(row.shots), row.version or "-", one.state]
            )  # fmt: skip
        if not one.results:
            print_rows.append([model, ", ".join(one.plan.tasks), *["-"] * 6, one.state])
    if not print_rows:
        print("nothing has been evaluated yet; name --tasks")
        return
    console.print_table(
        "Evaluations", columns, print_rows, left=("model", "task", "metric", "version", "state")
    )


def _or_dash(value: Any) -> str:
    return "-" if value is None else f"{value:,}"
