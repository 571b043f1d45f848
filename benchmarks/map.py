"""How long the map takes, and how good it is: vectors, a first picture, UMAP, and umap-learn left to itself."""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np

from backend.data import load_pool
from backend.diversity import count_ngrams, tfidf
from backend.projection import first_picture, project, response_vectors, umap_layout
from benchmarks.common import pool_input, timed

ASKED = 2000  # responses whose neighbourhoods are compared
BLOCK = 500  # of them at once


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pool", default="pool_52k", help="pool_52k, pool_small, demo, or a file")
    parser.add_argument(
        "--neighbours", type=int, default=15, help="of the comparison of quality (default 15)"
    )


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds by stage, and how well both layouts keep neighbourhoods.

    `cold_s` is what a process's first layout takes beyond the arithmetic: importing umap-learn and compiling.
    """
    pool = load_pool([pool_input(options.pool)])
    counts = count_ngrams(pool.responses())
    weighed, tfidf_s = timed(lambda: tfidf(counts))
    picture, first_picture_s = timed(lambda: first_picture(weighed))
    vectors = response_vectors(weighed)
    x = vectors.vectors

    _, cold_s = timed(lambda: umap_layout(x[:100], seed=0))
    laid_out, project_s = timed(lambda: project(vectors))
    places, umap_s = timed(lambda: umap_layout(x, seed=0))
    plain, plain_s = timed(lambda: _plain(x))
    return {
        "rows": len(pool),
        "distinct": laid_out.distinct,
        "components": x.shape[1],
        "tfidf_s": round(tfidf_s, 3),
        "vectors_s": round(picture.seconds["tfidf"], 3),
        "svd_s": round(picture.seconds["svd"], 2),
        "first_picture_s": round(first_picture_s, 2),
        "cold_s": round(cold_s, 2),
        "umap_s": round(umap_s, 2),
        "after_picture_s": round(project_s, 2),
        "plain_umap_s": round(plain_s, 2),
        **_quality(x, places, options.neighbours, ""),
        **_quality(x, plain, options.neighbours, "plain_"),
    }


def _plain(vectors: np.ndarray) -> np.ndarray:
    """umap-learn with nothing but a seed: it searches for neighbours itself and starts from a spectral layout."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
        from umap import UMAP

        warnings.filterwarnings("ignore", module="umap")  # that a start failed
        return UMAP(random_state=0, n_jobs=1).fit_transform(vectors)


def _quality(vectors: np.ndarray, places: np.ndarray, k: int, prefix: str) -> dict[str, float]:
    """`trustworthiness` and `kept`, over a sample of the responses."""
    asked = np.random.default_rng(0).choice(len(vectors), min(ASKED, len(vectors)), replace=False)
    return {
        f"{prefix}trustworthiness": round(trustworthiness(vectors, places, asked, k), 4),
        f"{prefix}kept": round(kept(vectors, places, asked, k), 4),
    }


def trustworthiness(vectors: np.ndarray, places: np.ndarray, asked: np.ndarray, k: int) -> float:
    """Whether the k nearest places are near vectors too (Venna and Kaski 2001), 0 to 1; as scikit-learn's, of a sample.

    asked : rows whose neighbourhoods are looked at, each among all n.
    """
    n, beyond = len(vectors), 0
    for rows in np.array_split(asked, -(-len(asked) // BLOCK)):
        near = _nearest(places, rows, k)
        apart = _apart(vectors, rows)
        for distance, neighbours in zip(apart, near, strict=True):
            ranks = (distance < distance[neighbours, None]).sum(axis=1) + 1
            beyond += int(np.maximum(ranks - k, 0).sum())
    return 1 - beyond * 2 / (len(asked) * k * (2 * n - 3 * k - 1))


def kept(vectors: np.ndarray, places: np.ndarray, asked: np.ndarray, k: int) -> float:
    """Of the k nearest vectors, the share that is among the 100 nearest places."""
    shared = 0
    for rows in np.array_split(asked, -(-len(asked) // BLOCK)):
        near = _nearest(vectors, rows, k)
        apart = _apart(places, rows)
        # a place is among the 100 nearest where no more than 100 others are nearer
        reach = np.partition(apart, min(99, apart.shape[1] - 1), axis=1)[:, min(99, apart.shape[1] - 1), None]
        shared += int((np.take_along_axis(apart, near, axis=1) <= reach).sum())
    return shared / (len(asked) * k)


def _apart(points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(rows, n) float64: squared distances from some points to all, infinite to themselves."""
    x = points.astype(np.float64)
    square = np.einsum("ij,ij->i", x, x)
    apart = square[rows, None] + square - 2 * (x[rows] @ x.T)
    apart[np.arange(len(rows)), rows] = np.inf
    return apart


def _nearest(points: np.ndarray, rows: np.ndarray, k: int) -> np.ndarray:
    return np.argpartition(_apart(points, rows), k, axis=1)[:, :k]
