"""A run's selections made again from its stored scores, held against the receipt of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from backend import __version__, store
from backend.analysis.receipt import held_out_of, model_hashes, scores_hash
from backend.analysis.recipe import ids_hash
from backend.config import RunConfig, budget_of, config_from, held_out_share, to_json
from backend.data.identity import content_ids
from backend.diversity import NgramCounts
from backend.errors import ConfigError, RunError
from backend.records import NOT_ASKED_FOR, EpochRecord, Pool
from backend.selection import (
    keeps_selection,
    reviewed_record,
    round_before,
    rows_to_score,
    select_epoch,
    split,
)
from backend.store.pools import column_hash

HAD_TOKENS = ("", "non-finite loss", *NOT_ASKED_FOR)  # reasons of samples whose response has tokens
SHOWN = 3  # settings that are named where several differ


@dataclass(frozen=True)
class Check:
    """One thing that the receipt says, held against the runs folder. state : "missing" where there is nothing to hold it
    against, which is no failure; a "note" is none either."""

    what: str
    state: Literal["same", "other", "missing", "note"]
    text: str


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
    there = store.epochs(home, run_id)
    started = store.read_run_pool(home, run_id)
    pool = store.load_pool_from_store(home, started.id)
    records = [store.read_epoch(home, run_id, epoch) for epoch in there]
    if not records:
        raise RunError(
            f"run {run_id} has not selected anything; there are no scores to repeat a selection from"
        )
    counts = functools.cache(
        lambda: store.ngram_counts(home, pool, suffix=config.response_suffix, words=config.words)
    )
    told = [_told_epoch(told, records, pool, config, counts) for told in receipt["epochs"]]
    checks = (
        _settings_check(config, stored_config),
        *_pool_checks(home, receipt, pool, config),
        _held_out_check(receipt, records[0], pool, config),
        _model_check(home, receipt),
        *_notes(receipt, there),
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


def _settings_check(config: RunConfig, stored: RunConfig) -> Check:
    """Whether the run's folder has the receipt's configuration."""
    here, there = to_json(config), to_json(stored)
    other = [name for name in here if here[name] != there[name]]
    if not other:
        return Check("configuration", "same", "the same in the receipt and in the run's folder")
    named = [
        f"{name} is {_short(here[name])} in the receipt and {_short(there[name])} in the run's folder"
        for name in other[:SHOWN]
    ]
    more = f"; {len(other) - SHOWN:,} more settings differ" if len(other) > SHOWN else ""
    return Check("configuration", "other", "; ".join(named) + more)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _pool_checks(home: Path, receipt: dict[str, Any], pool: Pool, config: RunConfig) -> list[Check]:
    """Whether the stored samples, worked out anew from their texts, are the receipt's, and so are the edits."""
    told = receipt["pool"]
    base = store.load_pool_from_store(home, pool.root)
    worked_out, ids = content_ids(base.table)
    if pool.id != told["id"]:
        found = Check("pool", "other", f"the run's pool is {pool.id}, the receipt's is {told['id']}")
    elif worked_out != pool.root or not ids.equals(base.table["id"].combine_chunks().cast(ids.type)):
        found = Check(
            "pool",
            "other",
            f"the stored samples are not those of pool {pool.root}: their hash is {worked_out}",
        )
    else:
        found = Check("pool", "same", f"{len(pool):,} samples, hash {pool.root}")
    checks = [found]
    edits = receipt.get("edits", {})
    if edits or pool.edits:
        same = edits == dict(pool.edits)
        text = (
            f"{len(edits):,} edited responses"
            if same
            else f"{len(edits):,} edited responses in the receipt, others in the run's pool"
        )
        checks.append(Check("edits", "same" if same else "other", text))
    if told.get("column_hash"):
        same = column_hash(home, pool.id, config.factor_column) == told["column_hash"]
        text = f"the values of {config.factor_column}" + (
            "" if same else " are others than when the run was started"
        )
        checks.append(Check("column", "same" if same else "other", text))
    return checks


def _held_out_check(receipt: dict[str, Any], first: EpochRecord, pool: Pool, config: RunConfig) -> Check:
    """Whether the samples that were held out are those of the receipt, and drawing them again gives the same."""
    there = held_out_of(first)
    if ids_hash(pool.ids[there]) != receipt["held_out"]["ids_sha256"]:
        return Check("held out", "other", "other samples were held out than the receipt says")
    share = held_out_share(config)
    if share is None:
        return Check("held out", "same", "none of the pool: a file is measured on")
    usable = np.isin(first.scores.reason.astype(str), HAD_TOKENS) | there
    kept = {*config.pinned, *config.excluded}
    drawn = split(share, ids=pool.ids, usable=usable, kept=kept, seed=config.seed)
    if not np.array_equal(drawn, there):
        return Check("held out", "other", f"seed {config.seed} draws other samples than were held out")
    return Check("held out", "same", f"{int(there.sum()):,} samples, drawn again")


def _model_check(home: Path, receipt: dict[str, Any]) -> Check:
    """Whether the model's files are those of the receipt; the selection is repeated without them."""
    told = receipt["model"]
    if told["files"] is None:
        return Check(
            "model", "missing", f"the files of {told['name']} were not found when the receipt was made"
        )
    here = model_hashes(home, told["name"])
    if here is None:
        return Check(
            "model", "missing", f"the files of {told['name']} are not here; the scores were read without them"
        )
    known = [list(one) for one in told["files"]]
    if here == known:
        return Check("model", "same", f"{len(here):,} files of {told['name']}")
    changed = sorted(
        {
            name
            for name, _ in [one for one in here if one not in known]
            + [one for one in known if one not in here]
        }
    )
    return Check("model", "other", f"files of {told['name']} are others: {', '.join(changed[:SHOWN])}")


def _notes(receipt: dict[str, Any], there: list[int]) -> list[Check]:
    """What is said beside."""
    found = []
    if receipt["studio"] != __version__:
        found.append(
            Check("version", "note", f"the receipt is of version {receipt['studio']}, this is {__version__}")
        )
    further = len(set(there) - {int(one["epoch"]) for one in receipt["epochs"]})
    if further:
        found.append(
            Check("epochs", "note", f"the run has {further:,} epochs that the receipt does not have")
        )
    return found
