"""What the Data tab's table can list: a finding, a source, words that are searched for, and groups of the alike.

The tab's view is plain: {"which": key of a finding, "all", "sources" or "rejected"; "page"; "threshold" for
near-duplicates; "text" that is searched for; "source" or ""}.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend import store
from backend.errors import StudioError
from backend.store.shelf import keep_last
from iterit_ui.samples.filter_lookup import found_rows
from iterit_ui.samples.sample_list import SampleList
from iterit_ui.shared import pool_health as health
from iterit_ui.shared.selections import scores_key
from iterit_ui.shared.session import get_pool

VIEW: dict[str, Any] = {"which": "all", "page": 0, "threshold": health.THRESHOLD, "text": "", "source": ""}
MARKS = {1: "pinned", 2: "excluded"}
NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Listed:
    """The samples of a list, in the order shown.

    rows : (m,) int64.
    group : (m,) int64, number of each one's group from 1, the largest group first; None in a list without groups.
    size : (m,) int64, samples in that group, those that the search leaves out included; None likewise.
    error : why the list is empty, where something is not known or was asked for wrongly.
    """

    rows: np.ndarray
    group: np.ndarray | None = None
    size: np.ndarray | None = None
    error: str = ""

    @property
    def groups(self) -> int:
        """Number of groups."""
        return 0 if self.group is None or not len(self.group) else int(self.group.max())


def is_whole(view: dict[str, Any]) -> bool:
    """Whether a view leaves no sample out."""
    return view["which"] in ("all", "sources") and not view["text"] and not view["source"]


def key_of(view: dict[str, Any]) -> str:
    """The finding that a view shows, with its threshold."""
    return f"near:{view['threshold']:g}" if view["which"] == "near" else str(view["which"])


def listed(home: Path, pool_id: str, view: dict[str, Any]) -> Listed:
    """What a view lists; an empty list with the reason where that is not known."""
    at = health.stamp(home, pool_id, "*.parquet") + health.stamp(home, pool_id, "words.json")
    searched = store.has_search(home, pool_id) if view["text"] else False
    # a run's scores lie with the run, so no file of the pool's tells of them
    scores = scores_key(home, pool_id, "") if view["which"].partition(":")[0] == "unscorable" else ""
    return _listed(home, pool_id, key_of(view), view["text"], view["source"], at, searched, scores)


def samples(home: Path, pool_id: str, view: dict[str, Any]) -> SampleList:
    """The same as a list with pages; empty for rejected rows, which are no samples."""
    rows = NONE if view["which"] == "rejected" else listed(home, pool_id, view).rows
    return SampleList(get_pool(home, pool_id), rows, view)


@keep_last(48)
def _listed(
    home: Path,
    pool_id: str,
    key: str,
    query: str,
    source: str,
    at: health.Stamp,
    searched: bool,
    scores: str,
) -> Listed:
    pool = get_pool(home, pool_id)
    try:
        if key == "all":
            rows = np.arange(len(pool), dtype=np.int64)
        elif key == "sources":
            rows = np.argsort(pool.source_codes, kind="stable").astype(np.int64)
        elif key == "edited":
            rows = np.array(sorted(pool.row_of[sample] for sample in pool.edits), dtype=np.int64)
        else:
            rows = health.finding_rows(home, pool_id, key)
        groups = health.finding_groups(home, pool_id, key)
        mask = None
        if source:
            codes = [code for code, name in enumerate(pool.sources) if name == source]
            mask = np.isin(pool.source_codes, codes)
        if query:
            found = np.zeros(len(pool), dtype=bool)
            found[found_rows(home, pool_id, query)] = True
            mask = found if mask is None else mask & found
    except StudioError as error:
        return Listed(NONE, error=str(error))
    if mask is not None:
        rows = rows[mask[rows]]
    if groups is None:
        return Listed(rows)
    return grouped(rows, groups)


def grouped(rows: np.ndarray, groups: np.ndarray) -> Listed:
    """A list in groups, the largest first, equal ones by their first sample.

    rows : (m,) int64. groups : (n,) int, group of every sample of the pool, -1 for none.
    """
    rows = rows[groups[rows] >= 0]
    if not len(rows):
        return Listed(NONE, NONE, NONE)
    sizes = np.bincount(groups[groups >= 0])
    first = np.full(len(sizes), len(groups), dtype=np.int64)
    np.minimum.at(first, groups[rows], rows)
    code = groups[rows]
    order = np.lexsort((rows, first[code], -sizes[code]))
    rows, code = rows[order], code[order]
    number = np.cumsum(np.concatenate([[True], code[1:] != code[:-1]]))
    return Listed(rows, number.astype(np.int64), sizes[code].astype(np.int64))


def mark_codes(home: Path, pool_id: str) -> np.ndarray:
    """(n,) int8: 1 for pinned samples, 2 for excluded ones, 0 for the others."""
    return _mark_codes(home, pool_id, store.curation_revision(home, pool_id))


@keep_last(8)
def _mark_codes(home: Path, pool_id: str, revision: int) -> np.ndarray:
    pool = get_pool(home, pool_id)
    codes = np.zeros(len(pool), dtype=np.int8)
    for sample, mark in store.marks(home, pool_id).items():
        row = pool.row_of.get(sample)
        if row is not None:
            codes[row] = 1 if mark == "pinned" else 2
    return codes


def kept(found: Listed, codes: np.ndarray) -> np.ndarray:
    """(m,) bool: which sample of each group would stay: every pinned one, else the first that nobody excluded,
    else the first.

    codes : (n,) int8, as `mark_codes` gives them.
    """
    if found.group is None or not len(found.rows):
        return np.zeros(len(found.rows), dtype=bool)
    mark = codes[found.rows]
    rank = np.where(mark == 1, 0, np.where(mark == 0, 1, 2))
    order = np.lexsort((np.arange(len(rank)), rank, found.group))
    starts = np.concatenate([[True], np.diff(found.group[order]) > 0])
    keep = np.zeros(len(rank), dtype=bool)
    keep[order[starts]] = True
    return keep | (mark == 1)


def surplus(found: Listed, codes: np.ndarray, *, group: int | None = None) -> np.ndarray:
    """(k,) int64: what "exclude" would exclude: of groups all but what is kept, of other lists all; nothing that is
    pinned or excluded already.

    group : one group's number; None for all.
    """
    away = codes[found.rows] == 0
    if found.group is not None:
        away &= ~kept(found, codes)
        if group is not None:
            away &= found.group == group
    return found.rows[away]
