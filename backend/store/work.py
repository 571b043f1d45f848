"""How far the background work on a pool is: each kind runs in a process of its own, one at a time per pool."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from backend.errors import RunError
from backend.store import database
from backend.store.findings import has_findings
from backend.store.maps import has_whole_map
from backend.store.paths import pool_folder

WorkKind = Literal["map", "findings", "lengths"]
WorkState = Literal["absent", "running", "failed", "ready"]


@dataclass(frozen=True)
class WorkInfo:
    """The state of one kind of work on a pool.

    stage : in words, what is being done, or was when the work failed.
    done, total : of what the stage counts; total 0 where it counts nothing.
    arguments : what was asked for beyond the kind: words of the command line.
    error : what went wrong, where state is "failed".
    started, last_seen : seconds since 1970 (UTC).
    """

    pool_id: str
    kind: WorkKind
    state: WorkState
    stage: str = ""
    done: int = 0
    total: int = 0
    arguments: tuple[str, ...] = ()
    error: str | None = None
    started: float | None = None
    host: str | None = None
    pid: int | None = None
    process_started: float | None = None
    last_seen: float | None = None


def work_info(home: Path, pool_id: str, kind: WorkKind) -> WorkInfo:
    """How far a kind of work is. What it makes is looked for where that can be seen: whoever made it, it is ready.

    Raises
    ------
    RunError : the kind is unknown.
    """
    if kind not in get_args(WorkKind):
        raise RunError(f"kind of work is {kind!r}; allowed: {', '.join(get_args(WorkKind))}")
    pool_folder(home, pool_id)
    row = None
    with database.reading(home) as connection:
        if connection is not None:
            row = _row(connection, pool_id, kind)
    made = _MADE[kind](home, pool_id) if kind in _MADE else row is not None and row["state"] == "ready"
    if made:
        arguments = tuple(json.loads(row["arguments"])) if row is not None else ()
        return WorkInfo(pool_id, kind, "ready", arguments=arguments)
    if row is None or row["state"] == "ready":  # ready, and then what it made was removed
        return WorkInfo(pool_id, kind, "absent")
    return WorkInfo(
        pool_id,
        kind,
        row["state"],
        stage=row["stage"],
        done=row["done"],
        total=row["total"],
        arguments=tuple(json.loads(row["arguments"])),
        error=row["error"],
        started=row["started"],
        host=row["host"],
        pid=row["pid"],
        process_started=row["process_started"],
        last_seen=row["heartbeat"],
    )


def claim_work(
    home: Path, pool_id: str, kind: WorkKind, *, arguments: Sequence[str] = (), host: str, known: WorkInfo
) -> bool:
    """Take work on a pool, so that nobody else starts it too; False where somebody has since `known`."""
    now = time.time()
    with database.writing(home) as connection:
        row = _row(connection, pool_id, kind)
        if row is not None and row["state"] == "running" and row["started"] != known.started:
            return False
        connection.execute(
            "INSERT OR REPLACE INTO work (pool, kind, state, stage, done, total, arguments, started, host, heartbeat)"
            " VALUES (?, ?, 'running', '', 0, 0, ?, ?, ?, ?)",
            (pool_id, kind, json.dumps(list(arguments)), now, host, now),
        )
    return True


def take_work(
    home: Path,
    pool_id: str,
    kind: WorkKind,
    *,
    arguments: Sequence[str] = (),
    host: str,
    pid: int,
    process_started: float,
) -> None:
    """A process's first word: it does this work.

    Raises
    ------
    RunError : another process is at it.
    """
    now = time.time()
    with database.writing(home) as connection:
        row = _row(connection, pool_id, kind)
        if row is not None and row["state"] == "running":  # claimed for this process, or by another
            if row["pid"] not in (None, pid):
                raise RunError(
                    f"process {row['pid']} on {row['host']} is already at this work ({kind} of pool {pool_id})"
                )
            asked, started = row["arguments"], row["started"]
        else:
            asked, started = json.dumps(list(arguments)), now
        connection.execute(
            "INSERT OR REPLACE INTO work (pool, kind, state, stage, done, total, arguments, started, host, pid,"
            " process_started, heartbeat) VALUES (?, ?, 'running', '', 0, 0, ?, ?, ?, ?, ?, ?)",
            (pool_id, kind, asked, started, host, pid, process_started, now),
        )


def set_work_process(
    home: Path, pool_id: str, kind: WorkKind, *, host: str, pid: int, process_started: float
) -> None:
    """Write down the process that was started for claimed work, unless that process did so itself already."""
    with database.writing(home) as connection:
        connection.execute(
            "UPDATE work SET host = ?, pid = ?, process_started = ?"
            " WHERE pool = ? AND kind = ? AND pid IS NULL AND state = 'running'",
            (host, pid, process_started, pool_id, kind),
        )


def set_work(
    home: Path,
    pool_id: str,
    kind: WorkKind,
    state: WorkState,
    *,
    stage: str | None = None,
    done: int = 0,
    total: int = 0,
    error: str | None = None,
    pid: int | None = None,
) -> None:
    """Report on work on a pool; with `pid`, only where that process still has it.

    stage : what is being done, `done` of `total`; None leaves all three as they were.
    """
    with database.writing(home) as connection:
        connection.execute(
            "UPDATE work SET state = ?, error = ?, heartbeat = ? WHERE pool = ? AND kind = ? AND (? IS NULL OR pid = ?)",
            (state, error, time.time(), pool_id, kind, pid, pid),
        )
        if stage is not None:
            connection.execute(
                "UPDATE work SET stage = ?, done = ?, total = ? WHERE pool = ? AND kind = ? AND (? IS NULL OR pid = ?)",
                (stage, done, total, pool_id, kind, pid, pid),
            )


def work_log(home: Path, pool_id: str, kind: WorkKind) -> Path:
    """The file that the work's process prints to."""
    return pool_folder(home, pool_id) / f"{kind}.txt"


def _row(connection: sqlite3.Connection, pool_id: str, kind: WorkKind) -> sqlite3.Row | None:
    return connection.execute("SELECT * FROM work WHERE pool = ? AND kind = ?", (pool_id, kind)).fetchone()


# by what can be told that the work is done, whatever was written down about it
_MADE: dict[WorkKind, Callable[[Path, str], bool]] = {"map": has_whole_map, "findings": has_findings}
