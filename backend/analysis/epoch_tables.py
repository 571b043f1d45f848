"""A run's epochs as tables: who came, stayed and went, and what changed in the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from backend import store
from backend.analysis.reasons import STATUS_TEXT, rank_of
from backend.records import EpochRecord, Metrics, Pool, Selection, Status
from backend.store.shelf import keep_last

MEMBERSHIP = (
    "not a candidate",
    "candidate",
    "kept",
    "added",
    "dropped",
    "pinned",
    "rejected",
    "unscorable",
    "held out",
)
"""What a code of `membership` means."""

REJECTED = (
    Status.TOO_COMPLEX,
    Status.TOO_SHORT,
    Status.TOO_LONG,
    Status.EXCLUDED,
    Status.SOURCE_OFF,
    Status.NO_VALUE,
)
NOT_NOISE = (
    "clean",
    "dup",
)  # labels of samples whose response is not spoilt; a near-duplicate is a good sample twice

EPOCH_COLUMNS = [
    "epoch",
    "selected",
    "kept",
    "added",
    "dropped",
    "overlap",
    "rescored",
    "mean_complexity",
    "mean_tokens",
    "distinct",
    "noise",
    "noise_share",
    "held_out_before",
    "held_out_after",
]


def load_epoch(home: Path, run_id: str, epoch: int) -> EpochRecord:
    """An epoch's record, read once as long as it stays what it is (a run resumed from its start writes it anew)."""
    return _load_epoch(home, run_id, epoch, epoch_written(home, run_id, epoch))


def epoch_written(home: Path, run_id: str, epoch: int) -> int:
    """When an epoch's record was written, in nanoseconds; 0 where there is none."""
    meta = store.run_folder(home, run_id) / "epochs" / str(epoch) / "meta.json"
    return meta.stat().st_mtime_ns if meta.exists() else 0


@keep_last(24)
def _load_epoch(home: Path, run_id: str, epoch: int, written: int) -> EpochRecord:
    return store.read_epoch(home, run_id, epoch)


def changes(selection: Selection, previous: Selection | None) -> dict[str, np.ndarray]:
    """Rows that were kept, added and dropped between two selections; all are added where there is no former."""
    before = np.empty(0, dtype=np.int64) if previous is None else previous.rows
    return {
        "kept": selection.rows[np.isin(selection.rows, before)],
        "added": selection.rows[~np.isin(selection.rows, before)],
        "dropped": before[~np.isin(before, selection.rows)],
    }


def membership(selection: Selection, previous: Selection | None = None) -> np.ndarray:
    """(n,) uint8 into MEMBERSHIP: what every row of the pool is in this selection, seen from the one before.

    Without a former selection everything selected is "kept": nothing has come or gone yet.
    """
    status = selection.status
    code = np.zeros(len(status), dtype=np.uint8)
    code[status == Status.OUTRANKED] = MEMBERSHIP.index("candidate")
    code[np.isin(status, REJECTED)] = MEMBERSHIP.index("rejected")
    code[status == Status.UNSCORABLE] = MEMBERSHIP.index("unscorable")
    code[status == Status.HELD_OUT] = MEMBERSHIP.index("held out")
    moved = changes(selection, previous)
    code[moved["dropped"]] = MEMBERSHIP.index("dropped")
    code[moved["kept"]] = MEMBERSHIP.index("kept")
    code[moved["added"]] = MEMBERSHIP.index("added" if previous is not None else "kept")
    code[status == Status.PINNED] = MEMBERSHIP.index("pinned")
    return code


