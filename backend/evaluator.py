"""The process that evaluates one model: `python -m backend.evaluator HOME RUN EVALUATION`.

It waits for its turn (one evaluation at a time in a runs folder), runs the harness's own command line, and writes
down how that ended.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from backend import processes
from backend.errors import StudioError
from backend.evaluation import harness_command, why_it_failed, words_of
from backend.store import evaluations as stored
from backend.store.files import write_json

LOOK_SECONDS = 0.5  # between two attempts to have one's turn


class Terminated(Exception):
    """Somebody asked this process to end."""


def evaluate(home: Path, run: str, evaluation: str) -> int:
    """Evaluate, and return the exit code: 0 done, 1 failed, 130 stopped."""
    me = {"host": processes.this_host(), "pid": os.getpid()}
    me["process_started"] = processes.start_time(os.getpid())
    stored.set_evaluation(home, run, evaluation, "waiting", **me)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        with open(home / "evaluations.lock", "ab") as turn:
            while not _taken(turn.fileno()):
                time.sleep(LOOK_SECONDS)
            stored.set_evaluation(home, run, evaluation, "running", started=time.time())
            state, error = _harness(home, run, evaluation)
    except Terminated:
        state, error = "stopped", ""
    except StudioError as wrong:
        state, error = "failed", str(wrong)
    stored.set_evaluation(home, run, evaluation, state, ended=time.time(), error=error)
    return {"done": 0, "failed": 1, "stopped": 130}[state]


def _harness(home: Path, run: str, evaluation: str) -> tuple[stored.EvaluationState, str]:
    """Run the harness to its end: (state, what went wrong)."""
    plan = stored.read_evaluation(home, run, evaluation).plan
    folder = stored.evaluation_folder(home, run, evaluation)
    command = harness_command(plan, folder / "results", arithmetic=_arithmetic(plan.precision))
    write_json(folder / "command.json", command)
    print(words_of(command), flush=True)
    child = subprocess.Popen(command)
    try:
        code = child.wait()
    except Terminated:
        child.terminate()
        try:
            child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        raise
    if code == 0 and stored.has_results(folder / "results"):
        stored.read_results(folder / "results")  # what cannot be read has not been evaluated
        return "done", ""
    if stored.asked_to_stop(home, run, evaluation):
        return "stopped", ""
    return "failed", why_it_failed(stored.read_evaluation_log(home, run, evaluation), code)


def _arithmetic(precision: str) -> str:
    """What "auto" is on this machine, found out by another process: torch would keep memory of the GPU in this one."""
    if precision != "auto":
        return precision
    code = "from backend import model; print(model.arithmetic_of('auto', model.best_device()))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if found.returncode:
        raise StudioError(f"it could not be found out what this machine computes in: {found.stderr.strip()}")
    return found.stdout.strip()


def _taken(file: int) -> bool:
    """Whether it is this process's turn; the lock is gone with the process that holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated


def main(words: Sequence[str] | None = None) -> int:
    """The command line of an evaluator."""
    parser = argparse.ArgumentParser(prog="python -m backend.evaluator", description="Evaluates one model.")
    parser.add_argument("home", type=Path, help="the folder of runs")
    parser.add_argument("run", help="the run's id")
    parser.add_argument("evaluation", help="the evaluation's id")
    given = parser.parse_args(words)
    try:
        return evaluate(given.home.resolve(), given.run, given.evaluation)
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
