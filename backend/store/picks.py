"""What an epoch picked, and what is known of the samples' lengths, without reading the whole record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend.errors import RunError
from backend.records import Status
from backend.store.epoch_records import epochs
from backend.store.files import DAMAGE
from backend.store.paths import epoch_folder


def read_picks(home: Path, run_id: str, epoch: int) -> np.ndarray:
    """(k,) int64: the rows that an epoch selected, in pick order.

    Raises
    ------
    RunError : no such epoch, or a file that cannot be read.
    """
    return _columns(home, run_id, epoch, "picks", ["row"])["row"].to_numpy()


def picks_of_all_epochs(home: Path, run_id: str) -> np.ndarray:
    """(k,) int64: every row that any epoch of a run has selected, once, in the order in which they were first picked.

    Raises
    ------
    RunError : a file that cannot be read.
    """
    picked = [read_picks(home, run_id, epoch) for epoch in epochs(home, run_id)]
    rows = np.concatenate(picked) if picked else np.empty(0, dtype=np.int64)
    _, first = np.unique(rows, return_index=True)
    return rows[np.sort(first)]


def read_lengths(home: Path, run_id: str, epoch: int) -> np.ndarray:
    """(n,) int32: response tokens of every sample of the pool, -1 where unknown.

    Raises
    ------
    RunError : no such epoch, or a file that cannot be read.
    """
    return _columns(home, run_id, epoch, "samples", ["response_tokens"])["response_tokens"].to_numpy()


def read_kept_aside(home: Path, run_id: str, epoch: int) -> np.ndarray:
    """(h,) int64, ascending: rows of the pool that were held out to measure on; none where a file is measured on.

    Raises
    ------
    RunError : no such epoch, or a file that cannot be read.
    """
    status = _columns(home, run_id, epoch, "samples", ["status"])["status"].to_numpy()
    return np.flatnonzero(status == Status.HELD_OUT)


def _columns(home: Path, run_id: str, epoch: int, name: str, columns: list[str]) -> pa.Table:
    path = epoch_folder(home, run_id, epoch) / f"{name}.parquet"
    try:
        return pq.read_table(path, columns=columns)
    except FileNotFoundError as error:
        raise RunError(f"run {run_id} has no epoch {epoch}") from error
    except DAMAGE as error:
        raise RunError(f"{path} cannot be read ({error})") from error
