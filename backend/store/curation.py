"""What a person decided about samples of a pool: pinned or excluded, with who and when, and undo."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from backend.errors import PoolError
from backend.store import database
from backend.store.layout import pool_folder
from backend.store.pools import sample_ids as ids_of

Mark = Literal["pinned", "excluded"]


@dataclass(frozen=True)
class MarkChange:
    """One decision about one or several samples; `undone` is when it was taken back, or None.

    before : each sample's mark until then (None: no mark).
    """

    step: int
    samples: tuple[str, ...]
    before: tuple[Mark | None, ...]
    after: Mark | None
    who: str
    at: float
    undone: float | None


def marks(home: Path, pool_id: str) -> dict[str, Mark]:
    """The marked samples of a pool: sample id -> "pinned" or "excluded"."""
    pool_folder(home, pool_id)
    with database.reading(home) as connection:
        if connection is None:
            return {}
        rows = connection.execute(
            "SELECT sample, mark FROM marks WHERE pool = ? ORDER BY rowid", (pool_id,)
        ).fetchall()
    return {row["sample"]: row["mark"] for row in rows}


def set_mark(home: Path, pool_id: str, sample_ids: Sequence[str], mark: Mark | None, who: str = "") -> int:
    """Pin or exclude samples, or take their mark away (None); returns how many changed. One step of undo.

    Raises
    ------
    PoolError : an unknown mark, or a sample that the stored pool does not hold.
    """
    if mark is not None and mark not in get_args(Mark):
        raise PoolError(f"mark is {mark!r}; allowed: {', '.join(get_args(Mark))}, or none")
    wanted = list(dict.fromkeys(sample_ids))
    unknown = sorted(set(map(str, wanted)) - set(ids_of(home, pool_id)))
    if unknown:
        raise PoolError(f"sample {unknown[0]!r} is not in pool {pool_id}")
    now = time.time()
    with database.writing(home) as connection:
        present = dict(
            connection.execute("SELECT sample, mark FROM marks WHERE pool = ?", (pool_id,)).fetchall()
        )
        changed = [sample for sample in wanted if present.get(sample) != mark]
        if not changed:
            return 0
        step = connection.execute("SELECT coalesce(max(step), 0) + 1 FROM mark_changes").fetchone()[0]
        connection.executemany(
            "INSERT INTO mark_changes (pool, step, sample, before, after, who, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(pool_id, step, sample, present.get(sample), mark, who, now) for sample in changed],
        )
        connection.executemany(
            "DELETE FROM marks WHERE pool = ? AND sample = ?", [(pool_id, sample) for sample in changed]
        )
        if mark is not None:
            connection.executemany(
                "INSERT INTO marks (pool, sample, mark) VALUES (?, ?, ?)",
                [(pool_id, sample, mark) for sample in changed],
            )
    return len(changed)


def undo(home: Path, pool_id: str) -> MarkChange | None:
    """Take back the last decision about this pool that still holds; None where there is none."""
    pool_folder(home, pool_id)
    now = time.time()
    with database.writing(home) as connection:
        step = connection.execute(
            "SELECT max(step) FROM mark_changes WHERE pool = ? AND undone IS NULL", (pool_id,)
        ).fetchone()[0]
        if step is None:
            return None
        rows = connection.execute(
            "SELECT * FROM mark_changes WHERE step = ? ORDER BY number", (step,)
        ).fetchall()
        for row in rows:
            connection.execute("DELETE FROM marks WHERE pool = ? AND sample = ?", (pool_id, row["sample"]))
            if row["before"] is not None:
                connection.execute(
                    "INSERT INTO marks (pool, sample, mark) VALUES (?, ?, ?)",
                    (pool_id, row["sample"], row["before"]),
                )
        connection.execute("UPDATE mark_changes SET undone = ? WHERE step = ?", (now, step))
    return _change(rows, undone=now)


def mark_history(home: Path, pool_id: str) -> list[MarkChange]:
    """Every decision about a pool's samples, newest first, those taken back included."""
    pool_folder(home, pool_id)
    with database.reading(home) as connection:
        if connection is None:
            return []
        rows = connection.execute(
            "SELECT * FROM mark_changes WHERE pool = ? ORDER BY step DESC, number", (pool_id,)
        ).fetchall()
    steps: dict[int, list] = {}
    for row in rows:
        steps.setdefault(row["step"], []).append(row)
    return [_change(group, undone=group[0]["undone"]) for group in steps.values()]


def _change(rows: list, *, undone: float | None) -> MarkChange:
    first = rows[0]
    return MarkChange(
        step=first["step"],
        samples=tuple(row["sample"] for row in rows),
        before=tuple(row["before"] for row in rows),
        after=first["after"],
        who=first["who"],
        at=first["at"],
        undone=undone,
    )
