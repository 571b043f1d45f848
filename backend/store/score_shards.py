"""Scores in several files: what each job of an array writes, and whether they make one pool's scores together.

Shard k of n holds the rows k - 1, k - 1 + n, k - 1 + 2n, ... of a pool: every nth, so that shards take about as long as each
other where a file has its long samples together.
"""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend import __version__
from backend.errors import ScoresError
from backend.records import Pool, Scores
from backend.store.scores_file import StoredScores, about_scores, columns_of, read_scores, scores_of

NAMED = 6  # shards or files that an error lists before it counts the others
# what scores depend on, as an error names it
DEPENDENCIES = {
    "files": "model",
    "chat_template": "chat template",
    "system_prompt": "system prompt",
    "max_length": "max_length",
    "precision": "precision",
    "scoring_version": "version of scoring",
    "transformers": "version of transformers",
}


@dataclass(frozen=True)
class Shard:
    """Part `number` (from 1) of `size` equal parts of a pool."""

    number: int
    size: int

    def __str__(self) -> str:
        return f"{self.number}/{self.size}"

    def rows(self, n: int) -> np.ndarray:
        """(m,) int64, ascending: its rows of a pool of n samples."""
        return np.arange(self.number - 1, n, self.size, dtype=np.int64)

    def of(self, pool: Pool) -> Pool:
        """Its samples as a pool of their own.

        Raises
        ------
        ScoresError : the pool has fewer samples than there are shards.
        """
        if self.size > len(pool):
            raise ScoresError(
                f"shard {self}: {pool.name} has {len(pool):,} samples and cannot be cut into {self.size:,}"
            )
        rows = self.rows(len(pool))
        ids = set(pool.ids[rows]) if pool.edits else set()
        edits = {sample: text for sample, text in pool.edits.items() if sample in ids}
        # what is remembered of a pool is remembered by its id
        own = sha256(f"{pool.id} {self}".encode()).hexdigest()[: len(pool.id)]
        table = pool.take(rows, pool.table.column_names)
        return dataclasses.replace(pool, id=own, table=table, edits=edits)


