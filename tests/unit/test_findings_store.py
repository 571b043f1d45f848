"""Findings in the runs folder and on the command line."""

import json
import os

import numpy as np
import pytest
from small_runs import small_pool
from typer.testing import CliRunner

from backend import store
from backend.cli.commands import app
from backend.errors import PoolError
from backend.findings import Lengths, NearPairs, content_findings
from backend.jobs import pool_work

ROWS = [("Name a fruit that is red", "An apple is one of them.")] * 2 + [
    ("Name a fruit that is red please", "An apple is one of them."),
    ("Something else", "I'm sorry, but I cannot help with that."),
]


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def pool_file(tmp_path):
    path = tmp_path / "pool.json"
    path.write_text(json.dumps([{"instruction": a, "output": b} for a, b in ROWS]))
    return path


def pairs_of(*similarities: float, lowest: float = 0.5) -> NearPairs:
    count = len(similarities)
    a, b = np.arange(count, dtype=np.int32), np.arange(1, count + 1, dtype=np.int32)
    return NearPairs(a, b, np.array(similarities, dtype=np.float32), lowest)


def test_pairs_come_back_as_they_were(tmp_path):
    pool_id = small_pool().id
    assert store.load_near(tmp_path, pool_id) is None and not store.has_findings(tmp_path, pool_id)
    for pairs in (pairs_of(0.75, 0.5), pairs_of()):
        store.save_near(tmp_path, pool_id, pairs)
        back = store.load_near(tmp_path, pool_id)
        for name in ("a", "b", "similarity"):
            np.testing.assert_array_equal(getattr(back, name), getattr(pairs, name), strict=True)
        assert back.lowest == 0.5
    store.build_search(tmp_path, small_pool())
    assert not store.has_findings(tmp_path, pool_id)
    store.save_content(tmp_path, pool_id, content_findings([], []))
    assert store.has_findings(tmp_path, pool_id)


def test_pairs_that_do_not_go_down_far_enough_are_found_anew(tmp_path):
    pool_id = small_pool().id
    store.save_near(tmp_path, pool_id, pairs_of(0.75, lowest=0.7))
    assert store.load_near(tmp_path, pool_id) is None


def test_a_broken_file_says_which_to_delete(tmp_path):
    path = store.pool_folder(tmp_path, small_pool().id) / "near.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"broken")
    with pytest.raises(PoolError, match=r"near\.parquet cannot be read .* delete it"):
        store.load_near(tmp_path, small_pool().id)


def test_lengths_are_kept_by_model_length_and_system_prompt(tmp_path):
    pool_id = small_pool().id
    keys = [("demo", 512, ""), ("demo", 256, ""), ("demo", 512, "Be brief"), ("/a/model", 512, "")]
    for i, (model, max_length, system_prompt) in enumerate(keys):
        reason = np.array(["", "empty response"], dtype=object)
        tokens, left = np.array([10 + i, -1], dtype=np.int32), np.array([3, 0], dtype=np.int32)
        store.save_lengths(
            tmp_path, pool_id, Lengths(tokens, left, reason, model, max_length, system_prompt, 128)
        )
    for i, (model, max_length, system_prompt) in enumerate(keys):
        asked = {"model": model, "max_length": max_length, "system_prompt": system_prompt}
        back = store.load_lengths(tmp_path, pool_id, **asked)
        assert back.tokens.tolist() == [10 + i, -1] and back.tokens.dtype == np.int32
        assert back.reason.tolist() == ["", "empty response"] and back.limit == 128
        assert store.LengthsKey(**asked) in store.stored_lengths(tmp_path, pool_id)
    assert len(store.stored_lengths(tmp_path, pool_id)) == 4
    assert store.load_lengths(tmp_path, pool_id, model="demo", max_length=1, system_prompt="") is None


# --- commands ---


