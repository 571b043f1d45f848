"""What a process that starts another hands on of its own environment."""

import json
import sys
from pathlib import Path

import pytest

from backend.jobs.processes import spawn

PRINT = "import json, os; print(json.dumps(dict(os.environ)))"


def environment_of(log: Path, *, threads: int = 0) -> dict[str, str]:
    assert spawn([sys.executable, "-c", PRINT], log, threads=threads).wait(timeout=120) == 0
    return json.loads(log.read_text())


def test_the_next_run_gets_neither_threads_nor_place_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "6")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    monkeypatch.delenv("ITERIT_OUTER_THREADS", raising=False)
    first = environment_of(tmp_path / "first", threads=2)
    assert (first["OMP_NUM_THREADS"], first["MKL_NUM_THREADS"]) == ("2", "2")
    # that one, as a launcher's process, starts the next of the queue
    for name, value in {**first, "OMP_NUM_THREADS": "1", "RANK": "0", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    second = environment_of(tmp_path / "second")
    assert second["OMP_NUM_THREADS"] == "6" and "MKL_NUM_THREADS" not in second
    assert not {"RANK", "WORLD_SIZE", "ACCELERATE_MIXED_PRECISION"} & set(second)


def test_a_log_is_utf_8_whatever_the_terminal_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    log = tmp_path / "log"
    assert spawn([sys.executable, "-c", "print('“一”')"], log).wait(timeout=120) == 0
    assert log.read_text(encoding="utf-8") == "“一”\n"
