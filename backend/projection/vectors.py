"""Responses as vectors: TF-IDF of the n-grams that different responses share, then truncated SVD."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize

from backend.diversity import NgramCounts, Tfidf, matrix, tfidf

COMPONENTS = 50
MOST_TERMS = 50_000  # the most frequent n-grams: the SVD's work arrays hold 60 numbers for each


class OnStage(Protocol):
    """Called as each stage begins, and during long ones with progress: `done` of `total`."""

    def __call__(self, stage: str, done: int = 0, total: int = 0, /) -> None: ...


@dataclass(frozen=True)
class Vectors:
    """The d distinct responses of n that have a vector.

    vectors : (d, k) float64, SVD components, rows of length 1.
    group : (n,) int64, each response's row among them, -1 where it has none.
    how : how the vectors were made, in words.
    seconds : wall time by stage ("tfidf", "svd").
    """

    vectors: np.ndarray
    group: np.ndarray
    how: str
    seconds: dict[str, float]


@dataclass
class Clock:
    """Tells which stage begins and keeps how long each took."""

    on_stage: OnStage | None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if self.on_stage:
            self.on_stage(name)
        begin = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begin


def response_vectors(
    counts: NgramCounts | Tfidf, *, seed: int = 0, on_stage: OnStage | None = None
) -> Vectors:
    """The vectors from which `first_picture` and `project` draw; give both the same ones to make them once.

    `on_stage` is called with the name of each stage as it begins ("tfidf", "svd") and may raise to end the work.
    """
    clock = Clock(on_stage)
    with clock.stage("tfidf"):
        weighed = counts if isinstance(counts, Tfidf) else tfidf(counts)
        whole = matrix(weighed, scaled=False)
        # copies of one response are no link between two, so n-grams are counted over different responses; one
        # with an n-gram of its own is nobody's copy
        _, firsts = _same_rows(whole, unique=weighed.solo > 0)
        df = np.bincount(whole[firsts].indices, minlength=whole.shape[1])
        shared = np.flatnonzero(df >= 2)
        columns = np.sort(shared[np.argsort(-df[shared], kind="stable")[:MOST_TERMS]])
        kept = whole[:, columns]
        kept.sort_indices()
        group, firsts = _same_rows(kept)
        full = np.diff(kept.indptr)[firsts] > 0
        distinct = kept[firsts[full]]
        group = np.where(full, np.cumsum(full) - 1, -1)[group]
    components = min(COMPONENTS, min(distinct.shape) - 1)
    how = f"TF-IDF of {len(columns):,} n-grams that different responses share"
    if components < 1:
        return Vectors(np.zeros((distinct.shape[0], 2)), group, how, clock.seconds)
    with clock.stage("svd"):
        svd = TruncatedSVD(components, algorithm="randomized", random_state=seed)
        vectors = normalize(svd.fit_transform(normalize(distinct)))
    if components == 1:
        vectors = np.column_stack([vectors, np.zeros(len(vectors))])
    noun = "component" if components == 1 else "components"
    return Vectors(vectors, group, f"{components} SVD {noun} of {how}", clock.seconds)


def _same_rows(rows: sparse.csr_array, *, unique: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Each row's group among equal rows, numbered by first appearance; and each group's first row.

    unique : (m,) bool, rows that are like no other whatever they hold.
    """
    numbers: dict[bytes, int] = {}
    group = np.empty(rows.shape[0], dtype=np.int64)
    bounds = rows.indptr.tolist()
    for row, (a, b) in enumerate(itertools.pairwise(bounds)):
        key = rows.indices[a:b].tobytes() + rows.data[a:b].tobytes()
        if unique is not None and unique[row]:
            key = b"row %d" % row
        group[row] = numbers.setdefault(key, len(numbers))
    return group, np.unique(group, return_index=True)[1]
