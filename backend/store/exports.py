"""Which selections of a run left the studio, so that nobody deletes their only record unknowingly."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from backend.store import database
from backend.store.paths import existing_run_folder, run_folder

ALL_EPOCHS = -1  # instead of an epoch: the samples of all of them


@dataclass(frozen=True)
class Export:
    """An epoch's selection, or that of `ALL_EPOCHS`, that somebody wrote to a file; `at` in seconds since 1970."""

    run: str
    epoch: int
    rows: int
    file: str
    who: str
    at: float


def note_export(home: Path, run_id: str, epoch: int, *, rows: int, file: str, who: str = "") -> None:
    """Write down that an epoch's selection was exported; not in a runs folder that can only be read."""
    existing_run_folder(home, run_id)
    if database.is_read_only(home):
        return
    with database.writing(home) as connection:
        connection.execute(
            "INSERT INTO exports (run, epoch, rows, file, who, at) VALUES (?, ?, ?, ?, ?, ?)",
            (run_id, epoch, rows, file, who, time.time()),
        )


def export_words(epoch: int) -> str:
    """Which selection an export holds: "epoch 2"."""
    return "all epochs" if epoch == ALL_EPOCHS else f"epoch {epoch}"


def exports(home: Path, run_id: str) -> list[Export]:
    """A run's exports, oldest first."""
    run_folder(home, run_id)
    with database.reading(home) as connection:
        if connection is None:
            return []
        rows = connection.execute(
            "SELECT run, epoch, rows, file, who, at FROM exports WHERE run = ? ORDER BY number", (run_id,)
        ).fetchall()
    return [Export(*row) for row in rows]
