"""What a filter keeps of a pool: words, drawn sets and findings looked up once, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from backend import store
from backend.analysis import filters
from backend.analysis.own_filter import PREFIX
from backend.errors import SearchError, StudioError
from backend.jobs import pool_work
from backend.records import Clusters
from backend.store.shelf import keep_last
from iterit_ui.shared import text
from iterit_ui.shared.pool_health import finding_label, finding_rows
from iterit_ui.shared.selections import SelectionView
from iterit_ui.shared.session import content_id, get_marks, get_pool


def kept(home: Path, shown: SelectionView, wanted: filters.Filter) -> np.ndarray | None:
    """(n,) bool: the samples that a filter keeps; None where there is no filter.

    Raises
    ------
    StudioError : words that cannot be searched for, or a set of rows that is not there.
    """
    if not wanted:
        return None
    clusters = get_clusters(home, shown.pool.id)
    return filters.mask(
        shown.pool,
        wanted,
        numbers=shown.numbers,
        sets={key: rows_of(home, shown.pool.id, key, wanted[key]) for key in filters.SETS if key in wanted},
        clusters=None if clusters is None else clusters.codes,
        marks=get_marks(home, shown.pool.id) if "marked" in wanted else None,
        noted=list(store.notes(home, shown.pool.id)) if "noted" in wanted else (),
    )


def rows_of(home: Path, pool_id: str, key: str, value: str) -> np.ndarray:
    """(m,) int64: the rows of one of a filter's sets."""
    if key == "text":
        return found_rows(home, pool_id, value)
    if key == "rows":
        return store.load_rows(home, pool_id, value)
    return finding_rows(home, pool_id, value)


def found_rows(home: Path, pool_id: str, query: str) -> np.ndarray:
    """(m,) int64: the samples that words, "phrases" and -not find.

    Raises
    ------
    SearchError : the words cannot be searched for, or not yet.
    """
    return _found_rows(home, content_id(home, pool_id), query)


@keep_last(32)
def _found_rows(home: Path, pool_id: str, query: str) -> np.ndarray:
    if not store.has_search(home, pool_id):
        store.refuse_read_only(home)
        pool_work.start_work(home, pool_id, "findings")
        raise SearchError("the search index is being built; try again in a moment")
    return store.search(home, pool_id, query)


def clusters_written(home: Path, pool_id: str) -> int:
    """When the clusters of a pool's map were stored, in nanoseconds; 0 where there are none yet."""
    path = store.clusters_path(home, pool_id)
    return path.stat().st_mtime_ns if path.exists() else 0


def get_clusters(home: Path, pool_id: str) -> Clusters | None:
    """The clusters of a pool's map, None where there are none yet."""
    written = clusters_written(home, pool_id)
    return _read_clusters(home, pool_id, written) if written else None


@keep_last(4)
def _read_clusters(home: Path, pool_id: str, written: int) -> Clusters | None:
    return store.load_clusters(home, pool_id)


def bar_value(
    home: Path, shown: SelectionView, wanted: filters.Filter, mask: np.ndarray | None, *, error: str = ""
) -> dict[str, Any]:
    """The bar over pictures and table: the search, what is filtered by, and how many samples that leaves."""
    pool_id = shown.pool.id
    clusters = get_clusters(home, pool_id)
    drawn = len(rows_of(home, pool_id, "rows", wanted["rows"])) if "rows" in wanted else 0
    label = finding_label(home, pool_id, wanted["finding"]) if "finding" in wanted else ""
    labels = () if clusters is None else clusters.labels
    parts = filters.chips(wanted, cluster_labels=labels, drawn=drawn, finding=label)
    return {
        "search": {"text": wanted.get("text", ""), "error": error, "placeholder": text.SEARCH},
        "chips": parts,
        "count": None if mask is None else int(mask.sum()),
        "picked": None if mask is None else int(mask[shown.what.selection.rows].sum()),
        "total": len(shown.pool),
    }


def searched(home: Path, pool_id: str, wanted: filters.Filter, query: Any) -> tuple[filters.Filter, str]:
    """A filter with other words, and what is wrong with them; the filter as it was where something is."""
    other = filters.cleaned(
        {**filters.without(wanted, "text"), "text": query if isinstance(query, str) else ""}
    )
    if isinstance(query, str) and len(query) > filters.LONGEST_TEXT:
        return wanted, f"a search of {len(query):,} characters; the limit is {filters.LONGEST_TEXT}"
    if "text" in other:
        try:
            found_rows(home, pool_id, other["text"])
        except SearchError as error:
            return wanted, str(error)
    return other, ""


def ranged(wanted: filters.Filter, name: str, low: Any, high: Any) -> filters.Filter:
    """A filter with the range that was drawn on a chart."""
    other = filters.cleaned({name: [low, high]})
    return {**wanted, **other}


def usable(home: Path, pool_id: str, wanted: filters.Filter) -> tuple[filters.Filter, str]:
    """A filter without the parts that this pool cannot answer now, and why not; a link may name what is missing."""
    problems = []
    for key in filters.SETS:
        if key not in wanted:
            continue
        try:
            rows_of(home, pool_id, key, wanted[key])
        except StudioError as error:
            wanted = filters.without(wanted, key)
            problems.append(str(error))
    unknown = [name for name in wanted.get("own", {}) if name not in get_pool(home, pool_id).own_columns]
    for name in unknown:
        problems.append(f"no column {name} in this pool")
        wanted = filters.without(wanted, PREFIX + name)
    known = set(get_pool(home, pool_id).sources)
    if "sources" in wanted and not known & set(wanted["sources"]):
        problems.append(f"no source {' or '.join(wanted['sources'])} in this pool")
        wanted = filters.without(wanted, "sources")
    return wanted, "; ".join(problems)
