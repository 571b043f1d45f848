"""A process that helps another to score: `python -m backend.complexity.helper FOLDER RANK COUNT`; see `processes`."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import torch
from torch import distributed

from backend.complexity.kept import Kept, Known
from backend.complexity.processes import READY, join
from backend.complexity.score import score
from backend.config import Precision
from backend.distributed.ranks import leave
from backend.errors import ModelError, Stopped
from backend.model import load as models
from backend.prompts import Encoded, Sequences


def main(words: list[str] | None = None) -> int:
    """Load the model, say so, meet the others, score a share, end."""
    _end_with_parent()
    parser = argparse.ArgumentParser(prog="python -m backend.complexity.helper", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("rank", type=int)
    parser.add_argument("count", type=int)
    given = parser.parse_args(words)
    values = json.loads((given.folder / "settings.json").read_text())
    precision: Precision = values["precision"]
    device = values["device"]
    if device == "cpu":
        torch.set_num_threads(values["threads"])
    elif device == "cuda":
        device = f"cuda:{given.rank % torch.cuda.device_count()}"
    try:
        model, _ = models.load(
            values["model"], precision=precision, device=device, attention=values["attention"]
        )
        encoded, rows, known = _read_encoded(given.folder, values["pad_id"])
        kept = Kept(Path(values["kept"])) if values["kept"] else None
        print(READY, flush=True)
        join(given.folder, given.rank, given.count)
        with kept.keeping() if kept else contextlib.nullcontext() as keep:
            score(
                model,
                encoded,
                rows,
                batch_tokens=values["batch_tokens"],
                precision=precision,
                known=known,
                keep=keep,
            )
    except Stopped:
        return 0
    except ModelError as error:
        print(f"scoring process {given.rank + 1}: {error}", file=sys.stderr)
        return 1
    distributed.destroy_process_group()
    return 0


def _end_with_parent() -> None:
    """Leave stopping to the parent, and end when it does, even where it is killed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)  # nothing is ever written: this returns at the pipe's end
        os._exit(0)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _read_encoded(folder: Path, pad_id: int) -> tuple[Encoded, np.ndarray, Known]:
    with np.load(folder / "encoded.npz", allow_pickle=False) as arrays:
        conditioned, alone = (
            Sequences(*(arrays[f"{name}_{field.name}"] for field in dataclasses.fields(Sequences)))
            for name in ("conditioned", "alone")
        )
        reason = np.where(arrays["scorable"], "", "not scored").astype(object)
        known = Known(arrays["known"], arrays["there"], np.nan)
        return Encoded(conditioned, alone, arrays["response_tokens"], reason, pad_id), arrays["rows"], known


if __name__ == "__main__":
    leave(main())
