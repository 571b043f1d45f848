"""Scoring with several processes on one machine: starts the others, which do what `helper` says.

This process is the first of them and the only one that anybody hears of: it reports, records and is stopped. The
helpers load the same model, score their share, and end. None outlives this process, however that ends: each reads a
pipe whose other end only this process holds, and ends at once when the pipe does.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from torch import distributed
from transformers import PreTrainedModel

from backend.complexity.kept import Kept, Known
from backend.config import RunConfig
from backend.errors import ModelError
from backend.prompts import Encoded, Sequences

ROOT = Path(__file__).resolve().parents[2]
READY = "ready"
POLL_SECONDS = 0.1
# A helper that dies breaks its connections, which is noticed at once; this is for a first batch that takes long
PATIENCE = timedelta(days=1)


def process_count(asked: int, device: torch.device) -> int:
    """How many processes score: as many as asked for; for 0 one per GPU, and one where there is none."""
    return asked or (torch.cuda.device_count() if device.type == "cuda" else 1)


@contextmanager
def helpers(
    config: RunConfig,
    model: PreTrainedModel,
    encoded: Encoded,
    rows: np.ndarray | None = None,
    *,
    waiting: Callable[[], None] = lambda: None,
    known: Known | None = None,
    kept: Kept | None = None,
) -> Iterator[int]:
    """Within the block, `score` with these rows and what is `known` of them shares the work with `config.processes` - 1 other processes.

    config : its model is what the helpers load, in its precision; `processes`, `threads` and `batch_tokens` hold.
    waiting : called while the helpers start, which takes as long as loading the model; may raise `Stopped`.
    kept : where the helpers keep what they read.

    Yields the number of processes, this one included; with one nothing is started.

    Raises
    ------
    ModelError : a helper ended before its work was done; its own words are on this process's stderr.
    """
    wanted = np.arange(len(encoded)) if rows is None else np.asarray(rows, dtype=np.int64)
    known = known or Known.nothing(len(encoded))
    most = int((~known.there[:, wanted].all(axis=0) & (encoded.reason[wanted] == "")).sum())
    count = max(1, min(process_count(config.processes, model.device), most))
    if count == 1:
        yield 1
        return
    threads = config.threads or max(1, (os.cpu_count() or 1) // count)
    before = torch.get_num_threads()
    with tempfile.TemporaryDirectory(prefix="iterit-") as name, ExitStack() as stack:
        folder = Path(name)
        _write(folder, config, model, encoded, wanted, threads, known, kept)
        running = [stack.enter_context(_helper(folder, rank, count)) for rank in range(1, count)]
        _wait(running, waiting)
        join(folder, 0, count)
        torch.set_num_threads(threads if model.device.type == "cpu" else before)
        try:
            yield count
        except RuntimeError as error:
            time.sleep(
                POLL_SECONDS
            )  # a process that broke the connection may be seen as ended a moment later
            _raise_ended(running, error)
            raise
        finally:
            torch.set_num_threads(before)
            distributed.destroy_process_group()


class _Helper:
    """A process that was started, and whether it has loaded its model."""

    def __init__(self, rank: int, process: subprocess.Popen[str]) -> None:
        self.rank, self.process, self.ready = rank, process, threading.Event()
        self._listener = threading.Thread(target=self._listen, name=f"helper {rank}", daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                if line.strip() == READY:
                    self.ready.set()

    def end(self) -> None:
        """Returns when it is gone."""
        assert self.process.stdin is not None
        self.process.stdin.close()  # ends it, wherever it is
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._listener.join()


@contextmanager
def _helper(folder: Path, rank: int, count: int) -> Iterator[_Helper]:
    """A helper in this process's group, so that what kills the group kills it too; gone when the block is left."""
    process = subprocess.Popen(
        [sys.executable, "-m", "backend.complexity.helper", str(folder), str(rank), str(count)],
        cwd=ROOT,
        env={**os.environ, "TOKENIZERS_PARALLELISM": "false", "OMP_WAIT_POLICY": "PASSIVE"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    helper = _Helper(rank, process)
    try:
        yield helper
    finally:
        helper.end()


def _wait(running: list[_Helper], waiting: Callable[[], None]) -> None:
    while not all(helper.ready.is_set() for helper in running):
        waiting()
        _raise_ended(running, None)
        time.sleep(POLL_SECONDS)


def _raise_ended(running: list[_Helper], cause: Exception | None) -> None:
    for helper in running:
        code = helper.process.poll()
        if code is not None and (code != 0 or cause is None):
            how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
            raise ModelError(
                f"scoring process {helper.rank + 1} of {len(running) + 1} ended ({how}); "
                "processes = 1 scores in one, with less memory"
            ) from cause


def join(folder: Path, rank: int, count: int) -> None:
    """Become one of `count` processes that exchange numbers; they meet in a file, so that no port is opened for it."""
    store = distributed.FileStore(str(folder / "meeting"), count)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=count, timeout=PATIENCE)


def _write(
    folder: Path,
    config: RunConfig,
    model: PreTrainedModel,
    encoded: Encoded,
    rows: np.ndarray,
    threads: int,
    known: Known,
    kept: Kept | None,
) -> None:
    """What a helper has to know."""
    arrays = {"response_tokens": encoded.response_tokens, "scorable": encoded.reason == ""}
    arrays |= {"rows": rows, "known": known.losses, "there": known.there}
    for name in ("conditioned", "alone"):
        for field in dataclasses.fields(Sequences):
            arrays[f"{name}_{field.name}"] = getattr(getattr(encoded, name), field.name)
    with open(folder / "encoded.npz", "wb") as file:
        np.savez(file, **arrays)
    values = {
        "model": config.model,
        "precision": config.precision,
        "attention": config.attention,
        "device": model.device.type,
        "batch_tokens": config.batch_tokens,
        "threads": threads,
        "kept": str(kept.folder) if kept else "",
        "pad_id": encoded.pad_id,
    }
    (folder / "settings.json").write_text(json.dumps(values))
