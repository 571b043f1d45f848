"""What was said about a pool's files and done to its rows is stored, told on the command line, and repeated."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backend import store
from backend.cli.commands import app
from backend.config import config_from
from backend.config.command_line import command_line
from backend.data import load_pool
from backend.jobs import run_launch
from iterit_ui.shared.launch import pool_inputs, pool_mapping

TOLD = (
    '3 rows: 2 read, 1 left out because "a" is null. Read as prompt=q, response=a.'  # as the sentence says it
)


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    path = tmp_path / "odd.jsonl"
    rows = [{"q": "one", "a": "1"}, {"q": "two", "a": "2"}, {"q": "three", "a": None}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_it_is_stored_with_the_pool(tmp_path: Path, odd: Path) -> None:
    pool = load_pool([str(odd)], mapping={"prompt": "q", "response": "a"})
    assert pool.about is not None and pool.about.sentence == TOLD
    store.save_pool(tmp_path, pool, inputs=[str(odd)])
    assert store.load_pool_from_store(tmp_path, pool.id).about == pool.about
    assert store.pool_info(tmp_path, pool.id).about == pool.about
    written = (tmp_path / "pools" / pool.id / "samples.parquet").stat().st_mtime_ns
    store.save_pool(tmp_path, store.load_pool_from_store(tmp_path, pool.id))
    assert (tmp_path / "pools" / pool.id / "samples.parquet").stat().st_mtime_ns == written
    meta = tmp_path / "pools" / pool.id / "meta.json"
    kept = json.loads(meta.read_text())
    meta.write_text(json.dumps({key: value for key, value in kept.items() if key != "about"}))
    assert store.pool_info(tmp_path, pool.id).about is None  # as an earlier version wrote it


def test_health_tells_it(tmp_path: Path, odd: Path) -> None:
    words = [
        "health",
        odd,
        "--mapping",
        "prompt=q",
        "--mapping",
        "odd.jsonl:response=a",
        "--runs-dir",
        tmp_path,
    ]
    result = run(*words)
    assert result.exit_code == 1 and "name the columns of prompt and response" in result.stderr
    words[3:6] = ["odd.jsonl:prompt=q", "--mapping", "odd.jsonl:response=a"]
    result = run(*words)
    assert result.exit_code == 0 and TOLD in result.stdout
    found = json.loads(run(*words, "--json").stdout)["pool"]["read"]
    assert found["told"] == TOLD and found["reasons"] == [['"a" is null', 1]] and found["rows"] == 3


def test_a_mapped_pool_can_be_repeated_from_the_printed_command(tmp_path: Path, odd: Path) -> None:
    other = tmp_path / "k=v" / "talks.jsonl"
    other.parent.mkdir()
    other.write_text('{"t": [{"role": "client", "content": "q"}, {"role": "bot", "content": "a"}]}\n')
    mappings = {
        str(odd): {"prompt": "q", "response": "a"},
        str(other): {"messages": "t", "role.client": "user"},
    }
    pool = load_pool([str(odd), str(other)], mappings=mappings)
    store.save_pool(tmp_path, pool, inputs=[str(odd), str(other)])
    config = config_from(
        {"pool": pool_inputs(tmp_path, pool.id), "model": "demo", "mapping": pool_mapping(tmp_path, pool.id)}
    )
    words = command_line(config, preset="paper", home=tmp_path)
    assert f"--mapping '{other}:role.client=user'" in words or f"--mapping {other}:role.client=user" in words
    result = run("health", *config.pool, *_mappings(config.mapping), "--runs-dir", tmp_path, "--json")
    assert json.loads(result.stdout)["pool"]["id"] == pool.id


def _mappings(mapping: dict[str, str]) -> list[str]:
    return [word for key, value in mapping.items() for word in ("--mapping", f"{key}={value}")]


def test_paths_in_a_mapping_are_made_absolute(odd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(odd.parent)
    config = config_from({"pool": ("odd.jsonl",), "mapping": {"odd.jsonl:prompt": "q", "response": "a"}})
    found = run_launch.with_absolute_paths(config)
    assert found.mapping == {"response": "a", f"{odd}:prompt": "q"} and found.pool == (str(odd),)


def test_held_out_samples_are_read_as_they_are(tmp_path: Path, odd: Path) -> None:
    plain = tmp_path / "plain.jsonl"
    plain.write_text('{"instruction": "i", "output": "o"}\n')

    def responses(held_out: Path, mapping: dict[str, str]) -> list[str]:
        config = config_from({"pool": ("x",), "held_out": str(held_out), "mapping": mapping})
        return run_launch.load_held_out(config).responses().to_pylist()

    columns = {"prompt": "q", "response": "a"}
    assert responses(plain, columns) == ["o"] and responses(odd, columns) == ["1", "2"]
    assert responses(odd, {"odd.jsonl:prompt": "a", "odd.jsonl:response": "q"}) == ["one", "two"]
