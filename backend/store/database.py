"""The SQLite file that several processes and browser tabs write: short transactions, write-ahead log."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from backend.errors import RunError
from backend.store.schema import SCHEMA_VERSION, bring_evaluations, statements

BUSY_SECONDS = 15.0


def path_of(home: Path) -> Path:
    """The database file of a runs folder."""
    return Path(home) / "studio.sqlite"


@contextlib.contextmanager
def reading(home: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection for SELECTs, or None where nothing has been stored under `home` yet."""
    if not path_of(home).is_file():
        yield None
        return
    connection = _open(home)
    try:
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def held_open(home: Path) -> Iterator[None]:
    """Within the block the database has one more connection, so that none of the others is the last.

    SQLite folds its log into the database and waits for the disk whenever the last connection is closed. For a
    process that writes many times a minute that is most of what writing takes (13 ms of 13.3 here).
    """
    connection = _open(home)
    try:
        connection.execute("SELECT count(*) FROM jobs").fetchone()  # it counts from its first reading on
        yield
    finally:
        connection.close()


@contextlib.contextmanager
def writing(home: Path) -> Iterator[sqlite3.Connection]:
    """One transaction that no other writer interleaves with; rolled back when the block raises.

    Keep it short: other processes wait for its end.
    """
    connection = _open(home)
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    finally:
        connection.close()


def _open(home: Path) -> sqlite3.Connection:
    """A connection to the database, which is made where it is missing.

    Raises
    ------
    RunError : the file belongs to a newer version, or is no database.
    """
    path = path_of(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise RunError(
                f"{path} was written by a newer version of the studio (schema {version}; this one knows {SCHEMA_VERSION})"
            )
        if version < SCHEMA_VERSION:
            _make_or_migrate(connection, path.parent)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.DatabaseError as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise RunError(f"{path} is not a database that the studio can read ({error})") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _make_or_migrate(connection: sqlite3.Connection, home: Path) -> None:
    """Make the tables, or bring those of an earlier version up to this one; once, whoever comes first."""
    until = time.monotonic() + BUSY_SECONDS
    while True:  # the busy timeout does not hold for a change of the journal's mode
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]  # somebody may have been quicker
        if version < SCHEMA_VERSION:
            for statement in statements(version):
                connection.execute(statement)
            if 0 < version < 4:
                bring_evaluations(connection, home)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
