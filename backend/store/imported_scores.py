"""Scores that were computed elsewhere, kept with the pool that they are of.

    home/pools/<pool id>/scores/<digest>.parquet      as `score` writes it, with what it is of in the file's metadata

The pool is the one that was read from its files: what is edited later has no score there (see `scores_file`). Importing the
same scores again replaces them. A file may be deleted at any time.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from backend.errors import ScoresError
from backend.records import Pool, Scores
from backend.store.foreign_scores import ForeignScores
from backend.store.paths import pool_folder
from backend.store.scores_file import about_scores, edit_hash, read_scores, write_scores

logger = logging.getLogger(__name__)

PREFIX = "imported-"
KEY = re.compile(PREFIX + r"([0-9a-f]{8,64})-([0-9a-f]{12})")
LONGEST_NAME = 80


@dataclass(frozen=True)
class ImportedScores:
    """A set of imported scores, without the scores.

    key : "imported-<pool id>-<digest>". name : what a person calls it. model : whose scores they are, where that is known.
    format : whose file it was. edits : hashes of the edited responses that its scores are of, by sample id.
    at : seconds since 1970 (UTC). who : who imported it; "" where nobody said.
    """

    key: str
    name: str
    model: str
    format: str
    edits: Mapping[str, str]
    at: float
    who: str


def is_imported(key: str) -> bool:
    """Whether a key of a set of scores is of imported ones."""
    return KEY.fullmatch(key) is not None


def import_path(home: Path, key: str) -> Path:
    """Where a set of imported scores lies.

    Raises
    ------
    ScoresError : the key is of no such set, or the set is gone.
    """
    found = KEY.fullmatch(key)
    path = pool_folder(home, found[1]) / "scores" / f"{found[2]}.parquet" if found else None
    if path is None or not path.is_file():
        raise ScoresError(f"scores {key!r} are not here; import them again")
    return path


def keep_imported(
    home: Path, pool: Pool, found: ForeignScores, *, name: str, model: str = "", who: str = ""
) -> ImportedScores:
    """Keep scores of a stored pool. name : what a person calls them; model : whose they are, "" for what the file says."""
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name:
        raise ScoresError("imported scores need a name")
    scores = found.scores
    content = sha256(name.encode())
    for values in (scores.complexity, scores.loss_cond, scores.loss_prior):
        content.update(np.ascontiguousarray(values, dtype=np.float64).tobytes())
    content.update("\n".join(map(str, scores.reason)).encode())
    key = f"{PREFIX}{pool.root}-{content.hexdigest()[:12]}"
    about = {
        "pool": {"id": pool.root, "name": pool.name, "samples": len(pool)},
        "model": model or found.model,
        "imported": {
            "name": name,
            "format": found.format,
            "edits": {sample: edit_hash(text) for sample, text in pool.edits.items()},
            "at": time.time(),
            "who": who,
        },
    }
    path = pool_folder(home, pool.root) / "scores" / f"{key.rpartition('-')[2]}.parquet"
    write_scores(path, pool, scores, about=about)
    return imported_info(home, key)


def imported_sets(home: Path, root: str) -> list[ImportedScores]:
    """The imported scores of a pool, the newest first. root : id of the pool as it was read from its files."""
    folder = pool_folder(home, root) / "scores"
    if not folder.is_dir():
        return []
    sets = []
    for path in folder.glob("[0-9a-f]*.parquet"):
        try:
            sets.append(imported_info(home, f"{PREFIX}{root}-{path.stem}"))
        except ScoresError as error:  # one that is damaged hides no other
            logger.warning("imported scores are left out: %s", error)
    return sorted(sets, key=lambda one: -one.at)


def imported_info(home: Path, key: str) -> ImportedScores:
    """What is known of a set of imported scores.

    Raises
    ------
    ScoresError : there is no such set, or it cannot be read.
    """
    path = import_path(home, key)
    about = _about(path, path.stat().st_mtime_ns)
    told: Mapping[str, Any] = about["imported"]
    return ImportedScores(
        key, told["name"], about["model"], told["format"], told["edits"], told["at"], told["who"]
    )


def load_imported(home: Path, pool: Pool, key: str) -> Scores:
    """The scores of one set; unknown for the samples that were edited since.

    Raises
    ------
    ScoresError : there is no such set, or it belongs to another pool.
    """
    return read_scores(import_path(home, key), pool).scores


def edited_since_import(home: Path, pool: Pool, key: str) -> np.ndarray:
    """(k,) int64, ascending: the samples whose responses are others than those that the set is of."""
    then = imported_info(home, key).edits
    now = {sample: edit_hash(text) for sample, text in pool.edits.items()}
    changed = [sample for sample in {*then, *now} if then.get(sample) != now.get(sample)]
    return np.array(sorted(pool.row_of[sample] for sample in changed), dtype=np.int64)


@lru_cache(maxsize=64)
def _about(path: Path, changed: int) -> dict[str, Any]:
    """What a file says of itself. changed : when it was written, in ns, so that a new one is read anew."""
    about = about_scores(path)
    if about is None or "imported" not in about:
        raise ScoresError(f"{path} is not a file of imported scores; delete it and import them again")
    return about
