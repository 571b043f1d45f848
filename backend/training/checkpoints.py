"""Which checkpoint a stopped run goes on from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint: `path`, and the optimizer `step` after which it was written."""

    path: Path
    step: int


def last_checkpoint(folder: Path) -> Checkpoint | None:
    """The latest complete checkpoint in a run's folder of checkpoints, or None.

    The Trainer writes its state last, so a checkpoint with a readable state holds everything before it too. One
    that a kill left half-written is passed over, and overwritten when its step comes again.
    """
    steps = []
    for path in folder.glob("checkpoint-*"):
        number = path.name.removeprefix("checkpoint-")
        if number.isdigit() and _is_complete(path, int(number)):
            steps.append(int(number))
    return Checkpoint(folder / f"checkpoint-{max(steps)}", max(steps)) if steps else None


def _is_complete(path: Path, step: int) -> bool:
    try:
        state = json.loads((path / "trainer_state.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return bool(state.get("global_step") == step)
