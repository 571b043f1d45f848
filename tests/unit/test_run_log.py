"""A run's log by the line, found and counted; the twin reads the whole file."""

import numpy as np
import pytest
from small_pools import pool_of
from small_runs import small_config

from backend import store
from backend.store import run_log


@pytest.fixture
def run(tmp_path):
    pool = pool_of(["a", "b"])
    store.save_pool(tmp_path, pool)
    return tmp_path, store.create_run(tmp_path, small_config(), pool)


def write(home, run, text: str) -> None:
    with open(store.log_path(home, run), "ab") as file:
        file.write(text.encode())


def test_lines_are_those_of_the_file_whatever_the_window(run, monkeypatch):
    monkeypatch.setattr(run_log, "BLOCK", 37)
    lines = [f"12:00:{i % 60:02d} step {i} loss {i * i}" for i in range(200)] + ["", "no time here", "x" * 90]
    write(*run, "\n".join(lines) + "\nunfinished")
    assert store.log_lines(*run, 0, 10_000) == lines
    assert store.log_lines(*run, 40, 7) == lines[40:47]
    assert store.log_lines(*run, len(lines), 5) == []
    moments = store.log_moments(*run)
    assert moments[61] == 12 * 3600 + 1 and moments[-3:].tolist() == [-1, -1, -1]


def test_a_log_that_grows_is_read_on_from_where_it_ended(run):
    write(*run, "one\ntw")
    assert store.log_lines(*run, 0, 9) == ["one"]
    write(*run, "o\nthree\n")
    assert store.log_lines(*run, 0, 9) == ["one", "two", "three"]
    store.log_path(*run).write_text("anew\n")
    assert store.log_lines(*run, 0, 9) == ["anew"]


def test_finding_is_what_reading_every_line_finds(run, monkeypatch):
    monkeypatch.setattr(run_log, "BLOCK", 64)
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(["Loss", "loss", "step", "warm", ""], 6)) for _ in range(300)]
    write(*run, "\n".join(lines) + "\n")
    for words in ("LOSS step", "warm", "", "nowhere", "s"):
        wanted = [i for i, line in enumerate(lines) if words and words.lower() in line.lower()]
        found = store.find_in_log(*run, words)
        assert found.lines.tolist() == wanted and found.count == len(wanted)


def test_what_a_progress_bar_wrote_over_is_gone_and_long_lines_are_cut(run):
    write(*run, "1 %\r50 %\rdone\r\n" + "y" * 9000 + "\n")
    first, second = store.log_lines(*run, 0, 9)
    assert first == "done" and len(second) == run_log.LONGEST and second.endswith("…")


def test_without_a_log_there_is_nothing(run):
    assert store.log_lines(*run, 0, 9) == [] and store.log_stamp(*run) == (0, 0)
    assert store.find_in_log(*run, "x").count == 0
