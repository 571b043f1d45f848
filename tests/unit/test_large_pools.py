"""Pools of more text than one Arrow array holds (2 GiB), made of one chunk that occurs many times."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_runs import small_pool

from backend import store
from backend.data.export import write_samples
from backend.data.health import rows_of
from backend.records import Pool
from backend.store.paths import pool_folder

CHUNKS, ROWS = 70, 32  # of 1 MiB: 2.2 GiB in all, 32 MiB in memory


@pytest.fixture(scope="module")
def large() -> Pool:
    texts = pa.array([f"{row:02d}" + "x" * (1 << 20) for row in range(ROWS)])
    turns = pa.ListArray.from_arrays(
        pa.array(range(ROWS + 1), pa.int32()),
        pa.StructArray.from_arrays([pa.array(["user"] * ROWS), texts], names=["role", "content"]),
    )
    n = CHUNKS * ROWS
    table = pa.table(
        {
            "id": pa.array([f"{row:016x}-0" for row in range(n)]),
            "turns": pa.chunked_array([turns] * CHUNKS),
            "response": pa.chunked_array([texts] * CHUNKS),
            "source": pa.array(["web"] * n).dictionary_encode(),
            "label": pa.nulls(n, pa.string()),
        }
    )
    return Pool("0" * 16, "large", table)


def test_rows_of_a_large_pool(large: Pool) -> None:
    assert large.table["response"].nbytes > 1 << 31
    rows = np.array([2200, 3, 3, 64, 0])
    with pytest.raises(pa.ArrowInvalid, match="offset overflow"):
        large.table.take(rows)
    taken = large.take(rows, ("id", "turns", "response"))
    assert taken["id"].to_pylist() == [f"{row:016x}-0" for row in rows]
    starts = [f"{row % ROWS:02d}x" for row in rows]
    assert [text[:3] for text in taken["response"].to_pylist()] == starts
    assert [turns[0]["content"][:3] for turns in taken["turns"].to_pylist()] == starts


def test_samples_of_a_large_pool_are_written(large: Pool) -> None:
    out = io.StringIO()
    assert write_samples(out, large, [70, 2], "alpaca") == 2
    assert [json.loads(line)["output"][:2] for line in out.getvalue().splitlines()] == ["06", "02"]


def test_rows_are_those_that_arrow_takes() -> None:
    pool = small_pool(50)
    parts = [pool.table.slice(at, 7) for at in range(0, 50, 7)]
    chunked = Pool(pool.id, pool.name, pa.concat_tables(parts))
    rng = np.random.default_rng(0)
    columns = ("turns", "response", "source", "label")
    for rows in (rng.integers(0, 50, 80), np.arange(50), np.zeros(0, dtype=np.int64), np.array([49])):
        assert chunked.take(rows, columns).to_pylist() == pool.table.select(columns).take(rows).to_pylist()
    for rows in ([-1], [50]):
        with pytest.raises(IndexError, match="of a pool of 50"):
            chunked.take(np.array(rows), columns)
    assert len(rows_of(chunked, "duplicate_responses")) == 0


def test_a_pool_is_stored_in_groups_that_can_be_read_back(tmp_path) -> None:
    pool = small_pool(9000)
    store.save_pool(tmp_path, pool)
    metadata = pq.ParquetFile(pool_folder(tmp_path, pool.id) / "samples.parquet").metadata
    assert [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)] == [4096, 4096, 808]
    back = store.load_pool_from_store(tmp_path, pool.id)
    assert back.table.to_pylist() == pool.table.to_pylist()
    assert back.source_codes.tolist() == pool.source_codes.tolist()
