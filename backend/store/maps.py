"""How far the work on a pool's map is: it runs in a process of its own, once per pool."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backend.store import database
from backend.store.layout import pool_folder

MapState = Literal["absent", "running", "failed", "ready"]


@dataclass(frozen=True)
class MapInfo:
    """The state of a pool's map; `stage` says in words what is being done, `error` what went wrong."""

    pool_id: str
    state: MapState
    stage: str = ""
    error: str | None = None
    started: float | None = None
    host: str | None = None
    pid: int | None = None
    process_started: float | None = None
    last_seen: float | None = None


def map_info(home: Path, pool_id: str) -> MapInfo:
    """How far a pool's map is. A map that is there is ready, whoever made it."""
    if (pool_folder(home, pool_id) / "map.parquet").is_file():
        return MapInfo(pool_id, "ready")
    with database.reading(home) as connection:
        if connection is None:
            return MapInfo(pool_id, "absent")
        row = connection.execute("SELECT * FROM maps WHERE pool = ?", (pool_id,)).fetchone()
    if row is None or row["state"] == "ready":  # ready, and then its file was removed
        return MapInfo(pool_id, "absent")
    return MapInfo(
        pool_id,
        row["state"],
        row["stage"],
        row["error"],
        row["started"],
        row["host"],
        row["pid"],
        row["process_started"],
        row["heartbeat"],
    )


def claim_map(home: Path, pool_id: str, *, host: str, known: MapInfo) -> bool:
    """Take the work on a pool's map, so that nobody else starts it too; False where somebody has since `known`."""
    now = time.time()
    with database.writing(home) as connection:
        row = connection.execute("SELECT state, started FROM maps WHERE pool = ?", (pool_id,)).fetchone()
        if row is not None and row["state"] == "running" and row["started"] != known.started:
            return False
        connection.execute(
            "INSERT OR REPLACE INTO maps (pool, state, stage, error, started, host, heartbeat)"
            " VALUES (?, 'running', '', NULL, ?, ?, ?)",
            (pool_id, now, host, now),
        )
    return True


def take_map(home: Path, pool_id: str, *, host: str, pid: int, process_started: float) -> None:
    """A process's first word: it lays out this pool's map."""
    now = time.time()
    with database.writing(home) as connection:
        connection.execute(
            "INSERT INTO maps (pool, state, stage, error, started, host, pid, process_started, heartbeat)"
            " VALUES (?, 'running', '', NULL, ?, ?, ?, ?, ?) ON CONFLICT (pool) DO UPDATE SET state = 'running',"
            " error = NULL, host = excluded.host, pid = excluded.pid, process_started = excluded.process_started,"
            " heartbeat = excluded.heartbeat",
            (pool_id, now, host, pid, process_started, now),
        )


def set_map_process(home: Path, pool_id: str, *, host: str, pid: int, process_started: float) -> None:
    """Write down the process that was started for a claimed map, unless that process did so itself already."""
    with database.writing(home) as connection:
        connection.execute(
            "UPDATE maps SET host = ?, pid = ?, process_started = ?"
            " WHERE pool = ? AND pid IS NULL AND state = 'running'",
            (host, pid, process_started, pool_id),
        )


def set_map(
    home: Path,
    pool_id: str,
    state: MapState,
    *,
    stage: str = "",
    error: str | None = None,
    pid: int | None = None,
) -> None:
    """Report on the work on a pool's map; with `pid`, only where that process still has it."""
    with database.writing(home) as connection:
        connection.execute(
            "UPDATE maps SET state = ?, stage = ?, error = ?, heartbeat = ? WHERE pool = ? AND (? IS NULL OR pid = ?)",
            (state, stage, error, time.time(), pool_id, pid, pid),
        )
