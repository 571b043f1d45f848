"""Shards of scores are read as one pool's where together they are all of it, and a sentence says what is wrong where not."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from backend.cli.commands import app
from backend.data import load_pool
from backend.data.response_edits import with_edits
from backend.errors import ScoresError
from backend.records import EDITED, Pool, Scores
from backend.store.score_shards import Shard, about_value, read_score_files, shard_of
from backend.store.scores_file import write_scores

N, SIZE = 11, 4
DEPENDS_ON = {"files": [["model.safetensors", "aa"]], "chat_template": "bb", "max_length": 64, "precision": "fp32"}  # fmt: skip


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    rows = [{"instruction": f"question {i}", "output": f"words of the answer {i}"} for i in range(N)]
    (tmp_path / "pool.json").write_text(json.dumps(rows))
    return load_pool([str(tmp_path / "pool.json")])


def some_scores(n: int = N) -> Scores:
    rng = np.random.default_rng(0)
    scores = Scores.unknown(n, np.arange(n, dtype=np.int32), reason="")
    for name in ("loss_cond", "loss_prior", "complexity"):
        getattr(scores, name)[:] = rng.random(n)
    scores.complexity[3], scores.reason[3] = np.nan, "empty response"
    return scores


def write_shard(folder: Path, pool: Pool, number: int, size: int = SIZE, **changes: Any) -> Path:
    """A shard of `some_scores`, written as `score` does."""
    shard, model = Shard(number, size), changes.pop("model", "a")
    rows = shard.rows(len(pool))
    scores = some_scores(len(pool))
    part = Scores(*(getattr(scores, f.name)[rows] for f in dataclasses.fields(scores)))
    path = folder / f"part-{number}.parquet"
    about = about_value(pool, model, DEPENDS_ON | changes, shard)
    write_scores(path, shard.of(pool), part, rows=rows, about=about)
    return path


@pytest.fixture
def parts(tmp_path: Path, pool: Pool) -> list[Path]:
    return [write_shard(tmp_path, pool, number) for number in range(1, SIZE + 1)]


def test_all_shards_together_are_the_scores_of_the_pool(
    tmp_path: Path, pool: Pool, parts: list[Path]
) -> None:
    for names in ([str(tmp_path / "part-*.parquet")], [str(path) for path in reversed(parts)]):
        found = read_score_files(names, pool)
        assert found.rows.tolist() == list(range(N))
        for f in dataclasses.fields(Scores):
            np.testing.assert_array_equal(getattr(found.scores, f.name), getattr(some_scores(), f.name))


def drop_row(parts: list[Path], pool: Pool) -> None:
    pq.write_table(pq.read_table(parts[1]).slice(1), parts[1])


def repeat_row(parts: list[Path], pool: Pool) -> None:
    table = pq.read_table(parts[1])
    pq.write_table(pa.concat_tables([table, table.slice(1, 1)]), parts[1])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda parts, pool: parts[2].unlink(), "shard 3 of 4 is missing; score --shard 3/4 makes it"),
        (lambda parts, pool: [path.unlink() for path in parts[1:]], r"3 of the 4 shards are missing \(2, 3, 4\)"),
        (lambda parts, pool: (parts[0].parent / "part-5.parquet").write_bytes(parts[0].read_bytes()), "shard 1/4 is there twice: .*part-1.parquet and .*part-5.parquet"),
        (repeat_row, "part-2.parquet, shard 2/4, holds row 5 twice"),
        (drop_row, "part-2.parquet, shard 2/4, lacks 1 sample, the first in row 1"),
        (lambda parts, pool: write_shard(parts[0].parent, pool, 2, size=3), "part-1.parquet is shard 1/4 and .*part-2.parquet shard 2/3"),
        (lambda parts, pool: write_shard(parts[0].parent, pool, 3, files=[["model.safetensors", "cc"]], model="b"), r"part-3.parquet was scored with another model than .*part-1.parquet \('b' there, 'a' here\)"),
        (lambda parts, pool: write_shard(parts[0].parent, pool, 3, chat_template="cc"), "part-3.parquet was scored with another chat template than"),
        (lambda parts, pool: write_shard(parts[0].parent, pool, 3, max_length=32), r"another max_length than .* \(32 there, 64 here\)"),
        (lambda parts, pool: write_shard(parts[0].parent, dataclasses.replace(pool, id="0123456789abcdef"), 3), "part-3.parquet belongs to another pool: .* id 0123456789abcdef"),
        (lambda parts, pool: write_scores(parts[1], pool, some_scores()), "part-2.parquet is not a shard"),
    ],
)  # fmt: skip
def test_shards_that_do_not_make_a_pool_are_refused(
    tmp_path: Path, pool: Pool, parts: list[Path], damage: Callable[[list[Path], Pool], Any], message: str
) -> None:
    damage(parts, pool)
    with pytest.raises(ScoresError, match=message):
        read_score_files([str(tmp_path / "part-*.parquet")], pool)


def test_a_response_that_was_edited_between_two_shards(tmp_path: Path, pool: Pool) -> None:
    """Its score is unknown where it is of the old text, and holds where it is of the new one."""
    edited = with_edits(pool, {str(pool.ids[0]): "mended", str(pool.ids[1]): "mended too"})
    for number in range(1, SIZE + 1):
        write_shard(tmp_path, pool if number == 1 else edited, number)
    found = read_score_files([str(tmp_path / "part-*.parquet")], edited).scores
    assert found.reason[[0, 1]].tolist() == [EDITED, ""]
    assert np.isnan(found.complexity[0]) and found.complexity[1] == some_scores().complexity[1]


def test_select_reads_a_pattern(tmp_path: Path, pool: Pool, parts: list[Path]) -> None:
    def select(*words: object) -> Any:
        return CliRunner().invoke(app, ["select", str(tmp_path / "pool.json"), "--runs-dir", str(tmp_path / "runs"), *map(str, words)])  # fmt: skip

    write_scores(tmp_path / "whole.parquet", pool, some_scores())
    one = json.loads(select("--scores", tmp_path / "whole.parquet", "--budget", 5).stdout)
    four = json.loads(select("--scores", tmp_path / "part-*.parquet", "--budget", 5).stdout)
    assert four["selected"] == one["selected"] and len(four["selected"]) == 5
    # what a shell makes of the pattern without quotes
    words = [str(path) for path in parts]
    assert "put a pattern in quotes" in select("--scores", *words).stderr


@pytest.mark.parametrize("text", ["0/4", "5/4", "3", "1/0", "a/b"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ScoresError, match="expected K/N with K from 1 to N"):
        shard_of(text)
