"""The review of an epoch before it is final: what it would train on with some settings changed, and what moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend import store
from backend.analysis.earlier_epochs import Earlier, earlier_epochs
from backend.analysis.epoch_tables import load_epoch
from backend.analysis.what_if import ngram_counts
from backend.config import RunConfig, SelectionSettings, Words, budget_of
from backend.diversity import NgramCounts
from backend.records import EpochRecord, Pool, Selection, Status
from backend.selection import review_settings, reviewed_record
from backend.store.shelf import keep_last

MOVES = ("came", "stayed", "went")


@dataclass(frozen=True)
class Reviewed:
    """An epoch under review with some settings changed.

    proposal : what the run would train on unchanged. record : what it trains on with the changes; the proposal itself
        where there are none.
    previous : the epoch before, None in the first.
    settings : of this epoch, the changes among them.
    earlier : what the epochs before had trained on, where the strategy remembers it.
    budget, most : samples that are asked for, and that an epoch of this run can train on at most.
    """

    pool: Pool
    config: RunConfig
    proposal: EpochRecord
    record: EpochRecord
    previous: EpochRecord | None
    settings: SelectionSettings
    budget: int
    most: int
    earlier: Earlier | None = None

    @property
    def selection(self) -> Selection:
        """What the epoch trains on."""
        return self.record.selection

    def moved(self) -> dict[str, np.ndarray]:
        """Rows that came, stayed and went against the epoch before, in the order of their picks; all came in the first."""
        return moves(self.selection, self.previous.selection if self.previous else None)

    def by_hand(self) -> dict[str, np.ndarray]:
        """Rows that are in, and out, because of the changes alone."""
        found = moves(self.selection, self.proposal.selection)
        return {"in": found["came"], "out": found["went"]}


def review_selection(home: Path, run_id: str, epoch: int, changes: Mapping[str, Any]) -> Reviewed:
    """What a waiting run would train on with these settings changed: the very function that its worker calls.

    Raises
    ------
    RunError : the run does not wait before this epoch.
    ConfigError : a setting that a review cannot change, a value that is none, a budget beyond what the run has steps
        for, or nothing left to select.
    """
    config = store.read_config(home, run_id)
    proposal = load_proposal(home, run_id, epoch)
    pool = _pool(home, store.read_run_pool(home, run_id).id)
    previous = load_epoch(home, run_id, epoch - 1) if epoch else None
    first = len(load_epoch(home, run_id, 0).selection) if epoch else None
    settings = review_settings(config, changes)
    record = reviewed_record(
        pool,
        lambda: _counts(home, pool.id, config.response_suffix, config.words),
        proposal,
        config,
        changes,
        most=first,
    )
    eligible = int((proposal.selection.status != Status.HELD_OUT).sum())
    most = eligible if first is None else first
    asked = budget_of(settings.budget, eligible) if first is None or "budget" in changes else first
    before = [load_epoch(home, run_id, other) for other in range(epoch)] if record.earlier is not None else []
    earlier = earlier_epochs([*before, record], epoch)
    return Reviewed(pool, config, proposal, record, previous, settings, min(asked, most), most, earlier)


def moves(now: Selection, before: Selection | None) -> dict[str, np.ndarray]:
    """Rows by `MOVES` between two selections; all came where there is none before."""
    former = np.empty(0, dtype=np.int64) if before is None else before.rows
    stayed = np.isin(now.rows, former)
    return {
        "came": now.rows[~stayed],
        "stayed": now.rows[stayed],
        "went": former[~np.isin(former, now.rows)],
    }


def load_proposal(home: Path, run_id: str, epoch: int) -> EpochRecord:
    """What a run would select, read once as long as it stays what it is.

    Raises
    ------
    RunError : it did not wait before this epoch.
    """
    meta = store.run_folder(home, run_id) / "reviews" / str(int(epoch)) / "meta.json"
    return _load_proposal(home, run_id, epoch, meta.stat().st_mtime_ns if meta.exists() else 0)


@keep_last(4)
def _load_proposal(home: Path, run_id: str, epoch: int, written: int) -> EpochRecord:
    return store.read_proposal(home, run_id, epoch)


@keep_last(2)
def _pool(home: Path, pool_id: str) -> Pool:
    return store.load_pool_from_store(home, pool_id)


@keep_last(2)
def _counts(home: Path, pool_id: str, suffix: str, words: Words) -> NgramCounts:
    return ngram_counts(home, _pool(home, pool_id), suffix=suffix, words=words)
