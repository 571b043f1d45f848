"""Damaged files of pools and runs, folders that can only be read, full disks: each is said, and hides nothing else."""

import errno
import json
import os
import sqlite3
from pathlib import Path

import pytest
from small_runs import small_config, small_pool, small_record

from backend import store
from backend.errors import DiskError, PoolError, RunError, in_a_line
from backend.jobs import lifecycle
from backend.records import Metrics

DAMAGES = ("{}", "garbage", "", None)  # None: a folder stands in its place


def damage(path: Path, bad: str | None) -> None:
    path.unlink()
    path.mkdir() if bad is None else path.write_text(bad)


@pytest.mark.parametrize("bad", DAMAGES)
@pytest.mark.parametrize("name", ["config.json", "pool.json", "epochs/0/meta.json", "epochs/0/picks.parquet"])
def test_a_damaged_file_of_a_run_is_named_and_hides_no_other(
    tmp_path: Path, name: str, bad: str | None
) -> None:
    store.save_pool(tmp_path, small_pool())
    one, other = (store.create_run(tmp_path, small_config(), small_pool()) for _ in range(2))
    for run in (one, other):
        store.write_epoch(tmp_path, run, small_record(0))
    assert store.damaged_files(tmp_path) == []
    damage(tmp_path / one / name, bad)
    (said,) = store.damaged_files(tmp_path)
    assert said.startswith(f"{one}/{name} is damaged (")
    reads = {"config": store.read_config, "pool": store.read_run_pool}
    read = reads.get(Path(name).stem) if "/" not in name else lambda home, run: store.read_epoch(home, run, 0)
    assert read is not None
    with pytest.raises(RunError, match=one):
        read(tmp_path, one)
    read(tmp_path, other)
    assert {info.id for info in store.runs(tmp_path)} == {one, other}


@pytest.mark.parametrize("bad", DAMAGES)
@pytest.mark.parametrize("name", ["meta.json", "samples.parquet"])
def test_a_damaged_pool_can_be_loaded_anew(tmp_path: Path, name: str, bad: str | None) -> None:
    pool = small_pool()
    store.save_pool(tmp_path, pool)
    place = store.pool_folder(tmp_path, pool.id) / name
    damage(place, bad)
    assert any(name in said for said in store.damaged_pools(tmp_path))
    store.save_pool(tmp_path, pool)
    assert store.damaged_pools(tmp_path) == []
    assert store.load_pool_from_store(tmp_path, pool.id).table.equals(pool.table)


def test_nothing_is_written_over_a_pool_of_a_newer_version(tmp_path: Path) -> None:
    store.save_pool(tmp_path, small_pool())
    path = store.pool_folder(tmp_path, small_pool().id) / "meta.json"
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 99'))
    with pytest.raises(PoolError, match="newer version"):
        store.save_pool(tmp_path, small_pool())


def test_a_resumed_run_forgets_the_steps_that_it_repeats(tmp_path: Path) -> None:
    store.save_pool(tmp_path, small_pool())
    run = store.create_run(tmp_path, small_config(), small_pool())
    for step in (1, 2, 3, 4):
        store.append_metrics(tmp_path, run, Metrics(step, step / 4, loss=1.0))
    path = tmp_path / run / "metrics.jsonl"
    path.write_bytes(path.read_bytes() + b'garbage\n{"step": 5, "lo')  # killed while it wrote
    assert store.forget_metrics(tmp_path, run, after=2) == 2
    store.append_metrics(tmp_path, run, Metrics(3, 0.75, loss=0.5))
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 2, 3]


def test_a_folder_that_can_only_be_read_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save_pool(tmp_path, small_pool())
    run = store.create_run(tmp_path, small_config(), small_pool())
    before = sorted(path.name for path in tmp_path.iterdir())
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert [info.id for info in store.runs(tmp_path)] == [run]
    with pytest.raises(
        DiskError, match="can only be read: it can be looked at, and nothing in it can be changed"
    ):
        store.label_run(tmp_path, run, name="other")
    with pytest.raises(DiskError, match="can only be read"):
        store.create_run(tmp_path, small_config(), small_pool())
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_full_disk_says_what_to_free_and_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    store.write_json(path, {"old": 1})
    with (
        pytest.raises(DiskError, match=r"disk is full .*a\.json.*Make room.*`resume` goes on"),
        store.replacing(path) as new,
    ):
        new.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert json.loads(path.read_text()) == {"old": 1} and list(tmp_path.iterdir()) == [path]
    assert in_a_line(sqlite3.OperationalError("database or disk is full")).startswith("the disk is full")


def test_a_run_whose_configuration_is_damaged_does_not_stop_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save_pool(tmp_path, small_pool())
    one, other = (store.create_run(tmp_path, small_config(), small_pool()) for _ in range(2))
    (tmp_path / one / "config.json").write_text("{")
    started: list[str] = []

    def spawn(command: list[str], log: Path, *, threads: int = 0) -> object:
        started.append(command[-1])
        raise OSError("not in this test")

    monkeypatch.setattr(lifecycle, "spawn", spawn)
    lifecycle.pump(tmp_path)
    errors = {info.id: info.error or "" for info in store.runs(tmp_path)}
    assert "config.json is not a configuration" in errors[one] and "not in this test" in errors[other]
    assert len(started) == 1
