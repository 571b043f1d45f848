"""What a run decided before each epoch, and its metrics."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend.errors import RunError
from backend.records import EpochRecord, Metrics, Scores, Selection, Taken
from backend.store.files import (
    DAMAGE,
    append_line,
    named,
    read_lines,
    remove_folder,
    replacing,
    replacing_folder,
    write_json,
)
from backend.store.paths import epoch_folder, existing_run_folder, run_folder
from backend.store.pools import sample_ids
from backend.store.run_states import read_run_pool

EPOCH_SCHEMA = 1


def write_epoch(home: Path, run_id: str, record: EpochRecord, *, ids: np.ndarray | None = None) -> None:
    """Store an epoch's record; all its files appear at once.

    ids : (n,) the samples' ids; read from the run's stored pool where not given.
    """
    write_record(home, run_id, record, epoch_folder(home, run_id, record.epoch), ids=ids)


def write_record(
    home: Path, run_id: str, record: EpochRecord, place: Path, *, ids: np.ndarray | None = None
) -> None:
    """Store a record of a run's in a folder of its own."""
    existing_run_folder(home, run_id)
    if ids is None:
        ids = sample_ids(home, read_run_pool(home, run_id).id)
    picked = record.selection
    rank = np.full(len(record.scores), -1, dtype=np.int32)
    gain = np.full(len(record.scores), np.nan)
    rank[picked.rows] = np.arange(len(picked), dtype=np.int32)
    gain[picked.rows] = picked.gain
    samples = pa.table(
        {
            "row": np.arange(len(ids), dtype=np.int64),
            "id": pa.array(ids, type=pa.string()),
            "loss_cond": record.scores.loss_cond,
            "loss_prior": record.scores.loss_prior,
            "complexity": record.scores.complexity,
            "response_tokens": record.scores.response_tokens,
            "reason": pa.array(record.scores.reason, type=pa.string()).dictionary_encode(),
            "rescored": record.rescored,
            "diversity": record.diversity,
            "status": picked.status,
            "rank": pa.array(rank, mask=rank < 0),  # null where not picked
            "gain": gain,
        }
    )
    if record.earlier is not None:
        samples = samples.append_column("earlier", pa.array(record.earlier, type=pa.int32()))
    kept = [[term for term in terms if term] for terms in picked.terms]
    picks = pa.table(
        {
            "rank": np.arange(len(picked), dtype=np.int32),
            "row": picked.rows,
            "id": pa.array(ids[picked.rows], type=pa.string()),
            "gain": picked.gain,
            "diversity": picked.diversity,
            "terms": pa.array(kept, type=pa.list_(pa.string())),
            "parts": pa.array(
                [parts[: len(terms)] for parts, terms in zip(picked.parts, kept, strict=True)],
                type=pa.list_(pa.float32()),
            ),
        }
    )
    with replacing_folder(place) as folder:
        pq.write_table(samples, folder / "samples.parquet", compression="zstd")
        pq.write_table(picks, folder / "picks.parquet", compression="zstd")
        write_json(
            folder / "meta.json",
            {
                "schema": EPOCH_SCHEMA,
                "epoch": record.epoch,
                "rows": len(ids),
                "picked": len(picked),
                "rescored": int(record.rescored.sum()),
                "terms": int(picked.terms.shape[1]) if picked.terms.ndim == 2 else 0,
                "seconds": record.seconds,
                "changes": record.changes,
                "taken": dataclasses.asdict(record.taken) if record.taken else None,
                "round": record.round,
                "scored_tokens": record.scored_tokens,
            },
        )


def read_epoch(home: Path, run_id: str, epoch: int) -> EpochRecord:
    """An epoch's record as it was written.

    Raises
    ------
    RunError : no such run or epoch, or files that cannot be read.
    """
    return read_record(home, run_id, epoch, epoch_folder(home, run_id, epoch))


def read_record(home: Path, run_id: str, epoch: int, folder: Path) -> EpochRecord:
    """A record of a run's from its folder.

    Raises
    ------
    RunError : none there, or files that cannot be read.
    """
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        samples = pq.read_table(folder / "samples.parquet")
        picks = pq.read_table(folder / "picks.parquet")
    except FileNotFoundError as error:
        raise RunError(f"run {run_id} has no epoch {epoch} (there are: {epochs(home, run_id)})") from error
    except DAMAGE as error:
        raise RunError(f"{folder} cannot be read ({error})") from error
    if isinstance(meta, dict) and isinstance(meta.get("schema"), int) and meta["schema"] > EPOCH_SCHEMA:
        raise RunError(f"{folder} was written by a newer version of the studio (schema {meta['schema']})")
    try:
        return _record(meta, samples, picks)
    except DAMAGE as error:
        raise RunError(f"{folder} is damaged: {type(error).__name__}: {error}") from error


