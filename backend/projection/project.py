"""From a pool's responses to the places where they are drawn.

TF-IDF -> truncated SVD -> UMAP on the distinct responses, started from the first two SVD components: responses
that occur many times and responses without a frequent n-gram would otherwise break the neighbour graph into
pieces, on which a spectral start fails again and again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from backend.diversity import NgramCounts, Tfidf
from backend.projection.umap_points import MIN_DIST, NEIGHBOURS, umap_layout
from backend.projection.vectors import Clock, OnStage, Vectors, response_vectors

FEWEST = 20  # distinct responses, below which a neighbourhood of 15 says nothing
JITTER_STEP, JITTER_MOST = 0.0015, 0.02  # of the map's larger side


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


def project(
    counts: NgramCounts | Tfidf | Vectors, *, seed: int = 0, on_stage: OnStage | None = None
) -> Projection:
    """Lay out every response of a pool; the same counts and seed give the same map on the same machine.

    `on_stage` is called with the name of each stage as it begins ("tfidf", "svd", "umap"), during UMAP also with the
    number of epochs done and of all, and may raise to end the work. Identical responses share a place and are spread a little around it, by row.
    """
    points = _vectors(counts, seed, on_stage)
    if len(points.vectors) < FEWEST:
        return _drawn(points, points.vectors[:, :2], f"svd, not umap: {_too_few(points)}; {points.how}")
    clock = Clock(on_stage)
    with clock.stage("umap"):
        on_epoch = partial(on_stage, "umap") if on_stage else None
        places = umap_layout(points.vectors, seed=seed, on_epoch=on_epoch)
    how = f"umap ({NEIGHBOURS} neighbours, min_dist {MIN_DIST:g}, seed {seed}) of {points.how}"
    return _drawn(points, places, how, clock.seconds)


def first_picture(
    counts: NgramCounts | Tfidf | Vectors, *, seed: int = 0, on_stage: OnStage | None = None
) -> Projection:
    """The first two SVD components: a picture before UMAP is done."""
    points = _vectors(counts, seed, on_stage)
    return _drawn(points, points.vectors[:, :2], f"svd: {points.how}")


def _vectors(counts: NgramCounts | Tfidf | Vectors, seed: int, on_stage: OnStage | None) -> Vectors:
    if isinstance(counts, Vectors):
        return counts
    return response_vectors(counts, seed=seed, on_stage=on_stage)


def _too_few(points: Vectors) -> str:
    return (
        f"{len(points.vectors)} different responses share an n-gram with another one, "
        f"and a neighbourhood of {NEIGHBOURS} needs {FEWEST}"
    )


def _drawn(
    points: Vectors, places: np.ndarray, method: str, seconds: dict[str, float] | None = None
) -> Projection:
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
    return Projection(xy, has_vector, method, len(points.vectors), {**points.seconds, **(seconds or {})})
