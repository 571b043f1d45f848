"""Which item of a trainer's dataset is which sample of a pool, and whether the trainer reads it as it is scored."""

from __future__ import annotations

from typing import Any

import numpy as np

from backend.errors import ConfigError
from backend.prompts import Encoded
from backend.records import Pool
from backend.training.dataset import IGNORED

LOOKED_AT = (
    200  # samples whose tokens are compared: enough to see a template, a system text or labels that differ
)
_HOW = "use iterit.to_dataset(pool) or iterit.with_ids(dataset, pool), or give the callback rows=..."


def places_of(dataset: Any, pool: Pool, *, id_column: str, rows: np.ndarray | None = None) -> np.ndarray:
    """(n,) int64: the place of each sample of the pool in a dataset, -1 where the dataset does not have it.

    rows : (m,) int, the row of the pool that each item of the dataset is; None to go by the ids in `id_column`.

    Raises
    ------
    ConfigError : an item is none of the pool's samples, or two are the same one.
    """
    m = len(dataset)
    if rows is not None:
        found = np.asarray(rows)
        if found.shape != (m,) or found.dtype.kind not in "iu":
            raise ConfigError(
                f"rows needs a whole number for each of the {m:,} items of the trainer's dataset"
            )
        found = found.astype(np.int64)
        strange = np.flatnonzero((found < 0) | (found >= len(pool)))
        if len(strange):
            raise ConfigError(
                f"rows: item {strange[0]} is row {found[strange[0]]}, and {pool.name} has the rows 0 to {len(pool) - 1}"
            )
    else:
        names = list(getattr(dataset, "column_names", None) or [])
        if id_column not in names:
            has = (
                f"columns {', '.join(names)}" if names else f"{type(dataset).__name__} without named columns"
            )
            raise ConfigError(
                f"the trainer's dataset has no column {id_column!r} (found: {has}), so nothing says which item is which "
                f"sample; {_HOW}"
            )
        ids = list(dataset[id_column])
        found = np.array([pool.row_of.get(str(one), -1) for one in ids], dtype=np.int64)
        unknown = np.flatnonzero(found < 0)
        if len(unknown):
            raise ConfigError(
                f"{len(unknown):,} of the {m:,} items of the trainer's dataset are no samples of {pool.name} "
                f"(the first: {id_column} {ids[unknown[0]]!r}); {_HOW}"
            )
    places = np.full(len(pool), -1, dtype=np.int64)
    places[found] = np.arange(m)
    twice = np.flatnonzero(places[found] != np.arange(m))
    if len(twice):
        raise ConfigError(
            f"sample {pool.ids[found[twice[0]]]} stands in the trainer's dataset more than once (items {twice[0]} and "
            f"{places[found[twice[0]]]})"
        )
    return places


def read_otherwise(dataset: Any, encoded: Encoded, places: np.ndarray, pool: Pool) -> str:
    """A sentence where a trainer reads samples otherwise than they are scored; "" where it does not, or has no tokens yet.

    Up to `LOOKED_AT` samples are compared: their tokens, and that the labels are on exactly the response.
    """
    names = list(getattr(dataset, "column_names", None) or [])
    rows = np.flatnonzero((places >= 0) & (encoded.reason == ""))
    if not {"input_ids", "labels"} <= set(names) or not len(rows):
        return ""
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, LOOKED_AT).astype(np.int64))]
    tokens, labels = [], []
    for row in rows.tolist():
        item = dataset[int(places[row])]
        ids, first = encoded.conditioned.tokens(row), int(encoded.conditioned.first[row])
        given = np.asarray(item["input_ids"])
        if not np.array_equal(given, ids):
            tokens.append((row, len(given), len(ids)))
        elif not np.array_equal(
            np.flatnonzero(np.asarray(item["labels"]) != IGNORED), np.arange(first, len(ids))
        ):
            labels.append(row)
    if tokens:
        row, theirs, ours = tokens[0]
        return (
            f"{len(tokens):,} of {len(rows):,} samples looked at are other tokens for the trainer than for scoring (the "
            f"first: {pool.ids[row]}, {theirs:,} tokens there and {ours:,} here): look for a system prompt or a chat "
            "template on one side only, or another max_length"
        )
    if labels:
        return (
            f"{len(labels):,} of {len(rows):,} samples looked at are trained on other tokens than their response, which is "
            f"what is scored (the first: {pool.ids[labels[0]]}); in TRL, prompt and completion train the response alone"
        )
    return ""
