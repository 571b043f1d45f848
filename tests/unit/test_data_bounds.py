"""What files may hold at most, and odd rows, encodings and documents: each is said, and the rest loads."""

import datetime
import decimal
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from backend import store
from backend.data import limits, load_pool, preview, streams
from backend.errors import PoolError

CASES = Path(os.environ.get("ITERIT_SHARED", Path(__file__).parents[2] / ".." / "shared")) / "cases"
cases = pytest.mark.skipif(not CASES.is_dir(), reason="no folder of cases: set ITERIT_SHARED")
GOOD = {"instruction": "a", "output": "b"}


def lines(path: Path, rows: list[Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_a_line_that_is_too_long_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LINE_BYTES", 1000)
    path = lines(tmp_path / "a.jsonl", [GOOD, {"instruction": "x" * 5000, "output": ""}, GOOD])
    pool = load_pool([path])
    assert pool.table["row"].to_pylist() == [0, 2]
    assert pool.rejected[0].reason == "line 2: longer than 1,000 bytes, the longest that is read"
    csv = tmp_path / "a.csv"
    csv.write_text("instruction,output\na,b\n" + "x" * 5000 + ",b\n")
    with pytest.raises(PoolError, match=r"a.csv line 3: longer than 1,000 bytes"):
        load_pool([csv])
    array = tmp_path / "a.json"
    array.write_text(json.dumps([GOOD, {"instruction": "x" * (3 << 20)}]))
    with pytest.raises(PoolError, match=r"a.json line 1, column 39.*not closed within 1,000 characters"):
        load_pool([array])


def test_a_field_that_is_too_long_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FIELD_CHARS", 1000)
    rows = [GOOD, {"instruction": "x" * 1001, "output": "b"}, GOOD]
    csv, parquet = tmp_path / "a.csv", tmp_path / "a.parquet"
    csv.write_text(
        "".join(f"{row['instruction']},{row['output']}\n" for row in [{k: k for k in GOOD}, *rows])
    )
    pq.write_table(pa.Table.from_pylist(rows), parquet)
    reasons = [load_pool([path]).rejected[0] for path in (lines(tmp_path / "a.jsonl", rows), csv, parquet)]
    assert [bad.row for bad in reasons] == [1, 1, 1]
    assert reasons[0].reason == reasons[2].reason == "holds a text of 1,001 characters (at most 1,000)"
    assert reasons[1].reason == "line 3: a field is longer than 1,000 characters, the most that is read"


def test_what_unpacks_to_too_much_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNPACKED_FREE", 1 << 20)
    bomb = b'{"instruction": "' + b"x" * (8 << 20)
    for name, packed in (
        ("a.jsonl.zst", zstandard.ZstdCompressor().compress(bomb)),
        ("a.json.gz", gzip.compress(bomb)),
        ("a.csv.gz", gzip.compress(bomb)),
    ):
        (tmp_path / name).write_bytes(packed)
        with pytest.raises(PoolError, match=rf"{name}: unpacks to more than .*200 times its size"):
            preview(tmp_path / name)
    # what is packed well for good reasons is read
    monkeypatch.setattr(limits, "UNPACKED_FREE", 64 << 20)
    (tmp_path / "b.jsonl.zst").write_bytes(
        zstandard.ZstdCompressor().compress(json.dumps(GOOD).encode() + b"\n" + b" " * (8 << 20))
    )
    assert len(load_pool([tmp_path / "b.jsonl.zst"])) == 1


def test_a_little_zstandard_never_unpacks_in_one_piece(tmp_path: Path) -> None:
    path = tmp_path / "a.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(b"x" * (300 << 20)))
    with open(path, "rb") as raw:
        reader = streams._Zstd(raw)
        assert reader.readinto(bytearray(10)) == 10
        assert len(reader._ready) <= 130 << 20


def test_levels_are_counted(tmp_path: Path) -> None:
    def nest(levels: int) -> Any:
        value: Any = "x"
        for _ in range(levels):
            value = [value]
        return value

    rows = [GOOD, {**GOOD, "more": nest(limits.NESTING - 1)}, {**GOOD, "more": nest(limits.NESTING)}]
    pool = load_pool([lines(tmp_path / "a.jsonl", rows)])
    assert len(pool) == 2 and pool.rejected[0].reason.startswith("line 3: nested too deeply, at most 200")
    (tmp_path / "a.json").write_text(json.dumps(rows))
    with pytest.raises(PoolError, match="nested too deeply"):
        load_pool([tmp_path / "a.json"])
    wide = {**GOOD, "more": [[]] * 1000}
    assert len(load_pool([lines(tmp_path / "b.jsonl", [wide])])) == 1


def test_very_many_rejections_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KEPT_REJECTIONS", 5)
    pool = load_pool(
        [lines(tmp_path / "a.jsonl", [GOOD, *[{"instruction": "x" * 9999}] * 20, *[{"z" * 9999: 1}] * 3])]
    )
    assert len(pool.rejected) == 5 and pool.left_out == 23
    assert pool.about is not None and "1 read, 23 left out" in pool.about.sentence
    store.save_pool(tmp_path, pool)
    assert (
        store.pool_info(tmp_path, pool.id).rejected
        == store.load_pool_from_store(tmp_path, pool.id).left_out
        == 23
    )
    csv = tmp_path / "a.csv"
    csv.write_text("instruction,output\na,b\n" + "a\n" * 10_000)
    assert load_pool([csv]).left_out == 10_000


TURNS = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
ODD = [
    {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "", "tool_calls": 5}]},
    {"messages": [{"role": ["user"], "content": "q"}, *TURNS]},
    {"messages": {"role": "user"}},
    {"messages": [[TURNS]]},
    {"messages": TURNS, "tools": 7},
    {"messages": "[" * 5000},
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_row_is_left_out_or_read_and_the_rest_loads(tmp_path: Path, odd: dict[str, Any]) -> None:
    path = lines(tmp_path / "a.jsonl", [{"messages": TURNS}, odd, {"messages": TURNS}])
    pool = load_pool([path])
    assert {0, 2} <= set(pool.table["row"].to_pylist()) and len(pool) + pool.left_out == 3
    assert preview(path).samples[0]["response"] == "a"


def test_odd_values_of_tables(tmp_path: Path) -> None:
    def table(content: pa.Array, name: str) -> str:
        call = pa.StructArray.from_arrays(
            [pa.array(["user", "tool", "assistant"]), content], ["role", "content"]
        )
        turns = pa.ListArray.from_arrays(pa.array([0, 3]), call)
        pq.write_table(pa.table({"messages": turns}), tmp_path / name)
        return str(tmp_path / name)

    when, much = datetime.datetime(2026, 1, 1), decimal.Decimal("1.5")
    for name, values in (("when.parquet", pa.array([when] * 3)), ("much.parquet", pa.array([much] * 3))):
        with pytest.raises(PoolError, match="no sample could be read as messages"):
            load_pool([table(values, name)])
        assert preview(tmp_path / name).problems[0].startswith(f"{name}: no sample could be read")
    good = pa.array([TURNS, TURNS])
    for kind in (pa.list_(pa.int64()), pa.map_(pa.string(), pa.int64()), pa.decimal128(9, 2), pa.null()):
        for column, others in (
            ("system", {"prompt": ["p", "q"], "completion": ["a", "b"]}),
            ("label", {"prompt": ["p", "q"], "completion": ["a", "b"]}),
            ("tools", {"messages": good}),
        ):
            pq.write_table(pa.table({**others, column: pa.nulls(2, kind)}), tmp_path / "a.parquet")
            assert len(load_pool([tmp_path / "a.parquet"])) == 2, (kind, column)
    pq.write_table(pa.table({"messages": pa.nulls(2, good.type)}), tmp_path / "none.parquet")
    with pytest.raises(PoolError, match='"messages" is null'):
        load_pool([tmp_path / "none.parquet"])


def test_bytes_that_are_no_text_in_the_preview(tmp_path: Path) -> None:
    bad = pa.array([b"good", b"\xff\xfe"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"prompt": bad, "completion": pa.array(["a", "b"])}), tmp_path / "a.parquet")
    with pa.ipc.new_file(
        tmp_path / "a.arrow", pa.schema({"prompt": pa.string(), "completion": pa.string()})
    ) as file:
        file.write(pa.record_batch([bad, pa.array(["a", "b"])], ["prompt", "completion"]))
    for name in ("a.parquet", "a.arrow"):
        seen = preview(tmp_path / name)
        assert [sample["response"] for sample in seen.samples] == ["a"]
        assert seen.problems == ["row 1: holds text that is not UTF-8"]
        assert seen.rows[1] == {"value": "holds text that is not UTF-8"}
        assert len(load_pool([tmp_path / name])) == 1
    pq.write_table(pa.table({"q": bad}), tmp_path / "b.parquet")
    assert "q" in preview(tmp_path / "b.parquet").columns


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json"])
def test_encodings_without_a_mark_are_named(tmp_path: Path, encoding: str, name: str) -> None:
    (tmp_path / name).write_bytes('instruction,output\n"é",ü\n'.encode(encoding))
    known = encoding.upper().replace("-LE", "LE").replace("-BE", "BE")
    with pytest.raises(PoolError, match=rf"^{name}: is {known} without.*iconv -f {known} -t UTF-8"):
        load_pool([tmp_path / name])


