"""The tables of the database, and how a database of an earlier version gets them without losing a row."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

SCHEMA_VERSION = 6

_RUNS = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    strategy TEXT NOT NULL,
    budget REAL NOT NULL,
    pool_id TEXT NOT NULL,
    pool_name TEXT NOT NULL,
    pool_rows INTEGER NOT NULL,
    model TEXT NOT NULL,
    epochs INTEGER NOT NULL,
    created REAL NOT NULL,
    queued REAL,               -- when it last entered the queue: the queue's order
    started REAL,              -- when its present or last worker was started
    ended REAL,
    stopping REAL,             -- when somebody asked it to stop
    error TEXT,
    allow_parallel INTEGER NOT NULL DEFAULT 0,
    resume INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    host TEXT,
    pid INTEGER,
    process_started REAL,
    heartbeat REAL,
    stage TEXT,
    epoch INTEGER,
    done INTEGER,
    total INTEGER,
    unit TEXT,
    tokens INTEGER,
    plan TEXT
) STRICT;
CREATE TABLE stages (
    run TEXT NOT NULL REFERENCES runs(id),
    stage TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    first_done INTEGER NOT NULL,
    first_at REAL NOT NULL,
    done INTEGER NOT NULL,
    total INTEGER NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (run, stage, epoch)
) STRICT;
CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    run TEXT NOT NULL REFERENCES runs(id),
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_run ON events(run, number);
"""

_CURATION = """
CREATE TABLE marks (
    pool TEXT NOT NULL,
    sample TEXT NOT NULL,
    value TEXT NOT NULL,
    who TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (pool, sample)
) STRICT;
CREATE TABLE notes (
    pool TEXT NOT NULL,
    sample TEXT NOT NULL,
    value TEXT NOT NULL,
    who TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (pool, sample)
) STRICT;
CREATE TABLE changes (
    step INTEGER PRIMARY KEY,  -- what is undone together
    pool TEXT NOT NULL,
    kind TEXT NOT NULL,        -- of what: 'mark', 'note' or 'edit'
    after TEXT,
    who TEXT NOT NULL,
    at REAL NOT NULL,
    undone REAL,               -- when it was taken back
    turned_by TEXT NOT NULL DEFAULT '',  -- who last took it back or brought it again
    lost INTEGER NOT NULL DEFAULT 0  -- taken back, and then something else was done: no redo brings it again
) STRICT;
CREATE INDEX changes_of_pool ON changes(pool, step);
CREATE TABLE changed_samples (
    step INTEGER NOT NULL REFERENCES changes(step),
    place INTEGER NOT NULL,
    sample TEXT NOT NULL,
    before TEXT,
    before_who TEXT,           -- who had said so, and when: undo brings that back too
    before_at REAL,
    PRIMARY KEY (step, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE saved_settings (
    pool TEXT NOT NULL,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    scores TEXT NOT NULL,
    who TEXT NOT NULL,
    at REAL NOT NULL,
    deleted REAL,
    deleted_by TEXT,
    PRIMARY KEY (pool, name)
) STRICT;
CREATE TABLE revisions (
    pool TEXT PRIMARY KEY,
    revision INTEGER NOT NULL
) STRICT;
"""

_WORK = """
CREATE TABLE work (
    pool TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    stage TEXT NOT NULL,
    done INTEGER NOT NULL,
    total INTEGER NOT NULL,
    arguments TEXT NOT NULL,
    error TEXT,
    started REAL NOT NULL,
    host TEXT,
    pid INTEGER,
    process_started REAL,
    heartbeat REAL NOT NULL,
    PRIMARY KEY (pool, kind)
) STRICT;
"""

