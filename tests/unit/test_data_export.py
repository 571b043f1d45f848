"""What is exported loads again as the same samples."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.data import ExportFormat, load_pool, turn_parts, write_samples
from backend.data.export import Part, fits, write_parts
from backend.errors import PoolError
from backend.records import Pool

SHARED = Path(os.environ.get("ITERIT_SHARED", Path(__file__).parents[2].parent / "shared"))


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


FORMATS = ("alpaca", "messages", "prompt_completion", "sharegpt")


def fitting_rows(pool: Pool, format: ExportFormat) -> np.ndarray:
    return np.flatnonzero(fits([Part(pool, np.arange(len(pool)))], format)[0])


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".parquet"])
@pytest.mark.parametrize("format", FORMATS)
def test_round_trip(tmp_path: Path, pool: Pool, format: ExportFormat, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    rows = fitting_rows(pool, format)
    assert len(rows) == {"alpaca": 7, "prompt_completion": len(pool) - 1}.get(format, len(pool))
    assert write_samples(path, pool, rows, format) == len(rows)
    again = load_pool([str(path)])
    contents = [sample_id.rpartition("-")[0] for sample_id in again.ids]
    assert contents == [sample_id.rpartition("-")[0] for sample_id in pool.ids[rows]] and not again.rejected
    assert again.sources == pool.sources and (len(rows) < len(pool) or again.id == pool.id)
    labels = pool.table["label"].to_numpy(zero_copy_only=False)[rows].tolist()
    assert again.table["label"].to_pylist() == labels
    assert write_samples(str(path), pool, np.array([3, 0]), format) == 2
    assert load_pool([str(path)]).response(1) == pool.response(0)
    assert {file.name for file in tmp_path.iterdir()} == {"pool.json", path.name}


@pytest.mark.parametrize("format", ["alpaca", "prompt_completion"])
def test_what_a_format_has_no_place_for_is_refused_by_number(
    tmp_path: Path, pool: Pool, format: ExportFormat
) -> None:
    wrong = len(pool) - len(fitting_rows(pool, format))
    with pytest.raises(PoolError, match=rf"{wrong} of 13 samples cannot be written as {format} "):
        write_samples(tmp_path / "out.jsonl", pool, None, format)
    assert not (tmp_path / "out.jsonl").exists()


def lines(pool: Pool, rows: list[int] | None, format: ExportFormat) -> list[dict[str, Any]]:
    stream = io.StringIO()
    write_samples(stream, pool, rows, format)
    return [json.loads(line) for line in stream.getvalue().rstrip("\n").split("\n")]


def test_alpaca_uses_system_and_history(pool: Pool) -> None:
    plain, first = lines(pool, [3, 1], "alpaca")
    assert plain == {
        "instruction": "${alert(1)}",
        "input": "",
        "output": "{{7*7}}",
        "system": "<b>",
        "history": [["${alert(1)}", "{{7*7}}"]],
        "source": "s1",
        "label": "",
    }
    assert first == {**plain, "system": "", "history": [], "label": "l"}
    assert "label" not in lines(pool, [3, 0], "alpaca")[0]


def test_prompt_completion_has_the_response_alone_in_completion(pool: Pool) -> None:
    (made,) = lines(pool, [3], "prompt_completion")
    (whole,) = lines(pool, [3], "messages")
    assert made == {
        "prompt": whole["messages"][:-1],
        "completion": [{"role": "assistant", "content": "{{7*7}}"}],
        "source": "s1",
    }


def test_flags_mark_the_last_turn_where_there_are_several_answers(tmp_path: Path, pool: Pool) -> None:
    path = tmp_path / "out.jsonl"
    everything = Part(pool, np.arange(len(pool)))
    assert write_parts([(path, everything)], "messages", flags=True).flags
    for line in map(json.loads, path.read_text().rstrip("\n").split("\n")):
        assert [turn["train"] for turn in line["messages"]] == [False] * (len(line["messages"]) - 1) + [True]
    assert load_pool([str(path)]).id == pool.id
    assert not write_parts([(path, everything.only(np.arange(13) < 3))], "messages", flags=True).flags
    assert "train" not in path.read_text()


CALL = {"type": "function", "function": {"name": "w", "arguments": '{"c": "Rome"}'}}
TALK = [
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "content": "20", "tool_call_id": "1"},
    {"role": "assistant", "content": "20 degrees.", "reasoning_content": "It is 20."},
]
TOOL = {"type": "function", "function": {"name": "w"}}


def read(folder: Path, *rows: object) -> Pool:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return load_pool([str(path)])


def without(record: Any, *nothing: object) -> Any:
    """Nested values without keys that say nothing."""
    if isinstance(record, dict):
        return {key: without(value, *nothing) for key, value in record.items() if value not in nothing}
    return [without(value, *nothing) for value in record] if isinstance(record, list) else record


def test_messages_come_out_as_they_came_in(tmp_path: Path) -> None:
    row = {"messages": TALK, "tools": [TOOL], "source": "s"}
    (out,) = lines(read(tmp_path, row), None, "messages")
    assert without(out, "", None) == without(row, None)
    assert {tuple(message) for message in out["messages"]} == {
        ("role", "content", "reasoning_content", "tool_call_id", "tool_calls")
    }
    think = {"messages": [TALK[0], {"role": "assistant", "content": "<think>r</think>x"}], "source": "s"}
    assert lines(read(tmp_path, think), None, "messages") == [think]


def test_sharegpt_comes_out_as_it_came_in(tmp_path: Path) -> None:
    row = {
        "conversations": [
            {"from": "system", "value": "Be brief."},
            {"from": "human", "value": "Weather?"},
            {"from": "function_call", "value": '{"name":"w","arguments":{"c":"Rome"}}'},
            {"from": "observation", "value": '{"t":20}'},
            {"from": "gpt", "value": "20 degrees."},
        ],
        "tools": '[{"name":"w"}]',
        "source": "s",
    }
    pool = read(
        tmp_path, row, {"conversations": row["conversations"][1:2] + row["conversations"][-1:], "source": "s"}
    )
    out = lines(pool, None, "sharegpt")
    assert out[0] == row and out[1]["tools"] is None


def key_types(record: Any) -> Any:
    if isinstance(record, dict):
        return {key: key_types(value) for key, value in record.items()}
    return type(record).__name__ if not isinstance(record, list) else [key_types(item) for item in record]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@pytest.mark.parametrize("format", ["messages", "prompt_completion", "sharegpt"])
def test_structure_round_trip(tmp_path: Path, format: ExportFormat, suffix: str) -> None:
    calls = [
        {"name": "w", "arguments": {"c": "Rome"}},
        {"id": "7", "function": {"name": "v", "arguments": {"n": 1}}},
    ]
    rows = [
        {"messages": TALK, "tools": [TOOL], "label": "l"},
        {"conversations": [{"from": "human", "value": "q"}, {"from": "function_call", "value": '{"name":"w","arguments":{}}'}], "tools": '[{"name":"w"}]', "system": "S"},
        {"messages": [*TALK[:1], {"role": "assistant", "content": "Look:", "tool_calls": calls, "thinking": "hm"}]},
        {"messages": [TALK[0], {"role": "assistant", "content": "<think>\n\n</think>\n\nx"}], "functions": [{"name": "a"}, {"name": "b", "x": 1}]},
        {"instruction": "plain", "output": "text"},
    ]  # fmt: skip
    pool = read(tmp_path, *rows)
    path = tmp_path / f"out{suffix}"
    write_samples(path, pool, None, format)
    again = load_pool([str(path)])
    assert again.ids.tolist() == pool.ids.tolist() and not again.rejected
    records = lines(pool, None, format)
    assert len({tuple(record) for record in records}) == 1
    if format != "sharegpt":
        turns = [
            record.get("prompt", []) + record.get("completion", record.get("messages")) for record in records
        ]
        assert len({tuple(message) for talk in turns for message in talk}) == 1
        before, after = (one.conversations(np.arange(5)) for one in (pool, again))
        assert [one.tools for one in after] == [one.tools for one in before]
        for old, new in zip(before, after, strict=True):
            for one, other in zip(old.messages or [], new.messages or [], strict=True):
                assert {k: v for k, v in one.items() if k != "tool_calls"} == {
                    k: v for k, v in other.items() if k != "tool_calls"
                }
                assert turn_parts.calls_text(one.get("tool_calls", [])) == turn_parts.calls_text(
                    other.get("tool_calls", [])
                )
    if format == "sharegpt":
        assert [turn["from"] for turn in records[0]["conversations"]] == [
            "human",
            "function_call",
            "observation",
            "gpt",
        ]


@pytest.mark.skipif(not SHARED.is_dir(), reason="shared data is not here (ITERIT_SHARED)")
@pytest.mark.parametrize("format", ["messages", "sharegpt"])
def test_real_tool_data_round_trip(tmp_path: Path, format: ExportFormat) -> None:
    pool = load_pool([str(SHARED / "data" / "sharegpt_tools.json")])
    write_samples(tmp_path / "out.jsonl", pool, None, format)
    again = load_pool([str(tmp_path / "out.jsonl")])
    assert again.ids.tolist() == pool.ids.tolist()
    if format == "sharegpt":  # but for the source, which the file's name gave
        assert again.table["structure"].to_pylist() == pool.table["structure"].to_pylist()


def loaded(path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The file as the datasets library reads it."""
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    import datasets

    datasets.disable_progress_bars()
    cache = str(path.parent / "cache")
    return datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=cache)


