"""Checkpoints that are there whole or not at all, and which of them a stopped run goes on from."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

UNFINISHED = "unfinished"  # the folder in which a checkpoint is written before it gets its place
MARK = "complete.json"


@dataclass(frozen=True)
class Carried:
    """What goes on after a checkpoint as if nothing had happened, and the Trainer does not keep.

    losses : each process's sum of the losses of the steps since the last log line. logged : that line's step.
    seconds : how long the run has trained. tokens_before : tokens read before the present epoch.
    """

    losses: tuple[float, ...] = (0.0,)
    logged: int = 0
    seconds: float = 0.0
    tokens_before: int = 0


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint: `path`, the optimizer `step` after which it was written, and what is carried over."""

    path: Path
    step: int
    carried: Carried = dataclasses.field(default_factory=Carried)


def publish(folder: Path, step: int, carried: Carried) -> None:
    """Give the checkpoint that was written for `step` its place among a run's checkpoints, then remove the older ones.

    It is on the disk before it appears, and appears before another is removed: at no moment is there none.
    """
    unfinished = folder / UNFINISHED / f"checkpoint-{step}"
    files = {
        str(path.relative_to(unfinished)): path.stat().st_size
        for path in sorted(unfinished.rglob("*"))
        if path.is_file()
    }
    mark = unfinished / MARK
    mark.write_text(json.dumps({"step": step, "carried": dataclasses.asdict(carried), "files": files}))
    for path in [*(unfinished / name for name in files), mark]:
        _to_disk(path)
    place = folder / unfinished.name
    if place.exists():  # a kill left it damaged, or it would have been gone on from
        shutil.rmtree(place)
    os.replace(unfinished, place)
    for path in folder.glob("checkpoint-*"):
        if path != place:
            shutil.rmtree(path)


def last_checkpoint(folder: Path) -> Checkpoint | None:
    """The latest complete checkpoint in a run's folder of checkpoints, or None.

    One that lacks a file, or has one of another size than was written, is ignored.
    """
    found = [_read(path) for path in folder.glob("checkpoint-*")]
    return max((one for one in found if one is not None), key=lambda one: one.step, default=None)


def _read(path: Path) -> Checkpoint | None:
    """The checkpoint in a folder, None where it is not complete."""
    try:
        mark = json.loads((path / MARK).read_text())
        step, files = int(mark["step"]), dict(mark["files"])
        carried = Carried(**{**mark["carried"], "losses": tuple(mark["carried"]["losses"])})
        whole = all((path / name).stat().st_size == size for name, size in files.items())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Checkpoint(path, step, carried) if whole and path.name == f"checkpoint-{step}" else None


def _to_disk(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
