"""A pool with edited responses: the pool as it was read and the edits, put together in this one place.

Rows and sample ids stay what they were, so marks, quotas and picks still fit; the pool's own id is another one, so
nothing that was computed from its texts before (n-grams, findings, scores) is taken for the edited pool's.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from backend.data.turn_parts import plain
from backend.data.turns import structure_of
from backend.errors import PoolError
from backend.records import Conversation, Pool

LONGEST = 1_000_000  # characters of an edited response


def with_edits(pool: Pool, edits: Mapping[str, str]) -> Pool:
    """The pool with some responses replaced; the pool itself where none is.

    pool : as it was read. edits : responses by sample id. Edits that equal the original count as none.

    Raises
    ------
    PoolError : a sample is not in the pool, or its response cannot be edited (see `refusal`).
    """
    if pool.base:
        raise PoolError(f"pool {pool.id} holds edits already; edits are made to the pool that was read")
    for sample in edits:
        if sample not in pool.row_of:
            raise PoolError(f"sample {sample!r} is not in pool {pool.id}")
    rows = sorted(pool.row_of[sample] for sample in edits)
    new: dict[int, str] = {}
    structures: dict[int, str | None] = {}
    names = [name for name in ("turns", "response", "structure") if name in pool.table.column_names]
    for row, was in zip(rows, pool.take(np.array(rows, dtype=np.int64), names).to_pylist()):
        text = edits[str(pool.ids[row])]
        if text == was["response"]:
            continue
        new[row] = text
        structures[row] = _structure(was, text)
    if not new:
        return pool
    changed = {str(pool.ids[row]): text for row, text in new.items()}
    table = _replaced(pool.table, "response", new)
    if "structure" not in table.column_names and any(structures.values()):
        table = table.append_column("structure", pa.nulls(len(pool), pa.string()))
    if "structure" in table.column_names:
        table = _replaced(table, "structure", structures)
    return dataclasses.replace(pool, id=edited_id(pool.id, changed), table=table, base=pool.id, edits=changed)


def edited_id(pool_id: str, edits: Mapping[str, str]) -> str:
    """Id of the edited pool: 16 hex digits of SHA-256 over the pool's id and the edits. Without edits, the pool's own id."""
    if not edits:
        return pool_id
    words = json.dumps([pool_id, sorted(edits.items())], ensure_ascii=False)
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def edited_sample(sample: Mapping[str, Any], text: str) -> dict[str, Any]:
    """A row of a pool's table (turns, response and, where there is one, structure) with another response."""
    return {**sample, "response": text, "structure": _structure(sample, text)}


def refusal(sample: Conversation, text: str) -> str:
    """Why a text cannot be the response of a sample; "" where it can."""
    if not text.strip():
        return "a response cannot be empty; exclude the sample instead"
    if len(text) > LONGEST:
        return f"the response has {len(text):,} characters; the limit is {LONGEST:,}"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "the response holds half of a character (a lone surrogate)"
    if sample.messages and sample.messages[-1].get("tool_calls"):
        return (
            "the response calls tools, which text alone cannot hold; correct it in the file and load it again"
        )
    return ""


def _structure(was: Mapping[str, Any], text: str) -> str | None:
    """The structure of a sample after its response was replaced; None where it is plain text."""
    said = plain("assistant", text)
    if not was.get("structure"):
        return structure_of([*(plain(turn["role"], turn["content"]) for turn in was["turns"]), said])
    kept = json.loads(was["structure"])
    *before, last = kept["messages"]
    rest = {name: value for name, value in last.items() if name != "reasoning_content"}
    kept["messages"] = [*before, {**rest, "content": said.content, **said.more}]
    more = any(set(message) - {"role", "content"} for message in kept["messages"])
    if not more and not kept.get("tools"):
        return None
    written = kept.get("written") or {"turns": [], "tools": False}
    apart = "reasoning_content" in last and len(before) not in written["turns"]
    turns = [at for at in written["turns"] if at != len(before)]
    if said.written and not apart:  # reasoning that came as a field of its own goes out as one again
        turns.append(len(before))
    kept.pop("written", None)
    if turns or written["tools"]:
        kept["written"] = {"turns": turns, "tools": written["tools"]}
    return json.dumps(kept, ensure_ascii=False)


def _replaced(table: pa.Table, name: str, values: Mapping[int, str | None]) -> pa.Table:
    """The table with some values of a column of texts replaced, by row; chunks without any are not copied."""
    chunks, start = [], 0
    rows = sorted(values)
    for chunk in table[name].chunks:
        inside = [row for row in rows if start <= row < start + len(chunk)]
        if inside:
            texts = chunk.to_pylist()
            for row in inside:
                texts[row - start] = values[row]
            chunk = pa.array(texts, chunk.type)
        chunks.append(chunk)
        start += len(chunk)
    at = table.column_names.index(name)
    return table.set_column(at, name, pa.chunked_array(chunks, table[name].type))
