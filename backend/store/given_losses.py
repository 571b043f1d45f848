"""Losses that a run is given when it is made, because they are known of the same samples under the same model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend.errors import RunError
from backend.records import Scores
from backend.store.files import replacing
from backend.store.paths import existing_run_folder


def give_losses(home: Path, run_id: str, scores: Scores) -> None:
    """Keep the losses of a run's samples in its folder: those of `scores` that are known."""
    path = _path(home, run_id)
    with replacing(path) as temporary:
        pq.write_table(pa.table({"loss_cond": scores.loss_cond, "loss_prior": scores.loss_prior}), temporary)


def given_losses(home: Path, run_id: str) -> tuple[np.ndarray, float] | None:
    """(2, n) float64, nats per token with and without the prompt, NaN where a sample's are not known; and when they were
    given, in seconds since 1970 (UTC). None where the run was given none.

    Raises
    ------
    RunError : the file cannot be read.
    """
    path = _path(home, run_id)
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path)
        return np.stack(
            [table[name].to_numpy().astype(np.float64) for name in ("loss_cond", "loss_prior")]
        ), path.stat().st_mtime
    except (OSError, KeyError, pa.ArrowException) as error:
        raise RunError(f"{path} cannot be read ({error}); delete it to have every sample scored") from error


def _path(home: Path, run_id: str) -> Path:
    return existing_run_folder(home, run_id) / "given_losses.parquet"