def shard_of(text: str) -> Shard:
    """The shard that a person names.

    Raises
    ------
    ScoresError : it is not of the form 3/16.
    """
    found = re.fullmatch(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise ScoresError(f"shard {text!r}: expected K/N with K from 1 to N, such as 3/16")
    return Shard(int(found[1]), int(found[2]))


def about_value(
    pool: Pool, model: str, depends_on: Mapping[str, Any], shard: Shard | None = None
) -> dict[str, Any]:
    """What a scores file says of itself. pool : the whole one."""
    return {
        "studio": __version__,
        "pool": {"id": pool.root, "name": pool.name, "samples": len(pool)},
        "model": model,
        "depends_on": dict(depends_on),
        **({"shard": [shard.number, shard.size]} if shard else {}),
    }


def read_score_files(names: Sequence[str], pool: Pool) -> StoredScores:
    """A pool's scores from one file, or from the shards of all of it.

    names : files, or patterns (part-*.parquet).

    Raises
    ------
    ScoresError : as `read_scores` says; or a shard is missing, is there twice, lacks samples, or was made with another
        pool, model or way of reading than the others.
    """
    paths = score_paths(names)
    abouts = [about_scores(path) for path in paths]
    if len(paths) == 1 and _shard(abouts[0]) is None:
        return read_scores(paths[0], pool)
    shards: dict[int, Path] = {}
    first = None
    for path, about in zip(paths, abouts):
        shard = _shard(about)
        if about is None or shard is None:
            raise ScoresError(
                f"{path} is not a shard; several files are read together only where score --shard K/N wrote each of them"
            )
        if about["pool"]["id"] != pool.root:
            raise ScoresError(
                f"{path} belongs to another pool: its scores are of {about['pool']['name']} ({about['pool']['samples']:,} samples, "
                f"id {about['pool']['id']}), not of {pool.name} ({len(pool):,} samples, id {pool.root})"
            )
        if first is None:
            first = path, about, shard
        _check_alike(*first, path, about, shard)
        if shard.number in shards:
            raise ScoresError(f"shard {shard} is there twice: {shards[shard.number]} and {path}")
        shards[shard.number] = path
    assert first is not None
    _check_all(shards, first[2].size)
    tables = [_table(path, Shard(number, first[2].size), pool) for number, path in shards.items()]
    table = pa.concat_tables(tables, promote_options="default")
    return scores_of(columns_of(table), pool, Path(names[0]))


def read_own_scores(names: Sequence[str], pool: Pool) -> tuple[Scores, dict[str, Any]]:
    """A pool's scores as `read_score_files` reads them, and what they depend on, for a run that takes them for its own.

    Raises
    ------
    ScoresError : as `read_score_files` says; or the files do not say what the scores depend on.
    """
    found = read_score_files(names, pool)
    path = score_paths(names)[0]
    about = about_scores(path) or {}
    if "depends_on" not in about:
        raise ScoresError(
            f"{path} does not say which model and settings its scores are of; a run accepts only .parquet files written by "
            "`score`. To train on a selection made with other scores, export it with `select --export` and tune on that file with "
            "--strategy full"
        )
    return found.scores, about["depends_on"]


def check_same_scoring(given: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Raise a ScoresError where scores depend on something else than those that a run would make itself."""
    for name, words in DEPENDENCIES.items():
        if given.get(name) != own.get(name):
            told = name not in ("files", "chat_template")
            shown = f" ({given.get(name)!r} there, {own.get(name)!r} here)" if told else ""
            raise ScoresError(
                f"the scores that this run was given were made with another {words}{shown}; make them with the run's own, or "
                "start it without --scores"
            )


def shard_in(path: Path) -> Shard | None:
    """The shard that a scores file says it holds; None for a file that is not a shard."""
    return _shard(about_scores(path))


def check_pool_names(names: Sequence[str]) -> None:
    """Raise a ScoresError where a file that is named as a pool holds scores: a pattern without quotes becomes several names,
    of which an option takes the first only."""
    for name in names:
        about = None
        with contextlib.suppress(ScoresError):  # whoever reads it as a pool says what is wrong with it
            about = about_scores(Path(name))
        if about is not None:
            raise ScoresError(
                f"{name} holds scores and is named as a pool; put a pattern in quotes (--scores 'part-*.parquet'), or write "
                "--scores before each file"
            )


def score_paths(names: Sequence[str]) -> list[Path]:
    """The files that are named, each once; one that exists is itself, whatever its name holds."""
    paths: dict[Path, None] = {}
    for name in names:
        found = [name] if Path(name).exists() else sorted(glob.glob(name))
        if not found and glob.has_magic(name):
            raise ScoresError(f"--scores {name}: no file has such a name")
        paths.update(dict.fromkeys(Path(one) for one in found or [name]))
    return list(paths)


def _shard(about: Mapping[str, Any] | None) -> Shard | None:
    return Shard(*about["shard"]) if about and "shard" in about else None


def _check_alike(
    first: Path,
    first_about: Mapping[str, Any],
    first_shard: Shard,
    path: Path,
    about: Mapping[str, Any],
    shard: Shard,
) -> None:
    """Raise a ScoresError where two shards are not of one scoring."""
    if shard.size != first_shard.size:
        raise ScoresError(
            f"{first} is shard {first_shard} and {path} shard {shard}: give the shards of one number"
        )
    mine, others = about["depends_on"], first_about["depends_on"]
    for name, words in DEPENDENCIES.items():
        if mine.get(name) == others.get(name):
            continue
        values = (
            (about["model"], first_about["model"]) if name == "files" else (mine.get(name), others.get(name))
        )
        shown = "" if name == "chat_template" else f" ({values[0]!r} there, {values[1]!r} here)"
        raise ScoresError(
            f"{path} was scored with another {words} than {first}{shown}; score that shard again"
        )


def _check_all(shards: Mapping[int, Path], size: int) -> None:
    missing = [number for number in range(1, size + 1) if number not in shards]
    if len(missing) == 1:
        raise ScoresError(
            f"shard {missing[0]} of {size} is missing; score --shard {missing[0]}/{size} makes it"
        )
    if missing:
        named = ", ".join(map(str, missing[:NAMED])) + (", ..." if len(missing) > NAMED else "")
        raise ScoresError(
            f"{len(missing):,} of the {size:,} shards are missing ({named}); score --shard {missing[0]}/{size} makes the first"
        )


def _table(path: Path, shard: Shard, pool: Pool) -> pa.Table:
    """The columns of a shard, after checking that it holds exactly its own rows, each once."""
    try:
        table = pq.read_table(path)
        rows = table["row"].to_numpy()
    except (OSError, KeyError, pa.ArrowException) as error:
        raise ScoresError(f"{path} cannot be read as scores ({error})") from error
    expected = shard.rows(len(pool))
    if np.array_equal(np.sort(rows), expected):
        return table.replace_schema_metadata(None)
    for rest, words in (
        (np.setdiff1d(expected, rows), "lacks"),
        (np.setdiff1d(rows, expected), "also holds"),
    ):
        if len(rest):
            raise ScoresError(
                f"{path}, shard {shard}, {words} {len(rest):,} {'sample' if len(rest) == 1 else 'samples'}, the first in row {rest[0]}"
            )
    unique, counts = np.unique(rows, return_counts=True)
    raise ScoresError(f"{path}, shard {shard}, holds row {unique[counts > 1][0]} twice")
