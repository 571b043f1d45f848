"""Many questions through one connection: what they see, and who opens one of their own."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from backend.store import database


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The runs folders whose database was opened, in order; one is there already."""
    with database.writing(tmp_path):
        pass
    found: list[Path] = []
    fine = database._open

    def count(home: Path) -> sqlite3.Connection:
        found.append(home)
        return fine(home)

    monkeypatch.setattr(database, "_open", count)
    return found


def runs(home: Path) -> int:
    with database.reading(home) as connection:
        assert connection is not None
        return int(connection.execute("SELECT count(*) FROM marks").fetchone()[0])


def test_one_connection_and_what_others_write_meanwhile(tmp_path: Path, opened: list[Path]) -> None:
    with database.read_together(tmp_path):
        assert [runs(tmp_path), runs(tmp_path)] == [0, 0] and len(opened) == 1
        with database.writing(tmp_path) as connection:
            connection.execute("INSERT INTO marks VALUES ('p', 's', 'pinned', 'me', 0)")
        assert runs(tmp_path) == 1 and len(opened) == 2  # the second wrote
    assert runs(tmp_path) == 1 and len(opened) == 3


def test_another_thread_and_another_folder_have_their_own(tmp_path: Path, opened: list[Path]) -> None:
    other = tmp_path / "other"
    with database.writing(other):
        pass
    opened.clear()
    with database.read_together(tmp_path):
        thread = threading.Thread(target=runs, args=(tmp_path,))
        thread.start()
        thread.join()
        runs(other)
        runs(tmp_path)
    assert opened == [tmp_path, tmp_path, other]


def test_nothing_stored_yet(tmp_path: Path) -> None:
    with database.read_together(tmp_path / "new"), database.reading(tmp_path / "new") as connection:
        assert connection is None
