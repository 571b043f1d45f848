"""A run that was killed, and each file of its checkpoint cut in half, emptied or gone before it is resumed: what came of it."""

from __future__ import annotations

import argparse
import dataclasses
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from backend import store
from backend.config import RunConfig
from backend.jobs import lifecycle, run_launch
from backend.training import last_checkpoint
from tools.soak.kills import differences, finished, kill_worker, outcome, small_run, wait_for
from tools.soak.stores import damage

DAMAGES = ("cut in half", "empty", "missing")


class Found(NamedTuple):
    """What came of a run that was resumed with a damaged checkpoint.

    said : what the run's events tell of the checkpoint. different : what differs from the run nobody touched.
    """

    said: str
    different: list[str]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--only", default="", help="files whose names hold this text")
    parser.add_argument(
        "--damage", default=DAMAGES[0], choices=[*DAMAGES, "all"], help=f"(default {DAMAGES[0]})"
    )


def run(options: argparse.Namespace) -> int:
    """Damage each file of a checkpoint in turn; 1 where a run said nothing, or ended in another way than the one nobody touched."""
    bad = 0
    with tempfile.TemporaryDirectory(prefix="iterit-checkpoints-") as folder:
        home = Path(folder).resolve() / "runs"
        # scores are kept by the first run: the others begin to train sooner
        config = dataclasses.replace(small_run(), rescore=False)
        expected = outcome(home, finished(home, run_launch.launch(home, config)))
        name = killed_after_a_checkpoint(home, config)
        for file in files_of(home, name):
            for how in DAMAGES if options.damage == "all" else [options.damage]:
                if options.only in file:
                    found = resumed_without(home, name, file, how, expected)
                    bad += bool(found.different) or not found.said
                    print(f"{file}, {how}: {found.said or 'NOTHING SAID'}; in the end {', '.join(found.different) or 'the same'}", flush=True)  # fmt: skip
    return int(bool(bad))


def killed_after_a_checkpoint(home: Path, config: RunConfig) -> str:
    """A run whose worker was killed when it had written a checkpoint after its first epoch."""
    name = run_launch.launch(home, config)
    folder = store.run_folder(home, name) / "checkpoints"

    def written() -> bool:
        found = last_checkpoint(folder)
        return found is not None and len(store.epochs(home, name)) > 1

    wait_for(written)
    if not kill_worker(home, name):
        raise RuntimeError(f"{name} was done before it could be killed")
    return name


def files_of(home: Path, name: str) -> list[str]:
    """The files of a run's last checkpoint."""
    found = last_checkpoint(store.run_folder(home, name) / "checkpoints")
    if found is None:
        raise RuntimeError(f"{name} has no checkpoint")
    return sorted(str(path.relative_to(found.path)) for path in found.path.rglob("*") if path.is_file())


def resumed_without(home: Path, name: str, file: str, how: str, expected: dict[str, Any]) -> Found:
    """Resume a run of a copy of the runs folder in which a file of its checkpoint is damaged."""
    copy = home.with_name("copy")
    shutil.copytree(home, copy)
    try:
        found = last_checkpoint(store.run_folder(copy, name) / "checkpoints")
        assert found is not None
        damage(found.path / file, how, random.Random(0))
        lifecycle.resume(copy, name)
        ended = outcome(copy, finished(copy, name))
        said = [event.text for event in store.events(copy, name) if found.path.name in event.text]
        return Found("; ".join(said), differences(name, ended, expected))
    finally:
        for info in store.runs(copy):
            if info.active:
                lifecycle.kill(copy, info.id)
        shutil.rmtree(copy)