def _record(meta: dict[str, Any], samples: pa.Table, picks: pa.Table) -> EpochRecord:
    column = {
        name: samples[name].to_numpy(zero_copy_only=False) for name in samples.column_names if name != "id"
    }
    terms = np.full((len(picks), meta["terms"]), "", dtype=object)
    parts = np.zeros((len(picks), meta["terms"]), dtype=np.float32)
    for i, (words, values) in enumerate(
        zip(picks["terms"].to_pylist(), picks["parts"].to_pylist(), strict=True)
    ):
        terms[i, : len(words)] = words
        parts[i, : len(values)] = values
    return EpochRecord(
        epoch=meta["epoch"],
        scores=Scores(
            column["loss_cond"],
            column["loss_prior"],
            column["complexity"],
            column["response_tokens"],
            column["reason"].astype(object),
        ),
        rescored=column["rescored"].astype(bool),
        diversity=column["diversity"],
        selection=Selection(
            rows=picks["row"].to_numpy(),
            gain=picks["gain"].to_numpy(),
            diversity=picks["diversity"].to_numpy(),
            status=column["status"],
            explain=lambda: (terms, parts),
        ),
        seconds=meta["seconds"],
        changes=meta.get("changes", {}),
        taken=Taken(**meta["taken"]) if meta.get("taken") else None,
        round=meta.get("round", 0),
        earlier=column.get("earlier"),
        scored_tokens=meta.get("scored_tokens"),
    )


def epochs(home: Path, run_id: str) -> list[int]:
    """The epochs that a run has selected for, in order."""
    folder = run_folder(home, run_id) / "epochs"
    if not folder.is_dir():
        return []
    return sorted(int(path.name) for path in folder.iterdir() if path.name.isdecimal())


def remove_epochs(home: Path, run_id: str, *, after: int) -> None:
    """Forget the epochs that a resumed run will decide again."""
    for epoch in reversed(epochs(home, run_id)):  # so that none is ever missing before another
        if epoch > after:
            remove_folder(epoch_folder(home, run_id, epoch))


def append_metrics(home: Path, run_id: str, metrics: Metrics) -> None:
    """Add a line to a run's metrics; only the run's worker does."""
    values = dataclasses.asdict(metrics)
    # a loss that is not finite is a finding, not a gap, and JSON has no number for it
    values = {name: _worded(value) for name, value in values.items()}
    append_line(existing_run_folder(home, run_id) / "metrics.jsonl", values)


def read_metrics(home: Path, run_id: str) -> list[Metrics]:
    """A run's metrics, in the order of their steps.

    A resumed run repeats the steps after its last checkpoint: what it measured there replaces what was measured
    before. A line that is being written is left out.
    """
    found: list[Metrics] = []
    path = run_folder(home, run_id) / "metrics.jsonl"
    for values in _lines(path):
        with named(path, error=RunError, advice="the run's records are still there"):
            metrics = Metrics(**{name: _number(value) for name, value in values.items()})
        while found and found[-1].step > metrics.step:
            found.pop()
        same = next((i for i in range(len(found) - 1, -1, -1) if found[i].step != metrics.step), -1) + 1
        found[same:] = [old for old in found[same:] if _kind(old) != _kind(metrics)] + [metrics]
    # at an epoch's last step, a stop lets the training's line come before the held-out loss that else is first
    return sorted(found, key=lambda line: (line.step, _kind(line)))


def forget_metrics(home: Path, run_id: str, *, after: int) -> int:
    """Forget the metrics of steps that a resumed run repeats, so that no step stands there twice; lines that are damaged,
    too, of which the number is returned.

    after : the step of the checkpoint from which it goes on; -1 where it begins anew.
    """
    path = existing_run_folder(home, run_id) / "metrics.jsonl"
    if not path.is_file():
        return 0
    kept, damaged = [], 0
    for line in path.read_bytes().splitlines():
        try:
            step = json.loads(line)["step"]
            if step <= after:
                kept.append(line)
        except (ValueError, KeyError, TypeError):
            damaged += bool(line.strip())
    with replacing(path) as temporary:
        temporary.write_bytes(b"".join(line + b"\n" for line in kept))
    return damaged


def _lines(path: Path) -> list[dict[str, Any]]:
    with named(path, error=RunError, advice="the run's records are still there"):
        return read_lines(path)


def _worded(value: float | None) -> float | str | None:
    """A number, or the word for one that is not finite ("nan", "inf")."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: Any) -> Any:
    """What `_worded` was given."""
    return float(value) if isinstance(value, str) else value


def _kind(metrics: Metrics) -> bool:
    """Whether it is a measurement on the held-out samples (else one of a training step)."""
    return metrics.held_out is not None
