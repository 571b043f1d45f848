"""Parquet and Arrow files that are whole and hold what no pool has: other types, other counts, bombs."""

from __future__ import annotations

import datetime
import decimal
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from tools.soak.good_files import as_arrow, as_parquet, rows_of
from tools.soak.inputs import Input

_MOMENT = datetime.datetime(2026, 1, 1)


def _columns(rng: random.Random, count: int) -> pa.Array:
    """A column of some type that is not plain text."""
    kinds: tuple[Callable[[], Any], ...] = (
        lambda: pa.array([_MOMENT] * count),
        lambda: pa.array([decimal.Decimal("1.50")] * count),
        lambda: pa.array([datetime.timedelta(days=1)] * count),
        lambda: pa.array([b"\xff\xfe"] * count),
        lambda: pa.array([b"\xff\xfe"] * count, pa.binary()).view(pa.string()),
        lambda: pa.array([["a"]] * count),
        lambda: pa.array([{"a": {"b": [1]}}] * count),
        lambda: pa.array([[("k", 1)]] * count, pa.map_(pa.string(), pa.int64())),
        lambda: pa.array(["a"] * count).dictionary_encode(),
        lambda: pa.array(["a"] * count, pa.large_string()),
        lambda: pa.array(["a"] * count, pa.string_view()),
        lambda: pa.nulls(count),
        lambda: pa.nulls(count, pa.list_(pa.string())),
        lambda: pa.array([float("nan")] * count),
        lambda: pa.array([2**63 - 1] * count),
        lambda: pa.array([True] * count),
        lambda: pa.array([[1, 2]] * count, pa.list_(pa.int8(), 2)),
        lambda: pa.array([np.float16(1)] * count, pa.float16()),
        lambda: pa.array([datetime.time(1)] * count),
        lambda: pa.array([(1, 2, 3)] * count, pa.month_day_nano_interval()),
        lambda: pa.RunEndEncodedArray.from_arrays(pa.array([count], pa.int32()), pa.array(["a"])),
        lambda: pa.UnionArray.from_sparse(
            pa.array([0] * count, pa.int8()), [pa.array(["a"] * count), pa.array([1] * count)]
        ),
    )
    return rng.choice(kinds)()


def odd_types(rng: random.Random) -> Input:
    """A column of an unusual type where text or turns belong, or beside them."""
    good = pa.Table.from_pylist(rows_of(rng, 6, rng.choice(("alpaca", "prompt", "messages"))))
    names = list(good.column_names)
    at = rng.randrange(len(names) + 1)
    column = _columns(rng, 6)
    if at == len(names):
        table = good.append_column(
            rng.choice(("system", "label", "source", "tools", "images", "more")), column
        )
    else:
        table = good.set_column(at, names[at], column)
    return _written("types of tables", table, rng)


def odd_counts(rng: random.Random) -> Input:
    """No rows, no columns, very many of them, or columns of one name."""
    make: Callable[[], pa.Table] = rng.choice(
        (
            lambda: pa.table({}),
            lambda: pa.table({"prompt": pa.array([], pa.string()), "completion": pa.array([], pa.string())}),
            lambda: pa.table({f"c{i}": ["a"] for i in range(2000)}),
            lambda: pa.table(
                [pa.array(["a"]), pa.array(["b"]), pa.array(["c"])], ["prompt", "prompt", "completion"]
            ),
            lambda: pa.table({"": ["a"], ".": ["b"]}),
            lambda: pa.table({"prompt.a": ["a"], "prompt": ["b"], "completion": ["c"]}),
            lambda: pa.table({"prompt": [None, None], "completion": [None, "a"]}),
            lambda: pa.table({"x\x00y": ["a"], "prompt": ["a"], "completion": ["c"]}),
        )
    )
    return _written("columns of tables", make(), rng)


def table_bomb(rng: random.Random) -> Input:
    """A little file with very many equal rows, or one very long text of very many."""
    if rng.random() < 0.5:
        texts = pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(1_000_000, np.int32)), pa.array(["x" * 2000])
        )
        table = pa.table({"prompt": texts, "completion": texts})
    else:
        table = pa.table({"prompt": ["x" * 80_000_000], "completion": ["a"]})
    return Input("bomb of a table", "bomb.parquet", as_parquet(table, group=1 << 20, compression="zstd"))


def cut_table(rng: random.Random) -> Input:
    """A whole file cut off somewhere."""
    whole = _written("truncated table", pa.Table.from_pylist(rows_of(rng)), rng)
    return Input(whole.kind, whole.name, whole.data[: rng.randrange(1, len(whole.data))])


def _written(kind: str, table: pa.Table, rng: random.Random) -> Input:
    try:
        if rng.random() < 0.5:
            return Input(kind, "table.parquet", as_parquet(table))
    except (pa.ArrowException, OSError):  # Parquet has no such type
        pass
    return Input(
        kind, rng.choice(("table.arrow", "table.feather")), as_arrow(table, stream=rng.random() < 0.5)
    )


TABLE_KINDS: dict[str, Callable[[random.Random], Input]] = {
    "types of tables": odd_types,
    "columns of tables": odd_counts,
    "bomb of a table": table_bomb,
    "truncated table": cut_table,
}
