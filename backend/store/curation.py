"""What people decided about samples of a pool: pinned, excluded, noted, edited, with who and when, undo and redo.

A pool and what editing made of it (see `store/edits`) have one curation, under the id of the pool that was read.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from backend.errors import PoolError
from backend.store import database
from backend.store.paths import root_of
from backend.store.pools import unknown_samples

Mark = Literal["pinned", "excluded"]
ChangeKind = Literal["mark", "note", "edit"]
_TABLES: dict[ChangeKind, str] = {"mark": "marks", "note": "notes", "edit": "edits"}


@dataclass(frozen=True)
class Note:
    """What somebody wrote to a sample; `at` in seconds since 1970 (UTC)."""

    text: str
    who: str
    at: float


@dataclass(frozen=True)
class Change:
    """One decision about one or several samples: what one undo takes back.

    before : each sample's mark, note or edited response until then (None: there was none).
    after : the mark or note since then, None where it was taken away; None for edits.
    afters : the same by sample, for edits too.
    at, undone : seconds since 1970 (UTC); `undone` is when it was taken back, or None.
    turned_by : who last took it back or brought it again; "" where nobody did.
    """

    step: int
    kind: ChangeKind
    samples: tuple[str, ...]
    before: tuple[str | None, ...]
    after: str | None
    who: str
    at: float
    undone: float | None
    turned_by: str = ""
    afters: tuple[str | None, ...] = ()


def marks(home: Path, pool_id: str) -> dict[str, Mark]:
    """The marked samples of a pool: sample id -> "pinned" or "excluded", in the order of marking."""
    return {row["sample"]: row["value"] for row in present_values(home, pool_id, "mark")}


def marked_by(home: Path, pool_id: str) -> dict[str, tuple[str, float]]:
    """Who marked each marked sample of a pool, and when (seconds since 1970)."""
    return {row["sample"]: (row["who"], row["at"]) for row in present_values(home, pool_id, "mark")}


def notes(home: Path, pool_id: str) -> dict[str, Note]:
    """The notes on a pool's samples: sample id -> note, in the order of writing."""
    return {
        row["sample"]: Note(row["value"], row["who"], row["at"])
        for row in present_values(home, pool_id, "note")
    }


def set_mark(home: Path, pool_id: str, sample_ids: Sequence[str], mark: Mark | None, who: str = "") -> int:
    """Pin or exclude samples, or take their mark away (None); returns how many changed. One step of undo.

    Raises
    ------
    PoolError : an unknown mark, or a sample that the stored pool does not hold.
    """
    if mark is not None and mark not in get_args(Mark):
        raise PoolError(f"mark is {mark!r}; allowed: {', '.join(get_args(Mark))}, or none")
    return change_values(home, pool_id, "mark", dict.fromkeys(map(str, sample_ids), mark), who)


def set_note(home: Path, pool_id: str, sample_ids: Sequence[str], text: str, who: str = "") -> int:
    """Write a note to samples in place of the one they have, or take it away (""); returns how many changed.

    One step of undo.

    Raises
    ------
    PoolError : a sample that the stored pool does not hold.
    """
    note = text.strip() or None
    return change_values(home, pool_id, "note", dict.fromkeys(map(str, sample_ids), note), who)


def undo(home: Path, pool_id: str, who: str = "") -> Change | None:
    """Take back the last decision about this pool that still holds; None where there is none."""
    return _turn(home, pool_id, who, back=True)


def redo(home: Path, pool_id: str, who: str = "") -> Change | None:
    """Bring again what was taken back last; None where nothing was since the last new decision."""
    return _turn(home, pool_id, who, back=False)


def next_steps(home: Path, pool_id: str) -> tuple[Change | None, Change | None]:
    """What `undo` and what `redo` would turn now."""
    pool_id = root_of(home, pool_id)
    with database.reading(home) as connection:
        if connection is None:
            return None, None
        found = [_next_step(connection, pool_id, back=back) for back in (True, False)]
        taken, brought = [None if step is None else _changes(connection, [step])[0] for step in found]
    return taken, brought


def change_history(home: Path, pool_id: str, limit: int = 200) -> list[Change]:
    """The last decisions about a pool's samples, newest first, those taken back included."""
    pool_id = root_of(home, pool_id)
    with database.reading(home) as connection:
        if connection is None:
            return []
        steps = connection.execute(
            "SELECT step FROM changes WHERE pool = ? ORDER BY step DESC LIMIT ?", (pool_id, limit)
        ).fetchall()
        return _changes(connection, [row["step"] for row in steps])


def curation_revision(home: Path, pool_id: str) -> int:
    """A number that grows with every decision, undo, redo and saved setting of a pool; 0 before the first."""
    pool_id = root_of(home, pool_id)
    with database.reading(home) as connection:
        if connection is None:
            return 0
        row = connection.execute("SELECT revision FROM revisions WHERE pool = ?", (pool_id,)).fetchone()
    return row["revision"] if row else 0


def raise_revision(connection: sqlite3.Connection, pool_id: str) -> None:
    """Tell whoever watches `curation_revision` that something was decided; part of the deciding transaction."""
    connection.execute(
        "INSERT INTO revisions (pool, revision) VALUES (?, 1) ON CONFLICT (pool) DO UPDATE SET revision = revision + 1",
        (pool_id,),
    )


