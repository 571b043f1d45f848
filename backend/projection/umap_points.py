"""UMAP of vectors into the plane (McInnes, Healy and Melville, arXiv 1802.03426), by umap-learn.

umap-learn takes seconds to import and compiles for seconds in every process, so it is imported where a layout is
made and nowhere else. Its own search for neighbours would compile for half a minute more: up to `MOST_EXACT` points
it is given the exact ones.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

NEIGHBOURS = 15  # with the point itself
MIN_DIST = 0.1
MOST_EXACT = 100_000  # points; beyond, comparing all pairs takes longer than searching

OnEpoch = Callable[[int, int], None]


def umap_layout(vectors: np.ndarray, *, seed: int, on_epoch: OnEpoch | None = None) -> np.ndarray:
    """(d, 2) float32, no unit: vectors that are near each other lie near each other; the same for the same seed.

    vectors : (d, k) float, more than `NEIGHBOURS` rows; the first two components are where the points start.
    on_epoch : told how many epochs of how many are done, several times a second; may raise to end the work.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    exact = {"precomputed_knn": nearest(vectors)} if len(vectors) <= MOST_EXACT else {}
    progress = {"disable": on_epoch is None, "file": _EpochLine(on_epoch), "bar_format": "{n}/{total}"}
    umap_class = _umap_class()
    with warnings.catch_warnings():
        # no point is placed on a finished map later, which is what an index to search would be for
        warnings.filterwarnings("ignore", message=r"precomputed_knn\[2\]", category=UserWarning)
        return umap_class(
            n_neighbors=NEIGHBOURS,
            min_dist=MIN_DIST,
            init=_start(vectors, seed),
            random_state=seed,
            n_jobs=1,  # what a seed allows
            tqdm_kwds=progress,
            **exact,
        ).fit_transform(vectors)


def nearest(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each vector's `NEIGHBOURS` nearest, itself first: their rows (d, 15) int64 and distances (d, 15) float32."""
    search = NearestNeighbors(n_neighbors=NEIGHBOURS - 1, algorithm="brute").fit(vectors)
    # which of equally near vectors comes first depends on the number of threads, and UMAP magnifies any difference
    with threadpool_limits(1):
        distances, rows = search.kneighbors()
    itself = np.arange(len(vectors))
    return np.column_stack([itself, rows]), np.column_stack([np.zeros_like(itself), distances]).astype(
        np.float32
    )


def _start(vectors: np.ndarray, seed: int) -> np.ndarray:
    """The first two components, with a little noise: points at the very same place would never part."""
    start = vectors[:, :2] / max(float(np.abs(vectors[:, :2]).max()), 1e-12)
    noise = np.random.default_rng(seed).normal(scale=1e-5, size=start.shape)
    return (start + noise).astype(np.float32)


def _umap_class() -> Any:
    with warnings.catch_warnings():
        # only its variant for Tensorflow, which is not used here, is missing
        warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
        from umap import UMAP
    return UMAP


class _EpochLine:
    """The file to which tqdm writes umap-learn's progress line, "12/200": passed on as numbers."""

    def __init__(self, on_epoch: OnEpoch | None) -> None:
        self.on_epoch = on_epoch

    def write(self, text: str) -> None:
        counted = re.search(r"(\d+)/(\d+)", text)
        if counted and self.on_epoch:
            self.on_epoch(int(counted[1]), int(counted[2]))

    def flush(self) -> None:
        """Nothing is held back."""
