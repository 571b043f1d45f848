"""A database of the first schema becomes one of the present schema: nothing is lost, and it happens once."""

import multiprocessing
import sqlite3
import threading

import pytest
from small_runs import small_pool

from backend import store
from backend.errors import RunError
from backend.store import Note, database
from backend.store.schema import SCHEMA_VERSION, statements

SCHEMA_1 = """
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
CREATE TABLE marks (
    pool TEXT NOT NULL,
    sample TEXT NOT NULL,
    mark TEXT NOT NULL,
    PRIMARY KEY (pool, sample)
) STRICT;
CREATE TABLE mark_changes (
    number INTEGER PRIMARY KEY,
    pool TEXT NOT NULL,
    step INTEGER NOT NULL,     -- the samples of one step are undone together
    sample TEXT NOT NULL,
    before TEXT,
    after TEXT,
    who TEXT NOT NULL,
    at REAL NOT NULL,
    undone REAL
) STRICT;
CREATE INDEX mark_changes_of_pool ON mark_changes(pool, step);
CREATE TABLE maps (
    pool TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    stage TEXT NOT NULL,
    error TEXT,
    started REAL NOT NULL,
    host TEXT,
    pid INTEGER,
    process_started REAL,
    heartbeat REAL NOT NULL
) STRICT;
"""
A, B, C, D = (f"{i:032x}-0" for i in range(4))
POOL, OTHER = small_pool().id, "f" * 16
RUN = "20251122-174455-3fa9c1"
# step, pool, samples with their mark before, mark after, who, at, undone
STEPS = [
    (1, POOL, {A: None, B: None}, "pinned", "anna", 10.0, None),
    (2, POOL, {B: "pinned", C: None}, "excluded", "ben", 20.0, None),
    (3, POOL, {A: "pinned"}, None, "ben", 30.0, 40.0),  # lost: step 4 came after it was undone
    (4, POOL, {C: "excluded"}, None, "carl", 50.0, None),
    (5, OTHER, {A: None}, "pinned", "dora", 55.0, 60.0),
    (6, POOL, {D: None}, "pinned", "ben", 70.0, 80.0),
]


