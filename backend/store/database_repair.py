"""The database of a runs folder: a copy of it once a day, and a new one where it is damaged or lost.

A new one gets what can be read of the damaged file, then, where a table could not be read whole, the copy's rows, and
then the runs whose folders are there. The damaged file is kept beside it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from backend.errors import RunError, StudioError
from backend.store import database
from backend.store.lost_runs import list_again, unlisted_runs
from backend.store.schema import SCHEMA_VERSION

EVERY = 86_400.0  # seconds between two copies


@dataclass(frozen=True)
class Repair:
    """What came of a repair.

    why : what was wrong with the database, "" for nothing, and where it was moved before. aside : where the damaged file
        lies now.
    saved, copied : rows taken from it, and from its last copy, by table. incomplete : tables not read whole from it.
    copy_made : when the copy was made, seconds since 1970. listed : runs listed again from their folders.
    not_listed : those that cannot be, each with the reason.
    """

    why: str
    aside: Path | None = None
    saved: dict[str, int] = field(default_factory=dict)
    copied: dict[str, int] = field(default_factory=dict)
    incomplete: tuple[str, ...] = ()
    copy_made: float | None = None
    listed: tuple[str, ...] = ()
    not_listed: dict[str, str] = field(default_factory=dict)


def copy_of(home: Path) -> Path:
    """The path of the database's last copy."""
    return database.path_of(home).with_name("studio.copy.sqlite")


def keep_copy(home: Path, *, every: float = EVERY) -> bool:
    """Copy the database where its last copy is older than `every` seconds; False where nothing was copied.

    A database that is damaged is not copied: the copy of when it was whole stays.
    """
    path, copy = database.path_of(home), copy_of(home)
    if not path.is_file() or database.is_read_only(home):
        return False
    if copy.is_file() and abs(time.time() - copy.stat().st_mtime) < every:
        return False
    fresh = copy.with_name(f"{copy.name}.new")
    try:
        if damage(home):
            return False
        with contextlib.closing(sqlite3.connect(path)) as source, contextlib.closing(sqlite3.connect(fresh)) as target:  # fmt: skip
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        os.replace(fresh, copy)
    except (sqlite3.Error, OSError):  # no room, or another process does the same: the next time will do
        fresh.unlink(missing_ok=True)
        return False
    return True


def damage(home: Path) -> str:
    """What is wrong with the database of a runs folder, in SQLite's words; "" where it is whole, or there is none."""
    path = database.path_of(home)
    if not path.exists():
        return ""
    if not path.is_file():
        return "it is no file"
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=database.BUSY_SECONDS)) as connection:
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        return str(error)
    if said == "ok" and version > SCHEMA_VERSION:
        raise RunError(f"{path} was written by a newer version of the studio; nothing is wrong with it")
    return "" if said == "ok" else str(said)


def repair(home: Path) -> Repair:
    """Make a new database where the present one is damaged, and list the runs that it does not know.

    Nobody may use the folder meanwhile.

    Raises
    ------
    DiskError : the folder can only be read, or is full. RunError : the database is a newer version's.
    """
    home = Path(home)
    database.refuse_read_only(home)
    path = database.path_of(home)
    why = damage(home)
    lost = bool(why) or not path.is_file() or path.stat().st_size == 0
    # where there is none any more, a repair may have been ended after it had moved the damaged one
    damaged = sorted(home.glob(f"{path.stem}.damaged-*{path.suffix}")) if not path.exists() else []
    aside = _moved_aside(path) if why else damaged[-1] if damaged else None
    saved, copied, incomplete = {}, {}, []
    copy = copy_of(home)
    made = copy.stat().st_mtime if lost and copy.is_file() else None
    if lost:
        with database.writing(home) as connection:
            connection.execute("PRAGMA defer_foreign_keys = ON")
            for table in _tables(connection):
                rows, whole = _rows(aside, connection, table)
                saved[table] = _insert(connection, table, rows)
                if not whole:
                    incomplete.append(table)
                    rows, _ = _rows(copy, connection, table)
                    copied[table] = _insert(connection, table, rows)
            _drop_strays(connection)
    listed, not_listed = [], {}
    for run in unlisted_runs(home):
        try:
            list_again(home, run)
            listed.append(run)
        except StudioError as error:
            not_listed[run] = str(error)
    return Repair(why, aside, saved, copied, tuple(incomplete), made, tuple(listed), not_listed)


def _moved_aside(path: Path) -> Path:
    """The damaged database, with its log, under a name that says when."""
    aside = path.with_name(f"{path.stem}.damaged-{time.strftime('%Y%m%d-%H%M%S')}{path.suffix}")
    for end in ("", "-wal", "-shm"):
        file = path.with_name(path.name + end)
        if file.exists():
            file.rename(aside.with_name(aside.name + end))
    return aside


def _tables(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return [row[0] for row in connection.execute(query)]


def _rows(path: Path | None, fresh: sqlite3.Connection, table: str) -> tuple[list[tuple[object, ...]], bool]:
    """What can be read of a table of another database, and whether that is all of it. fresh : has such a table, empty."""
    if path is None or not path.is_file():
        return [], False
    columns = [row["name"] for row in fresh.execute(f"PRAGMA table_info({table})")]
    keys = [row["name"] for row in fresh.execute(f"PRAGMA table_info({table})") if row["pk"]]
    made = fresh.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
    order = ", ".join(keys) if "WITHOUT ROWID" in made.upper() else "rowid"
    found: dict[tuple[object, ...], None] = {}
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
                return [], False
            for row in _read(connection, table, columns, order):
                found[row] = None
            return list(found), True
        except sqlite3.DatabaseError:
            # what lies behind the damage is read from the other end
            with contextlib.suppress(sqlite3.DatabaseError):
                backward = ", ".join(f"{name} DESC" for name in order.split(", "))
                for row in _read(connection, table, columns, backward):
                    found[row] = None
            return list(found), False


def _read(
    connection: sqlite3.Connection, table: str, columns: list[str], order: str
) -> Iterator[tuple[object, ...]]:
    yield from connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order}")


def _insert(connection: sqlite3.Connection, table: str, rows: list[tuple[object, ...]]) -> int:
    """Add the rows that fit and are not there; how many those were."""
    added = 0
    for row in rows:
        with contextlib.suppress(sqlite3.IntegrityError):  # damaged in itself: STRICT tables check types
            places = ", ".join("?" * len(row))
            added += connection.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", row).rowcount
    return added


def _drop_strays(connection: sqlite3.Connection) -> None:
    """Delete rows that refer to rows that were not recovered, such as the events of a run that is gone."""
    for table in _tables(connection):
        for found in connection.execute(f"PRAGMA foreign_key_check({table})").fetchall():
            if found["rowid"] is not None:
                connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (found["rowid"],))
    connection.execute("DELETE FROM changed_samples WHERE step NOT IN (SELECT step FROM changes)")
