"""A database that is damaged or lost: a new one of what can be read of it, of its daily copy and of the runs' folders."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from backend import store
from backend.cli.commands import main
from backend.errors import RunError
from backend.store import database, lost_runs
from backend.store.database_repair import copy_of, damage, keep_copy, repair
from iterit_ui.compare import runs_table
from tools.soak.store_folder import make_folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, str]]]:
    """A runs folder with two pools, a run on each, marks and labels."""
    home = tmp_path_factory.mktemp("made") / "runs"
    home.mkdir()
    both = make_folder(home, seed=3)
    for pool, run in both:
        ids = [str(one) for one in store.sample_ids(home, pool)[:3]]
        store.set_mark(home, pool, ids, "pinned", "Ada")
        store.set_note(home, pool, [ids[0]], "look again", "Ada")
        store.label_run(home, run, tags=("kept",), notes="the first")
    return home, both


@pytest.fixture
def home(made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, whose folders are as old as folders are that have been listed."""
    monkeypatch.setattr(lost_runs, "FRESH_SECONDS", 0.0)
    shutil.copytree(made[0], tmp_path / "runs")
    return tmp_path / "runs"


def spoil(home: Path, content: bytes | None) -> None:
    """Put something else in the place of the database; None for nothing."""
    path = database.path_of(home)
    for file in home.glob("studio.sqlite*"):
        file.unlink()
    if content is not None:
        path.write_bytes(content)


def all_rows(home: Path) -> dict[str, list[tuple[object, ...]]]:
    with database.reading(home) as connection:
        assert connection is not None
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            name: sorted(map(tuple, connection.execute(f"SELECT * FROM {name}")), key=repr) for name in tables
        }


def test_nothing_is_done_to_a_database_that_is_whole(home: Path, capsys) -> None:
    before = all_rows(home)
    done = repair(home)
    assert (done.why, done.aside, done.listed, done.saved) == ("", None, (), {})
    assert all_rows(home) == before
    with pytest.raises(SystemExit) as ended:
        main(["repair", "--runs-dir", str(home)])
    assert ended.value.code == 0 and "nothing is wrong" in capsys.readouterr().out


def test_a_folder_with_nothing_in_it_needs_no_repair(tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["repair", "--runs-dir", str(tmp_path)])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"nothing is wrong with the database of {tmp_path}\n"


def test_a_copy_brings_everything_back(home: Path, capsys) -> None:
    before = all_rows(home)
    assert keep_copy(home) and not keep_copy(home)  # once a day
    spoil(home, b"garbage" * 100)
    with pytest.raises(RunError, match=r"not a database that the studio can read .*`repair` makes a new one"):
        store.runs(home)
    with pytest.raises(SystemExit):
        main(["repair", "--runs-dir", str(home)])
    said = capsys.readouterr().out
    assert "taken from it: nothing" in said and "2 runs, 6 marks, 2 notes" in said
    assert all_rows(home) == before
    assert [path.read_bytes()[:7] for path in home.glob("studio.damaged-*.sqlite")] == [b"garbage"]


