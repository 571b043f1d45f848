"""What a run was made from and what it selected, in one JSON file that outlives its folder and lets others check it.

A receipt is a JSON document:

    receipt : version of this layout. made : when, UTC. studio : version. complete : whether all epochs were selected for.
    run : {id, name}. strategy, seed : as configured.
    pool : {id: hash of its content, name, samples, inputs: as the run was given them, mapping, base: the id before edits,
        column_hash: of the values of a column that is a factor, where there is one}
    edits : edited responses by sample id, where there are any.
    held_out : {pool: hash of the content of the file measured on, or null; samples, ids_sha256: of the pool's that were held out}
    model : {name, files: [[name, SHA-256]], or null where they are not found; hashed: when, UTC}
    environment : versions of packages, machine and device that computed it; null of a run that did not note them.
    configuration : every setting, pins and exclusions among them.
    samples, ids_sha256 : of all epochs together, each sample once.
    epochs : of each {epoch, round, samples, ids_sha256, ids: in pick order, scores_sha256: of all samples' scores as they
        were then, changes: what a review changed for it}
"""

from __future__ import annotations

import json
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from backend import store
from backend.analysis.recipe import head_of, ids_hash
from backend.config import to_json
from backend.errors import ModelError, RunError
from backend.model.content import content_files
from backend.records import EpochRecord, Status

RECEIPT = 1  # version of the layout
FILE = "receipt.json"
NEEDED = {
    "run": ("id",),
    "pool": ("id",),
    "held_out": ("ids_sha256",),
    "model": ("name", "files"),
    "configuration": (),
    "epochs": ("epoch", "ids", "ids_sha256", "scores_sha256", "changes"),
}
"""What a replay reads of a receipt; `epochs` is a list."""


def receipt_of_run(home: Path, run_id: str) -> dict[str, Any]:
    """The receipt of a run as it is now, from what is stored of it; it needs an epoch, and need not be done.

    Raises
    ------
    RunError : no such run, nothing is selected yet, or a file cannot be read. PoolError : its pool is not there.
    """
    config = store.read_config(home, run_id)
    started = store.read_run_pool(home, run_id)
    epochs = store.epochs(home, run_id)
    if not epochs:
        raise RunError(f"run {run_id} has not selected anything yet; a receipt needs an epoch")
    pool = store.load_pool_from_store(home, started.id)
    head = head_of(pool, store.picks_of_all_epochs(home, run_id), tuple(config.pool), dict(config.mapping))
    if pool.base:
        head["pool"]["base"] = pool.base
    if started.column_hash:
        head["pool"]["column_hash"] = started.column_hash
    aside = pool.ids[store.read_kept_aside(home, run_id, epochs[0])]
    files = model_hashes(home, config.model)
    hashed = None if files is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {
        "receipt": RECEIPT,
        **head,
        "complete": len(epochs) == max(1, config.epochs),
        "run": {"id": run_id, "name": store.run_info(home, run_id).name},
        "strategy": config.strategy,
        "seed": config.seed,
        "held_out": {"pool": started.held_out_id, "samples": len(aside), "ids_sha256": ids_hash(aside)},
        "model": {"name": config.model, "files": files, "hashed": hashed},
        "environment": _environment(home, run_id),
        "configuration": to_json(config),
        "epochs": [_epoch(store.read_epoch(home, run_id, epoch), pool.ids) for epoch in epochs],
    }


def write_receipt(home: Path, run_id: str) -> Path:
    """Write a run's receipt into its folder, and say where; errors as of `receipt_of_run`."""
    path = store.run_folder(home, run_id) / FILE
    store.write_json(path, receipt_of_run(home, run_id))
    return path


def stored_or_made(home: Path, run_id: str) -> dict[str, Any]:
    """The receipt that was written when the run ended, or one of now where there is none or the run has gone on since."""
    path = store.run_folder(home, run_id) / FILE
    if path.is_file():
        kept = read_receipt(path)
        if [epoch["epoch"] for epoch in kept["epochs"]] == store.epochs(home, run_id):
            return kept
    return receipt_of_run(home, run_id)


def read_receipt(path: Path) -> dict[str, Any]:
    """A receipt from its file.

    Raises
    ------
    RunError : the file cannot be read, or is not a receipt.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({error})") from error
    if not isinstance(found, dict) or not isinstance(found.get("receipt"), int):
        raise RunError(f"{path} is not a receipt; the command receipt writes one")
    if found["receipt"] > RECEIPT:
        raise RunError(f"{path} was written by a newer version of the studio ({found.get('studio')})")
    _check_keys(path, "", found, tuple(NEEDED))
    for name, keys in NEEDED.items():
        parts = found[name] if isinstance(found[name], list) else [found[name]]
        if not parts:
            raise RunError(f'{path}: "{name}" is empty; there is nothing to hold a run against')
        for part in parts:
            _check_keys(path, f"{name}.", part, keys)
    return found


def _check_keys(path: Path, place: str, part: Any, keys: tuple[str, ...]) -> None:
    """Refuse a part of a receipt that lacks what a replay reads."""
    if not isinstance(part, dict):
        raise RunError(f"{path}: {place.rstrip('.')} is {type(part).__name__}; expected an object")
    missing = [key for key in keys if key not in part]
    if missing:
        raise RunError(f'{path}: "{place}{missing[0]}" is missing (found: {", ".join(part)})')


def model_hashes(home: Path, name: str) -> list[list[str]] | None:
    """Name and SHA-256 of every file that a model is loaded from, sorted; None where they are not found here."""
    try:
        files = content_files(name)
    except ModelError:
        return None
    if not files:
        return None
    hashes = store.content_hashes(store.known_files(home), files)
    return sorted([path.name, hashes[str(path)]] for path in files)


def scores_hash(record: EpochRecord) -> str:
    """SHA-256 of the scores that an epoch was selected from: losses, complexity, response tokens, and who was scored anew."""
    found = sha256()
    for values in (record.scores.loss_cond, record.scores.loss_prior, record.scores.complexity):
        # what is not a number has many bit patterns
        found.update(np.where(np.isnan(values), np.float32(np.nan), values).astype("<f4").tobytes())
    found.update(record.scores.response_tokens.astype("<i4").tobytes())
    found.update(record.rescored.astype(np.uint8).tobytes())
    return found.hexdigest()


def held_out_of(record: EpochRecord) -> np.ndarray:
    """(n,) bool: the samples that were held out."""
    return record.selection.status == Status.HELD_OUT


def _epoch(record: EpochRecord, ids: np.ndarray) -> dict[str, Any]:
    picked = ids[record.selection.rows]
    return {
        "epoch": record.epoch,
        "round": record.round,
        "samples": len(picked),
        "ids_sha256": ids_hash(picked),
        "scores_sha256": scores_hash(record),
        "changes": record.changes,
        "ids": [str(one) for one in picked],
    }


def _environment(home: Path, run_id: str) -> Any:
    """What the run was computed with, as its worker noted it."""
    path = store.run_folder(home, run_id) / "environment.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({error})") from error
