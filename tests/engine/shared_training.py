"""What each process of `test_shared_training` does: `shared_training.py FOLDER STOP_AT`, under torchrun or alone."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import tiny
import torch

from backend.config import config_from
from backend.distributed.process_group import PATIENCE, ProcessGroup
from backend.distributed.ranks import leave
from backend.errors import Stopped
from backend.iterate import run
from backend.records import EpochRecord, Metrics, Progress


def main(folder: Path, stop_at: int) -> None:
    """Run, or resume where something is there; the first process writes what was reported to `told.json`.

    What nobody stops also has a second run, of the strategy that remembers earlier epochs, in `told["cumulative"]`.
    """
    torch.set_num_threads(1)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from accelerate import PartialState

        PartialState(cpu=True, timeout=PATIENCE)
    group = ProcessGroup()
    config = config_from(
        {
            "budget": 7, "update_ratio": 2, "epochs": 2, "learning_rate": 1e-2, "batch_size": 4,
            "device_batch_size": 1, "held_out": "0.1", "max_length": 256, "batch_tokens": 600,
        }
    )  # fmt: skip
    told: dict[str, Any] = {"picks": {}, "complexity": {}, "losses": {}, "held_out": {}}
    records: list[EpochRecord] = []

    def report(record: Progress | Metrics | EpochRecord) -> None:
        if isinstance(record, EpochRecord):
            records.append(record)
            told["picks"][record.epoch] = record.selection.rows.tolist()
            told["complexity"][record.epoch] = record.scores.complexity[record.rescored].tolist()
        elif isinstance(record, Metrics):
            kind = "losses" if record.loss is not None else "held_out"
            told[kind][record.step] = record.loss if record.loss is not None else record.held_out
        elif record.stage == "train" and record.epoch * 2 + record.done == stop_at:
            raise Stopped("asked to")

    read: list[list[int]] = []
    model = tiny.model()
    inner = model.forward

    def watched(**inputs: Any) -> Any:
        if model.training and (inputs["labels"] >= 0).any():
            for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True):
                read.append(ids[mask == 1].tolist())
        return inner(**inputs)

    model.forward = watched  # type: ignore[method-assign, assignment]
    pool = tiny.random_pool(60)

    def go(*, resume: bool) -> None:
        run(
            config, pool, model, tiny.tokenizer(), report=report, folder=folder,
            resume=resume, done=tuple(records), group=group,
        )  # fmt: skip

    stopped = False
    try:
        go(resume=False)
    except Stopped:
        stopped = True
        stop_at = -1
        go(resume=True)
    everybody = group.gather(read)
    cumulative = None if stopped else remembering(folder / "cumulative", group)
    if group.rank == 0:
        told |= {"read": everybody, "stopped": stopped, "cumulative": cumulative}
        told["weights"] = {name: w.double().sum().item() for name, w in model.state_dict().items()}
        (folder / "told.json").write_text(json.dumps(told))


def remembering(folder: Path, group: ProcessGroup) -> dict[str, Any]:
    """Picks and round by epoch, and every weight at the end, of a run that covers in each epoch what the earlier ones left.

    Fewer than 36 of the candidates are below the highest complexity, so the third epoch of 12 begins again with everybody.
    """
    config = config_from(
        {
            "strategy": "iterit-cumulative", "budget": 12, "update_ratio": 2, "epochs": 3, "learning_rate": 1e-3, "batch_size": 4,
            "device_batch_size": 1, "held_out": "0.1", "max_length": 256, "batch_tokens": 600,
        }
    )  # fmt: skip
    told: dict[str, Any] = {"picks": {}, "round": {}}

    def report(record: Progress | Metrics | EpochRecord) -> None:
        if isinstance(record, EpochRecord):
            told["picks"][record.epoch] = record.selection.rows.tolist()
            told["round"][record.epoch] = record.round

    model = tiny.model()
    run(config, tiny.random_pool(60), model, tiny.tokenizer(), report=report, folder=folder, group=group)
    told["weights"] = {name: w.double().flatten().tolist() for name, w in model.state_dict().items()}
    return told


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
    leave(0)
