"""Pools in, datasets out: what a notebook has as a pool, and a pool as the dataset that a trainer reads."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend import data
from backend.data import demo, hub, table_pool
from backend.data.export import write_samples
from backend.errors import PoolError
from backend.records import Pool

if TYPE_CHECKING:
    import datasets

DEMO_MODEL = str(demo.MODEL)
"""Folder of the embedded model, of two million parameters; the embedded pool is `load_pool("demo")`."""
ID = "id"


def load_pool(
    source: Any,
    *,
    revision: str = "",
    mapping: Mapping[str, str] | None = None,
    name: str | None = None,
) -> Pool:
    """The samples to choose from, of files, a hub dataset, or rows that are in memory.

    >>> pool = load_pool("demo")
    >>> len(pool), pool.sources[0]
    (2200, 'codebook')

    Parameters
    ----------
    source : a path or a list of them (JSON, JSONL, CSV, Parquet, Arrow, or folders), a hub dataset id ("owner/name",
        "owner/name:split"), "demo", a `datasets.Dataset`, a pandas DataFrame, or a pyarrow Table.
    revision : branch, tag or commit of a hub dataset; its newest where empty.
    mapping : which column is what where the format is not recognised, as on the command line:
        {"prompt": "question", "response": "answer"}.
    name : what to call the pool.

    Returns the pool; `pool.rejected` has the rows that could not be read, `pool.ids` (n,) the samples' ids.

    Raises
    ------
    PoolError : nothing can be read, or a revision is given of what is no hub dataset.
    """
    if not isinstance(source, (str, Path, list, tuple)):
        if revision:
            raise PoolError(
                f"revision {revision!r} is of a hub dataset, and this is a {type(source).__name__}"
            )
        return table_pool.pool_of_table(table_pool.table_of(source), name=name or "table", mapping=mapping)
    inputs: Sequence[Any] = [source] if isinstance(source, (str, Path)) else list(source)
    if revision:
        inputs = [_at_revision(str(one), revision) for one in inputs]
    return data.load_outside(inputs, mapping=mapping, name=name)


def to_dataset(pool: Pool, *, system_prompt: str = "You are a helpful assistant.") -> datasets.Dataset:
    """A pool as a dataset that TRL's SFTTrainer trains the responses of: `prompt`, `completion` and the sample's `id`.

    `IterITCallback` knows a sample by its id, whatever the trainer does to the order and number of rows.

    Parameters
    ----------
    system_prompt : put before conversations that bring no system turn, as scoring does; "" for none. Give the callback
        the same.
    """
    import datasets

    written = io.StringIO()
    write_samples(written, pool, None, "messages")
    written.seek(0)
    lines = []
    for sample_id, record in zip(pool.ids, map(json.loads, written)):
        messages = record["messages"]
        if system_prompt and messages[0]["role"] != "system":
            nothing = dict.fromkeys(messages[0])  # all messages have the same keys
            messages = [{**nothing, "role": "system", "content": system_prompt}, *messages]
        rest = {"tools": record["tools"]} if record.get("tools") else {}
        lines.append({"prompt": messages[:-1], "completion": messages[-1:], ID: str(sample_id), **rest})
    return datasets.Dataset.from_list(lines)


def with_ids(dataset: datasets.Dataset, pool: Pool) -> datasets.Dataset:
    """The rows of a dataset that became samples of the pool that was loaded from it, each with its sample's `id`.

    For a dataset that you tokenise in your own way, before you do.

    Raises
    ------
    PoolError : the pool was not loaded from this dataset alone.
    """
    rows = pool.table["row"].to_numpy()
    if len(set(pool.table["file"].to_pylist())) != 1 or (len(rows) and rows.max() >= len(dataset)):
        raise PoolError(
            f"the pool {pool.name} was not loaded from this dataset of {len(dataset):,} rows; "
            "make it with iterit.load_pool(dataset)"
        )
    kept = dataset.select(rows)
    if ID in kept.column_names:
        kept = kept.remove_columns(ID)
    return kept.add_column(ID, pool.ids.tolist())


def _at_revision(source: str, revision: str) -> str:
    """A hub id with its revision: "owner/name@revision:split"."""
    dataset, colon, rest = source.partition(":")
    found = f"{dataset}@{revision}{colon}{rest}"
    if "@" in dataset or not hub.is_id(found):
        raise PoolError(f"revision {revision!r} is of a hub dataset, and {source} is none")
    return found
