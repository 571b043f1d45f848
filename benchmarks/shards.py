"""How much faster two processes score than one, on one machine: the same samples, model and numbers.

Each process has one thread. What is timed is the scoring; starting the second process, which imports torch and loads
the model once more, is told apart. Two cores that nobody else uses are needed for a figure that means something:
`load` says how busy the machine was beforehand.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from typing import Any

import numpy as np
import torch

from backend.complexity import helpers, score
from backend.config import RunConfig
from backend.model.load import no_progress_bars
from benchmarks.common import timed
from benchmarks.complexity import SMALL_PARAMETERS, random_llama, samples, tokenizer


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pool", default="pool_small", help="pool_52k, pool_small, demo, or a file")
    parser.add_argument("--samples", type=int, default=600, help="evenly spaced over the pool (600)")
    parser.add_argument(
        "--parameters", type=float, default=SMALL_PARAMETERS, help="of the model, about (34e6)"
    )
    parser.add_argument("--processes", type=int, default=2, help="to compare with one (2)")
    parser.add_argument("--rounds", type=int, default=2, help="each way in turn; the fastest counts (2)")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of both, ratio, and the largest relative difference of a complexity (float32 rounds at 1e-6)."""
    encoded, rows = samples(options.pool, options.samples)
    model = random_llama(options.parameters, device="cpu", dtype=torch.float32)
    before = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        with no_progress_bars():
            model.save_pretrained(folder)
        tokenizer().save_pretrained(folder)
        config = RunConfig(model=folder, threads=1, processes=options.processes, epochs=0)

        def scored() -> np.ndarray:
            return score(model, encoded, rows, batch_tokens=config.batch_tokens).complexity[rows]

        try:
            torch.set_num_threads(1)
            score(model, encoded, rows[:8], batch_tokens=config.batch_tokens)  # kernels are chosen
            rounds = []
            for _ in range(options.rounds):
                one, seconds = timed(scored)
                begin = time.perf_counter()
                with helpers(config, model, encoded, rows) as count:
                    start = time.perf_counter() - begin
                    several, several_seconds = timed(scored)
                rounds.append((seconds, several_seconds, start))
        finally:
            torch.set_num_threads(before)
    seconds, several_seconds, start = np.array(rounds).min(axis=0).tolist()
    return {
        "samples": len(rows),
        "parameters": model.num_parameters(),
        "processes": count,
        "threads_each": 1,
        "ratio": round(seconds / several_seconds, 3),
        "max_rel_diff": float(np.abs(several / one - 1).max()),
        "seconds": round(several_seconds, 2),
        "one_process_s": round(seconds, 2),
        "start_s": round(start, 2),
    }