# Version 1 knew marks without notes or redo, with who and when only in their log, and one kind of work. Whose mark a
# change replaced is the last change before it that had not been taken back by then.
_FROM_1 = f"""
ALTER TABLE marks RENAME TO old_marks;
{_CURATION}
INSERT INTO changes (step, pool, kind, after, who, at, undone, lost)
    SELECT step, pool, 'mark', after, who, at, undone,
        undone IS NOT NULL AND EXISTS (
            SELECT 1 FROM mark_changes AS later
            WHERE later.pool = mark_changes.pool AND later.step > mark_changes.step
                AND later.at >= mark_changes.undone)
    FROM mark_changes GROUP BY step ORDER BY step;
INSERT INTO changed_samples (step, place, sample, before)
    SELECT step, row_number() OVER (PARTITION BY step ORDER BY number) - 1, sample, before FROM mark_changes;
CREATE INDEX old_changes_of_sample ON mark_changes(pool, sample, step);
UPDATE changed_samples SET (before_who, before_at) = (
    SELECT earlier.who, earlier.at FROM changes AS this
        JOIN mark_changes AS earlier ON earlier.pool = this.pool AND earlier.sample = changed_samples.sample
    WHERE this.step = changed_samples.step AND earlier.step < this.step
        AND (earlier.undone IS NULL OR earlier.undone > this.at)
    ORDER BY earlier.step DESC LIMIT 1)
    WHERE before IS NOT NULL;
INSERT INTO marks (pool, sample, value, who, at)
    SELECT pool, sample, mark,
        coalesce((SELECT who FROM mark_changes AS c WHERE c.pool = old_marks.pool AND c.sample = old_marks.sample
            AND c.undone IS NULL ORDER BY step DESC LIMIT 1), ''),
        coalesce((SELECT at FROM mark_changes AS c WHERE c.pool = old_marks.pool AND c.sample = old_marks.sample
            AND c.undone IS NULL ORDER BY step DESC LIMIT 1), 0)
    FROM old_marks ORDER BY rowid;
INSERT INTO revisions (pool, revision)
    SELECT pool, count(*) + count(undone) FROM changes GROUP BY pool;
DROP TABLE old_marks;
DROP TABLE mark_changes;
{_WORK}
INSERT INTO work (pool, kind, state, stage, done, total, arguments, error, started, host, pid, process_started, heartbeat)
    SELECT pool, 'map', state, stage, 0, 0, '[]', error, started, host, pid, process_started, heartbeat
    FROM maps ORDER BY rowid;
DROP TABLE maps;
"""


# Version 2 knew no labels, comparisons, reviews or exports of runs, and deleted none.
_FROM_2 = """
ALTER TABLE runs ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE runs ADD COLUMN notes TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN parent TEXT;
ALTER TABLE runs ADD COLUMN comparison TEXT;
ALTER TABLE runs ADD COLUMN deleted REAL;
ALTER TABLE runs ADD COLUMN deleted_by TEXT;
ALTER TABLE stages ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE stages ADD COLUMN first_tokens INTEGER NOT NULL DEFAULT 0;
CREATE TABLE comparisons (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    notes TEXT NOT NULL DEFAULT '',
    who TEXT NOT NULL,
    created REAL NOT NULL,
    deleted REAL
) STRICT;
CREATE TABLE reviews (
    run TEXT NOT NULL REFERENCES runs(id),
    epoch INTEGER NOT NULL,
    asked REAL NOT NULL,
    until REAL,                -- when the run goes on by itself; null: it waits
    answered REAL,
    who TEXT,                  -- null where nobody answered in time
    changes TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (run, epoch)
) STRICT;
CREATE TABLE exports (
    number INTEGER PRIMARY KEY,
    run TEXT NOT NULL REFERENCES runs(id),
    epoch INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    file TEXT NOT NULL,
    who TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;
"""