@pytest.mark.parametrize("format", ["messages", "prompt_completion", "sharegpt"])
def test_what_comes_up_late_is_read_by_the_datasets_library(
    tmp_path: Path, format: ExportFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library takes the types from the first 10 MB; what a late row alone brings must fit them."""
    plain = {"instruction": "Say it." + " Please." * 250_000, "output": "It."}
    late = {
        "instruction": "Add 2 and 3.",
        "output": "5",
        "system": "Be brief.",
        "history": [["1+1?", "2"]],
        "label": "clean",
    }
    pool = read(tmp_path, *[plain] * 6, late, {"messages": TALK, "tools": [TOOL]})
    write_samples(tmp_path / "out.jsonl", pool, None, format)
    found = loaded(tmp_path / "out.jsonl", monkeypatch)
    assert len(found) == 8 and found[6]["label"] == "clean" and found[0]["label"] == ""
    again = load_pool([str(tmp_path / "out.jsonl")])
    assert again.ids.tolist() == pool.ids.tolist()


@pytest.mark.skipif(not SHARED.is_dir(), reason="shared data is not here (ITERIT_SHARED)")
def test_late_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run([sys.executable, SHARED / "cases" / "late_keys.py", tmp_path], check=True)
    pool = load_pool([str(tmp_path / "plain.jsonl"), str(tmp_path / "late.jsonl")])
    rows = fitting_rows(pool, "alpaca")
    assert rows.tolist() == list(range(12_000))  # the one with earlier rounds comes up late
    for format in FORMATS:
        write_samples(tmp_path / "out.jsonl", pool, rows if format == "alpaca" else None, format)
        found = loaded(tmp_path / "out.jsonl", monkeypatch)
        assert len(found) == (12_000 if format == "alpaca" else 12_001)
        assert format == "alpaca" or found[12_000]["label"] == "clean"


def test_empty_export(tmp_path: Path, pool: Pool) -> None:
    assert write_samples(tmp_path / "out.json", pool, [], "alpaca") == 0
    assert json.loads((tmp_path / "out.json").read_text()) == []


def test_export_errors(tmp_path: Path, pool: Pool) -> None:
    with pytest.raises(
        PoolError, match=r"'csv' is unknown .known: alpaca, messages, prompt_completion, sharegpt"
    ):
        write_samples(tmp_path / "a.json", pool, None, "csv")  # type: ignore[arg-type]
    with pytest.raises(PoolError, match=r'ends in ".txt"; use .json'):
        write_samples(tmp_path / "a.txt", pool, None, "alpaca")
    with pytest.raises(PoolError, match="row 13 is not in the pool"):
        write_samples(tmp_path / "a.json", pool, [0, 13], "alpaca")
    with pytest.raises(PoolError, match="row -1 is not in the pool"):
        write_samples(tmp_path / "a.json", pool, [-1], "alpaca")
    assert not list(tmp_path.glob("a.*"))
