"""Clusters of a map: areas that can be seen, named by what sets them apart."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from backend.diversity import count_ngrams, term_texts
from backend.diversity.area_terms import class_tfidf
from backend.projection import Clusters, clusters
from backend.projection.clusters import FEWEST, MOST, REACH

THEMES = ["sea", "bread", "chess", "stars", "trains", "paint", "bees", "snow", "drums", "wool"]


def crowds(each: int = 30, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """Places and texts of ten themes around ten places on a circle; the first theme has more."""
    rng = np.random.default_rng(seed)
    xy, texts = [], []
    for k, theme in enumerate(THEMES):
        angle = 2 * np.pi * k / len(THEMES)
        for i in range(each + (20 if k == 0 else 0)):
            xy.append(10 * np.array([np.cos(angle), np.sin(angle)]) + rng.normal(scale=0.3, size=2))
            texts.append(f"the {theme} and the {theme} house of {theme} number {i} it is what it is")
    return np.array(xy, dtype=np.float32), texts


@pytest.fixture(scope="module")
def found() -> Clusters:
    xy, texts = crowds()
    xy[5] = np.nan  # no place
    xy[6] = [0, 0]  # far from everybody
    return clusters(xy, count_ngrams(texts))


def test_each_crowd_is_a_cluster_the_largest_first(found: Clusters) -> None:
    assert found.codes.dtype == np.int16 and len(found.labels) == len(THEMES)
    assert found.codes[5] == found.codes[6] == -1
    sizes = np.bincount(found.codes[found.codes >= 0])
    assert sizes[0] == 48 and (np.diff(sizes) <= 0).all()
    theme = np.repeat(np.arange(10), [50, *[30] * 9])
    for code in range(10):
        assert len(set(theme[found.codes == code])) == 1


def test_labels_name_the_themes_and_nothing_that_all_share(found: Clusters) -> None:
    assert found.labels[0].startswith("sea")
    assert len(set(found.labels)) == 10
    for label, terms in zip(found.labels, found.terms, strict=True):
        words = label.replace(",", "").split()
        assert sum(theme in words for theme in THEMES) == 1
        assert not {"the", "it", "is", "number"} & set(words)
        weights = [weight for _, weight in terms]
        assert weights == sorted(weights, reverse=True) and len(terms) <= 8
        # no word twice: a term that repeats another one says nothing
        spoken = [word for term, _ in terms for word in term.split()]
        assert len([w for w in spoken if w in THEMES]) <= 2
    assert "HDBSCAN" in found.method and "TF-IDF" in found.method


def test_a_label_stands_on_a_point_of_its_cluster(found: Clusters) -> None:
    xy, _ = crowds()
    for code, place in enumerate(found.xy):
        own = xy[found.codes == code]
        assert (own == place).all(axis=1).any()
        assert np.linalg.norm(place - np.median(own, axis=0)) < 0.3


def test_the_same_every_time(found: Clusters) -> None:
    xy, texts = crowds()
    xy[5], xy[6] = np.nan, [0, 0]
    again = clusters(xy, count_ngrams(texts))
    assert np.array_equal(again.codes, found.codes) and again.labels == found.labels


def test_weights_are_the_papers() -> None:
    texts = ["red fox red", "red hen", "blue fox", "blue hen blue sky", "grey", "blue fox"]
    codes = np.array([0, 0, 1, 1, -1, 1])
    counts = count_ngrams(texts)
    made = class_tfidf(codes, 2, counts)
    terms = term_texts(counts, counts.terms)

    def ngrams(text: str) -> list[str]:
        words = text.split()
        return [" ".join(words[i : i + k]) for k in (1, 2, 3) for i in range(len(words) - k + 1)]

    of = [Counter(g for t, c in zip(texts, codes) if c == k for g in ngrams(t)) for k in (0, 1)]
    mean = (of[0].total() + of[1].total()) / 2
    for k in (0, 1):
        for column, term in enumerate(terms):
            times, other = of[k][term], of[1 - k][term]
            share = times / of[k].total()
            weight = share * math.log(1 + mean / (times + other)) if times else 0.0
            assert made.weight[k, column] == pytest.approx(weight)
            lift = share / ((other + 1) / (of[1 - k].total() + 1))
            assert made.lift[k, column] == pytest.approx(lift)
            holding = sum(term in ngrams(t) for t, c in zip(texts, codes) if c == k) / sum(codes == k)
            assert made.spread[k, column] == pytest.approx(holding)
    assert made.weight.nnz > 5


def test_many_small_crowds_are_joined_or_left_out_until_they_can_be_read() -> None:
    rng = np.random.default_rng(1)
    places = rng.uniform(-50, 50, (120, 2))
    xy = np.repeat(places, 12, axis=0) + rng.normal(scale=0.1, size=(1440, 2))
    texts = [f"word{i // 12} here now" for i in range(1440)]
    found = clusters(xy, count_ngrams(texts))
    assert FEWEST <= len(found.labels) <= MOST


def test_one_even_cloud_is_cut_into_parts() -> None:
    xy = np.stack(np.meshgrid(*[np.linspace(0, 1, 20)] * 2), -1).reshape(-1, 2)
    found = clusters(xy, count_ngrams(["yes" if x < 0.5 else "no" for x, _ in xy]))
    assert len(found.labels) == FEWEST and (found.codes >= 0).all()
    assert "k-means" in found.method
    assert len(set(found.labels)) == FEWEST  # though there are two words


def test_a_large_map_is_grouped_as_a_part_of_it_is() -> None:
    xy, texts = crowds(each=3000)
    found = clusters(xy, count_ngrams(texts))
    theme = np.repeat(np.arange(10), [3020, *[3000] * 9])
    placed = found.codes >= 0
    assert len(found.labels) == 10 and placed.mean() > 0.99
    assert all(len(set(theme[found.codes == code])) == 1 for code in range(10))
    side = np.ptp(xy, axis=0).max()
    for code in range(10):  # who is in none is far from those who are
        away = np.linalg.norm(xy[~placed][:, None] - xy[found.codes == code][None, ::50], axis=2)
        assert not len(away) or away.min() > REACH * side / 2


@pytest.mark.parametrize("n", [0, 1, 79])
def test_too_few_points_have_no_clusters_and_it_is_said(n: int) -> None:
    found = clusters(np.zeros((n, 2)), count_ngrams(["some words here"] * n))
    assert found.labels == [] and found.xy.shape == (0, 2) and (found.codes == -1).all()
    assert found.method.startswith(f"none: {n} points")


def test_points_at_one_place_and_texts_without_words() -> None:
    found = clusters(np.zeros((90, 2)), count_ngrams(["?"] * 90))
    assert (found.codes == 0).all() and len(found.labels) == 1


def test_places_and_texts_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="3 places for 2 responses"):
        clusters(np.zeros((3, 2)), count_ngrams(["a b", "c d"]))
