"""Files from outside are read in a process of their own: what ends or fills it is a sentence, and nothing else."""

import errno
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from backend.data import guard, guard_reader, limits, load_outside, load_pool, preview, preview_outside
from backend.data.guard_process import Gone, ReaderProcess
from backend.errors import ConfigError, PoolError
from tests.damaged import damaged_arrow
from tests.unit.test_data_readers import variants, write

SHARED = Path(os.environ.get("ITERIT_SHARED", Path(__file__).parents[2] / ".." / "shared"))
ROOT = Path(__file__).resolve().parents[2]
UNCHECKED = """
import backend.data.arrowfiles
backend.data.arrowfiles.validated = lambda batch: batch
"""


WITHOUT_RESOURCE = (
    "import runpy, sys; sys.modules['resource'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"
)


@pytest.fixture(autouse=True)
def no_reader_left() -> Iterator[None]:
    yield
    assert {one.pid for one in psutil.Process().children() if _is_reader(one)} <= {_idle()}


def _is_reader(process: psutil.Process) -> bool:
    try:
        return "guard_reader" in " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):  # it has ended, and left no command line
        return False


def _idle() -> int | None:
    return None if ReaderProcess._idle is None else ReaderProcess._idle._process.pid


def test_the_same_pool_and_preview_as_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = [write(tmp_path / name, data) for name, data in variants().items() if name != "utf16.json"]
    seen: list[tuple[int, int]] = []
    there = load_outside(given, on_progress=lambda *at: seen.append(at))
    here = load_pool(given)
    assert there.id == here.id and there.table.equals(here.table) and there.name == here.name
    assert there.about == here.about and seen[-1][0] == seen[-1][1] and seen == sorted(seen)
    assert load_outside(["a.jsonl"]).table["file"].to_pylist()[0] == "a.jsonl"  # from this very folder
    first = _idle()
    for path in given[:3]:
        assert preview_outside(path, limit=3) == preview(path, limit=3)
    assert _idle() == first is not None  # one reader for all of it


def test_what_is_wrong_is_said_as_without(tmp_path: Path) -> None:
    for name, data, message in (
        ("a.json", b"[1, ", "a.json line 1, column 5: malformed JSON"),
        ("b.csv", b"a,b\n1,2\n", "b.csv: no sample could be read"),
    ):
        with pytest.raises(PoolError, match=message):
            load_outside([write(tmp_path / name, data)])
    with pytest.raises(PoolError, match="outside the folders that may be read"):
        preview_outside(tmp_path / "b.csv", roots=[tmp_path / "none"])
    assert preview_outside(tmp_path / "b.csv").columns == ("a", "b")


