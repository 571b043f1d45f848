"""Each format's rows become the turns and responses that the method says."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.data import load_pool
from backend.data.formats import detect
from backend.data.mapping import from_mapping
from backend.errors import PoolError
from backend.records import Pool

PAYLOADS = ("<img src=x onerror=alert(1)>", "${alert(1)}", "{{7*7}}", "a\u2028b\x00c", "=1+1")


def pool_of(folder: Path, rows: list[object], name: str = "pool.json", **options: object) -> Pool:
    path = folder / name
    path.write_text(json.dumps(rows), encoding="utf-8")
    return load_pool([str(path)], **options)


def talk(pool: Pool, row: int = 0) -> list[tuple[str, str]]:
    return [(turn["role"], turn["content"]) for turn in pool.turns(row)]


def reasons(pool: Pool) -> list[str]:
    return [bad.reason for bad in pool.rejected]


def test_alpaca(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Add", "input": "1 2", "output": "3", "source": "math", "label": "clean"},
        {"instruction": "Say", "input": "", "output": "hi"},
        {"instruction": "Say", "input": None, "output": ""},
        {"instruction": "Say", "input": "No input", "output": "x", "system": "Be kind", "label": 3},
        {"instruction": "And?", "output": "y", "history": [["a", "b"], ["c", "d"]], "system": "S"},
        {"instruction": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}, {"from": "user", "value": "w"}], "input": "z", "output": "o"},
    ]  # fmt: skip
    pool = pool_of(tmp_path, rows)
    assert talk(pool, 0) == [("user", "Add\nInput: 1 2")]
    assert talk(pool, 1) == [("user", "Say")] and pool.response(2) == ""
    assert talk(pool, 3) == [("system", "Be kind"), ("user", "Say\nInput: No input")]
    assert talk(pool, 4) == [
        ("system", "S"),
        ("user", "a"),
        ("assistant", "b"),
        ("user", "c"),
        ("assistant", "d"),
        ("user", "And?"),
    ]
    assert talk(pool, 5) == [("user", "q"), ("assistant", "a"), ("user", "w\nInput: z")]
    assert pool.table["source"].to_pylist() == ["math"] + ["pool"] * 5
    assert pool.table["label"].to_pylist() == ["clean", None, None, "3", None, None]
    assert pool.table["row"].to_pylist() == list(range(6)) and pool.name == "pool" and not pool.rejected


def test_alpaca_reasons(tmp_path: Path) -> None:
    rows = [
        {"instruction": "a", "output": "b"},
        {"instruction": "a", "input": "x"},
        {"instruction": "a", "output": None},
        {"instruction": "a", "output": 42},
        {"instruction": None, "output": "b"},
        {"instruction": "a", "output": "b", "input": ["x"]},
        {"instruction": "a", "output": "b", "history": [["only one"]]},
        ["a", "b"],
        {"instruction": "half a pair \ud83d", "output": "b"},
        {"instruction": "a", "output": ["b"]},
    ]
    pool = pool_of(tmp_path, rows)
    assert len(pool) == 1 and [bad.row for bad in pool.rejected] == list(range(1, 10))
    assert reasons(pool) == [
        '"output" is missing (found: instruction, input)',
        '"output" is null',
        '"output" is a number (42), not text',
        '"instruction" is null',
        '"input" is a list, not text',
        '"history" entry 1 is not a pair of texts [user, assistant]',
        "is a list, expected an object with named columns",
        "holds half a surrogate pair (\\ud83d), which is not text",
        '"output" is a list, not text',
    ]
    assert {bad.file for bad in pool.rejected} == {"pool.json"}


def test_sharegpt(tmp_path: Path) -> None:
    turns = [
        {"from": "system", "value": "Sys"},
        {"from": "human", "value": "q"},
        {"from": "function_call", "value": {"name": "f", "arguments": {}}},
        {"from": "observation", "value": "42"},
        {"from": "GPT", "value": "It is 42."},
        {"from": "human", "value": "dropped"},
    ]
    rows = [
        {"conversations": turns, "tools": "[1]", "system": "Column"},
        {"conversations": json.dumps(turns[1:3]), "tools": "[]"},
        {"conversations": turns[1:2]},
        {"conversations": []},
        {"conversations": [{"from": "nobody", "value": "x"}]},
        {"conversations": [{"value": "x"}]},
        {"conversations": "not json"},
        {"conversations": [{"from": "gpt", "value": "starts with the answer"}]},
        {"conversations": ["x"]},
        {"conversations": turns[1:2], "tools": [{"name": "t", "x": None}]},
        {"conversations": [*turns[1:2], {"from": "gpt", "value": None}]},
    ]
    pool = pool_of(tmp_path, rows)
    assert talk(pool, 0) == [
        ("system", "Column\n\nSys\n\nTools:\n[1]"),
        ("user", "q"),
        ("assistant", '{"name": "f", "arguments": {}}'),
        ("tool", "42"),
    ]
    assert pool.response(0) == "It is 42."
    assert talk(pool, 1) == [("user", "q")] and pool.response(1) == '{"name": "f", "arguments": {}}'
    assert talk(pool, 2) == [] and pool.table["row"].to_pylist() == [0, 1, 7]
    found = reasons(pool)
    assert found[0] == '"conversations" has no assistant turn (found: user)'
    assert found[1] == '"conversations" has no assistant turn (found: no turns)'
    assert found[2].startswith("\"conversations\" turn 1: role 'nobody' is unknown (known: system,")
    assert found[3] == '"conversations" turn 1 has no "role" or "from" (found: value)'
    assert found[4] == '"conversations" is text that is not JSON, expected a list of turns'
    assert found[5] == '"conversations" turn 1 is text, expected an object (role and content)'
    assert found[6] == '"conversations" has no assistant turn (found: system, user)'
    assert found[7] == '"conversations" turn 2, the last of the assistant, has no content'


def test_messages(tmp_path: Path) -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    rows = [
        {
            "messages": [
                {
                    "role": "developer",
                    "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
                },
                {"role": "user", "content": None},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "content": "1", "name": "f"},
                {"role": "assistant", "content": "See", "tool_calls": [call, call]},
            ]
        },
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": 1}]},
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": ""}]},
        {"messages": None},
    ]
    pool = pool_of(tmp_path, rows)
    assert talk(pool, 0) == [
        ("system", "ab"),
        ("user", ""),
        ("assistant", '{"name": "f", "arguments": {"x": 1}}'),
        ("tool", "1"),
    ]
    one = '{"name": "f", "arguments": {"x": 1}}'
    assert pool.response(0) == f"See\n[{one}, {one}]" and pool.response(1) == ""
    assert reasons(pool) == [
        "\"messages\" turn 1 holds a part of type 'image_url'; only text can be read",
        '"messages" turn 2: the content is a number (1), not text',
        '"messages" is null',
    ]


def test_prompt_completion_and_questions(tmp_path: Path) -> None:
    rows = [
        {"prompt": "p", "completion": "c", "system": "s"},
        {"prompt": [{"role": "user", "content": "u"}], "completion": [{"role": "assistant", "content": "a"}]},
    ]
    pool = pool_of(tmp_path, rows)
    assert talk(pool, 0) == [("system", "s"), ("user", "p")] and pool.response(0) == "c"
    assert talk(pool, 1) == [("user", "u")] and pool.response(1) == "a"
    pool = pool_of(tmp_path, [{"question": "q", "answer": "a"}])
    assert talk(pool) == [("user", "q")] and pool.response(0) == "a"
    assert detect(["question", "answer", "context"]) is None
    assert detect(["Instruction ", "Output"]).columns == {"prompt": "Instruction ", "response": "Output"}
    assert detect(["prompt", "messages", "completion"]).format == "messages"
    assert detect(["instruction", "context", "response"]).columns["input"] == "context"


def test_later_rows_may_bring_optional_columns(tmp_path: Path) -> None:
    rows = [{"instruction": "a", "output": "b"}] * 5000 + [
        {"instruction": "a", "output": "b", "system": "late", "input": "in", "source": "s"}
    ]
    pool = pool_of(tmp_path, rows)
    assert talk(pool, 5000) == [("system", "late"), ("user", "a\nInput: in")]
    assert pool.sources == ("pool", "s") and pool.source_codes[[0, 5000]].tolist() == [0, 1]
    assert pool.ids[4999].endswith("-4999") and pool.ids[5000].endswith("-0")


def test_mapping(tmp_path: Path) -> None:
    rows = [
        {"q": "ask", "cases": [{"in": "x", "out": "y"}], "from": "web", "a.b": "dotted"},
        {"q": "ask", "cases": []},
    ]
    mapping = {
        "prompt": "q",
        "input": "cases.0.in",
        "response": "cases.0.out",
        "source": "from",
        "system": "a.b",
    }
    pool = pool_of(tmp_path, rows, mapping=mapping)
    assert talk(pool) == [("system", "dotted"), ("user", "ask\nInput: x")] and pool.response(0) == "y"
    assert pool.sources == ("web",)
    assert reasons(pool) == ['"cases.0.out" is missing (found: q, cases)']
    with pytest.raises(PoolError, match=r'mapping input=inn: no record has "inn" \(found: q, cases'):
        pool_of(tmp_path, rows, mapping={"prompt": "q", "response": "cases.0.out", "input": "inn"})
    with pytest.raises(PoolError, match="role 'answer' is unknown \\(known: prompt"):
        from_mapping({"prompt": "q", "answer": "a"})
    with pytest.raises(PoolError, match="name the columns of prompt and response"):
        from_mapping({"prompt": "q"})
    with pytest.raises(PoolError, match="one or the other"):
        from_mapping({"prompt": "q", "messages": "a"})
    talks = [{"dialog": [{"role": "user", "content": "u"}, {"role": "bot", "content": "b"}]}]
    assert pool_of(tmp_path, talks, mapping={"messages": "dialog"}).response(0) == "b"


def test_unrecognised_says_what_was_found_and_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(PoolError) as caught:
        pool_of(tmp_path, [{"title": "t", "body": "b"}])
    text = str(caught.value)
    for part in ("pool.json", "columns title, body", '{"title": "t"', "alpaca (instruction", "prompt=COLUMN"):
        assert part in text
    with pytest.raises(PoolError, match='row 0: "output" is null'):
        pool_of(tmp_path, [{"instruction": "a", "output": None}])
    with pytest.raises(PoolError, match="no columns"):
        pool_of(tmp_path, [])
    with pytest.raises(PoolError, match=r'First record: "text"'):
        pool_of(tmp_path, ["text"])


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_passes_through_unchanged(tmp_path: Path, payload: str) -> None:
    pool = pool_of(tmp_path, [{"instruction": payload, "output": payload, "source": payload}])
    assert talk(pool) == [("user", payload)] and pool.response(0) == payload and pool.sources == (payload,)


def test_columns_and_rows_give_the_same_pool(tmp_path: Path) -> None:
    """The vectorised way for flat tables against the row-by-row way for JSON."""
    texts = ["", "a", "ünï\ncode", *PAYLOADS]
    rows = [
        {"instruction": a, "input": b, "output": None if b == "a" else (b or "") + "!", "system": s, "source": c, "label": c}
        for a in [*texts, None]
        for b in [*texts, None]
        for s, c in (("", "web"), ("sys", ""), (None, None))
    ]  # fmt: skip
    by_row = pool_of(tmp_path, rows)
    for kind in (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())):
        names = list(rows[0])
        plain = {name: pa.array([row[name] for row in rows], pa.string()) for name in names}
        table = pa.table({name: column.cast(kind) if kind != pa.string_view() else pa.array(column.to_pylist(), kind) for name, column in plain.items()})  # fmt: skip
        path = tmp_path / "pool.arrow"
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=50)
        by_column = load_pool([str(path)])
        assert by_column.id == by_row.id and by_column.ids.tolist() == by_row.ids.tolist()
        assert by_column.table.drop(["file"]).to_pylist() == by_row.table.drop(["file"]).to_pylist()
        assert [(b.row, b.reason) for b in by_column.rejected] == [(b.row, b.reason) for b in by_row.rejected]
    assert len(by_row) > 100 and len(by_row.rejected) > 10


def test_nested_tables(tmp_path: Path) -> None:
    rows = [
        {"messages": [{"role": "user", "content": "q", "tool_calls": None}, {"role": "assistant", "content": "a", "tool_calls": None}], "n": 1},
        {"messages": [{"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]}], "n": 2},
    ]  # fmt: skip
    path = tmp_path / "nested.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    pool = load_pool([str(path)])
    assert pool.response(0) == "a" and pool.response(1) == '{"name": "f", "arguments": {"x": 1}}'
