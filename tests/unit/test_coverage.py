"""Vocabulary covered, neighbours and percentiles, against scikit-learn, SciPy and plain loops."""

import re

import numpy as np
import pytest
from plain_twins import plain_tfidf, random_texts, shared_json
from scipy.stats import percentileofscore

from backend import analysis
from backend.diversity import count_ngrams


def plain_share(texts: list[str], rows: list[int]) -> float:
    matrix, names = plain_tfidf(texts)
    mass = np.asarray(matrix.sum(axis=0)).ravel() if names else np.empty(0)
    met = np.zeros(len(names), dtype=bool)
    for row in rows:
        met[matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]] = True
    return mass[met].sum() / mass.sum()


@pytest.mark.parametrize("seed", range(20))
def test_vocabulary_covered_agrees_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 60))
    texts = ["two words of its own", *random_texts(rng, n, words=int(rng.integers(2, 60)), copies=0.2)]
    vocabulary = analysis.vocabulary(count_ngrams(texts))
    rows = rng.permutation(len(texts))[: rng.integers(1, len(texts) + 1)]
    expected = [plain_share(texts, rows[:k].tolist()) for k in range(1, len(rows) + 1)]
    np.testing.assert_allclose(analysis.covered_curve(vocabulary, rows), expected, rtol=1e-12)
    assert analysis.covered_share(vocabulary, rows) == pytest.approx(expected[-1], rel=1e-12)


def test_vocabulary_covered_of_the_small_pool() -> None:
    texts = [row["output"] for row in shared_json("data/pool_small.json")]
    vocabulary = analysis.vocabulary(count_ngrams(texts))
    matrix, _ = plain_tfidf(texts)
    assert vocabulary.total == pytest.approx(matrix.sum(), rel=1e-12)
    rows = np.arange(0, len(texts), 7)
    assert analysis.covered_share(vocabulary, rows) == pytest.approx(plain_share(texts, rows.tolist()))


def test_vocabulary_covered_at_its_ends() -> None:
    vocabulary = analysis.vocabulary(count_ngrams(["red apple", "blue plum", ""]))
    assert analysis.covered_share(vocabulary, np.empty(0, dtype=np.int64)) == 0
    assert analysis.covered_share(vocabulary, np.array([2])) == 0
    assert analysis.covered_share(vocabulary, np.array([0])) == pytest.approx(0.5)
    assert analysis.covered_share(vocabulary, np.array([0, 0])) == pytest.approx(0.5)  # twice is not more
    assert analysis.covered_share(vocabulary, np.arange(3)) == 1
    nothing = analysis.vocabulary(count_ngrams(["", "?"]))
    assert np.isnan(analysis.covered_share(nothing, np.array([0])))
    assert np.isnan(analysis.covered_curve(nothing, np.array([0, 1]))).all()


@pytest.mark.parametrize("seed", range(15))
def test_neighbours_agree_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = random_texts(rng, 50, words=15, copies=0.4)
    matrix, _ = plain_tfidf(texts)
    cosine = (matrix @ matrix.T).toarray()
    vocabulary = analysis.vocabulary(count_ngrams(texts))
    for row in range(0, 50, 7):
        found = analysis.neighbours(vocabulary, row, k=6)
        others = [other for other in range(50) if other != row and cosine[row, other] > 0]
        # each distinct response once, at its first row; what differs in what is no word is not distinct
        words = [tuple(re.findall(r"\b\w\w+\b", text.lower())) for text in texts]
        copies: dict[tuple[str, ...], list[int]] = {}
        for other in others:
            copies.setdefault(words[other], []).append(other)
        nearest = sorted((-round(cosine[row, rows[0]], 9), rows[0]) for rows in copies.values())[:6]
        np.testing.assert_allclose(
            [near.cosine for near in found], [-value for value, _ in nearest], atol=1e-8
        )
        for near in found:
            assert near.cosine == pytest.approx(cosine[row, near.row], rel=1e-9)
            assert [near.row, near.copies] == [copies[words[near.row]][0], len(copies[words[near.row]]) - 1]


def test_its_own_copies_are_one_neighbour() -> None:
    texts = ["red apple", "blue plum", "red apple", "red apple", "red pear"]
    found = analysis.neighbours(analysis.vocabulary(count_ngrams(texts)), 2)
    assert [(near.row, near.copies) for near in found] == [(0, 1), (4, 0)]
    assert found[0].cosine == pytest.approx(1)


def test_a_response_without_shared_words_has_no_neighbours() -> None:
    vocabulary = analysis.vocabulary(count_ngrams(["red apple", "blue plum", ""]))
    assert analysis.neighbours(vocabulary, 0) == analysis.neighbours(vocabulary, 2) == []
    assert analysis.neighbours(vocabulary, 0, k=0) == []


def test_percentile_counts_equal_values_half() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 20, 200).astype(np.float32)
    values[::9] = np.nan
    known = values[np.isfinite(values)]
    for row in range(1, 9):
        expected = percentileofscore(known, values[row], kind="mean") / 100
        assert analysis.percentile(values, row) == pytest.approx(expected)
    assert np.isnan(analysis.percentile(values, 0))
    assert analysis.percentile(np.array([3, 1, 2]), 0) == pytest.approx(2.5 / 3)
