"""A run's selections made again from its stored scores, held against the receipt of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from backend import store
from backend.analysis.receipt import held_out_of, scores_hash
from backend.analysis.receipt_checks import Check, receipt_checks
from backend.analysis.recipe import ids_hash
from backend.config import RunConfig, budget_of, config_from
from backend.diversity import NgramCounts
from backend.errors import ConfigError, RunError
from backend.records import EpochRecord, Pool
from backend.selection import (
    keeps_selection,
    reviewed_record,
    round_before,
    rows_to_score,
    select_epoch,
)


@dataclass(frozen=True)
class EpochReplay:
    """One epoch's selection made again. samples : that it picked now. differences : sentences, none where it is identical."""

    epoch: int
    samples: int
    differences: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """The same samples in the same order, from the same scores."""
        return not self.differences


@dataclass(frozen=True)
class Replay:
    """A receipt held against a run."""

    run: str
    checks: tuple[Check, ...]
    epochs: tuple[EpochReplay, ...]

    @property
    def identical(self) -> bool:
        """Every epoch is, and nothing that could be checked is another."""
        return all(one.identical for one in self.epochs) and all(one.state != "other" for one in self.checks)


def replay(home: Path, receipt: dict[str, Any], run_id: str | None = None) -> Replay:
    """Repeat every selection of a receipt with its configuration, from the scores that the run's folder holds.

    Each epoch follows from the stored epochs before it, so what differs is told where it is, and not in every later epoch.

    run_id : the run to repeat; the receipt's own where None.

    Raises
    ------
    RunError : no such run here, or its files cannot be read. PoolError : its pool is not there.
    ConfigError : the receipt's configuration is none.
    """
    run_id = run_id or str(receipt["run"]["id"])
    config = config_from(receipt["configuration"])
    stored_config = store.read_config(home, run_id)
    started = store.read_run_pool(home, run_id)
    pool = store.load_pool_from_store(home, started.id)
    records = [store.read_epoch(home, run_id, epoch) for epoch in store.epochs(home, run_id)]
    if not records:
        raise RunError(
            f"run {run_id} has not selected anything; there are no scores to repeat a selection from"
        )
    counts = functools.cache(
        lambda: store.ngram_counts(home, pool, suffix=config.response_suffix, words=config.words)
    )
    told = [_told_epoch(told, records, pool, config, counts) for told in receipt["epochs"]]
    checks = receipt_checks(
        home, receipt, config, stored_config, pool, records, measured_on=started.held_out_id
    )
    return Replay(run_id, checks, tuple(told))


def selected_again(
    before: Sequence[EpochRecord],
    stored: EpochRecord,
    pool: Pool,
    config: RunConfig,
    counts: Callable[[], NgramCounts],
    *,
    changes: dict[str, Any],
) -> tuple[np.ndarray, np.ndarray]:
    """(k,) int64 rows that an epoch selects, and (n,) bool whom it would have scored anew, from its stored scores.

    before : the stored epochs before it. changes : what a review changed for it.
    """
    if before and keeps_selection(config.strategy):
        return before[0].selection.rows, np.zeros(len(pool), dtype=bool)
    held_out = held_out_of(stored)
    rescored = np.zeros(len(pool), dtype=bool)
    rescored[rows_to_score(before, config, pool, held_out=held_out)] = True
    round_, earlier = round_before(before, config, pool)
    if changes:
        proposal = replace(stored, rescored=rescored, round=round_, earlier=earlier)
        most = len(before[0].selection) if before else None
        made = reviewed_record(pool, counts, proposal, config, changes, most=most)
        return made.selection.rows, rescored
    found = select_epoch(
        pool,
        counts,
        stored.scores,
        config,
        epoch=stored.epoch,
        budget=len(before[0].selection) if before else budget_of(config.budget, int((~held_out).sum())),
        rescored=rescored,
        held_out=held_out,
        earlier=earlier,
    )
    return found.selection.rows, rescored


def _told_epoch(
    told: dict[str, Any],
    records: Sequence[EpochRecord],
    pool: Pool,
    config: RunConfig,
    counts: Callable[[], NgramCounts],
) -> EpochReplay:
    """One epoch of the receipt, repeated."""
    epoch = int(told["epoch"])
    at = next((at for at, record in enumerate(records) if record.epoch == epoch), None)
    if at is None:
        return EpochReplay(epoch, 0, (f"the run's folder does not hold epoch {epoch}",))
    if at != epoch:
        return EpochReplay(epoch, 0, ("the run's folder does not hold every epoch before it",))
    stored = records[at]
    differences = []
    if scores_hash(stored) != told["scores_sha256"]:
        differences.append("the stored scores are not those of the receipt")
    if stored.changes != told["changes"]:
        differences.append("the run's folder and the receipt differ in what a review changed")
    try:
        rows, rescored = selected_again(records[:at], stored, pool, config, counts, changes=told["changes"])
    except ConfigError as error:
        return EpochReplay(epoch, 0, (*differences, f"nothing can be selected: {error}"))
    others = int((rescored != stored.rescored).sum())
    if others:
        differences.append(
            f"{others:,} samples would have been scored anew that were not, or the other way round"
        )
    listed = [str(one) for one in told["ids"]]
    if ids_hash(np.array(listed, dtype=object)) != told["ids_sha256"]:
        differences.append("the receipt's ids_sha256 is not the hash of its ids: the file was changed")
    again = [str(one) for one in pool.ids[rows]]
    kept = [str(one) for one in pool.ids[stored.selection.rows]]
    where = "the receipt and in the run's folder" if kept == listed else "the receipt"
    differences += _first_difference(again, listed, where)
    if kept != listed:
        differences += _first_difference(again, kept, "the run's folder")
    return EpochReplay(epoch, len(rows), tuple(differences))


def _first_difference(again: list[str], there: list[str], where: str) -> list[str]:
    """Where two orders of ids part; nothing where they are the same."""
    if again == there:
        return []
    at = next(
        (i for i, (one, other) in enumerate(zip(again, there)) if one != other), min(len(again), len(there))
    )
    named = [f"{ids[at]}" if at < len(ids) else "nothing" for ids in (there, again)]
    missing = len(set(there) - set(again))
    more = (
        f"; {missing:,} of its {len(there):,} samples are not selected again"
        if missing
        else "; only the order differs"
    )
    if not missing and len(again) != len(there):
        more = f"; it has {len(there):,} samples, the repeated selection {len(again):,}"
    return [f"pick {at + 1:,} in {where} is {named[0]}, repeated it is {named[1]}{more}"]
