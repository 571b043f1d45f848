"""Every file format, compression and encoding gives the same rows; what is broken is said by line."""

import codecs
import gzip
import io
import json
import random
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import zstandard

from backend.data import load_pool
from backend.data.jsonarray import JsonArray, Malformed
from backend.errors import PoolError

ROWS = [
    {"instruction": f"Do {i}\r\nthen, \"quote\" it", "input": "" if i % 2 else f"007;{i}", "output": f"ü{i}\u2028"}
    for i in range(9)
]  # fmt: skip


def write(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def as_json() -> bytes:
    return json.dumps(ROWS, ensure_ascii=False, indent=1).encode()


def as_lines(rows: list[dict[str, str]] = ROWS) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def as_csv(sep: str = ",") -> bytes:
    return pd.DataFrame(ROWS).to_csv(index=False, sep=sep).encode()


@pytest.fixture
def expected(tmp_path: Path) -> list[str]:
    return load_pool([write(tmp_path / "expected.json", as_json())]).ids.tolist()


def variants() -> dict[str, bytes]:
    table = pa.Table.from_pylist(ROWS)
    parquet, feather, stream = io.BytesIO(), io.BytesIO(), io.BytesIO()
    pq.write_table(table, parquet, row_group_size=4)
    with pa.ipc.new_file(feather, table.schema) as writer:
        writer.write_table(table, max_chunksize=4)
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table, max_chunksize=4)
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    zstd = zstandard.ZstdCompressor()
    half = len(as_lines()) // 2
    return {
        "a.jsonl": as_lines(),
        "crlf.jsonl": as_lines().replace(b"\n", b"\r\n") + b"\r\n\r\n",
        "bom.jsonl": codecs.BOM_UTF8 + as_lines(),
        "utf16.jsonl": as_lines().decode().encode("utf-16"),
        "utf16.json": as_json().decode().encode("utf-16-be").join([codecs.BOM_UTF16_BE, b""]),
        "utf32.csv": as_csv().decode().encode("utf-32"),
        "noend.ndjson": as_lines().rstrip(),
        "lines_in.json": as_lines(),
        "array_in.jsonl": as_json(),
        "wrapped.json": json.dumps({"version": "1", "data": ROWS}).encode(),
        "wrapped_otherwise.json": json.dumps({"tasks": ROWS}).encode(),
        "columns.json": json.dumps(columns).encode(),
        "pandas.json": pd.DataFrame(ROWS).to_json().encode(),
        "a.csv": as_csv(),
        "semicolons.csv": as_csv(";"),
        "bom.csv": codecs.BOM_UTF8 + as_csv(),
        "a.tsv": as_csv("\t"),
        "a.json.gz": gzip.compress(as_json()),
        "a.csv.gz": gzip.compress(as_csv()),
        "members.jsonl.gz": gzip.compress(as_lines()[:half]) + gzip.compress(as_lines()[half:]),
        "a.jsonl.zst": zstd.compress(as_lines()),
        "frames.jsonl.zst": zstd.compress(as_lines()[:half]) + zstd.compress(as_lines()[half:]),
        "unnamed_gzip.jsonl": gzip.compress(as_lines()),
        "a.parquet": parquet.getvalue(),
        "a.arrow": feather.getvalue(),
        "stream.arrow": stream.getvalue(),
    }


@pytest.mark.parametrize("name", list(variants()))
def test_every_file_gives_the_same_samples(tmp_path: Path, expected: list[str], name: str) -> None:
    progress: list[tuple[int, int]] = []
    path = write(tmp_path / name, variants()[name])
    pool = load_pool([path], on_progress=lambda *at: progress.append(at))
    assert pool.ids.tolist() == expected and not pool.rejected
    assert pool.table["row"].to_pylist() == list(range(len(ROWS)))
    size = Path(path).stat().st_size
    assert progress[-1] == (size, size) and progress == sorted(progress)


