"""How long the map takes: vectors, a first picture, and UMAP against umap-learn on the same vectors."""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np

from backend.data import load_pool
from backend.diversity import count_ngrams, tfidf
from backend.projection import first_picture, project, response_vectors, umap
from benchmarks.common import pool_input, timed

SAMPLE = 4200  # rows to compile on: with fewer than 4,096 umap-learn takes another way


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pool", default="pool_52k", help="pool_52k, pool_small, demo, or a file")
    parser.add_argument(
        "--neighbours", type=int, default=15, help="of the comparison of quality (default 15)"
    )


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds by stage; umap-learn with a seed, as ours, and without, when it takes every core.

    Everything compiled is compiled on a sample beforehand, which is timed by itself: ours is read from disk from
    the second process on, umap-learn's anew in every process.
    """
    learn = _umap_learn()
    pool = load_pool([pool_input(options.pool)])
    counts = count_ngrams(pool.responses())
    weighed, tfidf_s = timed(lambda: tfidf(counts))
    picture, first_picture_s = timed(lambda: first_picture(weighed))
    vectors = response_vectors(weighed)
    x = vectors.vectors

    _, ours_cold = timed(lambda: umap(x[:100], seed=0))
    sample = x[:SAMPLE]
    colds = [timed(lambda o=o: learn.UMAP(**o).fit_transform(sample))[1] for o in ({"random_state": 0}, {})]
    warm = [timed(lambda o=o: learn.UMAP(**o).fit_transform(sample))[1] for o in ({"random_state": 0}, {})]

    laid_out, project_s = timed(lambda: project(vectors))
    places, ours = timed(lambda: umap(x, seed=0))
    plain, plain_s = timed(lambda: learn.UMAP(random_state=0).fit_transform(x))
    _, unseeded_s = timed(lambda: learn.UMAP().fit_transform(x))
    return {
        "rows": len(pool),
        "distinct": laid_out.distinct,
        "components": x.shape[1],
        "tfidf_s": round(tfidf_s, 3),
        "vectors_s": round(picture.seconds["tfidf"], 3),
        "svd_s": round(picture.seconds["svd"], 2),
        "first_picture_s": round(first_picture_s, 2),
        "umap_s": round(ours, 2),
        "after_picture_s": round(project_s, 2),
        "plain_umap_s": round(plain_s, 2),
        "umap_ratio": round(plain_s / ours, 2),
        "plain_umap_unseeded_s": round(unseeded_s, 2),
        "umap_unseeded_ratio": round(unseeded_s / ours, 2),
        "compile_s": round(ours_cold, 2),
        "plain_compile_s": round(colds[0] - warm[0], 1),
        "plain_compile_unseeded_s": round(colds[1] - warm[1], 1),
        "kept": round(_kept(x, places, options.neighbours), 3),
        "plain_kept": round(_kept(x, plain, options.neighbours), 3),
    }


def _umap_learn() -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
        import umap as learn
    warnings.filterwarnings("ignore", module="umap")  # that a seed takes one core, and that a start failed
    return learn


def _kept(vectors: np.ndarray, places: np.ndarray, k: int) -> float:
    """Of the k nearest vectors of each of 2,000 responses, the share that is among the 100 nearest places."""
    asked = np.random.default_rng(0).choice(len(vectors), min(2000, len(vectors)), replace=False)
    near = np.argsort(-(vectors[asked] @ vectors.T), axis=1)[:, 1 : k + 1]
    xy = places.astype(np.float64)
    apart = ((xy[asked, None] - xy[near]) ** 2).sum(axis=2)
    # a place is among the 100 nearest where fewer than 100 others are nearer
    far = np.array([np.partition(((xy - xy[row]) ** 2).sum(axis=1), 100)[100] for row in asked])
    return float((apart <= far[:, None]).mean())
