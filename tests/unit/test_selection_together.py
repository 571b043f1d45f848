"""The search that looks at copies together makes the picks of the one that looks at each candidate, bit for bit."""

import numpy as np
import pytest
from plain_twins import random_texts

from backend.diversity import count_ngrams, initial_diversity, prepare
from backend.selection import greedy
from backend.selection.alike import alike
from backend.selection.bulk_greedy import pick_alike
from backend.selection.earlier import first_weights, weights_after
from backend.selection.greedy import pick_each
from backend.selection.quotas import Quotas

NOBODY = np.empty(0, dtype=np.int64)


@pytest.mark.parametrize("seed", range(80))
def test_both_searches_agree_to_the_last_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 120))
    texts = random_texts(rng, n, words=int(rng.integers(1, 20)), copies=rng.choice([0.3, 0.8, 0.95]))
    tfidf = prepare(count_ngrams(texts))
    # few different factors make ties, tiny differences make keys that are rounded to the same
    factor = rng.integers(0, 6, n) / 5 if seed % 2 else 0.5 + rng.integers(0, 4, n) * 2e-14
    first = rng.permutation(n)[: rng.integers(0, 3)].astype(np.int64)
    factor[first[:1]] = np.nan  # a pinned sample need not be scored
    then = rng.permutation(n).astype(np.int64) if seed % 3 else NOBODY
    decay = float(rng.choice([0.0, 0.1, 0.5, 0.9, 1.0]))
    power = float(rng.choice([0.5, 1.0, 2.0]))
    budget = n if seed % 4 else int(rng.integers(len(first), n + 1))
    times = rng.integers(0, 3, n) if seed % 5 else np.zeros(n, dtype=np.int64)
    start = weights_after(tfidf, times, decay)  # earlier epochs may have covered something
    arguments = (tfidf, factor, power, decay, max(budget, len(first)), first, then, start)
    for one, other in zip(pick_each(*arguments), pick_alike(*arguments)):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("seed", range(40))
def test_both_searches_agree_where_shares_are_bounded(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 100))
    tfidf = prepare(count_ngrams(random_texts(rng, n, words=8, copies=0.8)))
    factor = rng.integers(0, 6, n) / 5
    source = rng.integers(0, 3, n).astype(np.int64)
    first = rng.permutation(n)[: rng.integers(0, 3)].astype(np.int64)
    then = rng.permutation(n).astype(np.int64) if seed % 3 else NOBODY
    budget = int(rng.integers(len(first), n + 1))
    room = rng.integers(0, n, 3)
    need = np.minimum(rng.integers(0, 5, 3), room)
    quotas = Quotas(need, room, max(budget - len(first) - int(need.sum()), 0))
    arguments = (tfidf, factor, 1.0, 0.5, budget, first, then, first_weights(tfidf), quotas, source)
    for one, other in zip(pick_each(*arguments), pick_alike(*arguments)):
        np.testing.assert_array_equal(one, other)


def test_keys_that_are_rounded_to_the_same_go_by_row() -> None:
    """The second of four copies has the largest factor, by less than what counts."""
    texts = ["red apple"] * 4 + ["blue plum"]
    factor = np.array([0.5, 0.5 + 1e-14, 0.4, 0.5, 0.1])
    tfidf = prepare(count_ngrams(texts))
    start = first_weights(tfidf)
    index, _, _ = pick_alike(tfidf, factor, 1.0, 0.5, 5, NOBODY, NOBODY, start)
    assert index.tolist()[:3] == [0, 1, 3]
    index, _, _ = pick_alike(tfidf, factor + np.arange(5), 1.0, 1.0, 5, NOBODY, NOBODY, start)
    assert index.tolist() == [4, 3, 2, 1, 0]


def test_who_is_alike() -> None:
    texts = ["red apple", "Red apple!", "apple red", "", "own word", "other thing", "red apple red apple", ""]
    tfidf = prepare(count_ngrams(texts))
    number = alike(tfidf, tfidf.solo)
    assert number[0] == number[1] != number[2]
    assert number[3] == number[7]  # no word at all
    assert (
        number[4] == number[5]
    )  # nothing that anybody else has: whatever is picked, both keep what they have
    assert len({int(number[k]) for k in (0, 2, 3, 4, 6)}) == 5
    diversity = initial_diversity(tfidf)
    for a in range(len(texts)):
        assert all(diversity[a] == diversity[b] for b in np.flatnonzero(number == number[a]))


def test_a_large_budget_is_searched_with_copies_together(monkeypatch: pytest.MonkeyPatch) -> None:
    used = []
    for name in ("pick_each", "pick_alike"):
        search = getattr(greedy, name)
        monkeypatch.setattr(
            greedy, name, lambda *a, name=name, search=search: used.append(name) or search(*a)
        )
    tfidf = prepare(count_ngrams(["red apple", "blue plum", "green pear", "grey fig", "red fig", "blue fig"]))
    for budget in (1, 2, 3, 6):
        greedy.greedy_picks(
            tfidf, np.ones(6), power=1, decay=0.1, budget=budget, first=NOBODY, then=lambda: np.arange(6)
        )
    assert used == ["pick_each", "pick_each", "pick_alike", "pick_alike"]
