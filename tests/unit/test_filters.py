"""One filter for table, map and charts: what it keeps, what it is called, what of a stranger's words it takes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from backend.analysis import filters
from backend.records import Pool

N = 60
NOTHING = np.empty(0, dtype=np.int64)


@pytest.fixture
def pool() -> Pool:
    turns = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    table = pa.table(
        {
            "id": [f"{i:08x}-0" for i in range(N)],
            "turns": pa.array([[]] * N, type=turns),
            "response": ["x"] * N,
            "source": pa.array(["abc"[i % 3] for i in range(N)]).dictionary_encode(),
            "file": pa.array(["f"] * N).dictionary_encode(),
            "row": pa.array(range(N), pa.int64()),
            "label": pa.nulls(N, pa.string()),
        }
    )
    return Pool("ab" * 8, "filtered", table)


def plain(
    pool: Pool, wanted: dict, numbers: dict, sets: dict, clusters, marks: dict, noted: list
) -> list[int]:
    """The same, sample by sample."""
    kept = []
    for row in range(len(pool)):
        sample = str(pool.ids[row])
        holds = [row in set(sets[key].tolist()) for key in filters.SETS if key in wanted]
        for key in filters.RANGES:
            if key in wanted:
                low, high = wanted[key]
                value = numbers[key][row]
                known = value == value
                holds.append(known and (low is None or value >= low) and (high is None or value < high))
        if "sources" in wanted:
            holds.append(pool.sources[pool.source_codes[row]] in wanted["sources"])
        if "cluster" in wanted:
            holds.append(int(clusters[row]) in wanted["cluster"])
        if "marked" in wanted:
            holds.append(marks.get(sample) == wanted["marked"])
        if "noted" in wanted:
            holds.append(sample in noted)
        if all(holds):
            kept.append(row)
    return kept


@pytest.mark.parametrize("seed", range(30))
def test_a_filter_keeps_what_it_says(pool: Pool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    numbers = {key: rng.uniform(0, 1, N) for key in filters.RANGES}
    for values in numbers.values():
        values[rng.integers(0, N, 5)] = np.nan
    clusters = rng.integers(-1, 4, N)
    marks = {str(pool.ids[i]): ("pinned", "excluded")[i % 2] for i in rng.integers(0, N, 30)}
    noted = [str(i) for i in pool.ids[rng.integers(0, N, 30)]]
    sets = {key: np.unique(rng.integers(0, N, 40)) for key in filters.SETS}
    everything = {
        "text": "oak",
        "rows": "k",
        "finding": "near",
        "sources": ["a", "c"],
        "complexity": [0.2, 0.9],
        "diversity": [None, 0.8],
        "tokens": [0.1, None],
        "rank": [0.0, 0.9],
        "gain": [0.05, 1.0],
        "cluster": [-1, 2],
        "marked": "pinned",
        "noted": True,
    }
    names = rng.choice(list(everything), size=rng.integers(0, 4), replace=False)
    wanted = {name: everything[name] for name in names}
    assert filters.cleaned(wanted) == wanted
    found = filters.mask(
        pool, wanted, numbers=numbers, sets=sets, clusters=clusters, marks=marks, noted=noted
    )
    assert np.flatnonzero(found).tolist() == plain(pool, wanted, numbers, sets, clusters, marks, noted)


def test_what_is_not_known_is_in_no_range_and_in_no_cluster(pool: Pool) -> None:
    assert not filters.mask(pool, {"rank": [None, 9.0]}, numbers={}, sets={}).any()
    assert not filters.mask(pool, {"cluster": [0]}, numbers={}, sets={}).any()
    assert filters.mask(pool, {}, numbers={}, sets={}).all()


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        {"complexity": [1, 0]},
        {"complexity": [None, None]},
        {"complexity": ["0", 1]},
        {"complexity": [0, float("nan")]},
        {"complexity": [True, 2]},
        {"text": "   "},
        {"text": "x" * 1000},
        {"text": {"$": 1}},
        {"cluster": [True]},
        {"cluster": [-5]},
        {"cluster": 3},
        {"sources": [1]},
        {"marked": "deleted"},
        {"noted": "yes"},
        {"__class__": "x"},
    ],
)
def test_nonsense_is_left_out(given: object) -> None:
    assert filters.cleaned(given) == {}


def test_every_part_has_words_and_can_be_taken_away() -> None:
    wanted = filters.cleaned(
        {
            "text": '"oak tree" -ash',
            "complexity": [0.9, 1],
            "tokens": [None, 1200],
            "cluster": [1, -1],
            "rows": "k",
            "sources": ["a", "b"],
            "marked": "excluded",
            "noted": True,
            "finding": "near",
        }
    )
    found = filters.chips(wanted, cluster_labels=["x", "oak, elm"], drawn=1234, finding="near-duplicates")
    assert [chip["label"] for chip in found] == [
        'contains "oak tree" -ash',
        "1,234 inside your outline",
        "near-duplicates",
        "source a or b",
        "complexity 0.9 to 1",
        "response tokens below 1,200",
        "cluster no cluster or oak, elm",
        "excluded by a person",
        "with a note",
    ]
    for chip in found:
        wanted = filters.without(wanted, chip["key"])
    assert wanted == {}
