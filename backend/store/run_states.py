"""What changes a run: its folder, and in the database its state, progress and events."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from backend import config as settings
from backend.config import RunConfig
from backend.errors import RunError
from backend.records import Pool, Progress, RunState
from backend.store import database
from backend.store.files import replacing_folder, write_json
from backend.store.paths import existing_run_folder, new_run_id, run_folder
from backend.store.pools import PoolInfo
from backend.store.run_reading import ACTIVE, EventKind
from backend.store.timing import Planned

EndState = Literal["done", "failed", "stopped"]


@dataclass(frozen=True)
class RunPool:
    """The pools that a run was started with; `held_out_id` is None where a share of the pool is held out, or none."""

    id: str
    name: str
    rows: int
    held_out_id: str | None = None


def create_run(
    home: Path,
    config: RunConfig,
    pool: Pool | PoolInfo,
    *,
    held_out: Pool | PoolInfo | None = None,
    allow_parallel: bool = False,
    parent: str | None = None,
    comparison: str | None = None,
) -> str:
    """Make a run's folder and put the run at the end of the queue; returns its id. Nothing is started.

    `pool` (and `held_out`) must be in the store for a worker to find them: see `save_pool`.
    parent : the run whose configuration this one repeats. comparison : the id of the comparison it belongs to.
    """
    settings.check(config)
    run_id = new_run_id()
    rows = pool.rows if isinstance(pool, PoolInfo) else len(pool)
    with replacing_folder(run_folder(home, run_id)) as folder:
        write_json(folder / "config.json", settings.to_json(config))
        write_json(
            folder / "pool.json",
            {
                "id": pool.id,
                "name": pool.name,
                "rows": rows,
                "held_out_id": held_out.id if held_out else None,
            },
        )
    now = time.time()
    with database.writing(home) as connection:
        connection.execute(
            "INSERT INTO runs (id, name, state, strategy, budget, pool_id, pool_name, pool_rows, model, epochs,"
            " created, queued, allow_parallel, parent, comparison)"
            " VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run_id,
                config.name or default_name(config),
                config.strategy,
                config.budget,
                pool.id,
                pool.name,
                rows,
                config.model,
                config.epochs,
                now,
                now,
                int(allow_parallel),
                parent,
                comparison,
            ),
        )
        note_event(connection, run_id, "queued", "waiting for its turn")
    return run_id


def default_name(config: RunConfig) -> str:
    """A run's name where none was given: strategy and budget ("iterit 5 %", "random 75")."""
    budget = f"{config.budget * 100:g} %" if config.budget <= 1 else f"{int(config.budget):,}"
    return f"{config.strategy} {budget}"


def read_config(home: Path, run_id: str) -> RunConfig:
    """The complete configuration of a run.

    Raises
    ------
    RunError : no such run, or its config.json cannot be read.
    """
    path = existing_run_folder(home, run_id) / "config.json"
    try:
        return settings.config_from(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise RunError(f"{path} is not a configuration ({error})") from error


def read_run_pool(home: Path, run_id: str) -> RunPool:
    """Which pools a run was started with."""
    path = existing_run_folder(home, run_id) / "pool.json"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return RunPool(value["id"], value["name"], value["rows"], value.get("held_out_id"))
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"{path} cannot be read ({error})") from error


