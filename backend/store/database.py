"""The SQLite file that several processes and browser tabs write: short transactions, write-ahead log."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from backend.errors import RunError

SCHEMA_VERSION = 1
BUSY_SECONDS = 15.0

_SCHEMA = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    strategy TEXT NOT NULL,
    budget REAL NOT NULL,
    pool_id TEXT NOT NULL,
    pool_name TEXT NOT NULL,
    pool_rows INTEGER NOT NULL,
    model TEXT NOT NULL,
    epochs INTEGER NOT NULL,
    created REAL NOT NULL,
    queued REAL,               -- when it last entered the queue: the queue's order
    started REAL,              -- when its present or last worker was started
    ended REAL,
    stopping REAL,             -- when somebody asked it to stop
    error TEXT,
    allow_parallel INTEGER NOT NULL DEFAULT 0,
    resume INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    host TEXT,
    pid INTEGER,
    process_started REAL,
    heartbeat REAL,
    stage TEXT,
    epoch INTEGER,
    done INTEGER,
    total INTEGER,
    unit TEXT,
    tokens INTEGER,
    plan TEXT
) STRICT;
CREATE TABLE stages (
    run TEXT NOT NULL REFERENCES runs(id),
    stage TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    first_done INTEGER NOT NULL,
    first_at REAL NOT NULL,
    done INTEGER NOT NULL,
    total INTEGER NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (run, stage, epoch)
) STRICT;
CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    run TEXT NOT NULL REFERENCES runs(id),
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_run ON events(run, number);
CREATE TABLE marks (
    pool TEXT NOT NULL,
    sample TEXT NOT NULL,
    mark TEXT NOT NULL,
    PRIMARY KEY (pool, sample)
) STRICT;
CREATE TABLE mark_changes (
    number INTEGER PRIMARY KEY,
    pool TEXT NOT NULL,
    step INTEGER NOT NULL,     -- the samples of one step are undone together
    sample TEXT NOT NULL,
    before TEXT,
    after TEXT,
    who TEXT NOT NULL,
    at REAL NOT NULL,
    undone REAL
) STRICT;
CREATE INDEX mark_changes_of_pool ON mark_changes(pool, step);
CREATE TABLE maps (
    pool TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    stage TEXT NOT NULL,
    error TEXT,
    started REAL NOT NULL,
    host TEXT,
    pid INTEGER,
    process_started REAL,
    heartbeat REAL NOT NULL
) STRICT;
"""


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
        connection.execute("SELECT count(*) FROM runs").fetchone()  # it counts from its first reading on
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
        if version == 0:
            _create(connection)
        elif version > SCHEMA_VERSION:
            raise RunError(
                f"{path} was written by a newer version of the studio (schema {version}; this one knows {SCHEMA_VERSION})"
            )
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


def _create(connection: sqlite3.Connection) -> None:
    """Make the tables, once, whoever comes first."""
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
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in _SCHEMA.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
