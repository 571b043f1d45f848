"""The table of jobs: what is asked for, queued, claimed by one process, reported on and ended.

A run, work on a pool (its map, its findings, its lengths under a tokenizer, its overlaps with evaluation data) and an evaluation are all jobs; what else is
known about each lies where its kind keeps it. Every change is one transaction, so that two processes never claim the
same job. What happens to a run is also noted among its events, in the same transaction.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from backend.errors import RunError
from backend.records import JobState, Progress
from backend.store import database

JobKind = Literal["run", "map", "findings", "lengths", "overlaps", "evaluation"]
EndState = Literal["done", "failed", "stopped"]
EventKind = Literal[
    "queued",
    "started",
    "resumed",
    "selected",
    "waiting",
    "reviewed",
    "stopping",
    "stopped",
    "failed",
    "done",
    "note",
]
SPACING = 1e-4  # seconds at least between two in the queue: where they are equal their ids decide
ACTIVE: tuple[JobState, ...] = ("running", "waiting", "stopping")
_STORED = tuple(state for state in get_args(JobState) if state != "absent")
_ACTIVE = f"state IN {ACTIVE}"


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is known about a job.

    subject : what it works on: the id of a pool, or of a run. arguments : words that its command line adds.
    state : "absent" where nobody has asked for it, or what it made was removed.
    created, queued, started, ended, stopping, last_seen : seconds since 1970 (UTC), None where it has not happened;
        `stopping` is when somebody asked it to stop, `last_seen` its process's last sign of life.
    error : what went wrong, for a person; None unless the state is failed.
    allow_parallel : it may start beside others of its kind. resume : it goes on where it ended.
    attempt : how often a process has been started for it. host, pid, process_started : its process.
    stage, epoch, done, total, unit, tokens : the progress reported last; stage is None before the first, total 0
        where unknown.
    """

    id: str
    kind: JobKind
    subject: str
    state: JobState
    arguments: tuple[str, ...] = ()
    created: float = 0.0
    queued: float | None = None
    started: float | None = None
    ended: float | None = None
    stopping: float | None = None
    error: str | None = None
    allow_parallel: bool = False
    resume: bool = False
    attempt: int = 0
    host: str | None = None
    pid: int | None = None
    process_started: float | None = None
    last_seen: float | None = None
    stage: str | None = None
    epoch: int | None = None
    done: int = 0
    total: int = 0
    unit: str = "samples"
    tokens: int = 0

    @property
    def active(self) -> bool:
        """A process belongs to it (running, waiting for a review, or stopping)."""
        return self.state in ACTIVE

    @property
    def unfinished(self) -> bool:
        """It is active, or still queued."""
        return self.active or self.state == "queued"


def list_jobs(
    home: Path,
    *,
    kind: JobKind | None = None,
    subject: str | None = None,
    states: tuple[JobState, ...] = get_args(JobState),
) -> list[Job]:
    """Jobs of a kind, on a subject, in these states; all where nothing is given. Newest first."""
    with database.reading(home) as connection:
        if connection is None:
            return []
        rows = connection.execute(
            f"SELECT * FROM jobs WHERE state IN ({', '.join('?' * len(states))})"
            " AND kind = coalesce(?, kind) AND subject = coalesce(?, subject) ORDER BY created DESC, id DESC",
            (*states, kind, subject),
        ).fetchall()
    return [Job(**job_values(row)) for row in rows]


def find_job(home: Path, job_id: str) -> Job | None:
    """A job, or None where there is none of this id."""
    with database.reading(home) as connection:
        row = None if connection is None else _find(connection, job_id)
    return None if row is None else Job(**job_values(row))


def job_values(row: sqlite3.Row) -> dict[str, Any]:
    """The fields of a `Job` from a row of its table."""
    values = {name: row[name] for name in Job.__dataclass_fields__}
    values |= {"arguments": tuple(json.loads(row["arguments"]))}
    return values | {name: bool(row[name]) for name in ("allow_parallel", "resume")}


def queue_job(
    home: Path,
    job_id: str,
    kind: JobKind,
    subject: str,
    *,
    arguments: Sequence[str] = (),
    allow_parallel: bool = False,
) -> bool:
    """Put a job at the end of the queue, in place of an ended one of this id; False where that has not ended."""
    with database.writing(home) as connection:
        row = _find(connection, job_id)
        if row is not None and row["state"] in (*ACTIVE, "queued"):
            return False
        add_job(connection, job_id, kind, subject, arguments=arguments, allow_parallel=allow_parallel)
    return True


def add_job(
    connection: sqlite3.Connection,
    job_id: str,
    kind: JobKind,
    subject: str,
    *,
    arguments: Sequence[str] = (),
    allow_parallel: bool = False,
) -> None:
    """Queue a job behind those of its kind that wait, within a transaction."""
    connection.execute(
        "INSERT OR REPLACE INTO jobs (id, kind, subject, state, arguments, created, queued, allow_parallel)"
        " VALUES (?, ?, ?, 'queued', ?, ?, ?, ?)",
        (
            job_id,
            kind,
            subject,
            json.dumps(list(arguments)),
            time.time(),
            _end_of_queue(connection, kind),
            int(allow_parallel),
        ),
    )