@pytest.mark.parametrize(
    ("first", "kind"), [(b"PAR1", "Parquet"), (b"PK\x03\x04", "ZIP"), (b"ARROW1\0\0", "Arrow")]
)
def test_files_with_another_files_name_are_named(tmp_path: Path, first: bytes, kind: str) -> None:
    (tmp_path / "a.csv").write_bytes(first + b"x" * 100)
    with pytest.raises(PoolError, match=rf"a.csv: its first bytes are those of an? {kind}"):
        load_pool([tmp_path / "a.csv"])


@cases
def test_the_case_of_utf_16() -> None:
    with pytest.raises(
        PoolError, match=r"utf16le_nobom.csv: is UTF-16LE without a byte order mark; save it as UTF-8"
    ):
        load_pool([CASES / "utf16le_nobom.csv"])


@cases
def test_the_case_of_splits() -> None:
    path = str(CASES / "split_keys.json")
    told = 'split_keys.json: "train" was read, "test" was not (split_keys.json:test reads it).'
    pool = load_pool([path])
    assert pool.response(0) == "b" and len(pool) == 1
    assert pool.about is not None and pool.about.notes == (told,) and told in preview(path).problems
    other = load_pool([f"{path}:test"], roots=[CASES])
    assert other.response(0) == "d" and other.about is not None and other.about.notes == ()
    assert preview(f"{path}:test").samples[0]["response"] == "d"
    both = load_pool([path, f"{path}:test"])
    assert both.table["file"].to_pylist() == ["split_keys.json", "split_keys.json:test"]
    mapped = load_pool(
        [path, f"{path}:test"], mappings={f"{path}:test": {"prompt": "output", "response": "instruction"}}
    )
    assert mapped.responses().to_pylist() == ["b", "c"]
    with pytest.raises(PoolError, match=r'no key "dev" with an array of rows \(found: train, test\)'):
        load_pool([f"{path}:dev"])


