"""Scores as a file of their own: what `score` writes and `select` reads."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend.errors import ScoresError
from backend.records import EDITED, Pool, Scores
from backend.store import replacing

Column = list[Any] | np.ndarray  # of m values; numbers of a Parquet file are an array, null as NaN
ENDINGS = (".parquet", ".jsonl")
ABOUT = b"iterit.scores"  # of a Parquet file's metadata
NO_COMPLEXITY = "no complexity in the scores file"
NOT_SCORED = "not scored"
HELD_OUT = "held out"  # by the run that made the scores, to measure on


@dataclass(frozen=True)
class StoredScores:
    """Scores read from a file.

    rows : (m,) int64, ascending: the rows that the file names and does not say to be held out; the others are no
        candidates.
    """

    scores: Scores
    rows: np.ndarray


def check_ending(path: Path) -> None:
    """Raise a ScoresError where scores cannot be written under this name."""
    if path.suffix.lower() not in ENDINGS:
        raise ScoresError(f"{path.name}: scores are written as {' or '.join(ENDINGS)}; end the name so")


def write_scores(
    path: Path,
    pool: Pool,
    scores: Scores,
    *,
    rows: np.ndarray | None = None,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write row, id, complexity, loss_cond, loss_prior, response_tokens and reason as Parquet or JSON lines; of an edited pool
    also a hash of each edited response, by which it shows later whether the score is of that response.

    rows : (n,) int64, each sample's row in the pool that it was taken from, where this is a part of one.
    about : JSON values, what the scores are of; see `about_scores`. JSON lines have no place for it.
    """
    check_ending(path)
    table = pa.table(
        {
            "row": np.arange(len(scores), dtype=np.int64) if rows is None else rows,
            "id": pool.table["id"],
            "complexity": scores.complexity,
            "loss_cond": scores.loss_cond,
            "loss_prior": scores.loss_prior,
            "response_tokens": scores.response_tokens,
            "reason": pa.array(scores.reason, type=pa.string()),
        }
    )
    if pool.edits:
        table = table.append_column("edited", pa.array(_edited(pool), type=pa.string()))
    if about is not None:
        table = table.replace_schema_metadata({ABOUT: json.dumps(about, ensure_ascii=False)})
    with replacing(path) as temporary:
        if path.suffix.lower() == ".parquet":
            pq.write_table(table, temporary, compression="zstd")
            return
        with open(temporary, "w", encoding="utf-8") as file:
            for batch in table.to_batches(max_chunksize=4096):
                for record in batch.to_pylist():
                    line = {
                        name: None if isinstance(value, float) and not math.isfinite(value) else value
                        for name, value in record.items()
                    }
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_scores(path: Path, pool: Pool) -> StoredScores:
    """Scores of a pool from a file that `score` wrote, or a JSON list of {"row", "complexity"}.

    Other fields that `score` writes are taken where they are there. Where the file has ids, they must be the pool's.

    Raises
    ------
    ScoresError : the file cannot be read, lacks a field, names a row twice or one that the pool does not have, or
        holds another pool's ids.
    """
    return scores_of(_columns(path), pool, path)


def about_scores(path: Path) -> dict[str, Any] | None:
    """What a scores file says of itself: the pool, the model, what the scores depend on, which shard it is.

    None where it says nothing: of another ending, no Parquet file, or written elsewhere or by an earlier version.
    """
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return None
    try:
        text = (pq.read_schema(path).metadata or {}).get(ABOUT)
        about = None if text is None else json.loads(text)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise ScoresError(f"{path} cannot be read as scores ({error})") from error
    return about if isinstance(about, dict) else None