def test_a_table_is_read_from_both_ends_of_the_damage(home: Path) -> None:
    pool = store.list_pools(home)[0].id
    ids = [str(one) for one in store.sample_ids(home, pool)]
    for one in ids:  # several pages of changes
        store.set_note(home, pool, [one], f"{one}: " + "a long note " * 100, "Ben")
    with sqlite3.connect(database.path_of(home)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        notes = connection.execute("SELECT pool, sample, value FROM notes").fetchall()
        # a page in the middle of the notes
        pages = [row[0] for row in connection.execute("SELECT pageno FROM dbstat WHERE name = 'notes' AND pagetype = 'leaf' ORDER BY path")] if has_dbstat(connection) else []  # fmt: skip
    if not pages:
        pytest.skip("this SQLite cannot say which page holds what")
    raw = bytearray(database.path_of(home).read_bytes())
    at = (pages[len(pages) // 2] - 1) * size
    raw[at : at + size] = os.urandom(size)
    database.path_of(home).write_bytes(raw)
    assert damage(home)
    done = repair(home)
    assert done.incomplete == ("notes",) and done.copy_made is None
    with database.reading(home) as connection:
        assert connection is not None
        left = [tuple(row) for row in connection.execute("SELECT pool, sample, value FROM notes")]
    assert set(left) < set(notes) and len(left) >= len(notes) // 2
    assert len(store.runs(home)) == 2 and len(store.marks(home, pool)) == 3


def test_a_repair_that_was_ended_goes_on_with_the_damaged_file(home: Path) -> None:
    before = all_rows(home)
    with sqlite3.connect(database.path_of(home)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    database.path_of(home).rename(home / "studio.damaged-20261130-101010.sqlite")
    done = repair(home)
    assert done.aside == home / "studio.damaged-20261130-101010.sqlite" and done.listed == ()
    assert all_rows(home) == before


def has_dbstat(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1 FROM dbstat LIMIT 1").fetchone()
    except sqlite3.OperationalError:
        return False
    return True


@pytest.mark.parametrize("content", [None, b"", b"{}", b"SQLite format 3\x00" + bytes(200)])
def test_runs_are_listed_again_from_their_folders(home: Path, made, content: bytes | None) -> None:
    before = {run.id: run for run in store.runs(home)}
    unfinished = made[1][1][1]
    (home / unfinished / "receipt.json").unlink()
    spoil(home, content)
    done = repair(home)
    assert set(done.listed) == set(before) and not done.not_listed
    found = {run.id: run for run in store.runs(home)}
    for run_id, run in before.items():
        there = found[run_id]
        assert (there.name, there.pool_id, there.model, there.epochs) == (run.name, run.pool_id, run.model, run.epochs)  # fmt: skip
        assert there.state == ("failed" if run_id == unfinished else "done")
    assert found[unfinished].resumable and "resume it" in (found[unfinished].error or "")
    assert repair(home).listed == ()


def test_a_lost_list_is_told_of_where_runs_are_listed(home: Path, made, capsys) -> None:
    spoil(home, None)
    runs = sorted(run for _, run in made[1])
    assert store.unlisted_runs(home) == runs
    with pytest.raises(SystemExit):
        main(["runs", "--runs-dir", str(home)])
    said = capsys.readouterr().err
    assert all(run in said for run in runs) and "`repair` lists them again" in said
    told = runs_table.damage_value(home)
    assert told is not None and told["title"] == "2 runs missing from the list"
    (home / runs[0] / "config.json").write_text("{}")
    done = repair(home)
    assert done.listed == (runs[1],) and "configuration" in done.not_listed[runs[0]]


def test_what_was_queued_is_kept_until_the_list_is_repaired(home: Path, made) -> None:
    queued = home / "20261130-101010-abcdef"
    shutil.copytree(home / made[1][0][1], queued, ignore=lambda folder, names: set(names) - {"config.json", "pool.json"})  # fmt: skip
    spoil(home, b"")
    with database.writing(home) as connection:  # an app that was started on the lost list has made a new one
        connection.execute("SELECT 1")
    store.remove_leftovers(home, older=-10)
    assert queued.is_dir()
    assert queued.name in repair(home).listed
    assert store.run_info(home, queued.name).state == "failed"


def test_a_run_that_is_just_being_made_is_not_missing(made, tmp_path: Path) -> None:
    shutil.copytree(made[0], tmp_path / "runs")
    spoil(tmp_path / "runs", None)
    for path in (tmp_path / "runs").glob("*/config.json"):
        os.utime(path, (time.time(), time.time()))
    assert store.unlisted_runs(tmp_path / "runs") == []


def test_a_damaged_database_does_not_replace_its_copy(home: Path) -> None:
    assert keep_copy(home)
    kept = copy_of(home).read_bytes()
    spoil(home, b"garbage" * 100)
    assert not keep_copy(home, every=0.0)
    assert copy_of(home).read_bytes() == kept
    assert not list(home.glob("*.new"))


def test_a_newer_versions_database_is_left_alone(home: Path) -> None:
    with sqlite3.connect(database.path_of(home)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(RunError, match="newer version"):
        repair(home)
    assert not list(home.glob("studio.damaged-*"))


def test_a_folder_in_the_place_of_the_database_is_a_sentence(home: Path) -> None:
    pool = store.list_pools(home)[0].id
    spoil(home, None)
    database.path_of(home).mkdir()
    with pytest.raises(RunError, match="it is no file"):
        store.runs(home)
    with pytest.raises(RunError, match="it is no file"):
        store.set_mark(home, pool, [str(store.sample_ids(home, pool)[0])], "pinned", "Ada")
    assert len(repair(home).listed) == 2


def test_evaluations_are_listed_with_their_run(home: Path, made) -> None:
    run = made[1][0][1]
    place = home / run / "evaluations" / "20261130-101010-abcdef"
    (place / "results").mkdir(parents=True)
    (place / "evaluation.json").write_text(json.dumps({}))
    (place / "results" / "results_1.json").write_text("{}")
    spoil(home, None)
    repair(home)
    (job,) = store.list_jobs(home, kind="evaluation", subject=run)
    assert (job.id, job.state) == (place.name, "done")