def test_health_of_a_file_only_reads_it(tmp_path, pool_file):
    home = tmp_path / "runs"
    result = run("health", pool_file, "--near", 0.7, "--json", "--runs-dir", home)
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["pool"]["rows"] == 4 and document["pool"]["sources"] == {"pool": 4}
    found = {line["key"]: line for line in document["findings"]}
    assert (found["exact"]["count"], found["exact"]["extra"]) == (2, 1)
    assert (found["near"]["count"], found["near"]["groups"]) == (3, 1)
    assert found["refusal"]["count"] == 1
    assert (
        not found["too_long"]["known"]
        and found["too_long"]["count"] is None
        and found["too_long"]["why_unknown"]
    )
    assert not home.exists()
    text = run("health", pool_file, "--runs-dir", home).stdout
    assert "Near-duplicates" in text and "Not searched for yet" in text


def test_health_keeps_what_it_finds_of_a_stored_pool(tmp_path, pool_file):
    home = tmp_path / "runs"
    pool_id = json.loads(run("search", pool_file, "apple", "--json", "--runs-dir", home).stdout)["pool"]
    assert run("health", pool_id, "--near", 0.9, "--runs-dir", home).exit_code == 0
    assert store.load_near(home, pool_id) is not None
    lines = json.loads(run("health", pool_id, "--json", "--runs-dir", home).stdout)["findings"]
    assert next(line for line in lines if line["key"] == "near")["known"]


def test_a_threshold_that_pairs_are_not_known_for_is_refused(pool_file):
    result = run("health", pool_file, "--near", 0.2)
    assert result.exit_code == 1 and "expected a similarity from 0.5 to 1" in result.stderr


def test_search_prints_rows_and_says_what_it_cannot_search_for(tmp_path, pool_file):
    home = tmp_path / "runs"
    document = json.loads(run("search", pool_file, "apple -please", "--json", "--runs-dir", home).stdout)
    assert document["count"] == 2 and [row["row"] for row in document["rows"]] == [0, 1]
    limited = run("search", pool_file, "app*", "--limit", 1, "--runs-dir", home).stdout
    assert "3 of 4 samples, the first 1" in limited
    assert "1 of 4 samples" in run("search", pool_file, "--runs-dir", home, "--", "-apple").stdout
    wrong = run("search", pool_file, "&", "--runs-dir", tmp_path / "other")
    assert wrong.exit_code == 1 and "no letter or digit" in wrong.stderr
    assert not (tmp_path / "other").exists()
    assert run("search", pool_file, "--runs-dir", home).exit_code == 2


def test_findings_are_made_once_reported_and_only_what_is_missing(tmp_path, pool_file):
    home = tmp_path / "runs"
    result = run("findings", pool_file, "--runs-dir", home)
    assert result.exit_code == 0, result.stderr
    pool_id = store.list_pools(home)[0].id
    assert store.has_findings(home, pool_id)
    assert pool_work.work_info(home, pool_id, "findings").state == "done"
    folder = store.pool_folder(home, pool_id)
    stamps = {name: (folder / name).stat().st_mtime_ns for name in ("search.sqlite", "near.parquet")}
    os.unlink(folder / "near.parquet")
    assert run("findings", pool_id, "--runs-dir", home).exit_code == 0
    assert (folder / "search.sqlite").stat().st_mtime_ns == stamps["search.sqlite"]
    assert store.load_near(home, pool_id) is not None


def test_a_failure_is_written_down_for_those_who_wait(tmp_path, pool_file, monkeypatch):
    home = tmp_path / "runs"
    monkeypatch.setattr(
        store, "save_near", lambda *_, **__: (_ for _ in ()).throw(PoolError("the disk is full"))
    )
    result = run("findings", pool_file, "--runs-dir", home)
    assert result.exit_code == 1
    info = pool_work.work_info(home, store.list_pools(home)[0].id, "findings")
    assert (info.state, info.error, info.stage) == ("failed", "the disk is full", "near-duplicates")
