"""Scores that were computed elsewhere, matched to a pool's samples by id or by row.

What is read, told apart by what it holds:

    ours            what `score` writes (Parquet, JSON lines; or its shards), an epoch of a run, or a JSON list of {"id" or "row",
                    "complexity"}; by id where there are ids, else by row of the pool.
    the authors'    {"index": [...], "score": [...]}, which IterIT's trainer writes before each epoch (0_alpaca.jsonl): the
                    score is exp(loss_cond) / exp(loss_prior), the index a row of the file.
    Superfiltering  a line for each row of the file, {"ppl": [0, response alone, 0, response after its prompt], "loss": the
                    same in nats}, {} for an empty response and 0 where its scoring failed; or the data itself with
                    "ppl_A_direct", "ppl_A_condition" and "ifd_ppl", their quotient.

A row of the file is a sample's row in the file that the pool was read from, rows that could not be read counted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend.data import load_pool
from backend.errors import ScoresError
from backend.records import NOT_IMPORTED, Pool, Scores
from backend.store.score_shards import read_score_files, score_paths, shard_in
from backend.store.scores_file import about_scores, scores_of

EXAMPLES = 5  # of what did not match
FAILED = "its scoring failed there (perplexity 0)"
EMPTY = "empty response"
NO_NUMBER = "no number in the imported file"
ZERO = "complexity 0 in the imported file"
KNOWN = (
    'what score writes, a list of {"id" or "row", "complexity"}, {"index": [...], "score": [...]}, or lines with "ppl" or '
    '"ifd_ppl"'
)


@dataclass(frozen=True)
class ForeignScores:
    """Scores of a pool's samples that a file has, and what did not match.

    scores : of all n samples of the pool; NaN with a reason for those that the file has no number for.
    format : whose file it is, in words. by : "id" or "row". model : which model's, where the file says so; else "".
    matched : samples that the file names. strange : how many entries of the file name no sample, and the first of them.
    without : how many samples the file does not name, and the ids of the first.
    """

    scores: Scores
    format: str
    by: str
    model: str
    matched: int
    strange: tuple[int, tuple[str, ...]]
    without: tuple[int, tuple[str, ...]]

    @property
    def sentences(self) -> list[str]:
        """What was matched and what was not, for a person."""
        n, defined = len(self.scores), int((self.scores.reason == "").sum())
        said = [
            f"{self.format}: {self.matched:,} of {n:,} samples matched by {self.by}, {defined:,} of them with a score"
        ]
        if self.by == "row":
            said[0] += "; nothing in the file says that it is of this pool"
        count, some = self.strange
        if count:
            said.append(
                f"{count:,} {'entry matches' if count == 1 else 'entries match'} no sample: {self.by} {_listed(some, count)}"
            )
        count, some = self.without
        if count:
            said.append(
                f"{count:,} {'sample is' if count == 1 else 'samples are'} not in the file and without a score: {_listed(some, count)}"
            )
        said += [f"{count:,} without a score: {reason}" for reason, count in self.scores.unscored().items()]
        return said


@dataclass(frozen=True)
class _Entries:
    """What a file holds: columns as `scores_of` takes them, of m entries, and how they are matched.

    place : "id" (their ids are in columns["id"]), "row" (of the pool) or "line" (of the file), where columns["row"] has them.
    """

    format: str
    place: str
    columns: dict[str, list[Any]]


def read_foreign_scores(names: Sequence[str], pool: Pool) -> ForeignScores:
    """The scores of a pool that a file has.

    names : one file; several, or a pattern, for the shards that `score --shard` writes.

    Raises
    ------
    ScoresError : a file cannot be read or is of none of these formats, names a sample twice, or names none of the pool.
    """
    paths = score_paths(names)
    model = _model_of(paths[0])
    if len(paths) > 1 or shard_in(paths[0]) is not None:
        stored = read_score_files(names, pool)
        return _told(pool, stored.scores, "shards that score wrote", "id", stored.rows, model=model)
    path = paths[0]
    entries = _entries(path)
    rows, strange = _matched(entries, pool, path)
    kept = np.flatnonzero(rows >= 0)
    if not len(kept):
        raise ScoresError(
            f"{path}: none of its {len(rows):,} entries is of a sample of {pool.name}: {entries.place} {_listed(strange, len(rows))} "
            f"there, {pool.ids[0] if entries.place == 'id' else f'0 to {len(pool) - 1:,}'} here"
        )
    columns = {name: [values[at] for at in kept.tolist()] for name, values in entries.columns.items()}
    columns["row"] = rows[kept].tolist()
    scores = _without_zeros(scores_of(columns, pool, path).scores)
    by = "id" if entries.place == "id" else "row"
    strangers = len(rows) - len(kept), tuple(strange)
    return _told(pool, scores, entries.format, by, rows[kept], model=model, strange=strangers)


def _told(
    pool: Pool,
    scores: Scores,
    format: str,
    by: str,
    rows: np.ndarray,
    *,
    model: str,
    strange: tuple[int, tuple[str, ...]] = (0, ()),
) -> ForeignScores:
    without = np.setdiff1d(np.arange(len(pool)), rows)
    reason = scores.reason.copy()
    reason[without] = NOT_IMPORTED
    some = tuple(str(pool.ids[row]) for row in without[:EXAMPLES])
    return ForeignScores(
        scores=replace(scores, reason=reason),
        format=format,
        by=by,
        model=model,
        matched=len(rows),
        strange=strange,
        without=(len(without), some),
    )


def _matched(entries: _Entries, pool: Pool, path: Path) -> tuple[np.ndarray, list[str]]:
    """(m,) int64, each entry's row in the pool, -1 for none; and how the first entries without one are named."""
    named: list[Any]
    known: Mapping[Any, int]
    if entries.place == "id":
        named, known = [str(one) for one in entries.columns["id"]], pool.row_of
    else:
        named = entries.columns["row"]
        for at, value in enumerate(named):
            if not isinstance(value, int) or isinstance(value, bool):
                raise ScoresError(f"{path} entry {at}: the row is {value!r}; expected a row number")
        places = range(len(pool))
        known = _rows_of_lines(pool, path) if entries.place == "line" else dict(zip(places, places))
    rows = np.array([known.get(one, -1) for one in named], dtype=np.int64)
    found, counts = np.unique(rows[rows >= 0], return_counts=True)
    if (counts > 1).any():
        row = int(found[counts > 1][0])
        raise ScoresError(f"{path} names a sample twice: {pool.ids[row]}, row {row}")
    return rows, [str(named[at]) for at in np.flatnonzero(rows < 0)[:EXAMPLES].tolist()]


