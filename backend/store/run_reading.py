"""What is known about runs: read from the database and from a worker's log, never changed here."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.errors import RunError
from backend.records import Stage
from backend.store import database
from backend.store.jobs import ACTIVE, EventKind, Job, job_values
from backend.store.paths import log_path, run_folder
from backend.store.timing import Measured, Planned, stage_time_left, time_left

_RUNS = "SELECT * FROM runs JOIN jobs USING (id)"


@dataclass(frozen=True, kw_only=True)
class RunInfo(Job):
    """What is known about a run without opening its records: its job, and what follows.

    budget : a share up to 1, else a number of samples, as configured.
    ahead : for a queued run the number of runs that come before it, running ones included; else None.
    eta : seconds left of scoring, training and evaluating, from the speeds measured in this run; None where a
        speed it needs has not been measured yet, and when nothing is running.
    stage_eta : seconds left of the present stage, likewise.
    tags, notes : what people wrote about it. parent : the run whose configuration it repeats, if any.
    comparison : the id of the comparison it belongs to, if any.
    """

    name: str
    strategy: str
    budget: float
    pool_id: str
    pool_name: str
    pool_rows: int
    model: str
    epochs: int
    stage: Stage | None = None
    ahead: int | None = None
    eta: float | None = None
    stage_eta: float | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""
    parent: str | None = None
    comparison: str | None = None

    @property
    def resumable(self) -> bool:
        """It ended before it was done and can be resumed."""
        return self.state in ("stopped", "failed")


@dataclass(frozen=True)
class StageTime:
    """How far a stage of an epoch came, and how fast.

    done, total : in `unit`s of the stage's progress, total 0 where unknown.
    begun, last : when it was reported first and last, in seconds since 1970; `begun` is the last attempt's.
    tokens : tokens that the model read in it since `begun`.
    """

    stage: Stage
    epoch: int
    done: int
    total: int
    begun: float
    last: float
    tokens: int

    @property
    def tokens_per_second(self) -> float:
        """NaN where nothing was read or no time has passed."""
        seconds = self.last - self.begun
        return self.tokens / seconds if self.tokens > 0 and seconds > 0 else float("nan")


@dataclass(frozen=True)
class Event:
    """Something that happened to a run; `at` in seconds since 1970 (UTC)."""

    at: float
    kind: EventKind
    text: str


def runs(home: Path, *, deleted: bool = False) -> list[RunInfo]:
    """All runs, newest first. deleted : those that were deleted and not erased yet, instead of those that were not."""
    which = "deleted IS NOT NULL" if deleted else "deleted IS NULL"
    with database.reading(home) as connection:
        if connection is None:
            return []
        rows = connection.execute(f"{_RUNS} WHERE {which} ORDER BY created DESC, id DESC").fetchall()
        measured = _measured(connection, [row["id"] for row in rows if row["state"] in ACTIVE])
    return [_info(row, measured.get(row["id"], ()), rows) for row in rows]


def run_info(home: Path, run_id: str) -> RunInfo:
    """One run.

    Raises
    ------
    RunError : the id is not one, or there is no such run.
    """
    run_folder(home, run_id)  # checks the id
    for info in runs(home):
        if info.id == run_id:
            return info
    raise RunError(f"run {run_id} not found in {home}")


def stage_times(home: Path, run_id: str) -> list[StageTime]:
    """The stages that a run has come through so far, in the order in which they began."""
    run_folder(home, run_id)
    with database.reading(home) as connection:
        if connection is None:
            return []
        rows = connection.execute(
            "SELECT * FROM stages WHERE run = ? ORDER BY first_at, epoch", (run_id,)
        ).fetchall()
    return [
        StageTime(
            row["stage"],
            row["epoch"],
            row["done"],
            row["total"],
            row["first_at"],
            row["at"],
            max(0, row["tokens"] - row["first_tokens"]),
        )
        for row in rows
    ]


def events(home: Path, run_id: str) -> list[Event]:
    """What happened to a run, oldest first."""
    run_folder(home, run_id)
    with database.reading(home) as connection:
        if connection is None:
            return []
        rows = connection.execute(
            "SELECT at, kind, text FROM events WHERE run = ? ORDER BY number", (run_id,)
        ).fetchall()
    return [Event(row["at"], row["kind"], row["text"]) for row in rows]


def read_log(home: Path, run_id: str, tail: int | None = 200) -> str:
    """The last `tail` lines that a run's worker printed (None: all); empty where it printed nothing yet."""
    return read_tail(log_path(home, run_id), tail)


def read_tail(path: Path, tail: int | None) -> str:
    """The last `tail` lines of a log (None: all); of a line that a progress bar wrote over and over, its last."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            # lines of a log are short; reading a long log whole twice a second would not be
            file.seek(0 if tail is None else max(0, size - 400 * tail))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    lines = [line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n")]
    if lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines if tail is None else lines[-tail:])


def _measured(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, list[Measured]]:
    """What was measured in each of these runs, stage by stage."""
    found: dict[str, list[Measured]] = {run_id: [] for run_id in ids}
    marks = ", ".join("?" * len(ids))
    for row in connection.execute(
        "SELECT stages.*, stages.attempt = jobs.attempt AS current FROM stages JOIN jobs ON jobs.id = stages.run"
        f" WHERE run IN ({marks})",
        list(ids),
    ):
        counted, seconds = row["done"] - row["first_done"], row["at"] - row["first_at"]
        found[row["run"]].append(
            Measured(
                row["stage"],
                row["epoch"],
                row["done"],
                row["total"],
                counted,
                seconds,
                bool(row["current"]),
            )
        )
    return found


def _info(row: sqlite3.Row, measured: Sequence[Measured], rows: Sequence[sqlite3.Row]) -> RunInfo:
    """A run as the database knows it."""
    about = RunInfo.__dataclass_fields__.keys() & row.keys()
    values: dict[str, Any] = {name: row[name] for name in about} | job_values(row)
    values["tags"] = tuple(json.loads(row["tags"]))
    if row["state"] == "queued":
        values["ahead"] = sum(
            other["state"] in ACTIVE or (other["state"] == "queued" and other["queued"] < row["queued"])
            for other in rows
        )
    if row["state"] == "running" and row["stage"] is not None:
        plan = [Planned(*item) for item in json.loads(row["plan"])] if row["plan"] else None
        values["eta"] = time_left(plan, measured, stage=row["stage"], epoch=row["epoch"])
        values["stage_eta"] = stage_time_left(measured, stage=row["stage"], epoch=row["epoch"])
    return RunInfo(**values)