def test_splits_of_other_names_and_what_is_no_split(tmp_path: Path) -> None:
    def pool_of(value: Any) -> Any:
        (tmp_path / "a.json").write_text(json.dumps(value))
        return load_pool([tmp_path / "a.json"])

    several = pool_of({"dev": [GOOD, GOOD], "eval": [GOOD, GOOD], "more": [GOOD]})
    assert len(several) == 2
    assert several.about.notes == (
        'a.json: "dev" was read, "eval", "more" were not (a.json:eval reads the first of them).',
    )
    assert pool_of({"version": 1, "data": [GOOD]}).about.notes == ()
    assert pool_of({"prompt": TURNS[:1], "completion": TURNS[1:]}).response(0) == "a"


@cases
def test_the_case_of_arrays_of_arrays(tmp_path: Path) -> None:
    path = str(CASES / "array_of_arrays.json")
    for pool in (load_pool([path]), load_pool([path], mapping={"messages": "messages"})):
        assert pool.responses().to_pylist() == ["Hello, how can I help?", "4"]
    rows = json.loads(Path(path).read_text())
    assert len(load_pool([lines(tmp_path / "a.jsonl", rows)])) == 2
    (tmp_path / "b.json").write_text(json.dumps({"train": rows}))
    assert len(load_pool([tmp_path / "b.json"])) == 2


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json"])
def test_line_ends_of_old_macs_and_utf_7_are_named(tmp_path: Path, name: str) -> None:
    text = "instruction,output\na,b\nc,d\n" if name == "a.csv" else 2 * f"{json.dumps(GOOD)}\n"
    (tmp_path / name).write_bytes(text.encode().replace(b"\n", b"\r"))
    with pytest.raises(PoolError, match=rf"^{name}: its lines end with CR alone.*tr '\\r' '\\n'"):
        load_pool([tmp_path / name])
    (tmp_path / name).write_bytes(b"+/v8-" + text.replace("a", "ä").encode("utf-7"))
    with pytest.raises(PoolError, match=rf"^{name}: is UTF-7; save it as UTF-8 .*iconv -f UTF-7"):
        load_pool([tmp_path / name])


def test_an_array_may_have_any_space_between_its_values(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(json.dumps([GOOD, GOOD], indent=1).encode().replace(b"\n", b"\r"))
    assert len(load_pool([tmp_path / "a.json"])) == 2


def test_a_column_whose_name_is_no_text_is_not_kept(tmp_path: Path) -> None:
    pool = load_pool([lines(tmp_path / "a.jsonl", [{**GOOD, "\ud800": 1, "more": 2}])])
    assert pool.own_columns == {"more": "number"} and pool.own("more").tolist() == [2]
