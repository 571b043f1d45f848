"""The order of the runs that wait for their turn."""

from __future__ import annotations

import time
from pathlib import Path

from backend.errors import RunError
from backend.store import database
from backend.store.paths import run_folder


def move_in_queue(home: Path, run_id: str, to: int) -> None:
    """Put a queued run at a place of the queue: 0 is next; a place beyond the end is the end.

    Raises
    ------
    RunError : it is not queued (any more).
    """
    run_folder(home, run_id)
    with database.writing(home) as connection:
        rows = connection.execute(
            "SELECT id, queued FROM runs WHERE state = 'queued' AND deleted IS NULL ORDER BY queued, id"
        ).fetchall()
        order = [row["id"] for row in rows]
        if run_id not in order:
            raise RunError(f"run {run_id} does not wait in the queue (waiting: {', '.join(order) or 'none'})")
        order.remove(run_id)
        order.insert(min(max(to, 0), len(order)), run_id)
        # the same moments, dealt out anew; two that are equal would leave the order to the ids
        moments = _apart([row["queued"] for row in rows])
        connection.executemany(
            "UPDATE runs SET queued = ? WHERE id = ?", list(zip(moments, order, strict=True))
        )


def _apart(moments: list[float | None]) -> list[float]:
    """Ascending moments as strictly ascending ones, each at or after what it was."""
    found: list[float] = []
    for moment in moments:
        at = time.time() if moment is None else moment
        found.append(max(at, found[-1] + 1e-4) if found else at)
    return found
