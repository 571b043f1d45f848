"""Held-out samples that none of some runs was trained on: what models may fairly be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend import store
from backend.errors import RunError
from backend.models_on_demand.questions import HeldOutSample
from backend.records import Status
from backend.store.shelf import keep_last


@dataclass(frozen=True)
class Unseen:
    """Samples held out of `run` that no asked run may have trained on.

    pool : the stored pool that they are in. rows : (k,) int64. ids : (k,) object, their sample ids.
    seen : how many of the run's held-out samples are left out, because another run, or the same run under another
        id, may have trained on the same text.
    """

    run: str
    pool: str
    rows: np.ndarray
    ids: np.ndarray
    seen: int


def unseen_samples(home: Path, runs: Sequence[str]) -> Unseen:
    """What was held out of the first run and is not among what any of the runs could choose from.

    A sample counts as seen by a run where a sample of the very same content is in its pool and was not held out,
    whether it was ever selected or not.

    Raises
    ------
    RunError : no runs, one that holds nothing out or has not selected yet, or no sample is left.
    """
    if not runs:
        raise RunError("choose at least one run: held-out samples are those of a run")
    pool, rows, ids = _held_out(Path(home), runs[0])
    fair = np.ones(len(ids), dtype=bool)
    contents = _contents(ids)
    for run in runs:
        seen = _choosable(Path(home), run)
        fair &= np.fromiter((content not in seen for content in contents), dtype=bool, count=len(contents))
    if not fair.any():
        raise RunError(
            f"each of the {len(ids):,} samples held out of run {runs[0]} may have been trained on by one of the "
            "chosen runs; choose runs with the same held-out samples, or type a prompt"
        )
    return Unseen(runs[0], pool, rows[fair], ids[fair], int((~fair).sum()))


def unseen_sample(home: Path, runs: Sequence[str], sample: str) -> HeldOutSample:
    """The held-out sample with this id.

    Raises
    ------
    RunError : it is not among `unseen_samples`.
    """
    found = unseen_samples(home, runs)
    at = np.flatnonzero(found.ids == sample)
    if not len(at):
        raise RunError(
            f"sample {sample!r} was not held out of the chosen runs, so they may have been trained on it "
            f"({len(found.ids):,} samples were, such as {found.ids[0]}); ask its text with a typed prompt instead"
        )
    return _sample(home, found, int(at[0]))


def draw_unseen(home: Path, runs: Sequence[str], count: int, *, seed: int) -> list[HeldOutSample]:
    """Up to `count` different held-out samples in an order that the seed decides; the same seed, the same samples."""
    found = unseen_samples(home, runs)
    order = np.random.default_rng(seed).permutation(len(found.ids))[:count]
    return [_sample(home, found, int(at)) for at in order]


def _sample(home: Path, found: Unseen, at: int) -> HeldOutSample:
    row = int(found.rows[at])
    response = store.sample_at(home, found.pool, row).response
    return HeldOutSample(found.run, found.pool, row, str(found.ids[at]), response)


def _contents(ids: np.ndarray) -> list[str]:
    """What the samples hold: their ids without the number that tells samples of the same content apart."""
    return [sample.rpartition("-")[0] for sample in ids]


@keep_last(16)
def _held_out(home: Path, run: str) -> tuple[str, np.ndarray, np.ndarray]:
    """(pool, rows, ids) of what a run measures its held-out loss on; it never changes."""
    pools = store.read_run_pool(home, run)
    if pools.held_out_id:
        ids = store.sample_ids(home, pools.held_out_id)
        return pools.held_out_id, np.arange(len(ids)), ids
    rows = np.flatnonzero(_share_held_out(home, run))
    if not len(rows):
        raise RunError(f"run {run} holds no samples out; type a prompt, or choose a run that does")
    return pools.id, rows, store.sample_ids(home, pools.id)[rows]


@keep_last(16)
def _choosable(home: Path, run: str) -> frozenset[str]:
    """Contents of the samples that a run could select and so train on."""
    pools = store.read_run_pool(home, run)
    ids = store.sample_ids(home, pools.id)
    if not pools.held_out_id:
        ids = ids[~_share_held_out(home, run)]
    return frozenset(_contents(ids))


def _share_held_out(home: Path, run: str) -> np.ndarray:
    """(n,) bool: which rows of its pool a run has set aside."""
    return store.read_epoch(home, run, 0).selection.status == Status.HELD_OUT
