"""The SQLite file that several processes and browser tabs write: short transactions, write-ahead log."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from backend.errors import DiskError, RunError, disk_full, is_full
from backend.store.network_disk import warn_of_network_disk
from backend.store.schema import SCHEMA_VERSION, bring_evaluations, statements

BUSY_SECONDS = 15.0
_LITTLE = 128 << 10  # bytes that a transaction and the files beside the database may take


def path_of(home: Path) -> Path:
    """The database file of a runs folder."""
    return Path(home) / "studio.sqlite"


# the runs folder, this thread's id and the connection that it reads through within `read_together`
_kept: ContextVar[tuple[Path, int, sqlite3.Connection] | None] = ContextVar("_kept", default=None)


@contextlib.contextmanager
def reading(home: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection for SELECTs, or None where nothing has been stored under `home` yet.

    Raises
    ------
    RunError : the database is damaged, or a newer version's.
    """
    kept = _kept.get()
    if kept is not None and kept[:2] == (Path(home), threading.get_ident()):
        yield kept[2]
        return
    if not path_of(home).exists():
        yield None
        return
    try:
        connection = _open(_copy(home) if is_read_only(home) else home)
    except sqlite3.OperationalError as error:
        if not _no_room(error, home):
            raise
        connection = _open(_copy(home))  # looking needs no room there
    try:
        yield connection
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:  # that class itself means a damaged file
            raise
        raise _damaged(home, str(error)) from error
    finally:
        connection.close()


@contextlib.contextmanager
def read_together(home: Path) -> Iterator[None]:
    """Within the block this thread reads through one connection: for an answer that looks many times, since opening one
    takes longer than most of what is asked. Each question sees what has been written by then, as without it."""
    with reading(home) as connection:
        mine = None if connection is None else (Path(home), threading.get_ident(), connection)
        before = _kept.set(mine)
        try:
            yield
        finally:
            _kept.reset(before)


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

    Raises
    ------
    DiskError : the folder can only be read, or its disk is full. RunError : as `reading`.
    """
    refuse_read_only(home)
    try:
        connection = _open(home)
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                with contextlib.suppress(sqlite3.DatabaseError):  # a full disk has rolled it back already
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        if _no_room(error, home):
            raise DiskError(disk_full(error, Path(home))) from error
        raise
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:
            raise
        raise _damaged(home, str(error)) from error


def _damaged(home: Path, why: str) -> RunError:
    return RunError(
        f"{path_of(home)} is not a database that the studio can read ({why}); close the app, and `repair` makes a new one of "
        "what can be read of it, of its last copy and of the runs' folders"
    )


def _no_room(error: sqlite3.OperationalError, home: Path) -> bool:
    """Whether SQLite failed because the disk is full, which it says in several ways."""
    return is_full(error) or shutil.disk_usage(home).free < _LITTLE


def is_read_only(home: Path) -> bool:
    """Whether a runs folder can only be read: an archive, a mount, somebody else's."""
    return Path(home).is_dir() and not os.access(home, os.W_OK)


def refuse_read_only(home: Path) -> None:
    """Raise DiskError where a runs folder can only be read."""
    if is_read_only(home):
        raise DiskError(
            f"{home} can only be read: it can be looked at, and nothing in it can be changed or started; "
            "copy it to a place that can be written for that"
        )


def _copy(home: Path) -> Path:
    """A folder with a copy of the database of a runs folder that can only be read.

    SQLite writes beside a database even to read it, and one of an earlier version has to be brought up to this one.
    """
    path = path_of(home)
    files = [file for file in (path, path.with_name(f"{path.name}-wal")) if file.is_file()]
    return _copied(path, tuple((file.stat().st_mtime_ns, file.stat().st_size) for file in files))


@lru_cache(maxsize=8)
def _copied(path: Path, changed: tuple[tuple[int, int], ...]) -> Path:
    """The copy of a database as it was when its files were last changed; it is gone with this process."""
    folder = Path(tempfile.mkdtemp(prefix="iterit-read-only-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for file in (path, path.with_name(f"{path.name}-wal")):
        if file.is_file():
            shutil.copyfile(file, folder / file.name)
    return folder


def _open(home: Path) -> sqlite3.Connection:
    """A connection to the database, which is made where it is missing.

    Raises
    ------
    RunError : the file belongs to a newer version, or is no database.
    """
    path = path_of(home)
    if path.exists() and not path.is_file():
        raise _damaged(home, "it is no file")
    path.parent.mkdir(parents=True, exist_ok=True)
    warn_of_network_disk(path.parent)
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
        raise _damaged(home, str(error)) from error
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
