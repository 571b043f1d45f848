"""A run whose worker, and the app beside it, are killed again and again: what it selected and trained in the end."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from backend import store
from backend.config import RunConfig, config_from
from backend.jobs import lifecycle, run_launch
from benchmarks import ui

PATIENCE = 300.0  # seconds for what takes a few
APP, WORKER = "app", "worker"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--count", type=int, default=100, help="kills of a worker (default 100)")


def run(options: argparse.Namespace) -> int:
    """Kill until the count is reached and the last run is done; 1 where a run ended in another way than the one nobody touched."""
    with tempfile.TemporaryDirectory(prefix="iterit-kills-") as folder:
        home = Path(folder).resolve()
        told = kill_runs(home, small_run(), count=options.count, rng=random.Random(options.seed))
    print("\nkilled in: " + ", ".join(f"{stage} {count}" for stage, count in told.stages.most_common()))
    for line in told.different:
        print(line)
    return int(bool(told.different))


@dataclass
class Told:
    """What was killed, how often, in which stages of a run, and what differs in the end from the run nobody touched."""

    kills: Counter[str] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)
    different: list[str] = field(default_factory=list)


def kill_runs(home: Path, config: RunConfig, *, count: int, rng: random.Random, apps: bool = True) -> Told:
    """Run once untouched, then kill runs at random moments until so many workers were killed and the last run is done.

    apps : an app is open beside them, and is killed in one of five cases.
    """
    told, runs = Told(), 0
    with contextlib.ExitStack() as stack:
        began = time.monotonic()
        expected = outcome(home, finished(home, run_launch.launch(home, config)))
        took = time.monotonic() - began
        app = stack.enter_context(app_over(home)) if apps else None
        while told.kills[WORKER] < count:
            runs += 1
            name = run_launch.launch(home, config)
            while True:
                time.sleep(rng.uniform(0, 0.6 * took))
                lifecycle.refresh(home)
                info = store.run_info(home, name)
                if not info.active:
                    break
                if app and rng.random() < 0.2:
                    app.kill()
                    app.wait()
                    app = stack.enter_context(app_over(home))
                    told.kills[APP] += 1
                elif kill_worker(home, name):
                    told.kills[WORKER] += 1
                    told.stages[info.stage or "start"] += 1
                    lifecycle.resume(home, name)
            told.different += differences(name, outcome(home, finished(home, name)), expected)
            print(f"{runs} runs, {told.kills[WORKER]} kills of a worker, {told.kills[APP]} of the app, {len(told.different)} differences", flush=True)  # fmt: skip
    return told


def differences(name: str, found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """The parts of an outcome in which a run differs, in words."""
    return [f"{name}: other {part}" for part in expected if found[part] != expected[part]]


def small_run() -> RunConfig:
    """The demo with few samples, a checkpoint every third step and a held-out loss every fourth."""
    return config_from(
        {
            "pool": ("demo",), "model": "demo", "budget": 0.03, "update_ratio": 2.0, "epochs": 3, "held_out": "0.05",
            "held_out_every": 4, "checkpoint_every": 3, "make_map": False, "rescore": True, "threads": 1,
        },
        preset="demo",
    )  # fmt: skip


def kill_worker(home: Path, name: str) -> bool:
    """Kill a run's process with all it has started, as the system does where memory runs out; False where there was none."""
    pid = store.run_info(home, name).pid
    if pid is None:
        return False
    try:
        worker = psutil.Process(pid)
        for process in [worker, *worker.children(recursive=True)]:
            process.kill()
    except psutil.NoSuchProcess:
        return False
    wait_for(lambda: lifecycle.refresh(home) or not store.run_info(home, name).active)
    return store.run_info(home, name).resumable


def finished(home: Path, name: str) -> str:
    """The run, once it is done."""
    wait_for(lambda: lifecycle.refresh(home) or not store.run_info(home, name).active)
    info = store.run_info(home, name)
    if info.state != "done":
        raise RuntimeError(f"{name} is {info.state}: {info.error}\n{store.read_log(home, name)[-2000:]}")
    return name


def outcome(home: Path, name: str) -> dict[str, Any]:
    """What a run selected, measured and trained."""
    weights = store.run_folder(home, name) / "model" / "model.safetensors"
    metrics = [(m.step, m.loss, m.held_out, m.tokens) for m in store.read_metrics(home, name)]
    return {
        "picks": [
            store.read_epoch(home, name, epoch).selection.rows.tolist() for epoch in store.epochs(home, name)
        ],
        "metrics": metrics,
        "weights": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }


@contextlib.contextmanager
def app_over(home: Path) -> Iterator[psutil.Process]:
    """An app over a runs folder; it has answered once."""
    before = set(psutil.Process().children())
    with ui.running(home):
        (pid,) = {
            child.pid
            for child in set(psutil.Process().children()) - before
            if "app.py" in " ".join(child.cmdline())
        }
        yield psutil.Process(pid)


def wait_for(condition: Callable[[], object]) -> None:
    """Return once the condition holds."""
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise RuntimeError("waited too long")
        time.sleep(0.05)