def _rows_of_lines(pool: Pool, path: Path) -> dict[int, int]:
    """Row in the pool by row in the file that it was read from."""
    files = pool.table["file"].cast(pa.string()).unique()
    if len(files) == 1:
        return {line: row for row, line in enumerate(pool.table["row"].to_pylist())}
    if pool.left_out:
        raise ScoresError(
            f"{path} has its scores in the order of a file, and {pool.name} was read from {len(files)} files of which "
            f"{pool.left_out:,} rows were left out: which row is which sample is not known. Give scores with ids"
        )
    return {row: row for row in range(len(pool))}


def _entries(path: Path) -> _Entries:
    """What a file holds, whichever of the known formats it is in."""
    try:
        if path.suffix.lower() == ".parquet":
            table = pq.read_table(path)
            return _of_columns(path, {name: table[name].to_pylist() for name in table.column_names})
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ScoresError(f"{path} does not exist") from error
    except (OSError, ValueError, pa.ArrowException) as error:
        raise ScoresError(f"{path} cannot be read as scores ({error})") from error
    value = _json(path, text)
    if isinstance(value, dict) and "score" in value:
        return _of_authors(path, value)
    records = [value] if isinstance(value, dict) else value
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records) or not records:
        raise ScoresError(f"{path} holds no scores that are known here; expected {KNOWN}")
    if any("ppl" in one for one in records):
        return _of_superfiltering(records, path)
    names = list(dict.fromkeys(name for one in records for name in one))
    return _of_columns(path, {name: [one.get(name) for one in records] for name in names})


