"""From where a stopped or failed run goes on: what its folder of checkpoints says, read without a model's libraries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from backend import store
from backend.config import RunConfig, steps_per_epoch


@dataclass(frozen=True)
class GoesOn:
    """Where a resumed run begins.

    step : optimizer steps that its last complete checkpoint holds, 0 where there is none.
    epochs : the same in epochs trained (1.5: half way through the second); NaN where that is not known.
    selected : whether epoch 0's scores and selection are kept, so that the pool is not scored again.
    """

    step: int
    epochs: float
    selected: bool


def goes_on_from(home: Path, run_id: str, config: RunConfig) -> GoesOn:
    """From where a run would go on if it were resumed now; the same that its worker finds."""
    folder = store.run_folder(home, run_id)
    step = max((_step(path) for path in (folder / "checkpoints").glob("checkpoint-*")), default=0)
    there = store.epochs(home, run_id)
    # an epoch reads as many samples as epoch 0 selected
    steps = steps_per_epoch(selected_count(home, run_id, 0), config) if 0 in there else 0
    return GoesOn(step, step / steps if steps else float("nan"), 0 in there)


def selected_count(home: Path, run_id: str, epoch: int) -> int:
    """How many samples an epoch that has been decided trains on."""
    meta = store.run_folder(home, run_id) / "epochs" / str(epoch) / "meta.json"
    return int(json.loads(meta.read_text(encoding="utf-8"))["picked"])


def _step(folder: Path) -> int:
    """The step of a checkpoint, 0 where it is not complete: each file that its mark names has the size it names."""
    try:
        mark = json.loads((folder / "complete.json").read_text(encoding="utf-8"))
        step, files = int(mark["step"]), dict(mark["files"])
        whole = all((folder / name).stat().st_size == size for name, size in files.items())
    except (OSError, ValueError, KeyError, TypeError):
        return 0  # half-written, or by another program: the worker passes it over too
    return step if whole and folder.name == f"checkpoint-{step}" else 0
