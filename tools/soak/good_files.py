"""Good files of every format that the loader reads, to be damaged."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import zstandard

Row = dict[str, Any]

_WORDS = "apple river stone quiet seven maple copper window Ärger 水 naïve 42 3.5 e=mc² \u2028 tea".split(" ")


def rows_of(rng: random.Random, count: int = 12, layout: str = "") -> list[Row]:
    """Rows in one of the layouts that are recognised, drawn where it is not given."""
    layout = layout or rng.choice(sorted(LAYOUTS))
    return [LAYOUTS[layout](said(rng), said(rng)) for _ in range(count)]


def said(rng: random.Random) -> str:
    """A short text."""
    return " ".join(rng.choices(_WORDS, k=rng.randrange(2, 12)))


def _turns(asked: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]


LAYOUTS: dict[str, Callable[[str, str], Row]] = {
    "alpaca": lambda asked, answer: {"instruction": asked, "input": "", "output": answer, "source": "a"},
    "messages": lambda asked, answer: {"messages": _turns(asked, answer)},
    "sharegpt": lambda asked, answer: {
        "conversations": [{"from": "human", "value": asked}, {"from": "gpt", "value": answer}]
    },
    "prompt": lambda asked, answer: {"prompt": asked, "completion": answer, "score": 1.5},
    "preference": lambda asked, answer: {"prompt": asked, "chosen": answer, "rejected": asked},
}
FLAT = ("alpaca", "prompt", "preference")


def as_json(rows: list[Row]) -> bytes:
    """An array."""
    return json.dumps(rows, ensure_ascii=False).encode()


def as_lines(rows: list[Row]) -> bytes:
    """A row a line."""
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def as_csv(rows: list[Row], mark: str = ",") -> bytes:
    """A table with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=mark)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_parquet(table: pa.Table, *, group: int = 5, **options: Any) -> bytes:
    """A Parquet file in groups of a few rows."""
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=group, **options)
    return sink.getvalue()


def as_arrow(table: pa.Table, *, stream: bool = False, compression: str | None = None) -> bytes:
    """An Arrow file, or a stream, in batches of five rows."""
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=5)
    return sink.getvalue()


def good_files(rng: random.Random) -> dict[str, bytes]:
    """A file of each format, compression and encoding, by name."""
    nested = rows_of(rng, layout=rng.choice(("messages", "sharegpt")))
    flat = rows_of(rng, layout=rng.choice(FLAT))
    columns = {name: [row[name] for row in flat] for name in flat[0]}
    texts = {
        "array.json": as_json(nested),
        "wrapped.json": json.dumps({"data": flat}).encode(),
        "columns.json": json.dumps(columns).encode(),
        "lines.jsonl": as_lines(nested),
        "lines.ndjson": as_lines(flat),
        "table.csv": as_csv(flat),
        "table.tsv": as_csv(flat, "\t"),
        "wide.jsonl": as_lines(flat).decode().encode("utf-16"),
    }
    packed = {}
    for name in ("array.json", "lines.jsonl", "table.csv", "table.tsv"):
        packed[f"{name}.gz"] = gzip.compress(texts[name])
        packed[f"{name}.zst"] = zstandard.ZstdCompressor().compress(texts[name])
    flat_table, nested_table = pa.Table.from_pylist(flat), pa.Table.from_pylist(nested)
    return {
        **texts,
        **packed,
        "snappy.parquet": as_parquet(flat_table),
        "plain.parquet": as_parquet(flat_table, compression="none", use_dictionary=False),
        "zstd.parquet": as_parquet(nested_table, compression="zstd", data_page_version="2.0"),
        "nested.pq": as_parquet(nested_table, compression="gzip"),
        "file.arrow": as_arrow(flat_table),
        "stream.arrow": as_arrow(flat_table, stream=True),
        "nested.ipc": as_arrow(nested_table, compression="lz4"),
        "nested.feather": as_arrow(nested_table, compression="zstd"),
    }


TABLES = (".parquet", ".pq", ".arrow", ".ipc", ".feather")