def test_bad_lines_are_rejected_and_the_rest_loads(tmp_path: Path) -> None:
    lines = as_lines().splitlines(keepends=True)
    lines[1:1] = [
        b'{"instruction": "a", \n',
        b"\n",
        b"[1, 2]\n",
        b'{"instruction": "\xe9"}\n',
        b"[" * 100_000 + b"\n",
    ]
    lines.append(b'{"x": ' + b"1" * 5000 + b"}")
    pool = load_pool([write(tmp_path / "a.jsonl", b"".join(lines))])
    assert len(pool) == len(ROWS)
    assert [bad.row for bad in pool.rejected] == [1, 2, 3, 4, 13]
    found = [bad.reason for bad in pool.rejected]
    assert found[0].startswith("line 2, column 2")
    assert found[1] == "is a list, expected an object with named columns"
    assert found[2].startswith("line 5, column 18: byte 0xe9 is not UTF-8; save the file as UTF-8")
    assert found[3] == "line 6: nested too deeply, at most 200 levels are read"
    assert found[4].startswith("line 15: Exceeds the limit")
    assert pool.table["row"].to_pylist() == [0, *range(5, 13)]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.json", b"", "a.json: the file is empty"),
        ("a.csv", b"", "the file is empty"),
        ("a.parquet", b"", "the file is empty"),
        ("a.jsonl.gz", gzip.compress(b"", mtime=0), "empty once decompressed"),
        ("a.jsonl", b"\n \n", "Found: no columns"),
        ("a.json", b'[{"a": 1},\n {"b": }]', r"a.json line 2, column 8: malformed JSON \(Expecting value"),
        ("a.json", b'[{"a": 1}\n {"b": 1}]', "line 2, column 2: malformed JSON .expected , or ]"),
        ("a.json", b'[{"a": 1}', "line 1, column 10: malformed JSON"),
        ("a.json", b'[{"a": "1', "line 1, column 8: malformed JSON .Unterminated string"),
        ("a.json", b'[{"a": 1}] x', "line 1, column 12: malformed JSON .more text"),
        ("a.json", b'[\n{"a": "\xe9"}]', "line 2, column 8: byte 0xe9 is not UTF-8"),
        ("a.json", b'{"a": "\xe9"}', "line 1, column 8: byte 0xe9 is not UTF-8"),
        ("a.json", b'{\n"a": }', "line 2, column 6: malformed JSON"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.json", b'{"a":' * 100_000, "nested too deeply"),
        ("a.jsonl", b"what\nis\nthis", "row 0: line 1, column 1: malformed JSON"),
        ("a.csv", b"instruction,output\n\xe9,b\n", "a.csv line 2, column 1: byte 0xe9 is not UTF-8"),
        ("a.csv", b"\n\n", "not even a header"),
        ("a.csv", b'instruction,output,"x\n', "the header line 1: a quoted field is not closed"),
        ("a.csv", b"instruction,output,output\na,b,c\n", r'"output" occurs 2 times \(columns 2, 3\)'),
        ("a.csv", b"a,b\n1,2\n", "columns a, b"),
        ("a.parquet", b"PAR1 not really", "cannot be read as Parquet"),
        ("a.arrow", b"ARROW1 not really", "cannot be read as Arrow"),
        ("a.arrow", b"nothing like it", "cannot be read as Arrow"),
        ("a.jsonl.gz", gzip.compress(as_lines(), mtime=0)[:-20], "damaged or incomplete"),
        ("a.jsonl.zst", zstandard.ZstdCompressor().compress(as_lines())[:-20], "damaged or incomplete"),
        ("a.jsonl.zst", b"\x28\xb5\x2f\xfd" + b"x" * 40, "damaged or incomplete"),
        ("a.jsonl", codecs.BOM_UTF16_LE + b"a\x00\x00\xd8\x00", "not valid utf-16"),
    ],
)  # fmt: skip
def test_broken_files(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(PoolError, match=message) as caught:
        load_pool([write(tmp_path / name, data)])
    assert str(caught.value).startswith(name) and str(tmp_path) not in str(caught.value)


def test_csv_keeps_text_and_reports_bad_rows(tmp_path: Path) -> None:
    long = "x" * 300_000
    data = (
        "instruction,output,unused,unused\r\n"
        'null,007,"two\r\nlines",\r\n'
        f"NaN,{long},,\r\n"
        "too,few\r\n"
        '"bad"quote,b,,\r\n'
        ",,,\r\n"
        "a,b,c,d,e\r\n"
        'open,"never closed,,\r\nx,y,,\r\n'
    )
    pool = load_pool([write(tmp_path / "a.csv", data.encode())])
    assert [pool.turns(i)[0]["content"] for i in range(3)] == ["null", "NaN", ""]
    assert pool.table["response"].to_pylist() == ["007", long, ""]
    assert [(bad.row, bad.reason) for bad in pool.rejected] == [
        (2, "line 5: 2 fields, but the header names 4 (instruction, output, unused, unused)"),
        (3, "line 6: malformed CSV (',' expected after '\"')"),
        (5, "line 8: 5 fields, but the header names 4 (instruction, output, unused, unused)"),
        (6, "line 9: a quoted field is not closed before the file ends (line 10)"),
    ]


def test_conversations_in_csv_are_json(tmp_path: Path) -> None:
    turns = json.dumps([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a, b"}])
    data = pd.DataFrame({"messages": [turns]}).to_csv(index=False)
    assert load_pool([write(tmp_path / "a.csv", data.encode())]).response(0) == "a, b"


def test_one_record_is_a_pool(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]
    for record in (
        {"conversations": turns},
        {"instruction": "i", "output": "a"},
        {"instruction": turns[:1], "output": "a"},
    ):
        path = write(tmp_path / "one.json", json.dumps(record, indent=2).encode())
        assert load_pool([path]).table["response"].to_pylist() == ["a"]


def test_bytes_that_are_no_text_in_a_table(tmp_path: Path) -> None:
    bad = pa.array([b"good", b"\xff\xfe"], pa.binary()).view(pa.string())
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"prompt": bad, "completion": pa.array(["a", "b"])}), path)
    pool = load_pool([str(path)])
    assert len(pool) == 1 and pool.rejected[0].reason == "holds text that is not UTF-8"