def present_values(home: Path, pool_id: str, kind: ChangeKind) -> list[sqlite3.Row]:
    """The marks, notes or edits that hold: sample, value, who, at."""
    pool_id = root_of(home, pool_id)
    with database.reading(home) as connection:
        if connection is None:
            return []
        return connection.execute(
            f"SELECT sample, value, who, at FROM {_TABLES[kind]} WHERE pool = ? ORDER BY rowid", (pool_id,)
        ).fetchall()


def change_values(
    home: Path, pool_id: str, kind: ChangeKind, values: Mapping[str, str | None], who: str
) -> int:
    """Give samples a new value each (None: none) where they have another, as one step; returns how many changed.

    Raises
    ------
    PoolError : a sample that the stored pool does not hold.
    """
    pool_id = root_of(home, pool_id)
    wanted = list(values)
    unknown = unknown_samples(home, pool_id, wanted)
    if unknown:
        raise PoolError(f"sample {unknown[0]!r} is not in pool {pool_id}")
    now = time.time()
    with database.writing(home) as connection:
        rows = connection.execute(
            f"SELECT sample, value, who, at FROM {_TABLES[kind]} WHERE pool = ?"
            " AND sample IN (SELECT value FROM json_each(?))",
            (pool_id, json.dumps(wanted)),
        )
        present: dict[str, tuple[str | None, str | None, float | None]] = {
            sample: (before, by, at) for sample, before, by, at in rows
        }
        none = (None, None, None)
        changed = [sample for sample in wanted if present.get(sample, none)[0] != values[sample]]
        if not changed:
            return 0
        connection.execute("UPDATE changes SET lost = 1 WHERE pool = ? AND undone IS NOT NULL", (pool_id,))
        step = connection.execute(
            "INSERT INTO changes (pool, kind, after, who, at) VALUES (?, ?, ?, ?, ?)",
            (pool_id, kind, None if kind == "edit" else values[changed[0]], who, now),
        ).lastrowid
        connection.executemany(
            "INSERT INTO changed_samples (step, place, sample, before, before_who, before_at, after)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (step, place, sample, *present.get(sample, none), values[sample] if kind == "edit" else None)
                for place, sample in enumerate(changed)
            ],
        )
        _put(connection, pool_id, kind, [(sample, values[sample], who, now) for sample in changed])
        raise_revision(connection, pool_id)
    return len(changed)


def _turn(home: Path, pool_id: str, who: str, *, back: bool) -> Change | None:
    """Undo (`back`) or redo one step."""
    pool_id = root_of(home, pool_id)
    with database.writing(home) as connection:
        step = _next_step(connection, pool_id, back=back)
        if step is None:
            return None
        connection.execute(
            "UPDATE changes SET undone = ?, turned_by = ? WHERE step = ?",
            (time.time() if back else None, who, step),
        )
        change = _changes(connection, [step])[0]
        values: list[Any]
        if back:
            values = connection.execute(
                "SELECT sample, before, before_who, before_at FROM changed_samples WHERE step = ? ORDER BY place",
                (step,),
            ).fetchall()
        else:
            values = [
                (sample, after, change.who, change.at)
                for sample, after in zip(change.samples, change.afters, strict=True)
            ]
        _put(connection, pool_id, change.kind, values)
        raise_revision(connection, pool_id)
    return change


def _put(connection: sqlite3.Connection, pool_id: str, kind: ChangeKind, values: Sequence[Any]) -> None:
    """Make (sample, value, who, at) what holds; a value of None takes the sample's away."""
    table = _TABLES[kind]
    connection.executemany(
        f"DELETE FROM {table} WHERE pool = ? AND sample = ?", [(pool_id, value[0]) for value in values]
    )
    connection.executemany(
        f"INSERT INTO {table} (pool, sample, value, who, at) VALUES (?, ?, ?, ?, ?)",
        [(pool_id, *value) for value in values if value[1] is not None],
    )


def _next_step(connection: sqlite3.Connection, pool_id: str, *, back: bool) -> int | None:
    """The step that undo (`back`) or redo turns next."""
    if back:
        query = "SELECT max(step) FROM changes WHERE pool = ? AND undone IS NULL"
    else:
        query = "SELECT min(step) FROM changes WHERE pool = ? AND undone IS NOT NULL AND lost = 0"
    return connection.execute(query, (pool_id,)).fetchone()[0]


def _changes(connection: sqlite3.Connection, steps: Sequence[int]) -> list[Change]:
    """These steps with their samples, in this order."""
    found = []
    for step in steps:
        row = connection.execute("SELECT * FROM changes WHERE step = ?", (step,)).fetchone()
        of = connection.execute(
            "SELECT sample, before, after FROM changed_samples WHERE step = ? ORDER BY place", (step,)
        ).fetchall()
        found.append(
            Change(
                step=step,
                kind=row["kind"],
                samples=tuple(sample for sample, _, _ in of),
                before=tuple(before for _, before, _ in of),
                after=row["after"],
                who=row["who"],
                at=row["at"],
                undone=row["undone"],
                turned_by=row["turned_by"],
                afters=tuple(after if row["kind"] == "edit" else row["after"] for _, _, after in of),
            )
        )
    return found
