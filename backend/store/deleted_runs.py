"""Deleting runs: their folder is put aside first, and erased only when somebody says so."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from pathlib import Path

from backend.errors import RunError
from backend.store import database
from backend.store.files import put_away, room_for
from backend.store.jobs import ACTIVE
from backend.store.leftovers import remove_leftovers
from backend.store.paths import run_folder


def delete_run(home: Path, run_id: str, *, who: str = "") -> None:
    """Take a run off every list and put its folder aside; `restore_run` brings it back.

    Raises
    ------
    RunError : no such run, or it is running or in the queue. DiskError : its folder cannot be moved; then it stays listed.
    """
    folder = run_folder(home, run_id)
    with database.writing(home) as connection:
        row = connection.execute(
            "SELECT state, deleted FROM runs JOIN jobs USING (id) WHERE id = ?", (run_id,)
        ).fetchone()
        if row is None or row["deleted"] is not None:
            raise RunError(f"run {run_id} not found in {home}")
        if row["state"] in (*ACTIVE, "queued"):
            raise RunError(f"run {run_id} is {row['state']}; stop it before it is deleted")
        connection.execute(
            "UPDATE runs SET deleted = ?, deleted_by = ? WHERE id = ?", (time.time(), who, run_id)
        )
    # after the transaction: a run on a list always has its folder, whatever ends this process
    try:
        _move(folder, aside(home, run_id))
    except OSError:
        with database.writing(home) as connection:
            _list_again(connection, run_id)
        raise


def restore_run(home: Path, run_id: str) -> None:
    """Bring a deleted run back.

    Raises
    ------
    RunError : it was not deleted, or has been erased since.
    """
    folder = run_folder(home, run_id)
    with database.writing(home) as connection:
        row = connection.execute("SELECT deleted FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None or row["deleted"] is None:
            raise RunError(f"run {run_id} is not among the deleted ones")
        _move(aside(home, run_id), folder)
        if not folder.exists():
            raise RunError(f"the files of run {run_id} are gone: somebody began to erase it; erase it again")
        _list_again(connection, run_id)


def erase_run(home: Path, run_id: str) -> None:
    """Erase a deleted run for good: folder, model, records and what the database knows of it.

    Raises
    ------
    RunError : it was not deleted before.
    """
    folder = run_folder(home, run_id)
    with database.writing(home) as connection:
        row = connection.execute("SELECT deleted FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None or row["deleted"] is None:
            raise RunError(f"run {run_id} is not among the deleted ones; delete it first")
        # the files first: where this is ended in between, the run is still on the list of those that can be erased
        gone = [put_away(place) for place in (folder, aside(home, run_id))]
        for table in ("stages", "events", "reviews", "exports"):
            connection.execute(f"DELETE FROM {table} WHERE run = ?", (run_id,))
        connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
        connection.execute("DELETE FROM jobs WHERE subject = ?", (run_id,))
    for place in gone:
        shutil.rmtree(place, ignore_errors=True)
    remove_leftovers(home)  # whoever erases wants room


def _list_again(connection: sqlite3.Connection, run_id: str) -> None:
    connection.execute("UPDATE runs SET deleted = NULL, deleted_by = NULL WHERE id = ?", (run_id,))


def _move(folder: Path, target: Path) -> None:
    """Move a run's folder; nothing where it is not there."""
    if folder.exists():
        with room_for(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(folder, target)


def aside(home: Path, run_id: str) -> Path:
    """Where a deleted run's folder lies until it is erased."""
    return Path(home) / "deleted" / run_folder(home, run_id).name