def test_only_columns_that_are_used_are_read(tmp_path: Path) -> None:
    table = pa.table({"prompt": ["p"], "completion": ["c"], "a.b": ["x"], "vector": [[1.0, 2.0]]})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path)
    assert load_pool([str(path)]).response(0) == "c"
    assert (
        load_pool([str(path)], mapping={"prompt": "a.b", "response": "prompt"}).turns(0)[0]["content"] == "x"
    )
    with pytest.raises(
        PoolError, match=r'column "nope" is not there \(found: prompt, completion, a.b, vector\)'
    ):
        load_pool([str(path)], mapping={"prompt": "nope", "response": "prompt"})


@pytest.mark.parametrize("seed", range(20))
def test_array_reader_agrees_with_json(seed: int) -> None:
    rng = random.Random(seed)
    alphabet = 'a"\\{}[],: \nü😀\u2028'

    def value(depth: int) -> object:
        kind = rng.randrange(7 if depth else 5)
        if kind < 3:
            return "".join(rng.choices(alphabet, k=rng.randrange(12)))
        if kind < 5:
            return rng.choice([0, -12345, 1.5e-300, True, None, 123456789])
        if kind == 5:
            return [value(depth - 1) for _ in range(rng.randrange(4))]
        return {str(i): value(depth - 1) for i in range(rng.randrange(4))}

    for indent in (None, 2):
        items = [value(3) for _ in range(rng.randrange(12))]
        raw = json.dumps(items, ensure_ascii=rng.random() < 0.5, indent=indent).encode()
        for chunk in (1, 7, 1 << 16):
            stream = io.BufferedReader(io.BytesIO(raw))  # type: ignore[arg-type]
            assert [item for item, _ in JsonArray(stream, chunk=chunk)] == items
        cut = raw[: rng.randrange(1, len(raw))]
        with pytest.raises(Malformed, match=r"line \d+, column \d+: (malformed JSON|byte 0x.. is not)"):
            list(JsonArray(io.BufferedReader(io.BytesIO(cut)), chunk=3))  # type: ignore[arg-type]
