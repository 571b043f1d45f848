"""UMAP against its definition and against umap-learn: neighbours, graph, forces, epochs, the whole."""

import warnings
from types import ModuleType

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from backend.projection import layout, umap
from backend.projection.neighbours import NEIGHBOURS, nearest, nearly_nearest, neighbour_graph


def blobs(points: int = 400, *, seed: int = 0) -> np.ndarray:
    """(points, 12) float32, rows of length 1 around eight centres, some at the very same place."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(8, 12))
    vectors = centres[rng.integers(0, 8, points)] + 0.3 * rng.normal(size=(points, 12))
    vectors[5:25] = vectors[5]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


def all_distances(vectors: np.ndarray) -> np.ndarray:
    x = vectors.astype(np.float64)
    return np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=2))


@pytest.mark.parametrize("points", [16, 100, 700, 1100])
def test_neighbours_are_the_nearest(points: int) -> None:
    vectors = blobs(points, seed=points)
    rows, distances = nearest(vectors)
    plain = all_distances(vectors)
    np.testing.assert_array_equal(rows[:, 0], np.arange(points))
    assert all(len(set(line)) == NEIGHBOURS for line in rows.tolist())
    np.testing.assert_allclose(distances, np.take_along_axis(plain, rows, axis=1), rtol=1e-6)
    assert (np.diff(distances, axis=1) >= 0).all()
    np.testing.assert_allclose(distances, np.sort(plain, axis=1)[:, :NEIGHBOURS], atol=1e-5)


@pytest.mark.parametrize("seed", [0, 1])
def test_an_epoch_is_what_the_definition_says(seed: int) -> None:
    """Every edge whose turn it is pulls both ends together and pushes its first end off five others."""
    vectors = blobs(60, seed=seed)
    graph = neighbour_graph(*nearest(vectors))
    # nowhere close together: there a force changes faster than its table's steps
    grid = np.random.default_rng(seed).permutation(64)[:60]
    start = np.column_stack([grid // 8, grid % 8]).astype(np.float32)
    every = graph.data.max() / graph.data
    fast, plain = start.copy(), start.astype(np.float64)
    due, plain_due = every.copy(), every.copy()
    state = plain_state = 88172645463325252
    for n in range(3):
        rate = 0.05
        state = layout._move(
            fast, graph.indptr, graph.indices, every, due, *layout._forces(), n, rate, np.uint64(state)
        )
        plain_state = plain_epoch(plain, graph, every, plain_due, n, rate, plain_state)
    assert state == plain_state
    np.testing.assert_array_equal(due, plain_due)
    assert np.abs(plain - start).max() > 0.1
    np.testing.assert_allclose(fast, plain, atol=0.02)


def plain_epoch(xy, graph, every, due, n, rate, state):  # type: ignore[no-untyped-def]
    """An epoch of UMAP's stochastic descent with the same random numbers, from its formulas."""
    a, b = layout.A, layout.B
    for point in range(len(xy)):
        for edge in range(graph.indptr[point], graph.indptr[point + 1]):
            if due[edge] > n:
                continue
            due[edge] += every[edge]
            other = graph.indices[edge]
            apart = xy[point] - xy[other]
            square = apart @ apart
            if square > 0:
                pull = -2 * a * b * square ** (b - 1) / (1 + a * square**b)
                move = rate * np.clip(pull * apart, -4, 4)
                xy[point] += move
                xy[other] -= move
            for _ in range(5):
                state = (state ^ (state << 13)) % 2**64
                state ^= state >> 7
                state = (state ^ (state << 17)) % 2**64
                other = ((state >> 32) * len(xy)) >> 32
                apart = xy[point] - xy[other]
                square = apart @ apart
                if square > 0:
                    push = 2 * b / ((0.001 + square) * (1 + a * square**b))
                    xy[point] += rate * np.clip(push * apart, -4, 4)
    return state


def test_the_same_seed_gives_the_same_places() -> None:
    vectors = blobs()
    places = umap(vectors, seed=3)
    assert places.shape == (400, 2) and places.dtype == np.float32 and np.isfinite(places).all()
    np.testing.assert_array_equal(umap(vectors, seed=3), places)
    assert not np.array_equal(umap(vectors, seed=4), places)
    # twenty vectors that are one and the same do not end in one point
    assert len(np.unique(places[5:25], axis=0)) == 20


def test_vectors_without_any_extent() -> None:
    assert np.isfinite(umap(np.zeros((30, 4)), seed=0)).all()


@pytest.fixture(scope="module")
def umap_learn() -> ModuleType:
    with warnings.catch_warnings():
        # the variant of UMAP that wants Tensorflow is not ours
        warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
        import umap.umap_
    return umap.umap_


@pytest.mark.slow
def test_the_graph_is_umap_learns(umap_learn: ModuleType) -> None:
    assert umap_learn.find_ab_params(1.0, layout.MIN_DIST) == pytest.approx((layout.A, layout.B), rel=1e-7)
    vectors = blobs()
    rows, distances = nearest(vectors)
    ours = neighbour_graph(rows, distances)
    theirs, _, _ = umap_learn.fuzzy_simplicial_set(
        vectors, NEIGHBOURS, None, "euclidean", knn_indices=rows, knn_dists=distances
    )
    np.testing.assert_allclose(ours.toarray(), theirs.toarray(), atol=1e-4)


@pytest.mark.slow
def test_neighbourhoods_are_kept_as_well_as_by_umap_learn(umap_learn: ModuleType) -> None:
    vectors = blobs()
    theirs = umap_learn.UMAP(random_state=0, n_jobs=1).fit_transform(vectors)
    for places in (umap(vectors, seed=0), umap(vectors, seed=0, exact_up_to=100)):
        kept = trustworthiness(vectors, places, n_neighbors=10)
        assert kept > trustworthiness(vectors, theirs, n_neighbors=10) - 0.02


@pytest.mark.slow
def test_searching_finds_nearly_all_neighbours() -> None:
    vectors = blobs(1000)
    rows, distances = nearest(vectors)
    found, apart = nearly_nearest(vectors, seed=0)
    assert found.shape == rows.shape
    np.testing.assert_allclose(apart, distances, atol=0.05)
    shared = [len(set(a) & set(b)) for a, b in zip(rows[30:].tolist(), found[30:].tolist(), strict=True)]
    assert np.mean(shared) > 0.95 * NEIGHBOURS
