"""Clusters of a map, labelled by the n-grams that set each of them apart from the others."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.neighbors import NearestNeighbors

from backend.diversity import NgramCounts
from backend.diversity.area_terms import area_labels, area_terms
from backend.records import Clusters

FEWEST, MOST = 8, 40  # clusters: fewer say nothing, more cannot be read on a map
SMALLEST = 0.005  # share of the points that a cluster holds at least
LEAST_POINTS = 10  # and how many
LOOKED_AT = 12_000  # points from which the clusters are found; every k-th of a larger map
DENSE = 10  # neighbours by which a place counts as crowded
REACH = 0.02  # of the map's larger side: as far from a cluster's points as others still belong to it


def clusters(xy: np.ndarray, counts: NgramCounts) -> Clusters:
    """Group the points of a map by where they are crowded, and label each group; the same every time.

    The groups are HDBSCAN's (Campello, Moulavi and Sander 2013), found on the map's own coordinates so that each
    is an area that can be seen, with the smallest size at which there are at most 40. Labels come from
    class-based TF-IDF, see `diversity/area_terms`.

    xy : (n, 2) float, NaN where a response has no place.
    """
    xy = np.asarray(xy, dtype=np.float64)
    if len(xy) != len(counts):
        raise ValueError(f"{len(xy)} places for {len(counts)} responses")
    rows = np.flatnonzero(np.isfinite(xy).all(axis=1))
    codes = np.full(len(xy), -1, dtype=np.int16)
    if len(rows) < FEWEST * LEAST_POINTS:
        method = (
            f"none: {len(rows)} points, and {FEWEST} clusters of {LEAST_POINTS} need {FEWEST * LEAST_POINTS}"
        )
        return Clusters(codes, [], np.empty((0, 2), dtype=np.float32), [], method)
    found, how = _areas(xy[rows])
    sizes = np.bincount(found[found >= 0])
    by_size = np.argsort(-sizes, kind="stable")
    codes[rows] = np.append(np.argsort(by_size), -1)[found]  # found is -1 for none: the last
    terms = area_terms(codes, len(sizes), counts)
    middles = np.array([_middle(xy[codes == c]) for c in range(len(sizes))], dtype=np.float32)
    return Clusters(
        codes, area_labels(terms), middles, terms, f"{how}; labelled by class-based TF-IDF of 1- to 3-grams"
    )


def _areas(points: np.ndarray) -> tuple[np.ndarray, str]:
    """Each point's area, -1 for none, and how they were found. points : (m, 2) float64."""
    some = points[:: -(-len(points) // LOOKED_AT)]
    least = max(LEAST_POINTS, round(SMALLEST * len(some)))
    while True:
        search = HDBSCAN(min_cluster_size=least, min_samples=min(DENSE, least), copy=True)
        labels = search.fit(some).labels_
        if labels.max() < MOST:
            break
        least = max(least + 1, round(1.2 * least))
    if labels.max() + 1 < FEWEST:
        # one even cloud, or two: cut it into parts of a like extent
        parts = min(FEWEST, len(np.unique(points, axis=0)))
        labels = KMeans(parts, n_init=3, random_state=0).fit(points).labels_
        return labels, f"{labels.max() + 1} areas by k-means, as hardly any stand apart"
    kept = labels >= 0
    distance, nearest = NearestNeighbors(n_neighbors=1).fit(some[kept]).kneighbors(points)
    near = distance[:, 0] <= REACH * np.ptp(points, axis=0).max()
    areas = np.where(near, labels[kept][nearest[:, 0]], -1)
    return (
        areas,
        f"{areas.max() + 1} crowded areas by HDBSCAN, of {least / len(some):.1%} of the points or more",
    )


def _middle(points: np.ndarray) -> np.ndarray:
    """The point nearest to the middle of a cluster, whose middle may itself lie outside."""
    return points[np.abs(points - np.median(points, axis=0)).sum(axis=1).argmin()]
