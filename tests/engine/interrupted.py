"""What the tests of stopped, killed and shared runs have in common: a small run, and what came of it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import tiny
import warm

from backend import store
from backend.config import RunConfig, config_from
from backend.records import Metrics

SAMPLES = 100
STEPS = 4  # of an epoch
EPOCHS = 3


def wait_for(condition: Callable[[], object], seconds: float = 400) -> None:
    """Return once the condition holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)


def write_inputs(folder: Path, *, samples: int = SAMPLES) -> None:
    """pool.jsonl and model/."""
    pool = tiny.random_pool(samples)
    rows = [{"prompt": pool.turns(i)[0]["content"], "completion": pool.response(i)} for i in range(samples)]
    (folder / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tiny.model().save_pretrained(folder / "model")
    tiny.tokenizer().save_pretrained(folder / "model")


def settings(folder: Path, **values: object) -> RunConfig:
    """Three epochs of four steps, with checkpoints and held-out losses within epochs and lines that span two steps."""
    return config_from(
        {
            "pool": (str(folder / "pool.jsonl"),),
            "model": str(folder / "model"),
            "budget": 15,
            "update_ratio": 2,
            "epochs": EPOCHS,
            "learning_rate": 1e-3,
            "batch_size": 4,
            "device_batch_size": 1,
            "held_out": "0.1",
            "held_out_every": 3,
            "checkpoint_every": 3,
            "max_length": 64,
            "system_prompt": "",
            "threads": 1,
            "make_map": False,
            **values,
        }
    )


def outcome(home: Path, run: str) -> dict[str, Any]:
    """What a run selected, measured and trained, in the end."""

    def values(m: Metrics) -> tuple[object, ...]:
        return (m.step, m.epoch, m.loss, m.learning_rate, m.grad_norm, m.held_out, m.held_out_epoch, m.tokens)

    weights = store.run_folder(home, run) / "model" / "model.safetensors"
    return {
        "picks": [store.read_epoch(home, run, e).selection.rows.tolist() for e in store.epochs(home, run)],
        "metrics": [values(m) for m in store.read_metrics(home, run)],
        "weights": hashlib.sha256(weights.read_bytes()).hexdigest() if weights.is_file() else None,
    }


def processes_of(run: str) -> list[psutil.Process]:
    """Every process on this machine that names the run in its command, or was forked to run such a command."""
    found, forked = [], warm.forked_for(run)
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        its = process.pid in forked or any(run in word for word in words)
        if its and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found
