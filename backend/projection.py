"""The map: a pool's responses as points in the plane, similar texts near each other. Laid out once per pool.

TF-IDF -> truncated SVD -> UMAP on the distinct responses, started from the first two SVD components: responses
that occur many times and responses without a frequent n-gram would otherwise break the neighbour graph into
pieces, on which spectral initialisation fails again and again.
"""

from __future__ import annotations

import itertools
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize

from backend.diversity import NgramCounts, Tfidf, matrix, tfidf

COMPONENTS = 50
MOST_TERMS = 50_000  # the most frequent n-grams: the SVD's work arrays hold 60 numbers for each
NEIGHBOURS = 15
MIN_DIST = 0.1
FEWEST = 20  # distinct responses, below which a neighbourhood of 15 says nothing
JITTER_STEP, JITTER_MOST = 0.0015, 0.02  # of the map's larger side

OnStage = Callable[[str], None]


@dataclass(frozen=True)
class Projection:
    """Where each of n responses is drawn.

    xy : (n, 2) float32, no unit; NaN where the response has no vector.
    has_vector : (n,) bool; False where no n-gram of the response occurs in a different response.
    method : how it was made, in words; says so where it is not UMAP, and why.
    distinct : number of different places.
    seconds : wall time by stage ("tfidf", "svd", "umap").
    """

    xy: np.ndarray
    has_vector: np.ndarray
    method: str
    distinct: int
    seconds: dict[str, float]


def project(counts: NgramCounts | Tfidf, *, seed: int = 0, on_stage: OnStage | None = None) -> Projection:
    """Lay out every response of a pool; the same counts and seed give the same map on the same machine.

    Seeding makes UMAP single-threaded. `on_stage` is called with the name of each stage as it begins ("tfidf",
    "svd", "umap") and may raise to end the work. Identical responses share a place and are spread a little
    around it, by row.
    """
    clock = _Clock(on_stage)
    points = _points(counts, seed, clock)
    if len(points.vectors) < FEWEST:
        return _drawn(
            points, points.vectors[:, :2], f"svd, not umap: {_too_few(points)}; {points.how}", clock
        )
    with clock.stage("umap"):
        places = _umap(points.vectors, seed)
    how = f"umap ({NEIGHBOURS} neighbours, min_dist {MIN_DIST:g}, seed {seed}) of {points.how}"
    return _drawn(points, places, how, clock)


def first_picture(
    counts: NgramCounts | Tfidf, *, seed: int = 0, on_stage: OnStage | None = None
) -> Projection:
    """The first two SVD components: a picture within seconds, before UMAP is done."""
    clock = _Clock(on_stage)
    points = _points(counts, seed, clock)
    return _drawn(points, points.vectors[:, :2], f"svd: {points.how}", clock)


@dataclass(frozen=True)
class _Points:
    """The d distinct responses with a vector.

    vectors : (d, k) float64, SVD components, rows of length 1. group : (n,) int64, each response's among them, -1
    where it has none. how : how the vectors were made, in words.
    """

    vectors: np.ndarray
    group: np.ndarray
    how: str


@dataclass
class _Clock:
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


def _too_few(points: _Points) -> str:
    return (
        f"{len(points.vectors)} different responses share an n-gram with another one, "
        f"and a neighbourhood of {NEIGHBOURS} needs {FEWEST}"
    )


def _points(counts: NgramCounts | Tfidf, seed: int, clock: _Clock) -> _Points:
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
        return _Points(np.zeros((distinct.shape[0], 2)), group, how)
    with clock.stage("svd"):
        svd = TruncatedSVD(components, algorithm="randomized", random_state=seed)
        vectors = normalize(svd.fit_transform(normalize(distinct)))
    if components == 1:
        vectors = np.column_stack([vectors, np.zeros(len(vectors))])
    noun = "component" if components == 1 else "components"
    return _Points(vectors, group, f"{components} SVD {noun} of {how}")


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


def _umap(vectors: np.ndarray, seed: int) -> np.ndarray:
    """(d, 2) float32: UMAP of the vectors from their first two components."""
    # imported here: it takes seconds, and only the process that makes a map needs it
    with warnings.catch_warnings():
        # the variant of UMAP that wants Tensorflow is not ours
        warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
        import umap

    start = vectors[:, :2]
    layout = umap.UMAP(
        n_neighbors=NEIGHBOURS,
        min_dist=MIN_DIST,
        init=10 * start / max(float(np.abs(start).max()), 1e-12),  # the extent of UMAP's own initialisations
        random_state=seed,
        n_jobs=1,  # what a seed allows; saying so keeps umap-learn from warning
    )
    return layout.fit_transform(vectors)


def _drawn(points: _Points, places: np.ndarray, method: str, clock: _Clock) -> Projection:
    """Every response at its group's place, copies on a small spiral around the first."""
    group = points.group
    has_vector = group >= 0
    xy = np.full((len(group), 2), np.nan, dtype=np.float32)
    rows = np.flatnonzero(has_vector)
    if len(rows):
        order = rows[np.argsort(group[rows], kind="stable")]  # copies side by side, by row
        sizes = np.bincount(group[order], minlength=len(places))
        copy = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        side = float(np.ptp(places, axis=0).max()) or 1.0
        most = np.minimum(JITTER_STEP * np.sqrt(sizes), JITTER_MOST) * side
        radius = most[group[order]] * np.sqrt(copy / sizes[group[order]])
        angle = copy * np.pi * (3 - np.sqrt(5))  # the golden angle fills a disc evenly
        xy[order] = places[group[order]] + radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return Projection(xy, has_vector, method, len(points.vectors), clock.seconds)
