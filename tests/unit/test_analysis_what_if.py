"""Re-selection without a model: the same picks as the engine's, quickly, and compared with simpler strategies."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from backend import analysis, diversity, selection
from backend.config import SelectionSettings
from backend.errors import ConfigError
from backend.records import Pool, Scores, Status

WORDS = ["ash", "birch", "cedar", "date", "elm", "fir", "gum", "holly", "ivy", "juniper"]


def make_pool(n: int, seed: int = 0) -> tuple[Pool, Scores]:
    rng = np.random.default_rng(seed)
    responses = [" ".join(rng.choice(WORDS, rng.integers(2, 9))) for _ in range(n)]
    table = pa.table(
        {
            "id": [f"s{i}-0" for i in range(n)],
            "turns": [[{"role": "user", "content": "say trees"}]] * n,
            "response": responses,
            "source": pa.array([["a", "b"][i % 2] for i in range(n)]).dictionary_encode(),
            "file": pa.array(["f"] * n).dictionary_encode(),
            "row": pa.array(range(n), pa.int64()),
            "label": pa.array([None] * n, pa.string()),
        }
    )
    complexity = rng.uniform(0.4, 1.2, n).astype(np.float32)
    complexity[3] = np.nan
    tokens = np.array([len(text.split()) for text in responses], dtype=np.int32)
    reason = np.where(np.isnan(complexity), "non-finite loss", "").astype(object)
    return Pool("1" * 16, "trees", table), Scores(complexity, complexity * 0, complexity, tokens, reason)


@pytest.fixture(scope="module")
def trees() -> tuple[Pool, Scores, diversity.NgramCounts]:
    pool, scores = make_pool(60)
    return pool, scores, diversity.count_ngrams(pool.responses())


@pytest.mark.parametrize(
    "changes", [{}, {"decay": 0.0}, {"budget": 25}, {"diversity_weight": 0.0}, {"strategy": "longest"}]
)
def test_same_picks_as_the_engine(trees, changes):
    pool, scores, counts = trees
    settings = SelectionSettings(**{"budget": 0.2, **changes})
    made = analysis.what_if(pool, counts, scores, settings, cache=analysis.TfidfCache())
    plain = selection.select(
        counts,
        scores,
        settings,
        budget=made.budget,
        ids=pool.ids,
        source_codes=pool.source_codes,
        sources=pool.sources,
    )
    assert made.selection.rows.tolist() == plain.rows.tolist()
    assert made.selection.status.tolist() == plain.status.tolist()


def test_budget_is_a_share_of_what_is_not_held_out(trees):
    pool, scores, counts = trees
    held_out = np.arange(60) < 10
    made = analysis.what_if(
        pool, counts, scores, SelectionSettings(budget=0.2), cache=analysis.TfidfCache(), held_out=held_out
    )
    assert made.budget == 10 and len(made.selection) == 10
    assert (made.selection.status[:10] == Status.HELD_OUT).all()
    assert np.isnan(made.diversity[:10]).all()


def test_diversity_is_of_the_candidates(trees):
    pool, scores, counts = trees
    made = analysis.what_if(pool, counts, scores, SelectionSettings(budget=5), cache=analysis.TfidfCache())
    eligible = np.isfinite(scores.complexity) & (scores.complexity < 1)
    assert np.array_equal(np.isfinite(made.diversity), eligible)
    assert made.candidates == eligible.sum()


def test_cache_reuses_a_candidate_set_and_forgets_the_oldest(trees):
    made = []

    def make(name: str):
        def inner() -> str:
            made.append(name)
            return name

        return inner

    cache, plain = analysis.TfidfCache(size=2), SelectionSettings()
    other_words = SelectionSettings(words="unicode")
    first, second, third = np.array([1, 2]), np.array([1, 3]), np.array([2, 3])
    assert cache.get("p", plain, first, make("first")) == "first"
    assert cache.get("p", plain, first, make("again")) == "first"
    assert cache.get("other pool", plain, first, make("other")) == "other"
    cache.get("p", plain, second, make("second"))
    cache.get("p", plain, third, make("third"))
    cache.get("p", plain, first, make("first once more"))
    cache.get("p", other_words, first, make("first in other words"))
    assert made == ["first", "other", "second", "third", "first once more", "first in other words"]


def test_baselines_have_the_budget_and_are_what_they_say(trees):
    pool, scores, _ = trees
    found = analysis.baselines(pool, scores, SelectionSettings(budget=6, pinned=("s5-0",), seed=3))
    assert {len(rows) for rows in found.values()} == {6}
    assert scores.response_tokens[found["longest"]].min() >= np.sort(scores.response_tokens)[-6]
    eligible = np.flatnonzero(scores.complexity < 1)
    hardest = eligible[np.argsort(-scores.complexity[eligible], kind="stable")][:6]
    assert found["superfiltering"].tolist() == hardest.tolist()


def test_a_baseline_without_what_it_needs_is_left_out():
    pool, _ = make_pool(20)
    assert set(analysis.baselines(pool, Scores.unknown(20), SelectionSettings(budget=5))) == {"random"}


def test_summary_counts_every_row_once(trees):
    pool, scores, counts = trees
    made = analysis.what_if(pool, counts, scores, SelectionSettings(budget=6), cache=analysis.TfidfCache())
    summary = analysis.selection_summary(pool, scores, made.selection)
    assert summary["selected"] == 6 and summary["pool"] == 60 and summary["share"] == 0.1
    parts = ("candidates", "rejected_complexity", "rejected_length", "unscorable", "excluded", "held_out")
    assert sum(summary[part] for part in parts) == 60
    assert summary["tokens"] == scores.response_tokens[made.selection.rows].sum()


def test_a_summary_without_lengths_says_none():
    pool, _ = make_pool(20)
    settings = SelectionSettings(budget=5, strategy="random")
    rows = analysis.baselines(pool, Scores.unknown(20), settings)["random"]
    made = selection.select(
        None,
        Scores.unknown(20),
        settings,
        budget=5,
        ids=pool.ids,
        source_codes=pool.source_codes,
        sources=pool.sources,
    )
    assert made.rows.tolist() == rows.tolist()
    summary = analysis.selection_summary(pool, Scores.unknown(20), made)
    assert summary["tokens"] is None and summary["mean_complexity"] is None


def test_change(trees):
    pool, scores, counts = trees
    cache = analysis.TfidfCache()
    small = analysis.what_if(pool, counts, scores, SelectionSettings(budget=5), cache=cache).selection
    large = analysis.what_if(pool, counts, scores, SelectionSettings(budget=10), cache=cache).selection
    # greedy: a larger budget goes on from the same picks
    assert analysis.change(small, large) == {"kept": 5, "added": 5, "dropped": 0, "overlap": 0.5}
    assert analysis.change(None, small) == {"kept": 0, "added": 5, "dropped": 0, "overlap": None}


def test_nobody_left_is_an_error_with_the_counts(trees):
    pool, scores, counts = trees
    with pytest.raises(ConfigError, match="nothing can be selected"):
        analysis.what_if(
            pool, counts, scores, SelectionSettings(max_complexity=0.01), cache=analysis.TfidfCache()
        )
