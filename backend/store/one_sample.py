"""One sample of a stored pool, without reading the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from backend.data.response_edits import edited_sample
from backend.errors import PoolError
from backend.records import Conversation, Turn
from backend.store.pools import samples_path, stored_edits


class StoredSample(NamedTuple):
    """What a model is given of a sample."""

    id: str
    conversation: Conversation

    @property
    def turns(self) -> list[Turn]:
        """The turns before its response, as text."""
        return self.conversation.turns

    @property
    def response(self) -> str:
        """Its response, as text."""
        return self.conversation.response


def sample_at(home: Path, pool_id: str, row: int) -> StoredSample:
    """The sample in one row of a stored pool; of the file only the group of rows that holds it is read.

    Raises
    ------
    PoolError : there is no such pool or row, or the file cannot be read.
    """
    path = samples_path(home, pool_id)
    try:
        with pq.ParquetFile(path) as file:
            if not 0 <= row < file.metadata.num_rows:
                raise PoolError(
                    f"row {row} is not in pool {pool_id}, which has {file.metadata.num_rows:,} rows (from 0)"
                )
            group, before = 0, 0
            while row >= before + file.metadata.row_group(group).num_rows:
                before += file.metadata.row_group(group).num_rows
                group += 1
            columns = ["id", "turns", "response"]
            if "structure" in file.schema_arrow.names:
                columns.append("structure")
            table = file.read_row_group(group, columns=columns).slice(row - before, 1)
    except FileNotFoundError as error:
        raise PoolError(f"pool {pool_id} not found in {home}") from error
    except (OSError, pa.ArrowException) as error:
        raise PoolError(f"{path} cannot be read ({error})") from error
    (found,) = table.to_pylist()
    edits = stored_edits(home, pool_id)
    if found["id"] in edits:
        found = edited_sample(found, edits[found["id"]])
    turns = [Turn(role=turn["role"], content=turn["content"]) for turn in found["turns"]]
    kept = json.loads(found.get("structure") or "{}")
    sample = Conversation(turns, found["response"], kept.get("messages"), kept.get("tools"))
    return StoredSample(found["id"], sample)
