"""What must hold for any rows and texts, looked for by hypothesis: loading, TF-IDF, selection with coverage and quotas, export."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_twins import plain_allowed, plain_greedy, plain_tfidf, scored

from backend.config import SelectionSettings
from backend.data import load_pool, write_samples
from backend.data.export import Part, fits
from backend.diversity import count_ngrams, initial_diversity, tfidf
from backend.errors import ConfigError, PoolError
from backend.selection import select

ANY = settings(max_examples=120, deadline=None, derandomize=True, database=None)
FEW = settings(max_examples=60, deadline=None, derandomize=True, database=None)
# JSON holds no lone surrogate that UTF-8 could write
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
WORDS = st.lists(
    st.sampled_from(["oak", "elm", "ash", "Ash", "日本", "a", "x1", "don't", "été", "İz"]), max_size=9
)
RESPONSE = st.one_of(TEXT, WORDS.map(" ".join))
VALUE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
ROW = st.fixed_dictionaries(
    {"instruction": VALUE, "output": VALUE}, optional={"input": VALUE, "source": VALUE}
)


def written(folder: str, rows: list[Any]) -> Path:
    path = Path(folder) / "pool.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@ANY
@given(st.lists(ROW, min_size=1, max_size=6))
def test_every_row_is_a_sample_or_left_out_with_a_reason(rows: list[dict[str, Any]]) -> None:
    good = {"instruction": "one that can be read", "output": "as it stands\u2028\u0000 "}
    with tempfile.TemporaryDirectory() as folder:
        pool = load_pool([str(written(folder, [good, *rows]))])
    assert len(pool) + pool.left_out == 1 + len(rows)
    assert all(left.reason for left in pool.rejected) and len(set(pool.ids)) == len(pool)
    assert pool.response(0) == good["output"] and pool.turns(0)[0]["content"] == good["instruction"]
    responses = {pool.response(row) for row in range(len(pool))}
    plain = [row for row in rows if set(row) == {"instruction", "output"} and all(isinstance(v, str) and v.strip() for v in row.values())]  # fmt: skip
    assert {row["output"] for row in plain} <= responses


@ANY
@given(st.lists(RESPONSE, min_size=1, max_size=9))
def test_tfidf_is_scikit_learns(texts: list[str]) -> None:
    theirs, _ = plain_tfidf(texts)
    ours = initial_diversity(tfidf(count_ngrams(texts)))
    np.testing.assert_allclose(ours, np.asarray(theirs.sum(axis=1)).ravel(), rtol=0, atol=1e-12)


@ANY
@given(
    st.lists(st.tuples(RESPONSE, st.integers(1, 31).map(lambda k: k / 32)), min_size=1, max_size=9),
    st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    st.integers(1, 9),
)
def test_a_pick_is_the_largest_gain_over_what_is_covered(
    samples: list[tuple[str, float]], decay: float, budget: int
) -> None:
    texts, values = [text for text, _ in samples], np.array([value for _, value in samples], dtype=np.float32)
    budget = min(budget, len(texts))
    made = select(
        count_ngrams(texts),
        scored(values),
        SelectionSettings(decay=decay),
        budget=budget,
        ids=np.array([str(row) for row in range(len(texts))], dtype=object),
        source_codes=np.zeros(len(texts), dtype=np.int32),
        sources=("pool",),
    )
    picks, gains, _ = plain_greedy(texts, values.astype(np.float64), values, decay=decay, budget=budget)
    assert made.rows.tolist() == picks
    np.testing.assert_allclose(made.gain, gains, rtol=1e-9, atol=1e-12)


@ANY
@given(
    st.lists(
        st.tuples(RESPONSE, st.integers(1, 31).map(lambda k: k / 32), st.sampled_from("abc")),
        min_size=1,
        max_size=9,
    ),
    st.dictionaries(st.sampled_from("abc"), st.sampled_from(["-0", "-0.5", "0.3-", "0.2-0.4", "0.5-0.5"])),
    st.sampled_from([0.0, 0.1, 1.0]),
    st.integers(1, 9),
    st.integers(0, 2),
)
def test_picks_keep_the_bounds_of_the_sources(
    samples: list[tuple[str, float, str]], shares: dict[str, str], decay: float, budget: int, pins: int
) -> None:
    texts, sources = [text for text, _, _ in samples], [source for _, _, source in samples]
    values = np.array([value for _, value, _ in samples], dtype=np.float32)
    names = tuple(sorted({*sources, *shares}))
    budget = min(budget, len(texts))
    pinned = tuple(range(min(pins, budget)))

    def allowed(picks: list[int]) -> np.ndarray:
        may, _ = plain_allowed([sources[row] for row in picks], sources, shares, of=budget, budget=budget)
        return np.isin(sources, list(may))

    picks, _, _ = plain_greedy(
        texts,
        values.astype(np.float64),
        values,
        decay=decay,
        budget=budget,
        first=pinned,
        allowed=allowed,
    )
    try:
        made = select(
            count_ngrams(texts),
            scored(values),
            SelectionSettings(
                budget=float(budget) if budget > 1 else 1 / len(texts),
                decay=decay,
                source_shares=shares,
                pinned=tuple(str(row) for row in pinned),
            ),
            budget=budget,
            ids=np.array([str(row) for row in range(len(texts))], dtype=object),
            source_codes=np.array([names.index(source) for source in sources], dtype=np.int32),
            sources=names,
        )
    except ConfigError as error:  # bounds that let nobody in
        assert "nothing can be selected" in str(error) and not picks
        return
    assert made.rows.tolist() == picks


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".parquet"])
@FEW
@given(st.lists(st.tuples(TEXT, RESPONSE), min_size=1, max_size=6))
def test_what_is_exported_loads_as_the_same_samples(suffix: str, samples: list[tuple[str, str]]) -> None:
    rows = [{"instruction": ask, "output": reply} for ask, reply in samples]
    with tempfile.TemporaryDirectory() as folder:
        try:
            pool = load_pool([str(written(folder, rows))])
        except PoolError as error:
            assert str(error)
            return
        for form in ("messages", "prompt_completion", "sharegpt", "alpaca"):
            fitting = np.flatnonzero(fits([Part(pool, np.arange(len(pool)))], form)[0])
            if not len(fitting):
                continue
            path = Path(folder) / f"{form}{suffix}"
            assert write_samples(path, pool, fitting, form) == len(fitting)
            again = load_pool([str(path)])
            assert [again.response(row) for row in range(len(again))] == [pool.response(row) for row in fitting.tolist()]  # fmt: skip
            assert [again.turns(row) for row in range(len(again))] == [pool.turns(row) for row in fitting.tolist()]  # fmt: skip
