"""The process that evaluates one model: `python -m backend.jobs.evaluator HOME EVALUATION`.

It runs the harness's own command line, and writes down how that ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from backend.errors import EvaluationError, Stopped, StudioError
from backend.jobs.harness import harness_command, why_it_failed, words_of
from backend.jobs.lifecycle import find, pump
from backend.jobs.reporting import Reporting, at_work, take
from backend.store import evaluations as stored
from backend.store.files import write_json

LOOK_SECONDS = 0.2  # between two looks at whether the harness has ended
END_SECONDS = 5.0  # for the harness to end by itself


def evaluate(home: Path, evaluation: str) -> int:
    """Evaluate, and return the exit code: 0 done, 1 failed, 130 stopped."""
    try:
        take(home, evaluation, pid=os.getpid(), claimed=True)
        with at_work(home, evaluation, pid=os.getpid(), hears_signals=True) as report:
            _harness(home, find(home, evaluation).subject, evaluation, report)
        return 0
    except Stopped:
        return 130
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        pump(home)


def _harness(home: Path, run: str, evaluation: str, report: Reporting) -> None:
    """Run the harness to its end.

    Raises
    ------
    Stopped : somebody asked for it. EvaluationError : it failed, or wrote what cannot be read.
    """
    plan = stored.read_evaluation(home, run, evaluation).plan
    folder = stored.evaluation_folder(home, run, evaluation)
    command = harness_command(plan, folder / "results", arithmetic=_arithmetic(plan.precision))
    write_json(folder / "command.json", command)
    print(words_of(command), flush=True)
    with subprocess.Popen(command) as child:
        while child.poll() is None and not report.asked_to_stop.wait(LOOK_SECONDS):
            pass
        if report.asked_to_stop.is_set():
            child.terminate()
            try:
                child.wait(timeout=END_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
            raise Stopped("stopped as asked")
    if find(home, evaluation).state == "stopping":  # the harness had the signal before this process
        raise Stopped("stopped as asked")
    if child.returncode or not stored.has_results(folder / "results"):
        raise EvaluationError(
            why_it_failed(stored.read_evaluation_log(home, run, evaluation), child.returncode)
        )
    stored.read_results(folder / "results")  # what cannot be read has not been evaluated


def _arithmetic(precision: str) -> str:
    """What "auto" is on this machine, found out by another process: torch would keep memory of the GPU in this one."""
    if precision != "auto":
        return precision
    code = "from backend import model; print(model.arithmetic_of('auto', model.best_device()))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if found.returncode:
        raise StudioError(
            f"could not determine what precision this machine computes in: {found.stderr.strip()}"
        )
    return found.stdout.strip()


if __name__ == "__main__":
    sys.exit(evaluate(Path(sys.argv[1]).resolve(), sys.argv[2]))
