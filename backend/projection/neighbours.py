"""Which vectors are nearest to which, and how much of a neighbour each is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit
from scipy import sparse

NEIGHBOURS = 15  # with the point itself
BLOCK = 512  # points compared with all others at once
CHUNK = 64  # of which a few are looked at together, as nearly none is near enough


def nearest(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each vector's `NEIGHBOURS` nearest, itself first: their rows (d, 15) int32 and distances (d, 15) float32.

    vectors : (d, k) float32.
    """
    points = len(vectors)
    rows = np.empty((points, NEIGHBOURS), dtype=np.int32)
    distances = np.empty((points, NEIGHBOURS), dtype=np.float32)
    half = (np.einsum("ij,ij->i", vectors, vectors) / 2).astype(np.float32)
    with _threads() as run:
        for begin in range(0, points, BLOCK):
            # the nearest have the largest x.y - |y|^2 / 2
            near = vectors[begin : begin + BLOCK] @ vectors.T
            run(_keep_nearest, len(near), near, half, vectors, begin, rows, distances)
    return rows, distances


def nearly_nearest(vectors: np.ndarray, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """As `nearest`, by NN-descent: it compiles for most of a minute first, and may miss a neighbour."""
    from pynndescent import NNDescent

    trees = min(64, 5 + round(len(vectors) ** 0.5 / 20))  # as umap-learn asks for them
    search = NNDescent(
        vectors,
        n_neighbors=NEIGHBOURS,
        metric="euclidean",
        n_trees=trees,
        n_iters=max(5, round(np.log2(len(vectors)))),
        max_candidates=60,
        random_state=seed,
        n_jobs=1,  # what a seed allows
        compressed=False,
    )
    rows, distances = search.neighbor_graph
    return rows.astype(np.int32), distances.astype(np.float32)


def neighbour_graph(rows: np.ndarray, distances: np.ndarray) -> sparse.csr_array:
    """How sure each point is of its neighbours, both directions united: (d, d) float64, symmetric, in (0, 1].

    A neighbour counts exp(-(distance - rho) / sigma): rho is the distance of the nearest other place, and sigma
    such that a point's neighbours count log2(NEIGHBOURS) together. Both memberships p, q become p + q - p q.
    """
    others = distances[:, 1:].astype(np.float64)
    apart = np.where(others > 0, others, np.inf).min(axis=1)
    rho = np.where(np.isfinite(apart), apart, 0.0)
    beyond = np.maximum(others - rho[:, None], 0.0)
    low, high = np.zeros(len(rows)), np.full(len(rows), np.inf)
    sigma = np.ones(len(rows))
    for _ in range(64):
        above = np.exp(-beyond / sigma[:, None]).sum(axis=1) > np.log2(NEIGHBOURS)
        high, low = np.where(above, sigma, high), np.where(above, low, sigma)
        # a sigma at its floor or without bound is caught below; it must not overflow on the way
        sigma = np.where(np.isfinite(high), (low + high) / 2, np.minimum(sigma * 2, 1e30))
        sigma = np.maximum(sigma, 1e-30)
    mean = np.where(rho > 0, distances.mean(axis=1), distances.mean())
    sigma = np.maximum(sigma, np.maximum(1e-3 * mean, 1e-30))
    member = np.exp(-beyond / sigma[:, None])
    points = len(rows)
    one_way = sparse.coo_array(
        (member.ravel(), (np.repeat(np.arange(points), NEIGHBOURS - 1), rows[:, 1:].ravel())),
        shape=(points, points),
    ).tocsr()
    other_way = one_way.T.tocsr()
    return sparse.csr_array(one_way + other_way - one_way.multiply(other_way))


@contextmanager
def _threads() -> Iterator[Callable[..., None]]:
    """run(kernel, n, *arguments) calls kernel(begin, end, *arguments) for parts of range(n), on all cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:

        def run(kernel: Callable[..., None], n: int, *arguments: Any) -> None:
            bounds = np.linspace(0, n, 4 * cores + 1).astype(int).tolist()
            for done in [pool.submit(kernel, a, b, *arguments) for a, b in pairwise(bounds)]:
                done.result()

        yield run


@njit(cache=True, nogil=True)
def _any_above(values: np.ndarray, offsets: np.ndarray, least: float) -> bool:
    """Whether any value - offset is above `least`; without a way out in between, so that it takes many at once."""
    found = 0
    for at in range(len(values)):
        found += values[at] - offsets[at] > least
    return found > 0


@njit(cache=True, nogil=True)
def _keep_nearest(
    begin: int,
    end: int,
    near: np.ndarray,
    half: np.ndarray,
    vectors: np.ndarray,
    first: int,
    rows: np.ndarray,
    distances: np.ndarray,
) -> None:
    """Of each line of `near`, the vectors with the largest value, by their distance."""
    k = rows.shape[1]
    best = np.empty(k, dtype=np.float32)
    for line in range(begin, end):
        row = first + line
        place = rows[row]
        best[0] = np.inf  # the point itself comes first, whatever lies where it does
        place[0] = row
        best[1:] = -np.inf
        place[1:] = 0
        least = best[k - 1]
        for chunk in range(0, near.shape[1], CHUNK):
            until = min(chunk + CHUNK, near.shape[1])
            if not _any_above(near[line, chunk:until], half[chunk:until], least):
                continue
            for other in range(chunk, until):
                value = near[line, other] - half[other]
                if value <= least or other == row:
                    continue
                at = k - 1
                while best[at - 1] < value:
                    best[at] = best[at - 1]
                    place[at] = place[at - 1]
                    at -= 1
                best[at] = value
                place[at] = other
                least = best[k - 1]
        for at in range(k):  # from the differences: a product of near vectors has lost the digits that count
            total = 0.0
            for c in range(vectors.shape[1]):
                difference = np.float64(vectors[row, c]) - np.float64(vectors[place[at], c])
                total += difference * difference
            distance = np.float32(np.sqrt(total))
            other = place[at]
            to = at
            while to > 1 and distances[row, to - 1] > distance:
                distances[row, to] = distances[row, to - 1]
                place[to] = place[to - 1]
                to -= 1
            distances[row, to] = distance
            place[to] = other
