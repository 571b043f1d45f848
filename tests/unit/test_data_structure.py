"""Reasoning, tools and tool calls are kept as structure beside the text, and identify a pool."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.data import load_pool
from backend.records import Conversation, Pool

SHARED = Path(os.environ.get("ITERIT_SHARED", Path(__file__).parents[2].parent / "shared"))
ASK = {"role": "user", "content": "17*3?"}


def pool_of(folder: Path, rows: list[object], **options: Any) -> Pool:
    path = folder / "pool.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return load_pool([str(path)], **options)


def answered(folder: Path, **turn: Any) -> Conversation:
    """The one sample of a question and this turn of the assistant."""
    pool = pool_of(folder, [{"messages": [ASK, {"role": "assistant", **turn}]}])
    assert not pool.rejected
    return pool.conversations(np.array([0]))[0]


@pytest.mark.parametrize(
    "turn",
    [
        {"content": "51", "reasoning_content": "17*3 is 51."},
        {"content": "51", "reasoning": "17*3 is 51."},
        {"content": "51", "thinking": "17*3 is 51."},
        {"content": "<think>\n17*3 is 51.\n</think>\n\n51"},
        {"content": "<think>\n17*3 is 51.\n</think>\n\n51", "reasoning_content": "17*3 is 51."},
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "17*3 is 51."}]},
                {"type": "text", "text": "51"},
            ]
        },
    ],
)
def test_reasoning_in_every_place_is_one_sample(tmp_path: Path, turn: dict[str, Any]) -> None:
    found = answered(tmp_path, **turn)
    assert found.response == "<think>\n17*3 is 51.\n</think>\n\n51"
    assert found.messages == [ASK, {"role": "assistant", "content": "51", "reasoning_content": "17*3 is 51."}]
    assert found.tools is None


def test_reasoning_as_text_keeps_its_text(tmp_path: Path) -> None:
    found = answered(tmp_path, content="<think>hm</think>yes")
    assert found.response == "<think>hm</think>yes" and found.messages is not None
    assert found.messages[1] == {"role": "assistant", "content": "yes", "reasoning_content": "hm"}
    assert answered(tmp_path, content="<think>never closed").messages is None
    assert answered(tmp_path, content="51", reasoning_content=None, thinking="").messages is None


def test_reasoning_of_earlier_turns_and_beside_a_column(tmp_path: Path) -> None:
    talk = [
        ASK,
        {"role": "assistant", "content": "51", "reasoning": "r"},
        ASK,
        {"role": "assistant", "content": "51"},
    ]
    pool = pool_of(tmp_path, [{"messages": talk}])
    assert pool.turns(0)[1]["content"] == "<think>\nr\n</think>\n\n51"
    found = pool.conversations(np.array([0]))[0].messages
    assert found is not None and found[1]["reasoning_content"] == "r" and "reasoning_content" not in found[3]
    rows = [{"q": "17*3?", "cot": "r", "a": "51"}]
    pool = pool_of(tmp_path, rows, mapping={"prompt": "q", "reasoning": "cot", "response": "a"})
    assert pool.response(0) == "<think>\nr\n</think>\n\n51"
    pool = pool_of(tmp_path, [{"instruction": "17*3?", "output": "51", "reasoning_content": "r"}])
    assert pool.response(0) == "<think>\nr\n</think>\n\n51"


def test_columns_and_rows_find_the_same_reasoning(tmp_path: Path) -> None:
    rows = [
        {"instruction": "a", "output": "<think>r</think>b", "system": "s"},
        {"instruction": "a", "output": "b <think>r</think>", "system": ""},
    ]
    by_row = pool_of(tmp_path, rows)
    (tmp_path / "pool.csv").write_text(
        "instruction,output,system\na,<think>r</think>b,s\na,b <think>r</think>,\n"
    )
    by_column = load_pool([str(tmp_path / "pool.csv")])
    assert by_column.id == by_row.id and by_row.table["structure"].null_count == 1
    assert by_column.table["structure"].to_pylist() == by_row.table["structure"].to_pylist()


def test_tools_and_calls(tmp_path: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "w", "arguments": '{"c": "Rome"}'}}
    asked, told = {"role": "user", "content": "Weather?"}, {"role": "assistant", "content": "20 degrees."}
    tool = {"role": "tool", "content": "20", "tool_call_id": "1", "name": "w"}
    schema = {"type": "function", "function": {"name": "w"}}
    talk = [asked, {"role": "assistant", "content": None, "tool_calls": [call]}, tool, told]
    pool = pool_of(tmp_path, [{"messages": talk, "tools": [schema]}])
    found = pool.conversations(np.array([0]))[0]
    assert found.messages == [
        asked,
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "20", "tool_call_id": "1", "name": "w"},
        told,
    ]
    assert found.tools == [schema]
    assert [turn["content"] for turn in found.turns] == [
        'Tools:\n[{"type": "function", "function": {"name": "w"}}]',
        "Weather?",
        '{"name": "w", "arguments": {"c": "Rome"}}',
        "20",
    ]
    other = pool_of(tmp_path, [{"messages": [*talk[:2], {**tool, "name": "v"}, told], "tools": [schema]}])
    assert other.ids.tolist() == pool.ids.tolist() and other.id != pool.id


def test_tools_that_the_system_turn_brings(tmp_path: Path) -> None:
    call = {"name": "w", "arguments": {}}
    talk = [
        {"role": "system", "content": "", "tools": '[{"name": "w"}]'},
        ASK,
        {"role": "assistant", "content": "", "tool_calls": json.dumps([call])},
    ]
    pool = pool_of(tmp_path, [{"conversations": talk}, {"conversations": talk, "system": "Be brief."}])
    first, second = pool.conversations(np.arange(2))
    assert first.tools == second.tools == [{"name": "w"}] and first.messages is not None
    assert first.turns[0]["content"] == 'Tools:\n[{"name": "w"}]' and first.messages[0] == ASK
    assert first.messages[1]["tool_calls"] == [call] and first.response == json.dumps([call])
    assert second.messages is not None and second.messages[0]["content"] == "Be brief."


def test_sharegpt_calls(tmp_path: Path) -> None:
    asked, told = {"from": "human", "value": "Weather?"}, {"from": "gpt", "value": "20 degrees."}
    call = {"from": "function_call", "value": '<think>\nr\n</think>\n\n{"name":"w","arguments":{}}'}
    seen = {"from": "observation", "value": '{"t":20}'}
    row = {"conversations": [asked, call, seen, told], "tools": '[{"name":"w"}]', "system": "Be brief."}
    pool = pool_of(
        tmp_path, [row, {**row, "tools": "not JSON"}, {"conversations": [asked, told], "tools": "[1]"}]
    )
    first, second, third = pool.conversations(np.arange(3))
    assert first.turns[0]["content"] == 'Be brief.\n\nTools:\n[{"name":"w"}]' and first.tools == [
        {"name": "w"}
    ]
    assert first.turns[2]["content"] == call["value"]
    calls = [{"type": "function", "function": {"name": "w", "arguments": {}}}]
    assert first.messages is not None and first.messages[0] == {"role": "system", "content": "Be brief."}
    assert first.messages[2] == {
        "role": "assistant",
        "content": "",
        "reasoning_content": "r",
        "tool_calls": calls,
    }
    # tools that are no schemas stay what the model reads in the system turn
    assert second.tools is None and second.messages is not None
    assert second.messages[0]["content"] == "Be brief.\n\nTools:\nnot JSON"
    assert third.messages is None and third.turns[0]["content"] == "Tools:\n[1]"


def test_calls_that_are_none_are_a_reason(tmp_path: Path) -> None:
    talks = [
        [ASK, {"role": "assistant", "content": "x", "tool_calls": calls}]
        for calls in (5, [5], [{"x": 1}], [])
    ]
    talks.append([ASK, {"role": "assistant", "content": "x", "reasoning_content": 5}])
    pool = pool_of(tmp_path, [{"messages": talk} for talk in talks])
    assert pool.table["row"].to_pylist() == [3] and "structure" not in pool.table.column_names
    assert [bad.reason for bad in pool.rejected] == [
        '"messages" turn 2: "tool_calls" is a number (5), expected a list',
        '"messages" turn 2: "tool_calls" holds something other than calls by name',
        '"messages" turn 2: "tool_calls" holds something other than calls by name',
        '"messages" turn 2: "reasoning_content" is a number (5), not text',
    ]


@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="shared data is not here (ITERIT_SHARED)")
def test_sharegpt_with_tools() -> None:
    pool = load_pool([str(SHARED / "data" / "sharegpt_tools.json")])
    assert len(pool) == 300 and not pool.rejected
    found = pool.conversations(np.arange(300))
    calls = [m for one in found for m in one.messages or [] if m.get("tool_calls")]
    assert len(calls) == 211 and all(call["content"] == "" for call in calls)
    assert sum(one.tools is not None for one in found) == sum(
        turn["content"].startswith("Tools:\n") for one in found for turn in one.turns[:1]
    )