def test_a_damaged_file_ends_its_reader_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = damaged_arrow(tmp_path / "a.arrow")
    # it does end a process that reads it without looking
    naive = f"import pyarrow as pa; print(pa.ipc.open_file(pa.memory_map({str(path)!r})).get_batch(0).to_pylist())"
    assert subprocess.run([sys.executable, "-c", naive], capture_output=True).returncode in (-signal.SIGBUS, -signal.SIGSEGV)  # fmt: skip
    for read in (load_pool, load_outside):
        with pytest.raises(PoolError, match=r"^a.arrow: cannot be read as Arrow .*out of bounds"):
            read([path])
    # and where nobody looks, the reader is what ends
    (tmp_path / "sitecustomize.py").write_text(UNCHECKED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for again in (lambda: load_outside([path]), lambda: preview_outside(path)):
        with pytest.raises(PoolError, match=r"^damaged: a.arrow \(its reader was ended by SIG(BUS|SEGV)\)"):
            again()
    write(tmp_path / "b.jsonl", variants()["a.jsonl"])
    assert len(load_outside([tmp_path / "b.jsonl"])) == 9


def test_a_file_that_needs_too_much_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(limits.MEMORY, "0.3")
    path = write(tmp_path / "a.json.gz", gzip.compress(b'{"x": [' + b"1.5," * 12_000_000 + b"1]}", 1))
    with pytest.raises(
        PoolError, match=r"^a.json.gz: needs more memory than reading a file may take here \(286 MiB; "
    ):
        preview_outside(path)
    monkeypatch.setenv(limits.MEMORY, "much")
    with pytest.raises(ConfigError, match="ITERIT_READER_MEMORY=much: expected a number of GB"):
        limits.memory()
    monkeypatch.delenv(limits.MEMORY)
    assert 0.4 < limits.memory() / psutil.virtual_memory().total <= 0.5


def test_a_pool_takes_no_more_memory_than_its_reader_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.jsonl", variants()["a.jsonl"])
    real = limits.memory()
    monkeypatch.setattr(guard.limits, "memory", iter([real, real, 100]).__next__)
    with pytest.raises(
        PoolError, match=r"a.jsonl: the samples take more memory than a pool may here \(100 bytes"
    ):
        load_outside([path])


def test_a_reader_that_takes_too_long_or_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "a.jsonl"
    write(pipe, b"".join(b'{"instruction": "%d", "output": "b"}\n' % i for i in range(9000)))
    (tmp_path / "sitecustomize.py").write_text("import sys, time, backend.data\nsys.modules['backend.data.preview'].find_sources = lambda *a, **k: time.sleep(60)")  # fmt: skip
    with monkeypatch.context() as patched:
        patched.setenv("PYTHONPATH", str(tmp_path))
        patched.setattr(limits, "PREVIEW_SECONDS", 1.0)
        with pytest.raises(PoolError, match=r"a.jsonl: its first rows took longer than 1 s to read"):
            preview_outside(pipe)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_outside([pipe], on_progress=stop)


def test_a_reader_that_ended_while_it_waited_is_replaced(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", variants()["a.jsonl"])
    load_outside([path])
    first = _idle()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert len(load_outside([path])) == 9 and _idle() != first


def test_a_reader_ends_with_whoever_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", variants()["a.jsonl"])
    code = f"import os; from backend.data import guard_process, load_outside; load_outside([{path!r}]); print(guard_process.ReaderProcess._idle._process.pid, flush=True); os.kill(os.getpid(), 9)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2]).stdout  # fmt: skip
    deadline = time.monotonic() + 20
    while psutil.pid_exists(int(said)) and psutil.Process(int(said)).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_readers_side_by_side(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", variants()["a.jsonl"])
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(load_outside([path])))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [9] * 3


TEXTS = ["a.jsonl", "utf16.json", "a.csv", "a.json.gz", "a.jsonl.zst", "columns.json"]
TABLES = ["a.parquet", "a.arrow", "stream.arrow"]


@pytest.mark.parametrize("name", [*TEXTS, *TABLES])
def test_damage_anywhere_is_a_pool_or_a_sentence(tmp_path: Path, name: str) -> None:
    rng, good = random.Random(name), variants()[name]
    # a reader of its own for every damaged table takes its time; what reads text is the same everywhere
    readers = [load_outside] if name in TABLES else [load_pool, preview]
    for _ in range(3 if name in TABLES else 100):
        raw = bytearray(good)
        for _ in range(rng.randrange(1, 9)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        if rng.random() < 0.3:
            del raw[rng.randrange(1, len(raw)) :]
        path = write(tmp_path / name, bytes(raw))
        for read in readers:
            try:
                read([path] if read is not preview else path)
            except PoolError as error:
                assert name in str(error)


class _WindowsPipe:
    """What writes to a process that is gone, where a broken pipe is an invalid argument."""

    def _fail(self, *_: object) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    write = flush = close = _fail


def test_a_reader_that_is_gone_is_told_on_windows_too() -> None:
    reader = ReaderProcess(1 << 30)
    reader.kill()
    assert reader._process.stdin is not None
    reader._process.stdin.close()
    reader._process.stdin = _WindowsPipe()  # type: ignore[assignment]
    with pytest.raises(Gone):
        reader.ask({"job": "load"})
    reader.end()


def test_where_memory_cannot_be_limited_files_and_patterns_are_read_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on Windows, where Python has no module `resource`."""
    monkeypatch.setitem(sys.modules, "resource", None)
    guard_reader._limit(1 << 30)
    command = [sys.executable, "-c", WITHOUT_RESOURCE, str(ROOT / "backend" / "data" / "pattern_process.py")]
    asked = {"texts": ["one two"], "find": "o+", "replacement": "u", "case": True}
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["found"][0][1] == "une twu"