def epoch_table(records: Sequence[EpochRecord], metrics: Sequence[Metrics], pool: Pool) -> pd.DataFrame:
    """One row per epoch; NaN where something was not measured (yet) or does not exist.

    overlap : share of the epoch's selection that was in the one before.
    mean_complexity : of the selected, as known when they were picked.
    distinct : samples that were in any selection up to this epoch.
    noise, noise_share : picks whose evaluation label names a planted fault; NaN where the pool has no labels.
    held_out_before, held_out_after : nats per token.
    """
    held_out = {m.held_out_epoch: m.held_out for m in metrics if m.held_out is not None}
    noisy = None if pool.labels is None else np.array([bool(x) and x not in NOT_NOISE for x in pool.labels])
    seen: np.ndarray = np.zeros(len(pool), dtype=bool)
    rows, previous = [], None
    for record in records:
        picked = record.selection.rows
        moved = changes(record.selection, previous)
        seen[picked] = True
        tokens = record.scores.response_tokens[picked]
        noise = np.nan if noisy is None else float(noisy[picked].sum())
        rows.append(
            {
                "epoch": record.epoch,
                "selected": len(picked),
                "kept": len(moved["kept"]) if previous is not None else 0,
                "added": len(moved["added"]),
                "dropped": len(moved["dropped"]),
                "overlap": len(moved["kept"]) / len(picked)
                if previous is not None and len(picked)
                else np.nan,
                "rescored": int(record.rescored.sum()),
                "mean_complexity": mean_known(record.scores.complexity[picked]),
                "mean_tokens": mean_known(np.where(tokens >= 0, tokens, np.nan)),
                "distinct": int(seen.sum()),
                "noise": noise,
                "noise_share": noise / len(picked) if len(picked) else np.nan,
                "held_out_before": _value(held_out.get(record.epoch)),
                "held_out_after": _value(held_out.get(record.epoch + 1)),
            }
        )
        previous = record.selection
    return pd.DataFrame(rows, columns=EPOCH_COLUMNS)


def label_table(pool: Pool, selection: Selection) -> pd.DataFrame:
    """Evaluation labels in the pool and in the selection: label, pool, selected, share_pool, share_selected.

    Empty where the pool has no labels. Nothing in the method reads them.
    """
    columns = ["label", "pool", "selected", "share_pool", "share_selected"]
    if pool.labels is None:
        return pd.DataFrame(columns=columns)
    labels = pd.Series(label_names(pool))
    eligible = labels[selection.status != Status.HELD_OUT]
    counts = eligible.value_counts()
    picked = labels.iloc[selection.rows].value_counts().reindex(counts.index, fill_value=0)
    table = pd.DataFrame({"label": counts.index, "pool": counts.to_numpy(), "selected": picked.to_numpy()})
    table["share_pool"] = table["pool"] / max(int(counts.sum()), 1)
    table["share_selected"] = table["selected"] / max(len(selection), 1)
    return table[columns]


def label_names(pool: Pool) -> np.ndarray:
    """(n,) object of str: the samples' evaluation labels, "no label" where a sample, or the pool, has none."""
    if pool.labels is None:
        return np.full(len(pool), "no label", dtype=object)
    return np.array(["no label" if label is None else str(label) for label in pool.labels], dtype=object)


def history(records: Sequence[EpochRecord], row: int) -> pd.DataFrame:
    """One sample over the epochs: epoch, status (words), picked, rank, gain, complexity, loss, rescored.

    loss : of the response with its prompt, nats per token, as known before the epoch.
    """
    rows = []
    for record in records:
        rank = rank_of(record.selection, row)
        complexity = float(record.scores.complexity[row])
        rows.append(
            {
                "epoch": record.epoch,
                "status": STATUS_TEXT[Status(int(record.selection.status[row]))],
                "picked": rank is not None,
                "rank": np.nan if rank is None else rank,
                "gain": np.nan if rank is None else float(record.selection.gain[rank - 1]),
                "complexity": complexity,
                "loss": float(record.scores.loss_cond[row]),
                "rescored": bool(record.rescored[row]),
            }
        )
    columns = ["epoch", "status", "picked", "rank", "gain", "complexity", "loss", "rescored"]
    return pd.DataFrame(rows, columns=columns)


def mean_known(values: np.ndarray) -> float:
    """Mean of the values that exist; NaN, without a warning, where none does."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _value(number: float | None) -> float:
    return float("nan") if number is None else number
