"""Which samples a screen shows: one filter, shared by table, map and charts, small enough for an address.

A filter is a plain JSON dict whose parts all have to hold; a part that is not there holds for every sample:

    text        words, "phrases" and -not in prompt or response
    sources     names of sources
    complexity, diversity, tokens, rank, gain      [low, high], low <= value < high; None is open
    cluster     numbers of clusters of the map, -1 for none
    rows        key of a stored set of rows (what was inside your outline)
    finding     key of a finding of the pool's health
    marked      "pinned" or "excluded"
    noted       true: somebody has written a note
    edited      true: somebody has corrected the response
    writing     names of writings (Chinese, Cyrillic, Latin letters), see `data.writing`
    own         conditions on columns that came with the data, by name; see `own_filter`
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np

from backend.analysis.own_filter import PREFIX, cleaned_own, own_mask, own_words
from backend.data.writing import writings
from backend.records import Pool
from backend.store import Mark

Filter = dict[str, Any]

RANGES: dict[str, str] = {
    "complexity": "complexity",
    "diversity": "diversity",
    "tokens": "response tokens",
    "rank": "pick",
    "gain": "gain",
}
"""Numbers that a filter may limit, and what a person calls them."""
SETS = ("text", "rows", "finding")
"""Parts that name a set of rows which somebody else finds."""
KEYS = (*SETS, "sources", *RANGES, "cluster", "marked", "noted", "edited", "writing", "own")
LONGEST_TEXT = 400  # characters of a search


def cleaned(given: Any) -> Filter:
    """What of `given` is a filter; it was typed into an address or sent by a page, so the rest is left out."""
    kept: Filter = {}
    if not isinstance(given, dict):
        return kept
    for key in SETS:
        if isinstance(given.get(key), str) and 0 < len(given[key].strip()) <= LONGEST_TEXT:
            kept[key] = given[key].strip()
    for key in RANGES:
        limits = given.get(key)
        if isinstance(limits, (list, tuple)) and len(limits) == 2 and all(map(_is_limit, limits)):
            low, high = limits
            if (low is not None or high is not None) and (low is None or high is None or low < high):
                kept[key] = [low, high]
    sources = given.get("sources")
    if isinstance(sources, list) and sources and all(isinstance(name, str) for name in sources):
        kept["sources"] = list(dict.fromkeys(sources))
    writing = given.get("writing")
    if isinstance(writing, list) and writing and all(isinstance(name, str) for name in writing):
        kept["writing"] = list(dict.fromkeys(writing))
    clusters = given.get("cluster")
    if isinstance(clusters, list) and clusters and all(type(code) is int and code >= -1 for code in clusters):
        kept["cluster"] = sorted(set(clusters))
    if given.get("marked") in get_args(Mark):
        kept["marked"] = given["marked"]
    for key in ("noted", "edited"):
        if given.get(key) is True:
            kept[key] = True
    own = cleaned_own(given.get("own"))
    if own:
        kept["own"] = own
    return kept


def mask(
    pool: Pool,
    wanted: Filter,
    *,
    numbers: Mapping[str, np.ndarray],
    sets: Mapping[str, np.ndarray],
    clusters: np.ndarray | None = None,
    marks: Mapping[str, str] | None = None,
    noted: Sequence[str] = (),
) -> np.ndarray:
    """(n,) bool: the samples that a filter keeps.

    numbers : (n,) float64 by name of RANGES, NaN where a sample has no such value; such a sample is in no range.
    sets : (m,) int64 rows by name of SETS, for each of them that the filter names.
    clusters : (n,) int, -1 for none; None where the map has no clusters, and then no sample is in one.
    marks : sample id -> mark. noted : ids of samples with a note.
    """
    keep: np.ndarray = np.ones(len(pool), dtype=bool)
    for key in SETS:
        if key in wanted:
            inside = np.zeros(len(pool), dtype=bool)
            inside[sets[key]] = True
            keep &= inside
    for key in RANGES:
        if key in wanted:
            low, high = wanted[key]
            values = numbers.get(key, np.full(len(pool), np.nan))
            with np.errstate(invalid="ignore"):
                keep &= (values >= (-math.inf if low is None else low)) & (
                    values < (math.inf if high is None else high)
                )
    if "sources" in wanted:
        codes = [code for code, name in enumerate(pool.sources) if name in set(wanted["sources"])]
        keep &= np.isin(pool.source_codes, codes)
    if "cluster" in wanted:
        keep &= np.isin(clusters, wanted["cluster"]) if clusters is not None else False
    if "marked" in wanted:
        keep &= _among(pool, [i for i, mark in (marks or {}).items() if mark == wanted["marked"]])
    if "noted" in wanted:
        keep &= _among(pool, noted)
    if "edited" in wanted:
        keep &= _among(pool, list(pool.edits))
    if "writing" in wanted:
        keep &= np.isin(writings(pool).astype(str), wanted["writing"])
    if "own" in wanted:
        keep &= own_mask(pool, wanted["own"])
    return keep


def chips(
    wanted: Filter, *, cluster_labels: Sequence[str] = (), drawn: int = 0, finding: str = ""
) -> list[dict[str, str]]:
    """The parts of a filter in words, each with the key by which it is taken away again.

    drawn : number of samples in the set of rows. finding : what the finding is called.
    """
    found = []
    for key in KEYS:
        if key not in wanted:
            continue
        value = wanted[key]
        if key == "own":
            found += [{"key": PREFIX + name, "label": own_words(name, one)} for name, one in value.items()]
            continue
        if key == "text":
            label = f"contains {value}"
        elif key == "rows":
            label = f"{drawn:,} inside your outline"
        elif key == "finding":
            label = finding or str(value)
        elif key == "sources":
            label = f"source {' or '.join(value)}"
        elif key in RANGES:
            label = _range_text(RANGES[key], *value)
        elif key == "cluster":
            names = [cluster_labels[c] if 0 <= c < len(cluster_labels) else "no cluster" for c in value]
            label = f"cluster {' or '.join(names)}"
        elif key == "writing":
            label = f"written in {' or '.join(value)}"
        elif key == "marked":
            label = f"{value} by a person"
        elif key == "edited":
            label = "response edited"
        else:
            label = "with a note"
        found.append({"key": key, "label": label})
    return found


def without(wanted: Filter, key: str) -> Filter:
    """A filter without one of its parts, or of its conditions on an own column ("own:NAME")."""
    if key.startswith(PREFIX):
        own = {name: value for name, value in wanted.get("own", {}).items() if PREFIX + name != key}
        return {**without(wanted, "own"), **({"own": own} if own else {})}
    return {name: value for name, value in wanted.items() if name != key}


def _range_text(name: str, low: float | None, high: float | None) -> str:
    if low is None:
        return f"{name} below {high:,.4g}"
    if high is None:
        return f"{name} from {low:,.4g}"
    return f"{name} {low:,.4g} to {high:,.4g}"


def _is_limit(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value is None or (number and math.isfinite(value))


def _among(pool: Pool, ids: Sequence[str]) -> np.ndarray:
    """(n,) bool: samples with one of these ids."""
    inside = np.zeros(len(pool), dtype=bool)
    inside[[pool.row_of[i] for i in ids if i in pool.row_of]] = True
    return inside
