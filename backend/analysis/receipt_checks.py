"""What a receipt says beside its epochs, held against a runs folder: settings, pool, edits, held-out samples, model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from backend import __version__, store
from backend.analysis.receipt import held_out_of, model_hashes
from backend.analysis.recipe import ids_hash
from backend.config import RunConfig, held_out_share, to_json
from backend.data.identity import content_ids
from backend.records import NOT_ASKED_FOR, EpochRecord, Pool
from backend.selection import split
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


def receipt_checks(
    home: Path,
    receipt: dict[str, Any],
    config: RunConfig,
    stored: RunConfig,
    pool: Pool,
    records: Sequence[EpochRecord],
    *,
    measured_on: str | None,
) -> tuple[Check, ...]:
    """Everything but the epochs' picks.

    config : the receipt's. stored, pool, records : what the run's folder holds, at least epoch 0.
    measured_on : the stored id of the file that the run measures on; None where it is no file.
    """
    return (
        _settings_check(config, stored),
        *_pool_checks(home, receipt, pool, config),
        _held_out_check(receipt, records[0], pool, config, measured_on),
        _model_check(home, receipt),
        *_notes(receipt, records),
    )


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


def _held_out_check(
    receipt: dict[str, Any], first: EpochRecord, pool: Pool, config: RunConfig, measured_on: str | None
) -> Check:
    """Whether the samples that were held out are those of the receipt, and drawing them again gives the same."""
    if receipt["held_out"].get("pool") != measured_on:
        return Check("held out", "other", "the run measures on another file than the receipt says")
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


def _notes(receipt: dict[str, Any], records: Sequence[EpochRecord]) -> list[Check]:
    """What is said beside."""
    found = []
    if receipt.get("studio") != __version__:
        found.append(
            Check(
                "version", "note", f"the receipt is of version {receipt.get('studio')}, this is {__version__}"
            )
        )
    further = len({one.epoch for one in records} - {int(one["epoch"]) for one in receipt["epochs"]})
    if further:
        found.append(
            Check("epochs", "note", f"the run has {further:,} epochs that the receipt does not have")
        )
    return found