def set_state(
    home: Path,
    run_id: str,
    state: RunState,
    *,
    error: str | None = None,
    expect: tuple[RunState, ...] | None = None,
    pid: int | None = None,
    note: str = "",
) -> bool:
    """Put a run into a state; False, and nothing changed, where it is in none of the `expect`ed ones.

    With `pid`, also nothing changes where another process has taken the run over since. `note` is what the run's
    events say about it.
    """
    if state not in get_args(RunState):
        raise RunError(f"state is {state!r}; allowed: {', '.join(get_args(RunState))}")
    run_folder(home, run_id)
    now = time.time()
    with database.writing(home) as connection:
        row = connection.execute("SELECT state, pid FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise RunError(f"there is no run {run_id} in {home}")
        if expect is not None and row["state"] not in expect:
            return False
        if pid is not None and row["pid"] != pid:
            return False
        ended = now if state in ("stopped", "failed", "done") else None
        stopping = ", stopping = ?" if state == "stopping" else ""
        connection.execute(
            f"UPDATE runs SET state = ?, error = ?, ended = ?{stopping} WHERE id = ?",
            (state, error if state == "failed" else None, ended, *([now] if stopping else []), run_id),
        )
        if note:
            note_event(connection, run_id, "started" if state == "running" else state, note)
    return True


def queue_again(home: Path, run_id: str) -> None:
    """Put a stopped or failed run at the end of the queue, to go on where it ended.

    Raises
    ------
    RunError : it is in another state.
    """
    run_folder(home, run_id)
    with database.writing(home) as connection:
        row = connection.execute("SELECT state FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise RunError(f"there is no run {run_id} in {home}")
        if row["state"] not in ("stopped", "failed"):
            raise RunError(f"run {run_id} is {row['state']}; only a stopped or failed run can be resumed")
        connection.execute(
            "UPDATE runs SET state = 'queued', queued = ?, resume = 1, error = NULL, ended = NULL, stopping = NULL,"
            " pid = NULL, process_started = NULL WHERE id = ?",
            (time.time(), run_id),
        )
        note_event(connection, run_id, "queued", "waiting to be resumed")


def claim_next(home: Path, host: str) -> str | None:
    """Take the next run that may start out of the queue, so that nobody else starts it; None where there is none.

    The first in the queue may start when no run is active; one that allows others beside it may start at any time. A
    run that waits for a review is active: its model is still in memory.
    """
    now = time.time()
    with database.writing(home) as connection:
        active = connection.execute(
            "SELECT count(*) FROM runs WHERE state IN ('running', 'waiting', 'stopping')"
        ).fetchone()[0]
        row = connection.execute(
            "SELECT id, resume, attempt FROM runs WHERE state = 'queued' AND (? = 0 OR allow_parallel = 1) ORDER BY queued, id LIMIT 1",
            (active,),
        ).fetchone()
        if row is None:
            return None
        connection.execute(
            "UPDATE runs SET state = 'running', started = ?, ended = NULL, stopping = NULL, heartbeat = ?, host = ?,"
            " pid = NULL, process_started = NULL, attempt = attempt + 1, stage = NULL, epoch = NULL, done = NULL,"
            " total = NULL, unit = NULL, tokens = NULL WHERE id = ?",
            (now, now, host, row["id"]),
        )
        note_event(
            connection,
            row["id"],
            "resumed" if row["resume"] else "started",
            f"attempt {row['attempt'] + 1}" if row["attempt"] else "its turn has come",
        )
        return str(row["id"])


def set_process(home: Path, run_id: str, *, host: str, pid: int, process_started: float) -> None:
    """Write down the process that was started for a claimed run, unless that process did so itself already."""
    with database.writing(home) as connection:
        connection.execute(
            "UPDATE runs SET host = ?, pid = ?, process_started = ?"
            " WHERE id = ? AND pid IS NULL AND state IN ('running', 'waiting', 'stopping')",
            (host, pid, process_started, run_id),
        )


def take(
    home: Path, run_id: str, *, host: str, pid: int, process_started: float, claimed: bool = False
) -> RunState:
    """A worker's first word: which process works on a run. Returns the run's state (it may be asked to stop already).

    claimed : the run was claimed for this process (`claim_next`). Without, a worker that somebody started by hand
        claims a run that is queued, stopped or failed.

    Raises
    ------
    RunError : another process works on it, it is done, or it has been stopped since it was claimed.
    """
    run_folder(home, run_id)
    now = time.time()
    with database.writing(home) as connection:
        row = connection.execute("SELECT state, pid, host FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise RunError(f"there is no run {run_id} in {home}")
        if row["state"] in ACTIVE:
            if row["pid"] not in (None, pid):
                raise RunError(f"process {row['pid']} on {row['host']} already works on run {run_id}")
        elif claimed or row["state"] == "done":
            raise RunError(f"run {run_id} is {row['state']}")
        else:
            connection.execute(
                "UPDATE runs SET state = 'running', started = ?, ended = NULL, stopping = NULL, error = NULL,"
                " attempt = attempt + 1, resume = (state != 'queued' OR resume) WHERE id = ?",
                (now, run_id),
            )
        connection.execute(
            "UPDATE runs SET host = ?, pid = ?, process_started = ?, heartbeat = ? WHERE id = ?",
            (host, pid, process_started, now, run_id),
        )
    return cast(RunState, row["state"] if row["state"] in ACTIVE else "running")


def heartbeat(home: Path, run_id: str, progress: Progress | None = None) -> RunState:
    """A sign of life from a run's worker, with its progress where there is news; returns the run's state.

    "stopping" means that somebody asked the worker to stop.
    """
    now = time.time()
    with database.writing(home) as connection:
        row = connection.execute("SELECT state, attempt FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise RunError(f"there is no run {run_id} in {home}")
        if progress is None:
            connection.execute("UPDATE runs SET heartbeat = ? WHERE id = ?", (now, run_id))
        else:
            p = progress
            connection.execute(
                "UPDATE runs SET heartbeat = ?, stage = ?, epoch = ?, done = ?, total = ?, unit = ?, tokens = ?"
                " WHERE id = ?",
                (now, p.stage, p.epoch, p.done, p.total, p.unit, p.tokens, run_id),
            )
            # speed is measured from the first report of a stage on; what a resumed run skips is not speed
            connection.execute(
                "INSERT INTO stages (run, stage, epoch, attempt, first_done, first_at, done, total, at, tokens,"
                " first_tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, stage, epoch) DO UPDATE SET"
                " first_tokens = CASE WHEN attempt = excluded.attempt AND done <= excluded.done"
                "   THEN first_tokens ELSE excluded.tokens END,"
                " first_done = CASE WHEN attempt = excluded.attempt AND done <= excluded.done"
                "   THEN first_done ELSE excluded.done END,"
                " first_at = CASE WHEN attempt = excluded.attempt AND done <= excluded.done"
                "   THEN first_at ELSE excluded.at END,"
                " attempt = excluded.attempt, done = excluded.done, total = excluded.total, at = excluded.at,"
                " tokens = excluded.tokens",
                (
                    run_id,
                    p.stage,
                    p.epoch,
                    row["attempt"],
                    p.done,
                    now,
                    p.done,
                    p.total,
                    now,
                    p.tokens,
                    p.tokens,
                ),
            )
    return cast(RunState, row["state"])


def set_plan(home: Path, run_id: str, plan: Sequence[Planned]) -> None:
    """What the run will do, stage by stage, as far as it is known: what the time left is computed from."""
    with database.writing(home) as connection:
        connection.execute(
            "UPDATE runs SET plan = ? WHERE id = ?", (json.dumps([list(item) for item in plan]), run_id)
        )


def add_event(home: Path, run_id: str, kind: EventKind, text: str) -> None:
    """Note that something happened to a run."""
    run_folder(home, run_id)
    with database.writing(home) as connection:
        note_event(connection, run_id, kind, text)


def note_event(connection: sqlite3.Connection, run_id: str, kind: EventKind, text: str) -> None:
    """Note that something happened to a run, within a transaction."""
    connection.execute(
        "INSERT INTO events (run, at, kind, text) VALUES (?, ?, ?, ?)", (run_id, time.time(), kind, text)
    )
