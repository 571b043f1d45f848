"""Runs whose folders are there and that the database does not list, because it was lost or damaged."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from backend.store import database
from backend.store.evaluations import has_results
from backend.store.jobs import JobKind, add_job, note_event
from backend.store.paths import RUN_ID, run_folder
from backend.store.run_states import insert_run, read_config, read_run_pool

FRESH_SECONDS = 60.0  # a run's folder is made a moment before the run is listed
UNFINISHED = "it had not finished when the database was lost; resume it to go on"


def unlisted_runs(home: Path) -> list[str]:
    """The ids of these runs, the oldest first.

    Raises
    ------
    RunError : the database cannot be read.
    """
    home = Path(home)
    if not home.is_dir():
        return []
    folders = [path for path in home.iterdir() if RUN_ID.fullmatch(path.name)]
    known: set[str] = set()
    with database.reading(home) as connection:
        if connection is not None:
            known = {row["id"] for row in connection.execute("SELECT id FROM runs JOIN jobs USING (id)")}
    return sorted(path.name for path in folders if path.name not in known and _is_settled(path))


def list_again(home: Path, run_id: str) -> None:
    """Put a run into the database from what its folder says: done where it has a receipt, else failed, to be resumed.

    What only the database knew is not there again: tags, notes, the comparison it belonged to, its stages' times.

    Raises
    ------
    RunError : its configuration or what it says of its pool cannot be read.
    """
    folder = run_folder(home, run_id)
    config, pool = read_config(home, run_id), read_run_pool(home, run_id)
    done = (folder / "receipt.json").is_file()
    with database.writing(home) as connection:
        insert_run(connection, run_id, config, pool.id, pool.name, pool.rows)
        for kind, job, subject, is_done, error, written in _jobs(run_id, folder, done):
            add_job(connection, job, kind, subject)
            began = (folder / "config.json").stat().st_mtime if kind == "run" else written
            connection.execute(
                "UPDATE jobs SET state = ?, error = ?, created = ?, queued = ?, started = ?, ended = ?, attempt = 1 WHERE id = ?",
                (
                    "done" if is_done else "failed",
                    None if is_done else error,
                    began,
                    began,
                    began,
                    written,
                    job,
                ),
            )
        note_event(connection, run_id, "note", "listed again from its folder")


def _jobs(run_id: str, folder: Path, done: bool) -> Iterator[tuple[JobKind, str, str, bool, str, float]]:
    """(kind, id, of what, whether it is done, why not, when last written) of a run and of its evaluations."""
    last = max((path.stat().st_mtime for path in folder.iterdir()), default=time.time())
    yield "run", run_id, run_id, done, UNFINISHED, last
    for place in sorted((folder / "evaluations").glob("*/evaluation.json")):
        found = has_results(place.parent / "results")
        why = "it was still running when the database was lost"
        yield "evaluation", place.parent.name, run_id, found, why, place.stat().st_mtime


def _is_settled(folder: Path) -> bool:
    try:
        return abs(time.time() - (folder / "config.json").stat().st_mtime) > FRESH_SECONDS
    except OSError:  # without a configuration it is no run
        return False