# Version 3 kept how far each was with the runs, in a table of work on pools, and in a file beside each evaluation.
_MOVED = (
    "state", "created", "queued", "started", "ended", "stopping", "error", "allow_parallel", "resume", "attempt", "host",
    "pid", "process_started", "heartbeat", "stage", "epoch", "done", "total", "unit", "tokens",
)  # fmt: skip
_FROM_3 = f"""
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,        -- 'run', 'map', 'findings', 'lengths' or 'evaluation'
    subject TEXT NOT NULL,     -- the run or the pool that it works on
    state TEXT NOT NULL,
    arguments TEXT NOT NULL DEFAULT '[]',
    created REAL NOT NULL,
    queued REAL NOT NULL,      -- when it last entered the queue: the queue's order
    started REAL,              -- when its present or last process was started
    ended REAL,
    stopping REAL,             -- when somebody asked it to stop
    error TEXT,
    allow_parallel INTEGER NOT NULL DEFAULT 0,
    resume INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    host TEXT,
    pid INTEGER,
    process_started REAL,
    last_seen REAL,
    stage TEXT,
    epoch INTEGER,
    done INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0,
    unit TEXT NOT NULL DEFAULT 'samples',
    tokens INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX jobs_of_subject ON jobs(subject, kind);
INSERT INTO jobs SELECT id, 'run', id, state, '[]', created, coalesce(queued, created), started, ended, stopping, error,
    allow_parallel, resume, attempt, host, pid, process_started, heartbeat, stage, epoch, coalesce(done, 0),
    coalesce(total, 0), coalesce(unit, 'samples'), coalesce(tokens, 0) FROM runs;
INSERT INTO jobs (id, kind, subject, state, arguments, created, queued, started, error, allow_parallel, host, pid,
    process_started, last_seen, stage, done, total)
    SELECT kind || '-' || pool, kind, pool, CASE state WHEN 'ready' THEN 'done' ELSE state END, arguments, started, started,
    started, error, 1, host, pid, process_started, heartbeat, nullif(stage, ''), done, total FROM work;
DROP TABLE work;
{"".join(f"ALTER TABLE runs DROP COLUMN {name};{chr(10)}" for name in _MOVED)}
"""

# Version 4 knew comparisons of strategies only.
_FROM_4 = """
ALTER TABLE comparisons ADD COLUMN kind TEXT NOT NULL DEFAULT 'strategies';
ALTER TABLE comparisons ADD COLUMN plan TEXT NOT NULL DEFAULT '{}';
"""

# Version 5 knew no edited responses, and one value for all samples of a change: an edit has its own for each sample.
_FROM_5 = """
CREATE TABLE edits (
    pool TEXT NOT NULL,
    sample TEXT NOT NULL,
    value TEXT NOT NULL,
    who TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (pool, sample)
) STRICT;
ALTER TABLE changed_samples ADD COLUMN after TEXT;
"""


def statements(version: int) -> list[str]:
    """What makes a database of `version` (0: an empty one) into one of `SCHEMA_VERSION`, statement by statement."""
    steps = {
        0: _RUNS + _CURATION + _WORK + _FROM_2 + _FROM_3,
        1: _FROM_1 + _FROM_2 + _FROM_3,
        2: _FROM_2 + _FROM_3,
        3: _FROM_3,
        4: "",
    }
    earlier = "" if version == 5 else steps[version] + _FROM_4
    return [statement for statement in (earlier + _FROM_5).split(";\n") if statement.strip()]


def bring_evaluations(connection: sqlite3.Connection, home: Path) -> None:
    """Take over the states of evaluations, which version 3 kept in a file beside each. One that cannot be read has failed."""
    for path in [*home.glob("*/evaluations/*/state.json"), *home.glob("deleted/*/evaluations/*/state.json")]:
        try:
            created = float(
                json.loads((path.parent / "evaluation.json").read_text(encoding="utf-8"))["created"]
            )
            found = {"error": "", **json.loads(path.read_text(encoding="utf-8"))}
        except (OSError, ValueError, KeyError, TypeError) as error:
            created, found = (
                path.stat().st_mtime,
                {"state": "failed", "error": f"{path} cannot be read ({error})"},
            )
        if found["state"] in ("waiting", "running"):
            found["state"] = "stopping" if (path.parent / "stop").exists() else "running"
        found = {
            "created": created,
            "queued": created,
            "last_seen": created,
            **found,
            "error": found["error"] or None,
        }
        connection.execute(
            "INSERT OR IGNORE INTO jobs (id, kind, subject, state, created, queued, started, ended, error, host, pid,"
            " process_started, last_seen) VALUES (?, 'evaluation', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (path.parent.name, path.parents[2].name, *(found.get(name) for name in _OF_EVALUATIONS)),
        )


_OF_EVALUATIONS = (
    "state", "created", "queued", "started", "ended", "error", "host", "pid", "process_started", "last_seen",
)  # fmt: skip
