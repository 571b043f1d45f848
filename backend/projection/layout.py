"""UMAP of vectors into the plane (McInnes, Healy and Melville, arXiv 1802.03426), for this one use of it.

The nearest neighbours are the exact ones, from blocks of a matrix product, so that nothing but the kernel below
is compiled, and that is kept on disk; umap-learn compiles its own search for a minute in every process. The
epochs are umap-learn's seeded ones, edge after edge, with the forces read from tables.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from scipy import sparse

from backend.projection.neighbours import nearest, nearly_nearest, neighbour_graph

MIN_DIST = 0.1
# 1 / (1 + A d^2B) is as near as can be to 1 up to MIN_DIST and to exp(MIN_DIST - d) beyond
A, B = 1.57694346, 0.89506088
REPULSIONS = 5  # for each attraction
EXTENT = 10.0  # largest coordinate at the start
MOST_EXACT = 100_000  # points; beyond, comparing all pairs takes longer than searching
# The forces are read from tables by squared distance, from 2^-40 to 2^24 in steps of 1 / 256 (powers are slow)
SHIFT = 15
LOWEST = (127 - 40) << (23 - SHIFT)
SLOTS = 64 << (23 - SHIFT)


def epochs(points: int) -> int:
    """UMAP's own default: the more points, the fewer epochs."""
    return 500 if points <= 10_000 else 200


def umap(vectors: np.ndarray, *, seed: int, exact_up_to: int = MOST_EXACT) -> np.ndarray:
    """(d, 2) float32, no unit: vectors that are near each other lie near each other.

    vectors : (d, k) float, more than `NEIGHBOURS` rows; the first two components are where the points start.
    exact_up_to : points up to which the neighbours are the exact ones; beyond, NN-descent finds nearly all.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    rows, distances = nearest(vectors) if len(vectors) <= exact_up_to else nearly_nearest(vectors, seed=seed)
    graph = neighbour_graph(rows, distances)
    rng = np.random.default_rng(seed)
    start = EXTENT * vectors[:, :2] / max(float(np.abs(vectors[:, :2]).max()), 1e-12)
    # a little noise: points at the very same place would never part
    xy = (start + rng.normal(scale=1e-4, size=start.shape)).astype(np.float32)
    return _arranged(graph, xy, epochs(len(vectors)), seed)


def _arranged(graph: sparse.csr_array, xy: np.ndarray, rounds: int, seed: int) -> np.ndarray:
    """Let neighbours attract and random others repel each other, `rounds` epochs long, ever less."""
    graph.data[graph.data < graph.data.max() / rounds] = 0  # drawn less than once in all
    graph.eliminate_zeros()
    every = graph.data.max() / graph.data  # epochs between two attractions
    due = every.copy()
    pulls, pushes = _forces()
    state = np.random.default_rng((seed, 1)).integers(1, 2**63)
    for n in range(rounds):
        state = _move(
            xy, graph.indptr, graph.indices, every, due, pulls, pushes, n, 1 - n / rounds, np.uint64(state)
        )
    return xy


@njit(cache=True, fastmath=True)
def _move(
    xy: np.ndarray,
    indptr: np.ndarray,
    indices: np.ndarray,
    every: np.ndarray,
    due: np.ndarray,
    pulls: np.ndarray,
    pushes: np.ndarray,
    n: int,
    rate: float,
    state: Any,
) -> Any:
    """Epoch n: every edge whose turn it is moves both of its ends; returns the random state after it."""
    points = np.uint64(len(xy))
    most = np.float32(4)  # as far as one force moves a point, at rate 1
    step = np.float32(rate)
    for point in range(len(xy)):
        x, y = xy[point, 0], xy[point, 1]
        for edge in range(indptr[point], indptr[point + 1]):
            if due[edge] > n:
                continue
            due[edge] += every[edge]
            other = indices[edge]
            dx, dy = x - xy[other, 0], y - xy[other, 1]
            pull = pulls[_slot(dx * dx + dy * dy)]
            move_x = step * min(max(pull * dx, -most), most)
            move_y = step * min(max(pull * dy, -most), most)
            x += move_x
            y += move_y
            xy[other, 0] -= move_x
            xy[other, 1] -= move_y
            for _ in range(REPULSIONS):
                state ^= state << np.uint64(13)  # xorshift64, of which the upper half picks a point
                state ^= state >> np.uint64(7)
                state ^= state << np.uint64(17)
                stranger = ((state >> np.uint64(32)) * points) >> np.uint64(32)
                if stranger == np.uint64(point):
                    continue
                dx, dy = x - xy[stranger, 0], y - xy[stranger, 1]
                push = pushes[_slot(dx * dx + dy * dy)]
                x += step * min(max(push * dx, -most), most)
                y += step * min(max(push * dy, -most), most)
        xy[point, 0], xy[point, 1] = x, y
    return state


def _forces() -> tuple[np.ndarray, np.ndarray]:
    """By `_slot` of the squared distance, float32: what its difference is multiplied by to attract, and to repel."""
    bits = ((np.arange(SLOTS, dtype=np.int64) + LOWEST) << SHIFT) + (1 << (SHIFT - 1))  # the middle of each
    square = bits.astype(np.int32).view(np.float32).astype(np.float64)
    power = square**B
    pulls = -2 * A * B * power / (square * (A * power + 1))
    pushes = 2 * B / ((0.001 + square) * (A * power + 1))
    return pulls.astype(np.float32), pushes.astype(np.float32)


@njit(cache=True)
def _slot(square: Any) -> Any:
    """A squared distance's place in the tables of `_forces`: its exponent and the first bits of its fraction."""
    return min(max((np.float32(square).view(np.int32) >> SHIFT) - LOWEST, 0), SLOTS - 1)
