"""Selections that remember earlier epochs: as one selection made in parts, by a plain twin, and until the pool is used up."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plain_twins import plain_greedy, random_texts, scored
from small_pools import Case, pool_of, random_case

from backend import analysis, store
from backend.config import RunConfig, SelectionSettings, config_from
from backend.diversity import NgramCounts, count_ngrams, tfidf
from backend.errors import ConfigError
from backend.records import EpochRecord, Pool, Scores, Status
from backend.selection import (
    rank_for_next_epoch,
    reviewed_selection,
    round_and_earlier,
    select_epoch,
    select_of_pool,
    top_rows,
)
from backend.selection.earlier import weights_after

SETTINGS = SelectionSettings(strategy="iterit-cumulative")


def times(n: int, rows: Any) -> np.ndarray:
    """(n,) int32: how often each of n rows is among these."""
    return np.bincount(np.asarray(rows, dtype=np.int64), minlength=n).astype(np.int32)


def pick(
    pool: Pool, scores: Scores, settings: SelectionSettings, budget: int, earlier: np.ndarray, **more: Any
) -> Any:
    counts = count_ngrams(pool.responses())
    return select_of_pool(pool, counts, scores, settings, budget=budget, earlier=earlier, **more)


@pytest.mark.parametrize("seed", range(30))
def test_as_if_the_earlier_picks_came_first_in_this_very_search(seed: int) -> None:
    """The twin picks the earlier samples first, with the budget raised by their number, and drops them from its result."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(12, 60))
    texts = random_texts(rng, n, copies=0.4)
    complexity = rng.uniform(0.2, 0.99, n)
    before = rng.permutation(n)[: int(rng.integers(1, n // 2))]
    pinned = np.setdiff1d(rng.permutation(n)[:2], before)[:1]
    decay = float(rng.choice([0.0, 0.1, 0.5, 1.0]))
    pool = pool_of(texts)
    settings = dataclasses.replace(SETTINGS, decay=decay, pinned=tuple(str(pool.ids[row]) for row in pinned))
    budget = int(rng.integers(1, n - len(before) + 1))
    made = pick(pool, scored(complexity), settings, budget, times(n, before))
    first = (*before.tolist(), *pinned.tolist())
    scores = scored(complexity).complexity.astype(float)
    picks, gains, terms = plain_greedy(
        texts, scores, scores, decay=decay, budget=len(before) + budget, first=first
    )
    assert made.rows.tolist() == picks[len(before) :]
    np.testing.assert_allclose(made.gain, gains[len(before) :], rtol=1e-9, atol=1e-300)
    assert (made.status[before] == Status.TRAINED).all()
    for rank, expected in enumerate(terms[len(before) :]):
        for term, part in zip(made.terms[rank], made.parts[rank]):
            if term:
                assert part == pytest.approx(dict(expected)[term], rel=1e-5)


def test_the_order_of_earlier_picks_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    texts = random_texts(rng, 40)
    weighed = tfidf(count_ngrams(texts))
    often = rng.integers(0, 3, 40)
    found = weights_after(weighed, often, 0.3)
    counts = weighed.counts
    plain = weighed.idf.copy()
    for row in rng.permutation(np.repeat(np.arange(40), often)):
        begin, end = counts.groups.indptr[row : row + 2]
        plain[counts.groups.indices[begin:end]] *= 0.3
    np.testing.assert_array_equal(found.weighted_idf, plain)


@pytest.mark.parametrize("earlier_samples", ["both", "left-out", "covered"])
def test_what_earlier_samples_mean(earlier_samples: str) -> None:
    """Rows 0 and 1 are copies, row 2 shares a word with them, row 3 shares nothing."""
    texts = ["red apple pie", "red apple pie", "red plum", "blue sky", "blue sea"]
    pool = pool_of(texts)
    scores = scored(np.array([0.9, 0.8, 0.5, 0.4, 0.3]))
    settings = dataclasses.replace(SETTINGS, earlier_samples=earlier_samples, decay=0.01)
    made = pick(pool, scores, settings, 3, times(5, [0]))
    picked = made.rows.tolist()
    assert 0 not in picked  # where it may be picked again, its covered words keep it back
    assert (made.status[0] == Status.TRAINED) == (earlier_samples != "covered")
    # the copy is first only where nothing of it is covered
    assert (picked[0] == 1) == (earlier_samples == "left-out")
    again = pick(pool, scores, settings, 5, times(5, [0]))
    assert len(again) == (5 if earlier_samples == "covered" else 4)


def test_other_strategies_do_not_read_them() -> None:
    texts = random_texts(np.random.default_rng(1), 30)
    pool, scores = pool_of(texts), scored(np.linspace(0.2, 0.9, 30))
    for strategy in ("iterit", "diversity", "complexity"):
        settings = SelectionSettings(strategy=strategy)
        plain = pick(pool, scores, settings, 9, times(30, []))
        assert pick(pool, scores, settings, 9, times(30, [0, 1, 2])).rows.tolist() == plain.rows.tolist()


def test_a_pin_is_trained_on_once_in_a_round() -> None:
    texts = random_texts(np.random.default_rng(1), 20)
    pool = pool_of(texts)
    settings = dataclasses.replace(SETTINGS, pinned=(str(pool.ids[7]), str(pool.ids[9])))
    made = pick(pool, scored(np.full(20, 0.5)), settings, 4, times(20, [7, 3]))
    assert made.rows[0] == 9 and 7 not in made.rows
    assert made.status[7] == Status.TRAINED and made.status[9] == Status.PINNED
    assert pick(pool, scored(np.full(20, 0.5)), settings, 4, times(20, [])).rows[:2].tolist() == [7, 9]


def test_nobody_is_left() -> None:
    pool = pool_of(["one word", "two words", "three words"])
    with pytest.raises(ConfigError, match="nothing can be selected from 3 samples: 3 trained"):
        pick(pool, scored(np.full(3, 0.5)), SETTINGS, 1, times(3, [0, 1, 2]))


def run(
    pool: Pool, counts: NgramCounts, config: RunConfig, budget: int, epochs: int, held_out: np.ndarray
) -> list[EpochRecord]:
    """Epochs as a run decides them, with complexity made up anew before each."""
    rng = np.random.default_rng(8)
    n = len(pool)
    complexity = np.full(n, np.nan)
    order, records = None, []
    for epoch in range(epochs):
        round_, earlier = 0, np.zeros(n, dtype=np.int32)
        rows = np.flatnonzero(~held_out)
        if epoch:
            round_, earlier = round_and_earlier(records, config, pool, budget=len(records[0].selection))
            last = records[-1]
            order = rank_for_next_epoch(last.selection, last.scores, settings=config, previous_order=order)
            rows = top_rows(
                order[(earlier[order] == 0) & ~held_out[order]],
                update_ratio=config.update_ratio,
                budget=budget,
            )
        complexity[rows] = rng.uniform(0.3, 1.05, len(rows))
        rescored = np.zeros(n, dtype=bool)
        rescored[rows] = True
        scores = scored(complexity.copy())
        made, diversity = select_epoch(
            pool, lambda: counts, scores, config,
            epoch=epoch, budget=budget, rescored=rescored, held_out=held_out, earlier=earlier,
        )  # fmt: skip
        records.append(EpochRecord(epoch, scores, rescored, diversity, made, round=round_, earlier=earlier))
    return records


@pytest.fixture(scope="module")
def parts() -> tuple[Pool, NgramCounts, RunConfig]:
    texts = random_texts(np.random.default_rng(4), 60)
    config = config_from(
        {"pool": ("w",), "model": "m", "strategy": "iterit-cumulative", "budget": 12, "update_ratio": 2}
    )
    return pool_of(texts), count_ngrams(texts), config


def test_a_used_up_pool_begins_again(parts: tuple[Pool, NgramCounts, RunConfig]) -> None:
    held_out = np.arange(60) < 6
    records = run(*parts, budget=12, epochs=7, held_out=held_out)
    seen: list[int] = []
    for record in records:
        if record.round != (records[record.epoch - 1].round if record.epoch else 0):
            seen = []
        assert record.earlier.tolist() == times(60, seen).tolist()
        assert not set(record.selection.rows.tolist()) & set(seen)
        assert not np.isin(record.selection.rows, np.arange(6)).any()
        seen += record.selection.rows.tolist()
    rounds = [record.round for record in records]
    assert rounds == sorted(rounds) and rounds[0] == 0 and rounds[-1] >= 1
    # a round ends only where fewer are left than an epoch selects
    ended = rounds.index(1)
    last = records[ended - 1]
    used = times(60, np.concatenate([record.selection.rows for record in records[:ended]]))
    possible = (last.scores.complexity < 1) & (used == 0) & ~held_out
    assert possible.sum() < 12


def test_a_review_keeps_to_what_is_left(parts: tuple[Pool, NgramCounts, RunConfig]) -> None:
    pool, counts, config = parts
    records = run(*parts, budget=12, epochs=2, held_out=np.zeros(60, dtype=bool))
    seen = set(records[0].selection.rows.tolist())
    found = reviewed_selection(pool, lambda: counts, records[1], config, {"decay": 0.0}, most=12).selection
    assert not set(found.rows.tolist()) & seen
    same = reviewed_selection(pool, lambda: counts, records[1], config, {"decay": 0.1}, most=12).selection
    assert same.rows.tolist() == records[1].selection.rows.tolist()
    pinned = str(pool.ids[min(seen)])
    kept = reviewed_selection(pool, lambda: counts, records[1], config, {"pinned": (pinned,)}, most=12)
    assert min(seen) not in kept.selection.rows


def ahead_by_hand(case: Case, epoch: int) -> list[list[int]]:
    """What each epoch up to one would take: selecting again and again among what a ranking leaves, with the same scores."""
    n, picked, order = len(case.pool), [], None
    budget = int(case.settings.budget)
    for now in range(epoch + 1):
        earlier = times(n, np.concatenate(picked)) if picked else times(n, [])
        among = None
        if now:
            order = rank_for_next_epoch(made, case.scores, settings=case.settings, previous_order=order)  # noqa: F821
            among = [row for row in order if not earlier[row]][: int(case.settings.update_ratio * budget)]
        made = select_of_pool(
            case.pool, case.counts, case.scores, case.settings,
            budget=budget, rows=None if among is None else np.array(among), earlier=earlier,
        )  # fmt: skip
        picked.append(made.rows)
    return [rows.tolist() for rows in picked]


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_looking_ahead_is_selecting_again_and_again(epoch: int) -> None:
    case = random_case(3, n=80, strategy="iterit-cumulative", budget=9, update_ratio=2.0, decay=0.1)
    what = analysis.what_if(*case.parts, cache=case.cache, epoch=epoch)
    expected = ahead_by_hand(case, epoch)
    assert what.selection.rows.tolist() == expected[-1]
    assert what.earlier is not None
    assert what.earlier.rows.tolist() == [row for rows in expected[:-1] for row in rows]
    assert what.earlier.epochs.tolist() == [e for e in range(epoch) for _ in range(9)]
    assert what.earlier.picks.tolist() == [*range(1, 10)] * epoch
    order = case.order(rows=what.among, earlier=what.earlier.times(80))
    assert order.rows[:9].tolist() == expected[-1]


def test_why_names_the_epoch_that_covered_an_ngram() -> None:
    """The red apple of epoch 0 covers the copy that epoch 1 does not take."""
    texts = ["red apple pie", "blue sky", "red apple pie", "green sea", "grey sand"]
    case = Case(
        texts, [0.9, 0.8, 0.7, 0.6, 0.55], strategy="iterit-cumulative", budget=2, update_ratio=1.0, decay=0.1
    )
    what = analysis.what_if(*case.parts, cache=case.cache, epoch=1)
    assert what.earlier is not None and what.earlier.rows.tolist() == [0, 1]
    assert what.selection.rows.tolist() == [3, 4]
    _, weighed = analysis.weighed(
        *case.parts, cache=case.cache, rows=what.among, earlier=what.earlier.times(5)
    )

    def why(row: int) -> analysis.Why:
        return analysis.why(
            case.pool, case.scores, what.selection, row,
            diversity=what.diversity, settings=case.settings, tfidf=weighed, earlier=what.earlier,
        )  # fmt: skip

    copy = why(2)
    assert {(one.pick, one.row, one.epoch) for one in copy.covered} == {(1, 0, 0)}
    assert all(one.left == pytest.approx(0.1 * one.part) for one in copy.covered)
    assert "the very same n-grams is pick 1 of epoch 0" in copy.headline
    before = {name: value for name, value, _ in copy.facts}["diversity before any pick"]
    assert float(before) == pytest.approx(0.1 * weighed.diversity[list(weighed.rows).index(2)], abs=1e-3)
    assert why(0).headline.startswith("Not selected: epoch 0 trained on it (as its pick 1)")


def test_a_run_is_read_with_what_it_had_trained_on(tmp_path: Path, parts: Any) -> None:
    pool, counts, config = parts
    records = run(pool, counts, config, 12, 4, np.zeros(60, dtype=bool))
    store.save_pool(tmp_path, pool)
    run_id = store.create_run(tmp_path, config, pool)
    for record in records:
        store.write_epoch(tmp_path, run_id, record)
    back = [store.read_epoch(tmp_path, run_id, epoch) for epoch in range(4)]
    for one, other in zip(records, back, strict=True):
        assert one.round == other.round
        np.testing.assert_array_equal(one.earlier, other.earlier)
    found = analysis.earlier_epochs(back, 2)
    assert found is not None and found.times(60).tolist() == records[2].earlier.tolist()
    assert found.rows[:12].tolist() == records[0].selection.rows.tolist()
