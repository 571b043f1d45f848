"""Which scores a pool has, in a folder with many runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_runs import small_config, small_pool, small_record

from backend import analysis, store
from backend.analysis import epoch_tables
from backend.records import EpochRecord


def test_records_of_runs_are_read_once_for_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is asked for with everything that is drawn of a pool."""
    pool = small_pool()
    store.save_pool(tmp_path, pool, inputs=["small.json"])
    expected = []
    for _ in range(3):
        run = store.create_run(tmp_path, small_config(), pool)
        for epoch in range(2):
            store.write_epoch(tmp_path, run, small_record(epoch))
            expected.append(f"{run}/{epoch}")
    read: list[str] = []
    fine = store.read_epoch

    def count(home: Path, run_id: str, epoch: int) -> EpochRecord:
        read.append(f"{run_id}/{epoch}")
        return fine(home, run_id, epoch)

    def keys() -> list[str]:
        epoch_tables._load_epoch.cache_clear()  # as where there are more of them than are kept
        read.clear()
        return sorted(one.key for one in analysis.score_sets(tmp_path, pool))

    monkeypatch.setattr(store, "read_epoch", count)
    assert keys() == sorted(expected) == sorted(read)
    assert keys() == sorted(expected) and not read
    store.write_epoch(tmp_path, expected[0].partition("/")[0], small_record(0))  # written anew, read anew
    assert keys() == sorted(expected) and read == expected[:1]
