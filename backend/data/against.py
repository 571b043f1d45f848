"""Files that a pool is compared with: evaluation data, which may hold prompts alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from backend.data.guard import load_outside, preview_outside
from backend.errors import PoolError
from backend.records import Pool

# columns that hold what is asked, where no column is known to hold the answer; the first that is there
ASKED = ("prompt", "question", "instruction", "query", "problem", "input", "text", "goal", "ctx")


def load_against(
    given: str | Path,
    *,
    mapping: Mapping[str, str] | None = None,
    roots: Sequence[Path] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Pool, str]:
    """Evaluation data from a file, a folder or a hub dataset, read as a pool is (`load_outside`).

    Where no format is recognised and no mapping is given, one column of prompts is enough (`ASKED`).

    Returns the rows, and the name of the column of prompts where they have no responses, else "".

    Raises
    ------
    PoolError : it cannot be read, or no column holds prompts.
    """
    given = str(given)
    if mapping or given == "demo":
        pool = load_outside([given], mapping=mapping or None, roots=roots, on_progress=on_progress)
        return pool, ""
    found = preview_outside(given, limit=20, roots=roots)
    if found.format != "unknown":
        return load_outside([given], roots=roots, on_progress=on_progress), ""
    names = {name.strip().casefold(): name for name in reversed(found.columns)}
    column = next((names[name] for name in ASKED if name in names), None)
    if column is None:
        raise PoolError(
            f"{given}: no column holds prompts (found: {', '.join(found.columns) or 'none'}; known: {', '.join(ASKED)}); "
            "name it with --mapping FILE:prompt=COLUMN and FILE:response=COLUMN"
        )
    # a pool needs responses: what is asked stands in for them while it is read, and is taken out
    pool = load_outside(
        [given], mapping={"prompt": column, "response": column}, roots=roots, on_progress=on_progress
    )
    at = pool.table.schema.get_field_index("response")
    field = pool.table.schema.field(at)
    nothing = pa.chunked_array([pa.array([""] * len(pool), field.type)])
    return dataclasses.replace(pool, table=pool.table.set_column(at, field, nothing)), column
