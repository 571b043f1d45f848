"""Samples in the formats that trainers read, written one at a time; what is written loads as the same samples.

alpaca    instruction, input (empty: it is part of the instruction), output, and system and history where a
          conversation has them. Turns that do not alternate user and assistant, or tool turns, do not fit that:
          there instruction is the list of {from, value} turns.
messages  messages: [{role, content}], the response as the last one.
sharegpt  conversations: [{from, value}] with system, human, gpt and observation.

Every record has `source`, and `label` where the sample has one.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TextIO, get_args

import numpy as np

from backend.errors import PoolError
from backend.records import Pool, Turn

ExportFormat = Literal["alpaca", "messages", "sharegpt"]
_SPEAKER = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}
_PAGE = 1024


def write_samples(
    target: str | Path | TextIO,
    pool: Pool,
    rows: Sequence[int] | np.ndarray | None,
    format: ExportFormat,
) -> int:
    """Write these rows of the pool (None: all), in this order; returns how many.

    A file ending in .json becomes one array, one in .jsonl a record a line; a stream gets lines. A file appears
    under its name once it is complete.

    Raises
    ------
    PoolError : the format or the file's ending is unknown, or a row is not in the pool.
    """
    if format not in get_args(ExportFormat):
        raise PoolError(f"export format {format!r} is unknown (known: {', '.join(get_args(ExportFormat))})")
    chosen = np.arange(len(pool)) if rows is None else np.asarray(rows, dtype=np.int64)
    if len(chosen) and not (chosen.min() >= 0 and chosen.max() < len(pool)):
        raise PoolError(
            f"row {chosen.min() if chosen.min() < 0 else chosen.max()} is not in the pool (0 to {len(pool) - 1})"
        )
    texts = (json.dumps(record, ensure_ascii=False) for record in records(pool, chosen, format))
    if not isinstance(target, (str, Path)):
        _write_lines(target, texts)
        return len(chosen)
    path = Path(target)
    if path.suffix.lower() not in (".json", ".jsonl"):
        raise PoolError(
            f'{path.name}: the name ends in "{path.suffix}"; use .json (one array) or .jsonl (lines)'
        )
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(partial, "w", encoding="utf-8", newline="\n") as stream:
            (_write_array if path.suffix.lower() == ".json" else _write_lines)(stream, texts)
        os.replace(partial, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
    return len(chosen)


def records(pool: Pool, rows: np.ndarray, format: ExportFormat) -> Iterator[dict[str, Any]]:
    """The rows as records of a format, a page of them in memory at a time."""
    write = {"alpaca": _alpaca, "messages": _messages, "sharegpt": _sharegpt}[format]
    for start in range(0, len(rows), _PAGE):
        for sample in pool.take(
            rows[start : start + _PAGE], ("turns", "response", "source", "label")
        ).to_pylist():
            record = write(sample["turns"], sample["response"])
            record["source"] = sample["source"]
            if sample["label"] is not None:
                record["label"] = sample["label"]
            yield record


def _write_lines(stream: TextIO, texts: Iterable[str]) -> None:
    for text in texts:
        stream.write(text + "\n")


def _write_array(stream: TextIO, texts: Iterable[str]) -> None:
    mark = "[\n"
    for text in texts:
        stream.write(mark + text)
        mark = ",\n"
    stream.write("\n]\n" if mark == ",\n" else "[]\n")


def _alpaca(turns: list[Turn], response: str) -> dict[str, Any]:
    system = turns[0]["content"] if turns and turns[0]["role"] == "system" else ""
    talk = turns[1:] if system else turns
    roles = [turn["role"] for turn in talk]
    if len(talk) % 2 == 0 or roles != [("user", "assistant")[i % 2] for i in range(len(talk))]:
        return {"instruction": _spoken(turns), "input": "", "output": response}
    record: dict[str, Any] = {"instruction": talk[-1]["content"], "input": "", "output": response}
    if system:
        record["system"] = system
    if len(talk) > 1:
        texts = [turn["content"] for turn in talk[:-1]]
        record["history"] = [list(pair) for pair in zip(texts[::2], texts[1::2], strict=True)]
    return record


def _messages(turns: list[Turn], response: str) -> dict[str, Any]:
    return {"messages": [*turns, {"role": "assistant", "content": response}]}


def _sharegpt(turns: list[Turn], response: str) -> dict[str, Any]:
    return {"conversations": [*_spoken(turns), {"from": "gpt", "value": response}]}


def _spoken(turns: list[Turn]) -> list[dict[str, str]]:
    return [{"from": _SPEAKER[turn["role"]], "value": turn["content"]} for turn in turns]
