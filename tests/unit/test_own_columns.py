"""Columns that came with the data: what is kept of which file, how it is stored, what a filter keeps."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend import analysis, store
from backend.analysis import filters
from backend.analysis.own_filter import own_conditions, own_mask, own_text
from backend.data import limits, load_outside, load_pool
from backend.errors import ConfigError
from backend.records import Pool, Scores

ROWS: list[dict[str, Any]] = [
    {"judge": 3, "topic": "law", "ok": True, "more": {"nested": 1}, "id": "007"},
    {"judge": 2.5, "topic": "Tax law", "ok": None, "said": "4.5", "id": "12"},
    {"judge": None, "topic": "", "ok": False, "said": "7", "image": "a.png.txt"},
    {"judge": float("nan"), "topic": "x" * 500, "many": [1, 2]},
    {"judge": 5, "mixed": 1},
    {"judge": 0, "mixed": "one"},
]
KINDS = {"judge": "number", "topic": "text", "ok": "text", "id": "text", "said": "number", "mixed": "text"}


def written(folder: Path, rows: list[dict[str, Any]], name: str = "rows.jsonl") -> Path:
    path = folder / name
    asked = [{"instruction": f"question {i}", "output": f"answer {i}", **row} for i, row in enumerate(rows)]
    path.write_text("\n".join(map(json.dumps, asked)))
    return path


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return load_pool([written(tmp_path, ROWS)])


def test_single_values_are_kept_with_their_kind(pool: Pool) -> None:
    assert pool.own_columns == KINDS
    np.testing.assert_array_equal(pool.own("judge"), [3, 2.5, np.nan, np.nan, 5, 0])
    np.testing.assert_array_equal(pool.own("said"), [np.nan, 4.5, 7, np.nan, np.nan, np.nan])
    assert pool.own("ok").tolist() == ["true", None, "false", None, None, None]
    assert pool.own("id").tolist()[:2] == ["007", "12"]
    assert pool.own("mixed").tolist()[4:] == ["1", "one"]
    topics = pool.own("topic").tolist()
    assert topics[:3] == ["law", "Tax law", None] and len(topics[3]) == limits.OWN_CHARS
    assert pool.about is not None
    assert f"Of texts in topic the first {limits.OWN_CHARS} characters are kept." in pool.about.notes


def test_what_they_hold_changes_no_id(tmp_path: Path, pool: Pool) -> None:
    bare = load_pool([written(tmp_path, [{}] * len(ROWS))])
    assert bare.id == pool.id and bare.ids.tolist() == pool.ids.tolist()
    assert bare.own_columns == {} and "own" not in bare.table.column_names


def test_every_kind_of_file_gives_the_same(tmp_path: Path) -> None:
    columns = {
        "instruction": ["a", "b", "c"],
        "output": ["x", "y", None],
        "judge": [1.5, None, 2.0],
        "topic": ["law", None, "tax"],
    }
    pq.write_table(pa.table({**columns, "nested": [[1], [], [2]]}), tmp_path / "t.parquet")
    lines = ["instruction,output,judge,topic", "a,x,1.5,law", "b,y,,"]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    records = [{name: values[i] for name, values in columns.items()} for i in range(3)]
    (tmp_path / "t.json").write_text(json.dumps(records))
    for name in ("t.parquet", "t.csv", "t.json"):
        for load in (load_pool, load_outside):
            found = load([tmp_path / name])
            assert found.own_columns == {"judge": "number", "topic": "text"}, name
            np.testing.assert_array_equal(found.own("judge"), [1.5, np.nan])
            assert found.own("topic").tolist() == ["law", None]
    together = load_pool([tmp_path / "t.json", written(tmp_path, [{"other": 1}])])
    assert together.own_columns == {"judge": "number", "topic": "text", "other": "number"}
    np.testing.assert_array_equal(together.own("other"), [np.nan, np.nan, 1])


def test_a_mapped_column_is_none_of_them(tmp_path: Path) -> None:
    mapped = load_pool(
        [written(tmp_path, ROWS)], mapping={"prompt": "instruction", "response": "output", "source": "topic"}
    )
    assert "topic" not in mapped.own_columns and mapped.sources[:2] == ("Tax law", "law")


def test_their_number_is_bounded_and_said(tmp_path: Path) -> None:
    wide = load_pool([written(tmp_path, [{f"c{i}": i for i in range(limits.OWN_COLUMNS)}, {"late": 1}])])
    assert list(wide.own_columns) == [f"c{i}" for i in range(limits.OWN_COLUMNS)]
    assert wide.about is not None and "1 is not (late)" in wide.about.notes[0]


def test_odd_values_leave_no_row_out(tmp_path: Path) -> None:
    odd = {"half": "\ud83d", "huge": 10**400, "infinite": float("inf"), "": 1, "long" * 100: 1}
    found = load_pool([written(tmp_path, [odd])])
    assert len(found) == 1 and found.own("half").tolist() == ["?"] and found.own("infinite")[0] == math.inf
    raw = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.array([0, 1], pa.int32()).buffers()[1], pa.py_buffer(b"\xff")]
    )
    pq.write_table(pa.table({"instruction": ["a"], "output": ["b"], "broken": raw}), tmp_path / "b.parquet")
    assert load_pool([tmp_path / "b.parquet"]).own("broken").tolist() == ["\ufffd"]


def test_a_stored_pool_gets_columns_and_keeps_those_it_has(tmp_path: Path, pool: Pool) -> None:
    home = tmp_path / "runs"
    store.save_pool(home, load_pool([written(tmp_path, [{}] * len(ROWS))]))
    assert store.load_pool_from_store(home, pool.id).own_columns == {}
    store.save_pool(home, pool)
    written_at = store.samples_written(home, pool.id)
    store.save_pool(home, pool)
    assert store.samples_written(home, pool.id) == written_at
    newer = load_pool([written(tmp_path, [{"judge": i, "new": "n"} for i in range(len(ROWS))])])
    store.save_pool(home, newer)
    found = store.load_pool_from_store(home, pool.id)
    assert found.own_columns == {
        "judge": "number",
        "new": "text",
        **{k: v for k, v in KINDS.items() if k != "judge"},
    }
    assert found.own("judge").tolist() == list(range(len(ROWS))) and found.own("ok").tolist()[0] == "true"


CONDITIONS = [
    (["judge>=2.5"], lambda row: row["judge"] >= 2.5),
    (["judge>2.5", "judge<=5"], lambda row: 2.5 < row["judge"] <= 5),
    (["judge=0"], lambda row: row["judge"] == 0),
    (["judge="], lambda row: row["judge"] != row["judge"]),
    (["topic=law"], lambda row: row["topic"] == "law"),
    (["topic=law", "topic="], lambda row: row["topic"] in ("law", "")),
    (["topic~LAW"], lambda row: "law" in row["topic"].lower()),
    (["topic~law", "judge<3"], lambda row: "law" in row["topic"].lower() and row["judge"] < 3),
]


@pytest.mark.parametrize(("given", "holds"), CONDITIONS)
def test_a_condition_keeps_what_a_look_at_each_row_keeps(pool: Pool, given: list[str], holds: Any) -> None:
    rows = [
        {
            name: v if pool.own_columns[name] == "number" else own_text(v)
            for name in pool.own_columns
            for v in [pool.own(name)[row]]
        }
        for row in range(len(pool))
    ]
    wanted = own_conditions(pool, given)
    assert own_mask(pool, wanted).tolist() == [bool(holds(row)) for row in rows]
    assert filters.cleaned({"own": wanted}) == {"own": wanted}
    kept = filters.mask(pool, {"own": wanted}, numbers={}, sets={})
    assert kept.tolist() == own_mask(pool, wanted).tolist()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("other>3", "no column 'other'"),
        ("topic>3", "holds text"),
        ("judge>=much", "'much' is none"),
        ("judge", "expected COLUMN"),
    ],
)
def test_what_is_no_condition_is_said(pool: Pool, given: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        own_conditions(pool, [given])


def test_what_a_page_sends_is_cleaned_and_taken_away_one_by_one() -> None:
    sent = {
        "a": [1, None],
        "b": [None, None],
        "c": [3, 1],
        "d": "  x ",
        "e": ["u", "u"],
        "f": [True, 2],
        "g": {},
        "h": [],
    }
    own = filters.cleaned({"own": sent})["own"]
    assert own == {"a": [1, None], "d": "x", "e": ["u"]}
    chips = filters.chips({"own": own})
    assert [chip["label"] for chip in chips] == ["a at least 1", "d contains x", "e is u"]
    left: dict[str, Any] = {"own": own}
    for chip in chips:
        left = filters.without(left, chip["key"])
    assert left == {}


def test_samples_without_a_value_come_last_either_way(pool: Pool) -> None:
    rows = np.arange(len(pool))
    for name in ("judge", "topic"):
        values = pool.own(name)
        known = [row for row in rows if own_text(values[row])]
        for down in (False, True):
            order = analysis.ordered_rows(
                pool, Scores.unknown(len(pool)), None, rows, sort=f"own:{name}", descending=down
            )
            expected = sorted(known, key=lambda row: values[row], reverse=down) if name == "judge" else None
            assert order[: len(known)].tolist() == (expected or order[: len(known)].tolist())
            assert sorted(order[len(known) :].tolist()) == [row for row in rows if row not in known]
