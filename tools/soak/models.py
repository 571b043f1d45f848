"""A model's folder that is gone while a run uses it, is back later, and the run is resumed: what came of it in the end."""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from backend import store
from backend.config import RunConfig
from backend.data.demo import MODEL
from backend.jobs import lifecycle, run_launch
from backend.store import RunInfo as Run
from tools.soak.kills import differences, finished, outcome, small_run, wait_for

# when the folder goes: the run's stage and epoch, as soon as it is there or has been
MOMENTS: dict[str, Callable[[Run], bool]] = {
    "at once": lambda run: True,
    "while the model is loaded": lambda run: run.stage is not None,
    "while scoring": lambda run: (run.epoch or 0, run.stage) == (0, "score"),
    "while training": lambda run: run.stage == "train",
    "before the next epoch": lambda run: (run.epoch or 0) >= 1,
    "in the last epoch": lambda run: (run.epoch or 0) >= 2,
    "while the model is saved": lambda run: run.stage == "save",
    "before it is resumed": lambda run: run.stage == "train",
}
STOPPED = "before it is resumed"


class Found(NamedTuple):
    """What came of a run whose model's folder went. ended : its state without the folder. said : its error."""

    ended: str
    said: str
    different: list[str]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--only", default="", help="moments whose names hold this text")


def run(options: argparse.Namespace) -> int:
    """Take the folder away at each moment; 1 where a run failed without naming it, or ended in another way with it back."""
    bad = 0
    with tempfile.TemporaryDirectory(prefix="iterit-models-") as name:
        folder = Path(name).resolve()
        model, home = folder / "model", folder / "runs"
        shutil.copytree(MODEL, model)
        config = dataclasses.replace(small_run(), model=str(model))
        expected = outcome(home, finished(home, run_launch.launch(home, config)))
        for moment in MOMENTS:
            if options.only not in moment:
                continue
            found = without_model(home, config, moment, expected)
            right = not found.different and (found.ended == "done" or str(model) in found.said)
            bad += not right
            print(f"{moment}: {found.ended}{': ' + found.said if found.said else ''}; in the end {', '.join(found.different) or 'the same'}", flush=True)  # fmt: skip
    return int(bool(bad))


def without_model(home: Path, config: RunConfig, moment: str, expected: dict[str, object]) -> Found:
    """A run whose model's folder is gone from this moment until it has ended; resumed with the folder back, if it failed."""
    model = Path(config.model)
    name = run_launch.launch(home, config)
    wait_for(lambda: MOMENTS[moment](store.run_info(home, name)) or not store.run_info(home, name).active)
    if moment == STOPPED:
        lifecycle.stop(home, name)
        wait_for(lambda: lifecycle.refresh(home) or not store.run_info(home, name).active)
    gone = model.rename(model.with_name("elsewhere"))
    try:
        if moment == STOPPED:
            lifecycle.resume(home, name)
        wait_for(lambda: lifecycle.refresh(home) or not store.run_info(home, name).active)
    finally:
        gone.rename(model)
    info = store.run_info(home, name)
    if info.state != "done":
        lifecycle.resume(home, name)
    return Found(
        info.state, info.error or "", differences(name, outcome(home, finished(home, name)), expected)
    )
