"""The map: where points are, which have none, and that it needs neither torch nor luck."""

import subprocess
import sys
from collections.abc import Iterator

import fake_umap
import numpy as np
import pytest

from backend.diversity import count_ngrams, prepare
from backend.errors import Stopped
from backend.projection import FEWEST, Projection, first_picture, project, response_vectors


def themed(n: int = 120) -> list[str]:
    """Texts on three themes, half of them about each one's own thing, with copies and two without a shared word."""
    rng = np.random.default_rng(0)
    themes = [[f"{theme}{k}" for k in range(12)] for theme in ("sea", "bread", "chess")]
    texts = [" ".join(rng.choice(themes[k % 3], 7)) for k in range(n)]
    texts[10] = texts[13] = texts[16] = texts[1]
    texts[20] = "nothing alike"
    texts[21] = texts[22] = "same pair"
    texts[23] = "?"
    return texts


@pytest.fixture(scope="module", autouse=True)
def quick_umap() -> Iterator[None]:
    """Every layout of these tests stays where it starts; `test_umap_itself` looks at the real ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "umap", fake_umap)
        yield


@pytest.fixture(scope="module")
def laid_out(quick_umap: None) -> Projection:
    return project(count_ngrams(themed()))


def test_umap_places_every_response_that_shares_an_ngram(laid_out: Projection) -> None:
    assert laid_out.method.startswith("umap (15 neighbours, min_dist 0.1, seed 0) of 50 SVD components")
    assert laid_out.xy.shape == (120, 2)
    assert laid_out.xy.dtype == np.float32
    # no n-gram in common with a different response: no place, and said so
    assert np.flatnonzero(~laid_out.has_vector).tolist() == [20, 21, 22, 23]
    np.testing.assert_array_equal(np.isfinite(laid_out.xy).all(axis=1), laid_out.has_vector)
    assert laid_out.distinct == 120 - 4 - 3
    assert set(laid_out.seconds) == {"tfidf", "svd", "umap"}


def test_copies_lie_around_one_place_each_seen(laid_out: Projection) -> None:
    places = laid_out.xy[[1, 10, 13, 16]]
    side = np.ptp(laid_out.xy[laid_out.has_vector], axis=0).max()
    away = np.linalg.norm(places - places[0], axis=1)
    assert (away[1:] > 0).all()
    assert (away < 0.01 * side).all()
    assert len(np.unique(places, axis=0)) == 4


def test_the_same_seed_gives_the_same_map(laid_out: Projection) -> None:
    np.testing.assert_array_equal(project(prepare(count_ngrams(themed()))).xy, laid_out.xy)
    assert not np.array_equal(project(count_ngrams(themed()), seed=1).xy, laid_out.xy, equal_nan=True)


def test_the_first_picture_is_the_svd() -> None:
    stages: list[str] = []
    picture = first_picture(count_ngrams(themed()), on_stage=stages.append)
    assert stages == ["tfidf", "svd"]
    assert picture.method.startswith("svd: 50 SVD components of TF-IDF of ")
    assert np.isfinite(picture.xy[picture.has_vector]).all()


def test_small_pools_fall_back_and_say_so() -> None:
    for texts, distinct in (
        ([], 0),
        (["alone here"], 0),
        (["red apple", "red pear"], 1),  # without what only one has, both are "red"
        (themed()[24:39], 15),
    ):
        small = project(count_ngrams(texts))
        assert small.distinct == distinct < FEWEST
        assert small.method.startswith(f"svd, not umap: {distinct} different responses share an n-gram")
        assert np.isfinite(small.xy[small.has_vector]).all()
        assert small.xy.shape == (len(texts), 2)


def test_fewer_terms_than_components() -> None:
    words = ["red", "blue", "green", "grey", "pink"]
    texts = [f"{a} {b} {k}{k}" for k in range(3) for a in words for b in words]
    few = project(count_ngrams(texts))
    assert few.method.startswith("umap")
    assert np.isfinite(few.xy).all()
    one = project(count_ngrams([f"red u{k}x" for k in range(30)]))  # all of them share one word and no more
    assert one.distinct == 1
    assert np.isfinite(one.xy).all()


def test_a_stage_can_end_the_work() -> None:
    def stop(stage: str) -> None:
        if stage == "umap":
            raise Stopped("stop")

    with pytest.raises(Stopped):
        project(count_ngrams(themed()), on_stage=stop)


def test_the_vectors_are_made_once_for_both() -> None:
    vectors = response_vectors(count_ngrams(themed()))
    stages: list[tuple[object, ...]] = []
    again = project(vectors, on_stage=lambda *stage: stages.append(stage))
    assert stages == [("umap",), ("umap", 0, 2), ("umap", 1, 2), ("umap", 2, 2)]
    assert set(again.seconds) == {"tfidf", "svd", "umap"}
    np.testing.assert_array_equal(again.xy, project(count_ngrams(themed())).xy)
    np.testing.assert_array_equal(first_picture(vectors).xy, first_picture(count_ngrams(themed())).xy)


def test_neither_deep_learning_nor_umap_comes_along() -> None:
    """Not before a layout is made: the app and most commands never make one."""
    code = (
        "import sys, backend.projection, backend.selection; backend.selection.warm_up()\n"
        "print(sorted({name.split('.')[0] for name in sys.modules}"
        " & {'torch', 'tensorflow', 'keras', 'transformers', 'umap', 'pynndescent'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
