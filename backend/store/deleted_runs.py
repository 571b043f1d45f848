"""Deleting runs: their folder is put aside first, and erased only when somebody says so."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from backend.errors import RunError
from backend.store import database
from backend.store.jobs import ACTIVE
from backend.store.paths import run_folder


def delete_run(home: Path, run_id: str, *, who: str = "") -> None:
    """Take a run off every list and put its folder aside; `restore_run` brings it back.

    Raises
    ------
    RunError : no such run, or it is running or in the queue.
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
        if folder.exists():  # inside the transaction: both happen, or neither
            aside(home, run_id).parent.mkdir(parents=True, exist_ok=True)
            os.replace(folder, aside(home, run_id))


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
        connection.execute("UPDATE runs SET deleted = NULL, deleted_by = NULL WHERE id = ?", (run_id,))
        if aside(home, run_id).exists():
            os.replace(aside(home, run_id), folder)


def erase_run(home: Path, run_id: str) -> None:
    """Erase a deleted run for good: folder, model, records and what the database knows of it.

    Raises
    ------
    RunError : it was not deleted before.
    """
    run_folder(home, run_id)
    with database.writing(home) as connection:
        row = connection.execute("SELECT deleted FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None or row["deleted"] is None:
            raise RunError(f"run {run_id} is not among the deleted ones; delete it first")
        for table in ("stages", "events", "reviews", "exports"):
            connection.execute(f"DELETE FROM {table} WHERE run = ?", (run_id,))
        connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
        connection.execute("DELETE FROM jobs WHERE subject = ?", (run_id,))
    shutil.rmtree(aside(home, run_id), ignore_errors=True)


def aside(home: Path, run_id: str) -> Path:
    """Where a deleted run's folder lies until it is erased."""
    return Path(home) / "deleted" / run_folder(home, run_id).name
