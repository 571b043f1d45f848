"""Where things lie under the runs folder, and the only way from an id to a path.

    home/studio.sqlite                          jobs, runs, events, marks, notes, saved settings
    home/studio.copy.sqlite                     the same as it was when it was last copied, once a day
    home/pools/<pool id>/                       samples.parquet, meta.json, ngrams.npz, map.parquet, clusters.parquet
                                                words.json (how its responses are cut), scripts.json (what they are in)
    home/pools/<pool id>/rows/                  <key>.bits: sets of rows that an address names
    home/pools/<edited pool's id>/              edits.json (of which pool, and the responses), meta.json, ngrams.npz, findings
    home/<run id>/                              config.json, pool.json, metrics.jsonl, log.txt, receipt.json, checkpoints/, model/
    home/<run id>/epochs/<e>/                   samples.parquet, picks.parquet, meta.json

Ids come from addresses that a visitor typed, so each is matched against its whole pattern before it becomes a path.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from functools import lru_cache
from pathlib import Path

from backend.errors import PoolError, RunError

RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
POOL_ID = re.compile(r"[0-9a-f]{8,64}")


def new_run_id() -> str:
    """A run id: when it was made, sortable, and six random digits (20251122-174455-3fa9c1)."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"


def run_folder(home: Path, run_id: str) -> Path:
    """A run's folder (it need not exist).

    Raises
    ------
    RunError : the id is not of the form of a run id.
    """
    if not isinstance(run_id, str) or not RUN_ID.fullmatch(run_id):
        raise RunError(f"{run_id!r} is not a run id (expected something like 20251122-174455-3fa9c1)")
    return Path(home) / run_id


def existing_run_folder(home: Path, run_id: str) -> Path:
    """A run's folder, or a RunError where there is none."""
    folder = run_folder(home, run_id)
    if not (folder / "config.json").is_file():
        raise RunError(f"run {run_id} not found in {home}")
    return folder


def epoch_folder(home: Path, run_id: str, epoch: int) -> Path:
    """The folder of one epoch's record."""
    if not isinstance(epoch, int) or isinstance(epoch, bool) or epoch < 0:
        raise RunError(f"epoch is {epoch!r}; expected a whole number, 0 or more")
    return run_folder(home, run_id) / "epochs" / str(epoch)


def pool_folder(home: Path, pool_id: str) -> Path:
    """A stored pool's folder (it need not exist).

    Raises
    ------
    PoolError : the id is not of the form of a pool id.
    """
    if not isinstance(pool_id, str) or not POOL_ID.fullmatch(pool_id):
        raise PoolError(f"{pool_id!r} is not a pool id (expected 16 digits 0-9 a-f)")
    return Path(home) / "pools" / pool_id


def root_of(home: Path, pool_id: str) -> str:
    """The id of the pool that an edited pool was made from; a pool that nobody edited is its own.

    Raises
    ------
    PoolError : the id is not of the form of a pool id, or edits.json cannot be read.
    """
    path = pool_folder(home, pool_id) / "edits.json"
    return _base_in(path) if path.is_file() else pool_id


@lru_cache(maxsize=256)
def _base_in(path: Path) -> str:
    """The pool that an edits.json belongs to; what such a file says never changes."""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["base"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PoolError(f"{path} cannot be read ({error})") from error


def log_path(home: Path, run_id: str) -> Path:
    """The file that a run's worker prints to."""
    return run_folder(home, run_id) / "log.txt"