def _json(path: Path, text: str) -> Any:
    """One JSON value, or the list of those that stand on a line each: the authors write one value to a file named .jsonl."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        whole = error
    values = []
    for at, line in enumerate(text.split("\n")):  # only \n ends a line: U+2028 may stand in a reason
        if line.strip():
            try:
                values.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                if not values:
                    raise ScoresError(f"{path} cannot be read as JSON ({whole})") from error
                raise ScoresError(f"{path} line {at + 1} cannot be read as JSON ({error})") from error
    return values


def _of_columns(path: Path, columns: dict[str, list[Any]]) -> _Entries:
    """Ours, or data that has Superfiltering's scores beside it."""
    if "ifd_ppl" in columns and "complexity" not in columns:
        return _of_scored_data(path)
    if "complexity" not in columns or not ("id" in columns or "row" in columns):
        raise ScoresError(
            f"{path} holds no scores that are known here (found: {', '.join(columns) or 'nothing'}); expected {KNOWN}"
        )
    kept = ("id", "row", "complexity", "loss_cond", "loss_prior", "response_tokens", "reason", "edited")
    return _Entries(
        "scores of this studio's form",
        "id" if "id" in columns else "row",
        {name: columns[name] for name in kept if name in columns},
    )


def _of_authors(path: Path, value: dict[str, Any]) -> _Entries:
    scores = value["score"]
    index = value.get("index", list(range(len(scores))) if isinstance(scores, list) else None)
    if not isinstance(scores, list) or not isinstance(index, list) or len(index) != len(scores):
        raise ScoresError(f'{path}: "index" and "score" must be lists of one length')
    numbers = [_number(one) for one in scores]
    return _Entries(
        "the authors' {index, score}",
        "line",
        {"row": index, "complexity": numbers, "reason": [NO_NUMBER] * len(numbers)},
    )


def _of_scored_data(path: Path) -> _Entries:
    """Samples are known again by their content: what selects from such a file sorts it and leaves some out."""
    scored = load_pool([str(path)])
    if scored.own_columns.get("ifd_ppl") != "number":
        raise ScoresError(f'{path}: "ifd_ppl" is not a number in each row that has one')
    quotients = scored.own("ifd_ppl").tolist()
    columns: dict[str, list[Any]] = {
        "id": scored.ids.tolist(),
        "complexity": [value or math.nan for value in quotients],
        "reason": [NO_NUMBER if value else FAILED for value in quotients],
    }
    for name, field in (("loss_prior", "ppl_A_direct"), ("loss_cond", "ppl_A_condition")):
        if scored.own_columns.get(field) == "number":
            columns[name] = [_log(value) for value in scored.own(field).tolist()]
    return _Entries("data with Superfiltering's scores", "id", columns)


def _of_superfiltering(records: list[dict[str, Any]], path: Path) -> _Entries:
    columns: dict[str, list[Any]] = {
        name: [] for name in ("row", "complexity", "loss_prior", "loss_cond", "reason")
    }
    for at, record in enumerate(records):
        for name, value in zip(columns, (at, *_of_line(record, f"{path} line {at + 1}"))):
            columns[name].append(value)
    return _Entries("Superfiltering's scores", "line", columns)


def _of_line(record: dict[str, Any], where: str) -> tuple[float, float, float, str]:
    """Complexity, loss of the response alone and after its prompt, and why there is none where there is none."""
    unknown = math.nan, math.nan, math.nan
    if not record:
        return *unknown, EMPTY
    ppl, loss = record.get("ppl", []), record.get("loss", [math.nan] * 4)
    if not all(isinstance(one, list) and len(one) == 4 for one in (ppl, loss)):
        raise ScoresError(
            f'{where}: expected "ppl" (and "loss") as four numbers [0, response alone, 0, response after its prompt], or {{}}'
        )
    alone, conditioned = _number(ppl[1]), _number(ppl[3])
    if 0 in (alone, conditioned):
        return *unknown, FAILED
    prior, cond = _number(loss[1]), _number(loss[3])
    return (
        conditioned / alone,
        _log(alone) if math.isnan(prior) else prior,
        _log(conditioned) if math.isnan(cond) else cond,
        NO_NUMBER,
    )


def _without_zeros(scores: Scores) -> Scores:
    """No perplexity is 0: where a quotient is, nothing was computed. (The authors write it where they divide by 0.)"""
    none = np.flatnonzero(scores.complexity <= 0)
    return scores.without(none, ZERO)


def _model_of(path: Path) -> str:
    about = about_scores(path)
    return str(about.get("model", "")) if about else ""


def _number(value: Any) -> float:
    """A number of a file; NaN for null and for what is none."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if good and math.isfinite(value) else math.nan


def _log(value: float) -> float:
    return math.log(value) if value > 0 else math.nan


def _listed(some: Sequence[str], count: int) -> str:
    return ", ".join(some[:EXAMPLES]) + (", ..." if count > len(some[:EXAMPLES]) else "")
