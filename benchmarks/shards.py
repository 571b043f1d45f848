"""How much faster several processes score than one, on one machine: the same samples, model and numbers.

Each process has one thread. What is timed is the scoring; starting the processes, which import torch and load the
model, is told apart. Two cores that nobody else uses are needed for a figure that means something: `load` says how
busy the machine was beforehand.
"""

from __future__ import annotations

import argparse
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from backend.complexity import score
from backend.config import RunConfig
from backend.distributed import launcher
from backend.distributed.process_group import PATIENCE, ProcessGroup
from backend.distributed.ranks import leave, meet, rank_here
from backend.model import load
from benchmarks.common import timed
from benchmarks.complexity import SMALL_PARAMETERS, random_llama, samples, tokenizer

INPUTS, FOUND = "inputs.pickle", "found.pickle"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pool", default="pool_small", help="pool_52k, pool_small, demo, or a file")
    parser.add_argument("--samples", type=int, default=600, help="evenly spaced over the pool (600)")
    parser.add_argument(
        "--parameters", type=float, default=SMALL_PARAMETERS, help="of the model, about (34e6)"
    )
    parser.add_argument("--processes", type=int, default=2, help="to compare with one (2)")
    parser.add_argument("--rounds", type=int, default=2, help="each way; the fastest counts (2)")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of both, ratio, and the largest relative difference of a complexity (float32 rounds at 1e-6)."""
    encoded, rows = samples(options.pool, options.samples)
    model = random_llama(options.parameters, device="cpu", dtype=torch.float32)
    before = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with load.no_progress_bars():
            model.save_pretrained(folder)
        tokenizer().save_pretrained(folder)
        (folder / INPUTS).write_bytes(pickle.dumps((encoded, rows, options.rounds)))
        try:
            torch.set_num_threads(1)
            one, seconds = scored(model, encoded, rows, options.rounds)
        finally:
            torch.set_num_threads(before)
        config = RunConfig(processes=options.processes, epochs=0)
        begun = time.time()
        subprocess.run(launcher.command(config, ["benchmarks.shards", name]), check=True)
        several, several_seconds, ready, count = pickle.loads((folder / FOUND).read_bytes())
    return {
        "samples": len(rows),
        "parameters": model.num_parameters(),
        "processes": count,
        "threads_each": 1,
        "ratio": round(seconds / several_seconds, 3),
        "max_rel_diff": float(np.abs(several / one - 1).max()),
        "seconds": round(several_seconds, 2),
        "one_process_s": round(seconds, 2),
        "start_s": round(ready - begun, 2),
    }


def scored(model: Any, encoded: Any, rows: np.ndarray, rounds: int) -> tuple[np.ndarray, float]:
    """Complexity of the rows, and the seconds of the fastest round."""
    batch_tokens = RunConfig().batch_tokens
    score(model, encoded, rows[:8], batch_tokens=batch_tokens)  # kernels are chosen
    found = [
        timed(lambda: score(model, encoded, rows, batch_tokens=batch_tokens).complexity[rows])
        for _ in range(rounds)
    ]
    return found[-1][0], min(seconds for _, seconds in found)


def work(folder: Path) -> None:
    """What each of several processes does; the first writes down what came of it, when all were ready, and how many."""
    here = rank_here(launched=True)
    meet(here, threads=1, patience=PATIENCE, trains=False)
    encoded, rows, rounds = pickle.loads((folder / INPUTS).read_bytes())
    model, _ = load.load(str(folder), precision="fp32", device="cpu")
    ProcessGroup().wait()
    ready = time.time()
    found = scored(model, encoded, rows, rounds)
    if here.first:
        (folder / FOUND).write_bytes(pickle.dumps((*found, ready, here.size)))


if __name__ == "__main__":
    work(Path(sys.argv[1]))
    leave(0)