@pytest.fixture
def home(tmp_path):
    """A runs folder as the first version left it: a run, marks, one map that failed and one that was made."""
    store.save_pool(tmp_path, small_pool())
    connection = sqlite3.connect(database.path_of(tmp_path), isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(SCHEMA_1)
    connection.execute(
        "INSERT INTO runs (id, name, state, strategy, budget, pool_id, pool_name, pool_rows, model, epochs, created)"
        " VALUES (?, 'old', 'done', 'iterit', 0.05, ?, 'small', 6, 'demo', 3, 1.0)",
        (RUN, POOL),
    )
    connection.execute("INSERT INTO stages VALUES (?, 'train', 1, 1, 0, 1.0, 5, 10, 2.0)", (RUN,))
    connection.execute(
        "INSERT INTO events (run, at, kind, text) VALUES (?, 1.0, 'queued', 'waiting')", (RUN,)
    )
    for step, pool, samples, after, who, at, undone in STEPS:
        connection.executemany(
            "INSERT INTO mark_changes (pool, step, sample, before, after, who, at, undone)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(pool, step, sample, before, after, who, at, undone) for sample, before in samples.items()],
        )
    connection.executemany("INSERT INTO marks VALUES (?, ?, ?)", [(POOL, B, "excluded"), (POOL, A, "pinned")])
    connection.executemany(
        "INSERT INTO maps VALUES (?, ?, ?, ?, 3.0, 'here', 7, 2.0, 4.0)",
        [(POOL, "failed", "umap", "out of memory"), (OTHER, "ready", "", None)],
    )
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    return tmp_path


def tables(home) -> dict[str, str]:
    with database.reading(home) as connection:
        return dict(
            connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        )


def test_an_old_database_has_the_tables_of_a_new_one(home, tmp_path_factory):
    new = tmp_path_factory.mktemp("new")
    with database.writing(new):
        pass
    assert tables(home) == tables(new)
    with database.reading(home) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_runs_and_work_are_as_they_were(home):
    info = store.run_info(home, RUN)
    assert (info.name, info.state, info.epochs) == ("old", "done", 3)
    assert [event.text for event in store.events(home, RUN)] == ["waiting"]
    with database.reading(home) as connection:
        assert connection.execute("SELECT total FROM stages").fetchone()[0] == 10
    other, work = (store.find_job(home, f"map-{pool}") for pool in (OTHER, POOL))
    assert other.state == "done"
    assert (work.state, work.stage, work.error, work.arguments) == ("failed", "umap", "out of memory", ())
    assert (work.started, work.host, work.pid) == (3.0, "here", 7)
    assert (work.process_started, work.last_seen) == (2.0, 4.0)


def test_marks_are_as_they_were_and_say_who_made_them(home):
    assert list(store.marks(home, POOL).items()) == [(B, "excluded"), (A, "pinned")]
    assert store.marked_by(home, POOL) == {A: ("anna", 10.0), B: ("ben", 20.0)}
    assert store.curation_revision(home, POOL) > 0 and store.notes(home, POOL) == {}


def test_the_history_is_whole(home):
    found = {c.step: c for pool in (POOL, OTHER) for c in store.change_history(home, pool)}
    assert sorted(found) == [step[0] for step in STEPS]
    for step, _, samples, after, who, at, undone in STEPS:
        change = found[step]
        assert dict(zip(change.samples, change.before, strict=True)) == samples
        assert list(change.samples) == list(samples)
        assert (change.kind, change.after, change.who, change.at, change.undone) == (
            "mark", after, who, at, undone,
        )  # fmt: skip


def test_old_decisions_are_undone_and_done_again(home):
    undoing, redoing = store.next_steps(home, POOL)
    assert (undoing.step, redoing.step) == (4, 6)
    assert store.next_steps(home, OTHER)[1].step == 5
    assert store.redo(home, POOL).step == 6 and store.redo(home, POOL) is None
    assert store.marked_by(home, POOL)[D] == ("ben", 70.0)
    assert [store.undo(home, POOL).step for _ in range(2)] == [6, 4]
    assert store.marks(home, POOL)[C] == "excluded" and store.marked_by(home, POOL)[C] == ("ben", 20.0)
    assert store.undo(home, POOL).step == 2
    assert store.marks(home, POOL)[B] == "pinned" and store.marked_by(home, POOL)[B] == ("anna", 10.0)
    assert store.undo(home, POOL).step == 1 and store.undo(home, POOL) is None
    assert store.marks(home, POOL) == {}


def test_an_old_database_takes_what_is_new(home):
    store.set_note(home, POOL, [A], "look again", "ben")
    assert store.notes(home, POOL)[A] == Note("look again", "ben", store.notes(home, POOL)[A].at)
    assert store.change_history(home, POOL)[0].step == 7
    assert store.redo(home, POOL) is None


def test_who_comes_second_finds_it_done(home):
    """Both read the old version before either had the lock: the second must look again."""
    second = sqlite3.connect(database.path_of(home), isolation_level=None)
    before = tables(home)
    database._make_or_migrate(second, home)
    second.close()
    assert tables(home) == before and len(store.marks(home, POOL)) == 2


def test_many_that_come_at_once_bring_it_up_to_date_once(home):
    barrier, found = threading.Barrier(8), []

    def look() -> None:
        barrier.wait()
        found.append(len(store.change_history(home, POOL)))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [5] * 8


def _mark(home, barrier, sample):
    barrier.wait()
    store.set_mark(home, POOL, [sample], "pinned")


@pytest.mark.slow
def test_processes_that_come_at_once_bring_it_up_to_date_once(home):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    processes = [context.Process(target=_mark, args=(home, barrier, sample)) for sample in (C, D)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
        process.close()
    assert store.marks(home, POOL) == {B: "excluded", A: "pinned", C: "pinned", D: "pinned"}
    assert len(store.change_history(home, POOL)) == 7


def test_a_failure_on_the_way_leaves_the_old_database(home):
    connection = sqlite3.connect(database.path_of(home), isolation_level=None)
    connection.execute("ALTER TABLE maps RENAME TO lost")  # what comes last cannot be found
    with pytest.raises(sqlite3.OperationalError, match="maps"):
        store.marks(home, POOL)
    assert connection.execute("PRAGMA user_version").fetchone()[0] == 1
    assert connection.execute("SELECT count(*) FROM mark_changes").fetchone()[0] == 8
    connection.execute("ALTER TABLE lost RENAME TO maps")
    connection.close()
    assert len(store.marks(home, POOL)) == 2


def test_a_database_of_a_newer_version_is_refused_as_it_is(home):
    connection = sqlite3.connect(database.path_of(home), isolation_level=None)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(RunError, match=f"schema {SCHEMA_VERSION + 1}; this one knows {SCHEMA_VERSION}"):
        store.marks(home, POOL)
    assert connection.execute("SELECT count(*) FROM maps").fetchone()[0] == 2
    connection.close()


def test_comparisons_of_version_4_are_of_strategies(tmp_path):
    connection = sqlite3.connect(database.path_of(tmp_path), isolation_level=None)
    new = {statement.strip() for statement in statements(4)}
    for statement in [line for line in statements(0) if line.strip() not in new]:
        connection.execute(statement)
    connection.execute("INSERT INTO comparisons (id, name, who, created) VALUES ('c1', 'first', '', 1.0)")
    connection.execute("PRAGMA user_version = 4")
    connection.close()
    found = store.comparison_info(tmp_path, "c1")
    assert (found.name, found.kind, found.plan) == ("first", "strategies", {})