def scores_of(columns: Mapping[str, Column], pool: Pool, path: Path) -> StoredScores:
    """As `read_scores`, of a file's columns. path : what an error names."""
    for name in ("row", "complexity"):
        if name not in columns:
            raise ScoresError(f'{path}: "{name}" is missing (found: {", ".join(columns) or "nothing"})')
    rows = _numbers(path, "row", columns["row"], whole=True).astype(np.int64)
    n, file_rows = len(pool), rows
    outside = rows[(rows < 0) | (rows >= n)]
    if len(outside):
        raise ScoresError(f"{path}: row {outside[0]} is not in the pool {pool.name} (rows 0 to {n - 1})")
    unique, counts = np.unique(rows, return_counts=True)
    if (counts > 1).any():
        raise ScoresError(f"{path}: row {unique[counts > 1][0]} is named twice")
    if "id" in columns:
        ids = np.asarray(columns["id"], dtype=object)
        other = np.flatnonzero(ids != pool.ids[rows])
        if len(other):
            row = rows[other[0]]
            raise ScoresError(
                f"{path} belongs to another pool: row {row} is {ids[other[0]]} there and {pool.ids[row]} in {pool.name}"
            )
    scores = Scores.unknown(n, reason=NOT_SCORED)
    # as exact as the file has it: float32 from a model, float64 from elsewhere
    complexity = np.full(n, np.nan)
    complexity[rows] = _numbers(path, "complexity", columns["complexity"])
    complexity[~np.isfinite(complexity)] = np.nan
    for name in ("loss_cond", "loss_prior"):
        if name in columns:
            getattr(scores, name)[rows] = _numbers(path, name, columns[name])
    if "response_tokens" in columns:
        tokens = _numbers(path, "response_tokens", columns["response_tokens"])
        scores.response_tokens[rows] = np.where(np.isfinite(tokens), tokens, -1)
    scores.reason[rows] = np.where(np.isnan(complexity[rows]), NO_COMPLEXITY, "")
    if "reason" in columns:
        given = np.array([str(reason or "") for reason in columns["reason"]], dtype=object)
        scores.reason[rows] = np.where((given != "") & np.isnan(complexity[rows]), given, scores.reason[rows])
        rows = rows[given != HELD_OUT]
    known = np.full(n, "", dtype=object)
    if "edited" in columns:
        known[file_rows] = [str(value or "") for value in columns["edited"]]
    elif (
        path.absolute().parent.parent.parent / "edits.json"
    ).is_file():  # an epoch's record in a run's folder
        run = json.loads((path.absolute().parent.parent.parent / "edits.json").read_text(encoding="utf-8"))
        known[:] = _hashes(pool, run["edits"])
    other = np.intersect1d(np.flatnonzero(known != _edited(pool)), file_rows)
    found = Scores(scores.loss_cond, scores.loss_prior, complexity, scores.response_tokens, scores.reason)
    return StoredScores(found.without(other, EDITED), np.sort(rows))


def _edited(pool: Pool) -> np.ndarray:
    """(n,) object of str: a hash of each edited response, "" where a response is as it was read."""
    return _hashes(pool, pool.edits)


def _hashes(pool: Pool, edits: Mapping[str, str]) -> np.ndarray:
    found = np.full(len(pool), "", dtype=object)
    for sample, text in edits.items():
        found[pool.row_of[sample]] = edit_hash(text)
    return found


def edit_hash(text: str) -> str:
    """What an edited response is known by."""
    return sha256(text.encode()).hexdigest()[:16]


def columns_of(table: pa.Table) -> dict[str, Column]:
    """A Parquet file's columns as `scores_of` takes them."""
    numbers = {
        field.name
        for field in table.schema
        if pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
    }
    return {
        name: table[name].to_numpy() if name in numbers else table[name].to_pylist()
        for name in table.column_names
    }


def _columns(path: Path) -> dict[str, Column]:
    """A file's records by field, as the file's name and beginning say that it is written."""
    try:
        if path.suffix.lower() == ".parquet":
            return columns_of(pq.read_table(path))
        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() == ".jsonl":
            # only \n ends a line: U+2028 and the like may stand in a reason
            records = [json.loads(line) for line in text.split("\n") if line.strip()]
        else:
            records = json.loads(text)
    except FileNotFoundError as error:
        raise ScoresError(f"{path} does not exist") from error
    except (OSError, ValueError, pa.ArrowException) as error:
        raise ScoresError(f"{path} cannot be read as scores ({error})") from error
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise ScoresError(f'{path}: expected a list of {{"row": ..., "complexity": ...}}')
    names = list(dict.fromkeys(name for record in records for name in record))
    return {name: [record.get(name) for record in records] for name in names}


def _numbers(path: Path, name: str, values: Column, *, whole: bool = False) -> np.ndarray:
    """(m,) float64 of a field; null is NaN where the field need not be whole."""
    if isinstance(values, np.ndarray):
        if not whole or values.dtype.kind in "iu":
            return values.astype(np.float64)
        values = values.tolist()  # the first that is no row number is named below
    for at, value in enumerate(values):
        good = isinstance(value, int) and not isinstance(value, bool)
        if not (good or (not whole and (value is None or isinstance(value, float)))):
            needed = "a row number" if whole else "a number"
            raise ScoresError(f'{path} record {at}: "{name}" is {value!r}; expected {needed}')
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
