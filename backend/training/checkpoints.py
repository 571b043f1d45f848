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
    whole = [one for one in found if isinstance(one, Checkpoint)]
    return max(whole, key=lambda one: one.step, default=None)


def damaged_checkpoints(folder: Path, *, after: int) -> list[str]:
    """What is wrong with each checkpoint of a later step than `after`, the one that a run goes on from (0: its beginning).

    An earlier one that is not complete was being removed when the run was ended: that is no loss.
    """
    named = ((_step_of(path), path) for path in folder.glob("checkpoint-*"))
    later = [path for step, path in sorted(named) if step > after]
    return [f"{path.name} is damaged: {what}" for path in later if isinstance(what := _read(path), str)]


def _step_of(path: Path) -> int:
    """The step in the name of a checkpoint's folder, 0 where it has none."""
    step = path.name.removeprefix("checkpoint-")
    return int(step) if step.isdecimal() else 0


def _read(path: Path) -> Checkpoint | str:
    """The checkpoint in a folder, or why it is not complete."""
    try:
        mark = json.loads((path / MARK).read_text())
        step, files = int(mark["step"]), dict(mark["files"])
        carried = Carried(**{**mark["carried"], "losses": tuple(mark["carried"]["losses"])})
    except FileNotFoundError:
        return f"{MARK} is missing"
    except (OSError, ValueError, KeyError, TypeError):
        return f"{MARK} cannot be read"
    for name, size in files.items():
        try:
            there = (path / name).stat().st_size
        except OSError:
            return f"{name} is missing"
        if there != size:
            return f"{name} has {there:,} bytes of {size:,}"
    if path.name != f"checkpoint-{step}":
        return f"{MARK} is that of step {step}"
    return Checkpoint(path, step, carried)


def _to_disk(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
