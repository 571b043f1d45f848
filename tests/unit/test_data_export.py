"""What is exported loads again as the same samples."""

import io
import json
from pathlib import Path

import numpy as np
import pytest

from backend.data import ExportFormat, load_pool, write_samples
from backend.errors import PoolError
from backend.records import Pool


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    q, a = {"role": "user", "content": "${alert(1)}"}, {"role": "assistant", "content": "{{7*7}}"}
    system, tool = {"role": "system", "content": "<b>"}, {"role": "tool", "content": "\u20281"}
    talks = [
        [q, a],
        [q, a],
        [system, q, a],
        [system, q, a, q, a],
        [q, a, tool, a],
        [q, q, a],
        [a],
        [system, a],
        [q, system, q, a],
        [q, a, a],
        [q, {"role": "assistant", "content": ""}],
        [{"role": "user", "content": "x\nInput: y"}, a],
        [q, {"role": "assistant", "content": "b"}, {"role": "user", "content": "  "}, a],
    ]
    rows = [
        {"messages": talk, "source": f"s{i % 2}", "label": "l" if i % 3 else None}
        for i, talk in enumerate(talks)
    ]
    path = tmp_path / "pool.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return load_pool([str(path)])


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@pytest.mark.parametrize("format", ["alpaca", "messages", "sharegpt"])
def test_round_trip(tmp_path: Path, pool: Pool, format: ExportFormat, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    assert write_samples(path, pool, None, format) == len(pool)
    again = load_pool([str(path)])
    assert again.ids.tolist() == pool.ids.tolist() and again.id == pool.id and not again.rejected
    assert again.table["label"].to_pylist() == pool.table["label"].to_pylist()
    assert write_samples(str(path), pool, np.array([3, 0]), format) == 2
    assert load_pool([str(path)]).response(1) == pool.response(0)
    assert {file.name for file in tmp_path.iterdir()} == {"pool.json", path.name}


def test_alpaca_uses_system_and_history(pool: Pool) -> None:
    stream = io.StringIO()
    write_samples(stream, pool, [3, 4], "alpaca")
    plain, listed = map(json.loads, stream.getvalue().rstrip("\n").split("\n"))
    assert plain == {
        "instruction": "${alert(1)}",
        "input": "",
        "output": "{{7*7}}",
        "system": "<b>",
        "history": [["${alert(1)}", "{{7*7}}"]],
        "source": "s1",
    }
    assert [turn["from"] for turn in listed["instruction"]] == ["human", "gpt", "observation"]


def test_empty_export(tmp_path: Path, pool: Pool) -> None:
    assert write_samples(tmp_path / "out.json", pool, [], "alpaca") == 0
    assert json.loads((tmp_path / "out.json").read_text()) == []


def test_export_errors(tmp_path: Path, pool: Pool) -> None:
    with pytest.raises(PoolError, match=r"'csv' is unknown .known: alpaca, messages, sharegpt"):
        write_samples(tmp_path / "a.json", pool, None, "csv")  # type: ignore[arg-type]
    with pytest.raises(PoolError, match=r'ends in ".txt"; use .json'):
        write_samples(tmp_path / "a.txt", pool, None, "alpaca")
    with pytest.raises(PoolError, match="row 13 is not in the pool"):
        write_samples(tmp_path / "a.json", pool, [0, 13], "alpaca")
    with pytest.raises(PoolError, match="row -1 is not in the pool"):
        write_samples(tmp_path / "a.json", pool, [-1], "alpaca")
    assert not list(tmp_path.glob("a.*"))
