"""Which scores a pool has: the embedded demo's, those of every epoch that a run of it has recorded, and imported ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from backend import store
from backend.analysis.epoch_tables import epoch_written, load_epoch
from backend.data import demo
from backend.errors import ScoresError
from backend.records import EDITED, Pool, Scores, Status
from backend.store import imported_scores

DEMO = "demo"


@dataclass(frozen=True)
class ScoreSet:
    """Scores that a pool has.

    key : "demo", "<run id>/<epoch>" or "imported-<pool id>-<digest>", what `load_scores` takes.
    label : words for a list: the model, the run, how far it was trained.
    stale : samples that were edited since they were scored; their scores are not used.
    """

    key: str
    label: str
    model: str
    run: str = ""
    epoch: int = 0
    stale: int = 0


def score_sets(home: Path, pool: Pool) -> list[ScoreSet]:
    """Every set of scores of this pool: the embedded demo's first, then the runs', newest run first, then imported ones."""
    sets = []
    if demo.SCORES.is_file() and _demo_ids_match(pool):
        stale = len(pool.edits)
        sets.append(ScoreSet(DEMO, f"demo model, untouched{_since(stale)}", "demo", stale=stale))
    for run in store.runs(home):
        if store.root_of(home, run.pool_id) != pool.root:
            continue
        stale = len(store.edited_since(home, run.pool_id, pool))
        for epoch in store.epochs(home, run.id):
            if not _has_scores(home, run.id, epoch, epoch_written(home, run.id, epoch)):
                continue  # strategies that need no model record no scores
            trained = "untouched" if epoch == 0 else f"after {epoch} epoch{'s' if epoch > 1 else ''}"
            sets.append(
                ScoreSet(
                    f"{run.id}/{epoch}",
                    f"{run.name}: {Path(run.model).name}, {trained}{_since(stale)}",
                    run.model,
                    run.id,
                    epoch,
                    stale,
                )
            )
    for one in imported_scores.imported_sets(home, pool.root):
        stale = len(imported_scores.edited_since_import(home, pool, one.key))
        sets.append(ScoreSet(one.key, f"{one.name}, imported{_since(stale)}", one.model, stale=stale))
    return sets


@lru_cache(maxsize=8192)
def _has_scores(home: Path, run_id: str, epoch: int, written: int) -> bool:
    """Kept, because this is asked of every epoch of every run whenever something is drawn of a pool."""
    return bool(np.isfinite(load_epoch(home, run_id, epoch).scores.complexity).any())


def load_scores(home: Path, pool: Pool, key: str) -> Scores:
    """The scores of one set; unknown for the samples that were edited since.

    Raises
    ------
    ScoresError : there is no such set, or it belongs to another pool.
    """
    if key == DEMO:
        return read_scores(demo.SCORES, pool).without(edited_since_scored(home, pool, key), EDITED)
    if imported_scores.is_imported(key):
        return imported_scores.load_imported(home, pool, key)
    run_id, _, epoch = key.rpartition("/")
    if not run_id or not epoch.isdigit():
        raise ScoresError(
            f"scores {key!r} are unknown (known: 'demo', a run id and an epoch: '<run>/<epoch>', or imported ones)"
        )
    if store.root_of(home, store.run_info(home, run_id).pool_id) != pool.root:
        raise ScoresError(f"run {run_id} scored another pool than {pool.name}")
    return load_epoch(home, run_id, int(epoch)).scores.without(edited_since_scored(home, pool, key), EDITED)


def edited_since_scored(home: Path, pool: Pool, key: str) -> np.ndarray:
    """(k,) int64, ascending: the samples of a pool whose responses are others than those that a set of scores is of.

    key : of a `ScoreSet` of this pool; "" for none.
    """
    if imported_scores.is_imported(key):
        return imported_scores.edited_since_import(home, pool, key)
    run_id = key.rpartition("/")[0]
    then = store.run_info(home, run_id).pool_id if run_id else pool.root
    return store.edited_since(home, then, pool) if key else np.zeros(0, dtype=np.int64)


def _since(stale: int) -> str:
    return f" ({stale:,} edited since)" if stale else ""


def held_out_of(home: Path, scores_key: str) -> np.ndarray | None:
    """(n,) bool: the samples that the run of these scores held out, and so never scored; None where there are none.

    scores_key : of a `ScoreSet`; "", "demo" and imported ones keep nothing aside.

    Raises
    ------
    RunError : there is no such run or epoch.
    """
    run_id, _, epoch = scores_key.rpartition("/")
    if not run_id or not epoch.isdigit():
        return None
    held_out = load_epoch(home, run_id, int(epoch)).selection.status == Status.HELD_OUT
    return held_out if held_out.any() else None


def read_scores(path: Path, pool: Pool) -> Scores:
    """Scores from a Parquet file with `id`, `complexity`, `loss_cond`, `loss_prior`, `response_tokens`, `reason`.

    Raises
    ------
    ScoresError : the file is missing, or its ids are not the pool's.
    """
    if not path.is_file():
        raise ScoresError(f"{path} is missing")
    table = pq.read_table(path)
    if not np.array_equal(np.asarray(table["id"].to_pylist(), dtype=object), pool.ids):
        raise ScoresError(f"{path} holds scores of another pool than {pool.name}")
    return Scores(
        loss_cond=table["loss_cond"].to_numpy().astype(np.float32),
        loss_prior=table["loss_prior"].to_numpy().astype(np.float32),
        complexity=table["complexity"].to_numpy().astype(np.float32),
        response_tokens=table["response_tokens"].to_numpy().astype(np.int32),
        reason=np.asarray([reason or "" for reason in table["reason"].to_pylist()], dtype=object),
    )


def _demo_ids_match(pool: Pool) -> bool:
    scored = _demo_ids()
    return len(scored) == len(pool) and bool(np.array_equal(scored, pool.ids))


@lru_cache(maxsize=1)
def _demo_ids() -> np.ndarray:
    """(n,) object: the samples that the embedded scores are of."""
    return np.asarray(pq.read_table(demo.SCORES, columns=["id"])["id"].to_pylist(), dtype=object)


def load_map(path: Path) -> np.ndarray:
    """(n, 2) float32: a stored map's coordinates, NaN where a sample has no place."""
    return store.read_map(path).xy
