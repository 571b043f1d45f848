"""What is in a pool, counted: rows, sources, what is empty and what occurs twice."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backend.errors import PoolError
from backend.records import Pool

Finding = Literal["empty_responses", "duplicate_rows", "duplicate_responses"]
FINDINGS: tuple[Finding, ...] = ("empty_responses", "duplicate_rows", "duplicate_responses")


def health(pool: Pool) -> dict[str, Any]:
    """Counts for the Data tab.

    Returns
    -------
    rows : samples in the pool.
    rejected : rows of its files that are not, because they cannot be read.
    empty_responses : samples whose response is empty once trimmed; they are unscorable.
    duplicate_groups : different samples that occur more than once (same turns and response).
    duplicate_rows : their occurrences beyond the first.
    duplicate_responses : samples whose response an earlier one has word for word (exact duplicates included).
    sources, files : samples by source and by file, largest first; rejected_by_file : rejected rows by file, of
        those that are listed.
    """
    copies = _occurrence(pool)
    return {
        "rows": len(pool),
        "rejected": pool.left_out,
        "empty_responses": len(rows_of(pool, "empty_responses")),
        "duplicate_groups": int(np.count_nonzero(copies == 1)),
        "duplicate_rows": int(np.count_nonzero(copies > 0)),
        "duplicate_responses": len(rows_of(pool, "duplicate_responses")),
        "sources": _counts(pool.table["source"]),
        "files": _counts(pool.table["file"]),
        "rejected_by_file": dict(Counter(row.file for row in pool.rejected).most_common()),
    }


def rows_of(pool: Pool, finding: Finding) -> np.ndarray:
    """(k,) int64: the rows behind one of the counts, in order."""
    if finding == "empty_responses":
        mask = pc.equal(pc.utf8_trim_whitespace(pool.responses()), "").to_numpy()
    elif finding == "duplicate_rows":
        mask = _occurrence(pool) > 0
    elif finding == "duplicate_responses":
        # large: the different responses together may be more than the 2 GiB that a plain string array holds
        codes = pool.responses().cast(pa.large_string()).dictionary_encode().combine_chunks()
        indices = codes.indices.to_numpy() if len(pool) else np.zeros(0, dtype=np.int32)
        mask = np.ones(len(pool), dtype=bool)
        mask[np.unique(indices, return_index=True)[1]] = False
    else:
        raise PoolError(f"finding {finding!r} is unknown (known: {', '.join(FINDINGS)})")
    return np.flatnonzero(mask).astype(np.int64)


def _occurrence(pool: Pool) -> np.ndarray:
    """(n,) int64: how many equal samples stand before each, as its id says."""
    counts = pc.list_element(pc.split_pattern(pool.table["id"], "-"), 1)
    return counts.cast(pa.int64()).to_numpy()


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    pairs = column.cast(pa.string()).value_counts().to_pylist()
    return {
        pair["values"]: pair["counts"] for pair in sorted(pairs, key=lambda p: (-p["counts"], p["values"]))
    }