def set_state(
    home: Path,
    job_id: str,
    state: JobState,
    *,
    error: str | None = None,
    expect: tuple[JobState, ...] | None = None,
    pid: int | None = None,
    note: str = "",
) -> bool:
    """Put a job into a state; False, and nothing changed, where it is in none of the `expect`ed ones.

    With `pid`, also nothing changes where another process has taken the job over since. `note` is what a run's events
    say about it.
    """
    if state not in _STORED:
        raise RunError(f"state is {state!r}; allowed: {', '.join(_STORED)}")
    now = time.time()
    with database.writing(home) as connection:
        row = _existing(connection, home, job_id)
        if (expect is not None and row["state"] not in expect) or (pid is not None and row["pid"] != pid):
            return False
        connection.execute(
            "UPDATE jobs SET state = ?, error = ?, ended = ?, stopping = coalesce(?, stopping) WHERE id = ?",
            (
                state,
                error if state == "failed" else None,
                now if state in get_args(EndState) else None,
                now if state == "stopping" else None,
                job_id,
            ),
        )
        if note:
            note_event(connection, job_id, "started" if state == "running" else cast(EventKind, state), note)
    return True


def queue_again(home: Path, job_id: str) -> None:
    """Put a stopped or failed job at the end of the queue, to go on where it ended.

    Raises
    ------
    RunError : it is in another state.
    """
    with database.writing(home) as connection:
        row = _existing(connection, home, job_id)
        if row["state"] not in ("stopped", "failed"):
            raise RunError(
                f"{row['kind']} {job_id} is {row['state']}; only a stopped or failed {row['kind']} can be resumed"
            )
        connection.execute(
            "UPDATE jobs SET state = 'queued', queued = ?, resume = 1, error = NULL, ended = NULL, stopping = NULL,"
            " pid = NULL, process_started = NULL WHERE id = ?",
            (_end_of_queue(connection, row["kind"]), job_id),
        )
        note_event(connection, job_id, "queued", "waiting to be resumed")


def _end_of_queue(connection: sqlite3.Connection, kind: JobKind) -> float:
    """The moment to be queued at: now, or after the last that waits, where the clock was set back since."""
    query = "SELECT max(queued) FROM jobs WHERE state = 'queued' AND kind = ?"
    last = connection.execute(query, (kind,)).fetchone()[0]
    return time.time() if last is None else max(time.time(), last + SPACING)


def claim_next(home: Path, host: str, *, kinds: tuple[JobKind, ...] = get_args(JobKind)) -> str | None:
    """Take the next job that may start out of the queue, so that nobody else starts it; None where there is none.

    The first of its kind may start when no other of that kind is active; one that allows others beside it may start at
    any time. A run that waits for a review is active: its model is still in memory.
    """
    now = time.time()
    with database.writing(home) as connection:
        row = connection.execute(
            "SELECT id, resume, attempt FROM jobs AS next WHERE state = 'queued'"
            f" AND kind IN ({', '.join('?' * len(kinds))}) AND (allow_parallel = 1"
            f" OR NOT EXISTS (SELECT 1 FROM jobs WHERE kind = next.kind AND {_ACTIVE}))"
            " ORDER BY queued, id LIMIT 1",
            kinds,
        ).fetchone()
        if row is None:
            return None
        connection.execute(
            "UPDATE jobs SET state = 'running', started = ?, ended = NULL, stopping = NULL, last_seen = ?, host = ?,"
            " pid = NULL, process_started = NULL, attempt = attempt + 1, stage = NULL, epoch = NULL, done = 0,"
            " total = 0, unit = 'samples', tokens = 0 WHERE id = ?",
            (now, now, host, row["id"]),
        )
        kind: EventKind = "resumed" if row["resume"] else "started"
        text = f"attempt {row['attempt'] + 1}" if row["attempt"] else "started from the queue"
        note_event(connection, row["id"], kind, text)
        return str(row["id"])


def set_process(home: Path, job_id: str, *, host: str, pid: int, process_started: float) -> None:
    """Write down the process that was started for a claimed job, unless that process did so itself already."""
    with database.writing(home) as connection:
        connection.execute(
            f"UPDATE jobs SET host = ?, pid = ?, process_started = ? WHERE id = ? AND pid IS NULL AND {_ACTIVE}",
            (host, pid, process_started, job_id),
        )


