"""Selections: the authors' own, the plain twin's on random pools, and what each strategy promises."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from plain_twins import plain_greedy, random_texts, scored, shared_json

from backend.config import STRATEGY_HELP, SelectionSettings
from backend.diversity import count_ngrams, prepare
from backend.errors import ConfigError
from backend.records import Scores, Selection, Status
from backend.selection import candidates, greedy_picks, rank_for_next_epoch, select, ties_as_equal, top_rows

SUFFIX = "<|im_end|>"  # the authors' text of a response ends with what closes the turn


def chosen(
    texts: list[str],
    scores: Scores,
    *,
    budget: int,
    sources: list[str] | None = None,
    suffix: str = "",
    settings: dict[str, Any] | None = None,
    **more: Any,
) -> Selection:
    """A selection from texts; ids are "0", "1", ..."""
    names = sources or ["pool"] * len(texts)
    known = tuple(sorted(set(names)))
    return select(
        count_ngrams(texts, suffix=suffix),
        scores,
        SelectionSettings(**(settings or {})),
        budget=budget,
        ids=np.array([str(row) for row in range(len(texts))], dtype=object),
        source_codes=np.array([known.index(name) for name in names], dtype=np.int32),
        sources=known,
        **more,
    )


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    return shared_json("golden/selection.json")


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [row["output"] for row in shared_json("data/pool_small.json")]


def golden_scores(golden: dict[str, Any], n: int) -> Scores:
    complexity = np.full(n, np.nan)
    complexity[golden["candidates"]] = golden["score"]
    return scored(complexity)


@pytest.mark.parametrize("case", range(5))
def test_the_authors_selections(golden: dict[str, Any], texts: list[str], case: int) -> None:
    expected = golden["cases"][case]
    strategy = {"BOTH": "iterit", "IFD": "complexity"}[expected["score_type"]]
    selection = chosen(
        texts,
        golden_scores(golden, len(texts)),
        budget=expected["budget"],
        suffix=SUFFIX,
        settings={"strategy": strategy, "decay": expected["decay"]},
    )
    assert selection.rows.tolist() == expected["selected"]


def test_the_authors_sequence(golden: dict[str, Any], texts: list[str]) -> None:
    """Three epochs: the rows to score anew, in their order, and the picks."""
    settings = SelectionSettings(ranking="authors", decay=0.1)
    scores = golden_scores(golden, len(texts))
    rows = order = None
    for epoch in golden["sequence"]:
        if epoch["epoch"]:
            rows = top_rows(order, update_ratio=3, budget=75)
            assert rows.tolist() == [int(row) for row in epoch["rescored"]]
            scores = dataclasses.replace(scores, complexity=scores.complexity.copy())
            scores.complexity[rows] = list(epoch["rescored"].values())
        selection = chosen(
            texts, scores, budget=75, suffix=SUFFIX, rows=rows, epoch=epoch["epoch"],
            settings=dataclasses.asdict(settings),
        )  # fmt: skip
        assert selection.rows.tolist() == epoch["selected"]
        order = rank_for_next_epoch(selection, scores, settings=settings, previous_order=order)


@pytest.mark.parametrize("decay", [0.0, 0.1, 0.5, 1.0])
def test_agrees_with_the_full_search_on_the_small_pool(
    golden: dict[str, Any], texts: list[str], decay: float
) -> None:
    scores = golden_scores(golden, len(texts))
    rows = np.flatnonzero(scores.complexity < 1)
    complexity = scores.complexity[rows].astype(float)
    picks, gains, terms = plain_greedy(
        [texts[row] for row in rows], complexity, complexity, decay=decay, budget=200
    )
    ours = chosen(texts, scores, budget=200, settings={"decay": decay})
    assert ours.rows.tolist() == rows[picks].tolist()
    np.testing.assert_allclose(ours.gain, gains, rtol=1e-12)
    np.testing.assert_allclose(ours.diversity * complexity[picks], gains, rtol=1e-12)
    for k, earned in enumerate(terms):
        same_terms(ours, k, earned)


def same_terms(ours: Selection, k: int, earned: list[tuple[str, float]]) -> None:
    """Pick k shows the five largest contributions; which of equal ones is open, what each contributed is not."""
    contribution = dict(earned)
    expected = [part for _, part in earned if np.float32(part) > 0][:5]
    shown = [text for text in ours.terms[k] if text]
    assert len(shown) == len(set(shown)) == len(expected)
    np.testing.assert_allclose(ours.parts[k][: len(expected)], expected, rtol=1e-6, atol=1e-38)
    np.testing.assert_allclose([contribution[text] for text in shown], expected, rtol=1e-6, atol=1e-38)
    assert not ours.parts[k][len(expected) :].any()


@pytest.mark.parametrize("seed", range(60))
def test_agrees_with_the_full_search_on_random_pools(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 80))
    texts = random_texts(rng, n, words=int(rng.integers(2, 30)), copies=rng.choice([0.0, 0.3, 0.8]))
    # few different complexities make ties; zeros make gains of 0
    complexity = (rng.integers(0, 8, n) / 5) if seed % 2 else rng.random(n) * 1.2
    complexity = complexity.astype(np.float32).astype(float)
    complexity[0] = 0.5
    decay = float(rng.choice([0.0, 0.1, 0.5, 1.0]))
    a, b = float(rng.choice([0.0, 0.5, 1.0, 2.0])), float(rng.choice([0.5, 1.0, 2.0]))
    sources = rng.choice(["one", "two", "three"], n).tolist()
    weights = {name: float(rng.choice([0.0, 0.5, 1.0, 3.0])) for name in set(sources) - {sources[0]}}
    weight = np.array([weights.get(name, 1.0) for name in sources])
    rows = np.flatnonzero((complexity < 1) & (weight > 0))
    first = tuple(np.flatnonzero(rng.random(len(rows)) < 0.05).tolist())
    budget = max(int(rng.integers(1, n + 5)), len(first))

    picks, gains, terms = plain_greedy(
        [texts[row] for row in rows],
        complexity[rows] ** a * weight[rows],
        complexity[rows],
        power=b,
        decay=decay,
        budget=budget,
        first=first,
    )
    ours = chosen(
        texts,
        scored(complexity),
        budget=budget,
        sources=sources,
        settings={
            "decay": decay,
            "complexity_weight": a,
            "diversity_weight": b,
            "source_weights": weights,
            "pinned": tuple(str(rows[k]) for k in first),
        },
    )
    assert ours.rows.tolist() == rows[picks].tolist()
    np.testing.assert_allclose(ours.gain, gains, rtol=1e-11, atol=1e-300)
    for k, earned in enumerate(terms):
        same_terms(ours, k, earned)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_diversity_alone_agrees_with_the_full_search(texts: list[str], decay: float) -> None:
    """The ceiling does not apply and nothing was scored; responses that occur many times tie."""
    picks, _, _ = plain_greedy(texts, np.ones(len(texts)), np.zeros(len(texts)), decay=decay, budget=150)
    scores = Scores.unknown(len(texts), np.ones(len(texts), dtype=np.int32))
    ours = chosen(texts, scores, budget=150, settings={"strategy": "diversity", "decay": decay})
    assert ours.rows.tolist() == picks


def test_when_every_gain_is_0_complexity_decides_and_nothing_repeats() -> None:
    texts = ["red apple"] * 4 + ["?"] * 2
    complexity = np.array([0.2, 0.6, 0.4, 0.6, 0.9, 0.1])
    ours = chosen(texts, scored(complexity), budget=6, settings={"decay": 0.0})
    assert ours.rows.tolist() == [1, 4, 3, 2, 0, 5]
    assert ours.gain[0] > 0
    assert not ours.gain[1:].any()
    assert ours.terms[0].tolist() == ["red", "apple", "red apple", "", ""]
    assert not ours.terms[1:].any()
    # diversity alone knows no complexity: by row
    by_row = chosen(texts, scored(complexity), budget=6, settings={"decay": 0.0, "strategy": "diversity"})
    assert by_row.rows.tolist() == [0, 1, 2, 3, 4, 5]


def test_sums_in_another_order_still_tie() -> None:
    gain = 0.1 + 0.2 + 0.3
    other = 0.3 + 0.2 + 0.1
    assert gain != other
    assert ties_as_equal(np.array(gain)) == ties_as_equal(np.array(other))
    assert ties_as_equal(np.array(gain)) != ties_as_equal(np.array(gain * (1 + 1e-11)))


def test_a_prepared_tfidf_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    texts = random_texts(rng, 60)
    scores = scored(rng.random(60).astype(np.float32))
    counts = count_ngrams(texts)
    context: dict[str, Any] = {
        "ids": np.arange(60).astype(str).astype(object),
        "source_codes": np.zeros(60, dtype=np.int32),
        "sources": ("",),
    }
    kept = prepare(counts, candidates(scores, SelectionSettings(), **context).rows)
    for settings in (
        SelectionSettings(decay=0.5),
        SelectionSettings(max_complexity=0.5),
    ):  # same, other candidates
        with_it = select(counts, scores, settings, budget=20, tfidf=kept, **context)
        without = select(counts, scores, settings, budget=20, **context)
        for name in ("rows", "gain", "diversity", "terms", "parts", "status"):
            np.testing.assert_array_equal(getattr(with_it, name), getattr(without, name))


def test_the_search_alone() -> None:
    """A fake pool of three: the second pick is the one that shares no word with the first."""
    tfidf = prepare(count_ngrams(["red apple", "red apple tree", "blue plum"]))
    picks = greedy_picks(
        tfidf, np.ones(3), power=1, decay=0, budget=2, first=np.array([], int), then=lambda: np.arange(3)
    )
    assert picks.index.tolist() == [1, 2]
    assert picks.explain()[0][0, 0] == "tree"


def test_statuses() -> None:
    texts = [f"word{k} more{k} again" for k in range(12)]
    complexity = np.array([0.5, 1.0, np.nan, 0.6, 0.7, 0.8, 0.4, 0.3, np.nan, 1.5, 0.2, 0.1])
    tokens = np.array([5, 5, 5, 2, 90, 5, 5, 5, 0, 5, 5, 5], dtype=np.int32)
    held_out = np.arange(12) == 7
    sources = ["a"] * 12
    sources[5] = "b"
    ours = chosen(
        texts,
        scored(complexity, tokens),
        budget=3,
        sources=sources,
        rows=np.setdiff1d(np.arange(12), [10]),
        held_out=held_out,
        settings={
            "min_response_tokens": 3,
            "max_response_tokens": 50,
            "source_weights": {"b": 0.0},
            "pinned": ("9",),
            "excluded": ("6",),
        },
    )
    assert [Status(code).name for code in ours.status] == [
        "SELECTED",
        "TOO_COMPLEX",
        "UNSCORABLE",
        "TOO_SHORT",
        "TOO_LONG",
        "SOURCE_OFF",
        "EXCLUDED",
        "HELD_OUT",
        "UNSCORABLE",
        "PINNED",
        "NOT_CANDIDATE",
        "SELECTED",
    ]
    assert ours.rows[0] == 9
    assert len(ours) == 3


def test_pinned_rows_are_in_whatever_their_scores_say_and_wear_out_their_ngrams() -> None:
    texts = ["red apple", "red apple", "blue plum", "green pear", "grey"]
    complexity = np.array([2.0, 0.9, 0.5, np.nan, 0.4])
    ours = chosen(texts, scored(complexity), budget=3, settings={"pinned": ("3", "0"), "decay": 0.0})
    assert ours.rows.tolist() == [0, 3, 2]  # in row order, then not the copy of a pinned one
    assert [Status(code).name for code in ours.status] == [
        "PINNED",
        "OUTRANKED",
        "SELECTED",
        "PINNED",
        "OUTRANKED",
    ]
    assert np.isnan(ours.gain[1])  # no complexity, so no gain is made up
    assert ours.gain[0] == pytest.approx(2 * ours.diversity[0])


@pytest.mark.parametrize(
    "settings, budget, message",
    [
        ({"pinned": ("0", "1")}, 1, "2 samples are pinned but the budget is 1"),
        ({"pinned": ("x",)}, 1, "pinned: no sample with id 'x' in this pool of 4"),
        ({"excluded": ("x",)}, 1, "excluded: no sample with id 'x' in this pool of 4"),
        ({"pinned": ("2",)}, 1, "sample 2 is pinned but cannot be trained on: empty response"),
        ({"pinned": ("3",)}, 1, "sample 3 is pinned but held out"),
        ({"pinned": ("1",), "excluded": ("1",)}, 1, "sample 1 is both pinned and excluded"),
        ({"source_weights": {"x": 1.0}}, 1, r"no source 'x' in this pool \(known: pool\)"),
        ({}, 0, "the budget is 0 of 4 samples"),
        ({"max_complexity": 0.1}, 1, "from 4 samples: 2 too complex, 1 unscorable, 1 held out"),
        ({"source_weights": {"pool": 0.0}}, 1, "3 from switched-off sources, 1 held out"),
    ],
)
def test_contradictions_are_errors_that_say_what_was_found(
    settings: dict[str, Any], budget: int, message: str
) -> None:
    scores = scored(np.array([0.5, 0.6, np.nan, 0.7]), np.array([2, 2, 0, 2], dtype=np.int32))
    scores.reason[2] = "empty response"
    held_out = np.array([False, False, False, True])
    with pytest.raises(ConfigError, match=message):
        chosen(["a b"] * 4, scores, budget=budget, settings=settings, held_out=held_out)


def test_limits_need_known_lengths() -> None:
    with pytest.raises(ConfigError, match="lengths in tokens, which are not known"):
        chosen(["a b"], scored(np.array([0.5])), budget=1, settings={"min_response_tokens": 1})
    with pytest.raises(ConfigError, match="'longest' needs the responses' lengths"):
        chosen(["a b"], scored(np.array([0.5])), budget=1, settings={"strategy": "longest"})


def test_a_budget_beyond_the_candidates_takes_what_there_is() -> None:
    scores = scored(np.array([0.5, 1.2, 0.6]))
    for strategy in STRATEGY_HELP:
        tokens = np.array([3, 4, 5], dtype=np.int32)
        ours = chosen(
            ["red apple", "plum", "pear"],
            scored(scores.complexity, tokens),
            budget=50,
            settings={"strategy": strategy},
        )
        assert len(ours) == (
            2
            if strategy in ("iterit", "iterit-cumulative", "iterit-static", "complexity", "superfiltering")
            else 3
        )
