"""What a run's held-out loss is measured on, in words: without it no two losses can be compared."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

from backend import store
from backend.config import RunConfig, held_out_share
from backend.errors import StudioError


def held_out_words(home: Path, run_id: str) -> str:
    """Such as "the demo's 360 held-out rows" or "110 samples held out from pool birds"; "" where nothing is held out.

    Before a run has kept its share aside the words are "5 % of pool birds, not drawn yet".

    Raises
    ------
    StudioError : no such run, or its files cannot be read.
    """
    epochs = store.epochs(home, run_id)
    return _words(home, run_id, epochs[0] if epochs else None)


def words_or_none(home: Path, run_id: str) -> str:
    """The same for a screen: "" where the run cannot be read."""
    try:
        return held_out_words(home, run_id)
    except StudioError:
        return ""


def file_words(held_out: str, rows: int | None) -> str:
    """What is measured on where `held_out` names a file or the embedded rows. rows : None where they are not known."""
    if held_out == "demo":
        return f"the demo's {rows:,} held-out rows" if rows is not None else "the demo's held-out rows"
    name = Path(held_out).name or held_out
    return f"the {rows:,} samples of {name}" if rows is not None else f"the samples of {name}"


def share_words(config: RunConfig, pool: str) -> str:
    """What will be measured on where a share of a pool is held out; "" where it is none."""
    share = held_out_share(config)
    return f"{100 * share:g} % of pool {pool}, not drawn yet" if share else ""


def planned_words(config: RunConfig, rows: int) -> str:
    """What a run will be measured on that is not started yet; rows : samples in its pool."""
    share = held_out_share(config)
    if share is None:
        return file_words(config.held_out, None)
    count = math.floor(round(share * rows, 9))
    return f"{count:,} samples held out from the pool" if count else "nothing: no sample is held out"


@lru_cache(maxsize=512)
def _words(home: Path, run_id: str, first: int | None) -> str:
    """first : the first epoch that was selected for, None before; what is held out does not change after it."""
    config, pools = store.read_config(home, run_id), store.read_run_pool(home, run_id)
    if pools.held_out_id:
        return file_words(config.held_out, store.pool_info(home, pools.held_out_id).rows)
    if first is None or not held_out_share(config):
        return share_words(config, pools.name)
    count = len(store.read_kept_aside(home, run_id, first))
    return f"{count:,} samples held out from pool {pools.name}" if count else ""