def take(
    home: Path, job_id: str, *, host: str, pid: int, process_started: float, claimed: bool = False
) -> JobState:
    """A process's first word: it works on a job. Returns the job's state (it may be asked to stop already).

    claimed : the job was claimed for this process (`claim_next`). Without, a process that somebody started by hand
        claims a job that is queued, stopped or failed.

    Raises
    ------
    RunError : another process works on it, it is done, or it has been stopped since it was claimed.
    """
    now = time.time()
    with database.writing(home) as connection:
        row = _existing(connection, home, job_id)
        if row["state"] in ACTIVE:
            if row["pid"] not in (None, pid):
                raise RunError(f"process {row['pid']} on {row['host']} already works on {_title(row)}")
        elif claimed or row["state"] == "done":
            raise RunError(f"{_title(row)} is {row['state']}")
        else:
            connection.execute(
                "UPDATE jobs SET state = 'running', started = ?, ended = NULL, stopping = NULL, error = NULL,"
                " attempt = attempt + 1, resume = (state != 'queued' OR resume) WHERE id = ?",
                (now, job_id),
            )
        connection.execute(
            "UPDATE jobs SET host = ?, pid = ?, process_started = ?, last_seen = ? WHERE id = ?",
            (host, pid, process_started, now, job_id),
        )
    return cast(JobState, row["state"] if row["state"] in ACTIVE else "running")


def heartbeat(
    home: Path, job_id: str, progress: Progress | None = None, *, pid: int | None = None
) -> JobState:
    """A sign of life from a job's process, with its progress where there is news; returns the job's state.

    "stopping" means that somebody asked the process to stop. With `pid`, a process whose job another has taken over
    changes nothing, and is told "stopped".
    """
    now = time.time()
    with database.writing(home) as connection:
        row = _existing(connection, home, job_id)
        if pid is not None and row["pid"] != pid:
            return "stopped"
        connection.execute("UPDATE jobs SET last_seen = ? WHERE id = ?", (now, job_id))
        if progress is not None:
            p = progress
            connection.execute(
                "UPDATE jobs SET stage = ?, epoch = ?, done = ?, total = ?, unit = ?, tokens = ? WHERE id = ?",
                (p.stage, p.epoch, p.done, p.total, p.unit, p.tokens, job_id),
            )
            _note_stage(connection, job_id, p, now)
    return cast(JobState, row["state"])


def _note_stage(connection: sqlite3.Connection, job_id: str, progress: Progress, now: float) -> None:
    """How far a run's stage came, and since when: speed is measured from its first report on; what a resumed run
    skips is not speed. Other jobs have no such rows."""
    same = "attempt = excluded.attempt AND done <= excluded.done"
    first = ", ".join(
        f"{kept} = CASE WHEN {same} THEN {kept} ELSE excluded.{now_} END"
        for kept, now_ in (("first_tokens", "tokens"), ("first_done", "done"), ("first_at", "at"))
    )
    connection.execute(
        "INSERT INTO stages (run, stage, epoch, attempt, first_done, first_at, done, total, at, tokens, first_tokens)"
        " SELECT id, :stage, :epoch, attempt, :done, :now, :done, :total, :now, :tokens, :tokens FROM jobs"
        f" WHERE id = :id AND kind = 'run' ON CONFLICT (run, stage, epoch) DO UPDATE SET {first},"
        " attempt = excluded.attempt, done = excluded.done, total = excluded.total, at = excluded.at,"
        " tokens = excluded.tokens",
        {**progress.__dict__, "now": now, "id": job_id},
    )


def move_in_queue(home: Path, job_id: str, to: int) -> None:
    """Put a queued job at a place among those of its kind: 0 is next; a place beyond the end is the end.

    Raises
    ------
    RunError : it is not queued (any more).
    """
    with database.writing(home) as connection:
        kind = _existing(connection, home, job_id)["kind"]
        rows = connection.execute(
            "SELECT id, queued FROM jobs WHERE state = 'queued' AND kind = ? ORDER BY queued, id", (kind,)
        ).fetchall()
        order = [row["id"] for row in rows]
        if job_id not in order:
            raise RunError(
                f"{kind} {job_id} does not wait in the queue (waiting: {', '.join(order) or 'none'})"
            )
        order.remove(job_id)
        order.insert(min(max(to, 0), len(order)), job_id)
        # the same moments, dealt out anew; two that are equal would leave the order to the ids
        moments: list[float] = []
        for row in rows:
            moments.append(max(row["queued"], moments[-1] + SPACING) if moments else row["queued"])
        connection.executemany(
            "UPDATE jobs SET queued = ? WHERE id = ?", list(zip(moments, order, strict=True))
        )


def note_event(connection: sqlite3.Connection, job_id: str, kind: EventKind, text: str) -> None:
    """Note that something happened to a run, within a transaction; nothing for a job of another kind."""
    connection.execute(
        "INSERT INTO events (run, at, kind, text) SELECT id, ?, ?, ? FROM jobs WHERE id = ? AND kind = 'run'",
        (time.time(), kind, text, job_id),
    )


def _find(connection: sqlite3.Connection, job_id: str) -> sqlite3.Row | None:
    return connection.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()


def _existing(connection: sqlite3.Connection, home: Path, job_id: str) -> sqlite3.Row:
    row = _find(connection, job_id)
    if row is None:
        raise RunError(f"run {job_id} not found in {home}")
    return row


def _title(row: sqlite3.Row) -> str:
    kind = row["kind"]
    return f"{kind} {row['id']}" if kind in ("run", "evaluation") else f"{kind} of pool {row['subject']}"
