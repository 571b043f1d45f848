"""What umap-learn is given, and what it makes of that."""

import sys

import fake_umap
import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from threadpoolctl import threadpool_limits

from backend.errors import Stopped
from backend.projection import umap_layout, umap_points
from backend.projection.umap_points import NEIGHBOURS, nearest


def blobs(points: int = 400, *, seed: int = 0) -> np.ndarray:
    """(points, 12) float32, rows of length 1 around eight centres, some at the very same place."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(8, 12))
    vectors = centres[rng.integers(0, 8, points)] + 0.3 * rng.normal(size=(points, 12))
    vectors[5:25] = vectors[5]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[fake_umap.UMAP]:
    monkeypatch.setitem(sys.modules, "umap", fake_umap)
    return fake_umap.UMAP


@pytest.mark.parametrize("points", [30, 100, 700])
def test_neighbours_are_the_nearest_with_each_itself_first(points: int) -> None:
    vectors = blobs(points, seed=points)
    rows, distances = nearest(vectors)
    x = vectors.astype(np.float64)
    plain = np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=2))
    np.testing.assert_array_equal(rows[:, 0], np.arange(points))
    assert all(len(set(line)) == NEIGHBOURS for line in rows.tolist())
    np.testing.assert_allclose(distances, np.take_along_axis(plain, rows, axis=1), atol=1e-6)
    np.testing.assert_allclose(distances, np.sort(plain, axis=1)[:, :NEIGHBOURS], atol=1e-6)


def test_what_umap_is_given(fake: type[fake_umap.UMAP]) -> None:
    vectors = blobs()
    umap_layout(vectors, seed=3)
    options = fake.asked.options
    assert (options["n_neighbors"], options["min_dist"], options["random_state"]) == (15, 0.1, 3)
    for given, own in zip(options["precomputed_knn"], nearest(vectors), strict=True):
        np.testing.assert_array_equal(given, own)
    start = options["init"]
    # from the first two components on, no two points at one place
    assert np.corrcoef(start[:, 0], vectors[:, 0])[0, 1] > 0.999
    assert len(np.unique(start, axis=0)) == len(vectors)
    umap_layout(vectors, seed=3)
    np.testing.assert_array_equal(fake.asked.options["init"], start)


def test_the_start_has_an_extent_where_the_vectors_have_none(fake: type[fake_umap.UMAP]) -> None:
    for vectors in (np.zeros((30, 4)), np.tile([1.0, 0.0, 0.0], (30, 1))):
        umap_layout(vectors, seed=0)
        assert (np.ptp(fake.asked.options["init"], axis=0) > 0).all()


def test_of_very_many_points_umap_finds_the_neighbours(
    fake: type[fake_umap.UMAP], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(umap_points, "MOST_EXACT", 100)
    umap_layout(blobs(101), seed=0)
    assert "precomputed_knn" not in fake.asked.options
    umap_layout(blobs(100), seed=0)
    assert "precomputed_knn" in fake.asked.options


def test_epochs_are_told_and_may_end_the_work(fake: type[fake_umap.UMAP]) -> None:
    told: list[tuple[int, int]] = []
    umap_layout(blobs(50), seed=0, on_epoch=lambda *epochs: told.append(epochs))
    assert told == [(0, 2), (1, 2), (2, 2)] and fake.asked.options["tqdm_kwds"]["disable"] is False
    umap_layout(blobs(50), seed=0)
    assert fake.asked.options["tqdm_kwds"]["disable"] is True


def test_neighbours_do_not_depend_on_the_number_of_threads() -> None:
    """Twenty vectors are one and the same, and fifteen of them are neighbours."""
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(nearest(blobs().astype(np.float32)))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


@pytest.mark.slow
def test_umap_itself() -> None:
    vectors = blobs()
    told: list[tuple[int, int]] = []
    places = umap_layout(vectors, seed=3, on_epoch=lambda *epochs: told.append(epochs))
    assert places.shape == (400, 2) and places.dtype == np.float32 and np.isfinite(places).all()
    assert told[0][1] == 500 and told[-1] == (500, 500)
    np.testing.assert_array_equal(umap_layout(vectors, seed=3), places)
    assert not np.array_equal(umap_layout(vectors, seed=4), places)
    # twenty vectors that are one and the same do not end in one point
    assert len(np.unique(places[5:25], axis=0)) == 20
    assert np.isfinite(umap_layout(np.zeros((NEIGHBOURS + 1, 4)), seed=0)).all()

    # at its start, the first two components, it is 0.905
    assert trustworthiness(vectors, places, n_neighbors=10) > 0.95

    def stop(done: int, total: int) -> None:
        raise Stopped("stop")

    with pytest.raises(Stopped):
        umap_layout(vectors, seed=0, on_epoch=stop)
