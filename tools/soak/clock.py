"""A clock that is set an hour back and an hour ahead while a run trains, others wait and one waits for a review.

Only this program's processes see it (`set_clock`): itself, an app over the runs folder, the workers, and a command that
looks once a second as somebody in a terminal does.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend import store
from backend.config import RunConfig
from backend.jobs import lifecycle, run_launch
from benchmarks import ui
from benchmarks.common import REPOSITORY
from tools.soak.kills import differences, finished, outcome, small_run, wait_for
from tools.soak.set_clock import settable_clock

REVIEW_SECONDS = 12.0
LATE_SECONDS = 15.0  # a review may be noticed and its run go on so much later, on a busy machine
SetTo = Callable[[float], None]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--hours", type=float, default=1, help="how far the clock is set (default 1)")


def run(options: argparse.Namespace) -> int:
    """Set the clock back, and ahead; 1 where a run changed its state for it, its turn, what it selects or how long it waits."""
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="iterit-clock-") as name, settable_clock() as set_to:
        home = Path(name).resolve() / "runs"
        home.mkdir()
        log = home.with_name("app.log")
        config = dataclasses.replace(small_run(), rescore=False)
        expected = outcome(home, finished(home, run_launch.launch(home, config)))
        with log.open("w") as out, ui.running(home, log=out):
            for hours in (-options.hours, options.hours):
                seconds = 3600 * hours
                found = set_while_training(home, config, set_to, seconds, expected)
                found += set_while_waiting(home, config, set_to, seconds)
                print(f"{hours:+g} h: {'; '.join(found) or 'nothing wrong'}", flush=True)
                wrong += found
        if tracebacks := log.read_text().count("Traceback"):
            wrong.append(f"{tracebacks} tracebacks in the app's log")
            print(wrong[-1])
    return int(bool(wrong))


def set_while_training(
    home: Path, config: RunConfig, set_to: SetTo, seconds: float, expected: dict[str, Any]
) -> list[str]:
    """Set the clock in a run's first epoch and back in its second, with a run in the queue before and one after; what was
    wrong, in words."""
    set_to(0)
    name, second = (run_launch.launch(home, config) for _ in range(2))
    wait_for(lambda: store.run_info(home, name).stage == "train")
    set_to(seconds)
    third = run_launch.launch(home, config)
    wrong, looks, seen = [], 0, False
    while store.run_info(home, name).active:
        looks += 1
        states = states_told(home)
        wrong += [f"{run} is {states[run]} for a command" for run in (second, third) if states[run] not in ("queued", "running")]  # fmt: skip
        if states[name] not in ("running", "done"):
            wrong.append(f"{name} is {states[name]} for a command")
        info = store.run_info(home, name)
        if (info.epoch or 0) >= 1:
            set_to(0)
        else:  # this process's clock is set, too
            seen = seen or abs((info.last_seen or 0) - time.time()) < 60
        time.sleep(1)
    set_to(0)
    if not seen:
        raise RuntimeError("the worker never had the clock that was set")
    wrong += differences(name, outcome(home, finished(home, name)), expected)
    wait_for(lambda: lifecycle.pump(home) or store.run_info(home, second).active)
    if store.run_info(home, third).state != "queued":
        wrong.append(f"{third}, queued after the clock was set, started before {second}")
    for run in (third, second):
        lifecycle.stop(home, run)
    wait_for(lambda: lifecycle.refresh(home) or store.run_info(home, second).resumable)
    print(
        f"  {looks} looks by a command while {name} trained; attempts: {store.run_info(home, name).attempt}"
    )
    return wrong


def set_while_waiting(home: Path, config: RunConfig, set_to: SetTo, seconds: float) -> list[str]:
    """Set the clock while a run waits for a review; what was wrong with how long it waits, in words."""
    set_to(0)
    patient = dataclasses.replace(config, epochs=1, review=True, review_minutes=REVIEW_SECONDS / 60)
    name = run_launch.launch(home, patient)
    wait_for(lambda: store.run_info(home, name).state == "waiting")
    began = time.monotonic()
    set_to(seconds)
    wait_for(lambda: lifecycle.refresh(home) or store.run_info(home, name).state != "waiting")
    waited = time.monotonic() - began
    print(f"  a review of {REVIEW_SECONDS:g} s was waited for {waited:.1f} s")
    finished(home, name)
    set_to(0)
    if REVIEW_SECONDS - 3 < waited < REVIEW_SECONDS + LATE_SECONDS:
        return []
    return [f"a review of {REVIEW_SECONDS:g} s was waited for {waited:.1f} s"]


def states_told(home: Path) -> dict[str, str]:
    """The state of each run as a command of its own process tells it."""
    words = [sys.executable, "-m", "backend", "runs", "--json", "--runs-dir", str(home)]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return {info["id"]: info["state"] for info in json.loads(done.stdout)}
