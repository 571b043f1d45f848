"""Responses that people corrected: kept beside the pool as it was read, undone like marks, and the pool that they make.

The edited pool has an id of its own (see `data/response_edits`) and a folder for what is computed from its texts. A run
is started on it as it is then: what somebody edits later makes another pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from backend.data.response_edits import edited_id, refusal, with_edits
from backend.errors import PoolError
from backend.records import Pool
from backend.store import database
from backend.store.carried import carry_findings, changed_rows
from backend.store.curation import change_values, curation_revision, present_values
from backend.store.files import remove_folder
from backend.store.paths import POOL_ID, pool_folder, root_of
from backend.store.pools import load_pool_from_store, save_edits, save_pool, unknown_samples

UNUSED_KEPT = 6  # edited pools that no run uses and that are kept with what was computed of them


@dataclass(frozen=True)
class Edit:
    """A corrected response. `at`: when it was saved, in seconds since 1970 (UTC)."""

    text: str
    who: str
    at: float


def edits(home: Path, pool_id: str) -> dict[str, Edit]:
    """The edited responses of a pool by sample id, in the order of editing."""
    return {
        row["sample"]: Edit(row["value"], row["who"], row["at"])
        for row in present_values(home, pool_id, "edit")
    }


def set_responses(home: Path, pool_id: str, responses: Mapping[str, str | None], who: str = "") -> int:
    """Correct the responses of samples, or take their edits back (None); returns how many changed. One step of undo.

    responses : the new response by sample id; one that equals the original takes the edit back.

    Raises
    ------
    PoolError : a sample that the stored pool does not hold, or a text that cannot be its response; nothing is changed
        then.
    """
    root = root_of(home, pool_id)
    unknown = unknown_samples(home, root, list(responses))
    if unknown:
        raise PoolError(f"sample {unknown[0]!r} is not in pool {root}")
    pool = load_pool_from_store(home, root)
    given = [sample for sample, text in responses.items() if text is not None]
    rows = np.array([pool.row_of[sample] for sample in given], dtype=np.int64)
    values: dict[str, str | None] = dict.fromkeys(responses)
    for sample, original in zip(given, pool.conversations(rows)):
        text = responses[sample]
        assert text is not None
        if text == original.response:
            continue
        reason = refusal(original, text)
        if reason:
            raise PoolError(f"sample {sample}: {reason}")
        values[sample] = text
    return change_values(home, root, "edit", values, who)


def edited_pool_id(home: Path, pool_id: str) -> str:
    """The id of a pool with the edits that hold now, its own where none does; an edited pool's is its own.

    The edited pool is stored by then.
    """
    root = root_of(home, pool_id)
    if root != pool_id:
        return pool_id
    return _edited_id(Path(home), root, curation_revision(home, root))


def edited_pool(home: Path, pool_id: str) -> Pool:
    """A stored pool with the edits that hold now; a pool that is given as an edited one as it is.

    Raises
    ------
    PoolError : there is no such pool, or it cannot be read.
    """
    return load_pool_from_store(home, edited_pool_id(home, pool_id))


def with_stored_edits(home: Path, pool: Pool) -> Pool:
    """A pool that was read from its files, with the edits that people made to it in this runs folder; itself where none is."""
    if pool.base or not (pool_folder(home, pool.id) / "meta.json").is_file():
        return pool
    held = {sample: edit.text for sample, edit in edits(home, pool.id).items()}
    made = with_edits(pool, held) if held else pool
    if made.base:
        save_pool(home, made)
    return made


@lru_cache(maxsize=64)
def _edited_id(home: Path, root: str, revision: int) -> str:
    """revision : names what was decided until now, so that nothing is looked up twice."""
    held = {sample: edit.text for sample, edit in edits(home, root).items()}
    found = edited_id(root, held)
    if held and not (pool_folder(home, found) / "meta.json").is_file():
        # its own edits are there already where somebody's process ended while this was done
        before = [one for one in _edited_pools(home, root) if one != found]
        made = with_edits(load_pool_from_store(home, root), held)
        save_edits(home, made)
        carry_findings(home, made, [*before, root])
        _forget_unused(home, before)
        save_pool(home, made)  # last: once it is there nothing else of this is done
    return found


def _edited_pools(home: Path, root: str) -> list[str]:
    """The stored edited pools of a pool, the newest first."""
    known = {
        path.parent.name: path.stat().st_mtime_ns
        for path in (Path(home) / "pools").glob("*/edits.json")
        if POOL_ID.fullmatch(path.parent.name) and root_of(home, path.parent.name) == root
    }
    return sorted(known, key=lambda one: -known[one])


def _forget_unused(home: Path, pools: list[str]) -> None:
    """Delete edited pools that no run uses, but for the newest few: they come again when somebody edits so again."""
    with database.reading(home) as connection:
        used = set()
        if connection is not None:
            used = {row["pool_id"] for row in connection.execute("SELECT DISTINCT pool_id FROM runs")}
            used |= {
                row["subject"]
                for row in connection.execute(
                    "SELECT subject FROM jobs WHERE state IN ('queued', 'running', 'stopping')"
                )
            }
    for pool_id in [one for one in pools if one not in used][UNUSED_KEPT:]:
        remove_folder(pool_folder(home, pool_id))


def edited_since(home: Path, then: str, now: Pool) -> np.ndarray:
    """(k,) int64, ascending: the rows whose responses differ between a stored pool and another of the same root.

    then : id of the pool as it was, with its edits. now : the pool as it is.

    Raises
    ------
    PoolError : they were not made from one pool.
    """
    if then == now.id:
        return np.zeros(0, dtype=np.int64)
    if root_of(home, then) != now.root:
        raise PoolError(f"pool {then} and pool {now.id} are not edits of one pool")
    return changed_rows(home, then, now)
