"""Bounds on sources' shares: the picks of the plain twin, what is said about them, and nothing changed without them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from plain_twins import plain_allowed, plain_greedy, random_texts, scored
from small_pools import Case, random_case

from backend import analysis
from backend.analysis.quota_words import kept_out, quota_story, share_notes
from backend.config import STRATEGY_HELP, SelectionSettings
from backend.diversity import count_ngrams
from backend.errors import ConfigError
from backend.records import EpochRecord, Selection, Status
from backend.selection import round_and_earlier, select

NAMES = ("one", "two", "three")
GREEDY = ("iterit", "iterit-static", "iterit-cumulative", "diversity")
BY_ORDER = ("complexity", "superfiltering", "longest", "random", "random-each-epoch")
BOUNDS = ("-0", "-0.1", "-0.25", "-0.5", "0.1-", "0.3-", "0.05-0.2", "0.25-0.25", "0.33-0.33", "0-1")


class Pool:
    """Short texts of three sources with copies, ties, pins and exclusions, and bounds on some of the sources."""

    def __init__(self, seed: int):
        rng = np.random.default_rng(seed)
        n = self.n = int(rng.integers(12, 60))
        self.texts = random_texts(rng, n, words=int(rng.integers(2, 20)), copies=rng.choice([0.0, 0.3, 0.8]))
        self.counts = count_ngrams(self.texts)
        self.complexity = (rng.integers(0, 8, n) / 5 if seed % 2 else rng.random(n) * 1.2).astype(np.float32)
        self.tokens = rng.integers(1, 9, n).astype(np.int32)
        self.codes = rng.choice(3, n, p=[0.6, 0.3, 0.1]).astype(np.int32)
        self.held_out = rng.random(n) < (0.2 if seed % 3 == 0 else 0)
        free = rng.permutation(np.flatnonzero(~self.held_out)).tolist()
        self.pinned = sorted(free[: rng.integers(0, 4)])
        self.excluded = free[4 : 4 + rng.integers(0, 3)]
        self.complexity[free[-1]] = 0.5
        eligible = int((~self.held_out).sum())
        self.of = int(rng.integers(max(2, len(self.pinned)), eligible + 1))
        # a later epoch may have fewer places than the settings ask for
        self.budget = self.of if seed % 4 else int(rng.integers(max(1, len(self.pinned)), self.of + 1))
        shares = {name: str(rng.choice(BOUNDS)) for name in NAMES if rng.random() < 0.7}
        self.shares = shares
        self.settings: dict[str, Any] = {
            "budget": float(self.of),
            "decay": float(rng.choice([0.0, 0.1, 1.0])),
            "seed": seed,
            "source_weights": {"two": float(rng.choice([0.5, 1.0, 3.0]))},
            "source_shares": shares,
            "pinned": tuple(str(row) for row in self.pinned),
            "excluded": tuple(str(row) for row in self.excluded),
        }

    def source(self, rows: Any) -> list[str]:
        return [NAMES[self.codes[row]] for row in rows]

    def select(self, strategy: str, budget: int | None = None, **changes: Any) -> Selection:
        settings = SelectionSettings(**{**self.settings, "strategy": strategy, **changes})
        return select(
            self.counts,
            scored(self.complexity, self.tokens),
            settings,
            budget=self.budget if budget is None else budget,
            ids=np.array([str(row) for row in range(self.n)], dtype=object),
            source_codes=self.codes,
            sources=NAMES,
            held_out=self.held_out,
        )

    def expected(self, strategy: str) -> list[int]:
        """Picks by the definition: before each, everybody is looked at."""
        free = self.select(strategy, self.n, source_shares={})
        rows = np.flatnonzero(np.isin(free.status, (Status.SELECTED, Status.PINNED, Status.OUTRANKED)))
        there = self.source(rows)

        def allowed(picked: list[int]) -> set[str]:
            sources = self.source(picked)
            return plain_allowed(sources, there, self.shares, of=self.of, budget=self.budget)[0]

        if strategy in BY_ORDER:
            picks = list(self.pinned)
            while len(picks) < self.budget:
                may = allowed(picks)
                left = [r for r in free.rows.tolist() if r not in picks and NAMES[self.codes[r]] in may]
                if not left:
                    break
                picks.append(left[0])
            return picks
        complexity = self.complexity[rows].astype(float)
        weight = np.where(self.codes[rows] == 1, self.settings["source_weights"]["two"], 1.0)
        diverse = strategy == "diversity"
        picks, _, _ = plain_greedy(
            [self.texts[row] for row in rows],
            weight if diverse else complexity * weight,
            np.zeros(len(rows)) if diverse else complexity,
            decay=self.settings["decay"],
            budget=self.budget,
            first=tuple(np.searchsorted(rows, self.pinned).tolist()),
            allowed=lambda made: np.isin(there, list(allowed(rows[made].tolist()))),
        )
        return rows[picks].tolist()


@pytest.mark.parametrize("strategy", [*GREEDY, *BY_ORDER])
@pytest.mark.parametrize("seed", range(16))
def test_agrees_with_the_plain_search(seed: int, strategy: str) -> None:
    pool = Pool(seed)
    expected = pool.expected(strategy)
    if not expected:
        with pytest.raises(ConfigError, match="source_shares leave no place"):
            pool.select(strategy)
        return
    assert pool.select(strategy).rows.tolist() == expected


@pytest.mark.parametrize("strategy", STRATEGY_HELP)
def test_bounds_that_bound_nothing_change_nothing(strategy: str) -> None:
    for seed in range(6):
        pool = Pool(seed)
        without, within = (
            pool.select(strategy, source_shares=s) for s in ({}, {"one": "0-1", "three": "0-"})
        )
        for name in ("rows", "gain", "diversity", "terms", "parts", "status"):
            np.testing.assert_array_equal(getattr(without, name), getattr(within, name))


def test_the_whole_pool_reads_no_bounds() -> None:
    pool = Pool(5)
    assert len(pool.select("full", source_shares={"one": "-0"})) == len(pool.select("full", source_shares={}))


def test_bounds_of_a_source_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"source_shares: no source 'four' in this pool \(known: one, two"):
        Pool(1).select("random", source_shares={"four": "0.1-"})


# what is said


@pytest.mark.parametrize("seed", range(20))
def test_who_was_kept_out_and_let_in_is_what_the_definition_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares = {name: str(rng.choice(BOUNDS[1:])) for name in "abc" if rng.random() < 0.8} or {"a": "-0.1"}
    budget = int(rng.integers(4, 50))
    case = random_case(seed, budget=float(budget), source_shares=shares, pinned=("s0", "s3"))
    made = case.selection()
    story = quota_story(case.pool, made, case.settings)
    assert story is not None
    names = [case.pool.sources[code] for code in case.pool.source_codes]
    in_play = np.flatnonzero(np.isin(made.status, (Status.SELECTED, Status.PINNED, Status.OUTRANKED)))
    there = [names[row] for row in in_play]
    closed = dict.fromkeys(set(there), len(made) + 1)
    for count in range(len(made) + 1):
        picked = [names[row] for row in made.rows[:count]]
        may, free = plain_allowed(picked, there, shares, of=budget, budget=budget)
        if count >= 2:
            for name in closed:
                if name not in may:
                    closed[name] = min(closed[name], count)
            if count < len(made):
                assert bool(story.reserved[count]) == (free <= 0)
                assert not may - set(there) and names[made.rows[count]] in may
    for code, name in enumerate(case.pool.sources):
        if name not in closed:
            continue
        assert min(story.closed[code], len(made) + 1) == closed[name]
        told = kept_out(story, code)
        assert bool(told) >= (closed[name] < len(made))
        if "reached its share" in told:
            high = float(shares[name].partition("-")[2] or 1)
            assert story.counts[code] >= int(high * budget + 1e-9)
    left = [row for row in in_play.tolist() if made.status[row] == Status.OUTRANKED]
    for row in [row for row in left if closed[names[row]] < len(made)][:3]:
        headline = case.why(row).headline
        assert "had reached its share" in headline or "were kept for" in headline


TEXTS = [
    f"{word} {word}ish"
    for word in ("red", "blue", "green", "grey", "pink", "gold", "cyan", "lime", "navy", "teal")
]
HARD = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.1]


def small(budget: float, **shares: str) -> Case:
    """Ten samples that fall in gain: seven of the source web, then three of book."""
    return Case(TEXTS, HARD, sources=["web"] * 7 + ["book"] * 3, budget=budget, source_shares=shares)


def test_why_names_the_share_that_was_reached() -> None:
    case = small(5.0, web="-0.4")
    assert case.selection().rows.tolist() == [0, 1, 7, 8, 9]
    assert case.why(2).headline == (
        "Not selected: its source, web, had reached its share (at most 40 %, 2 of 5 samples) with pick 2."
    )
    assert "no other candidate of a source with places left had a larger gain" in case.why(7).headline
    assert "no other candidate had a larger gain" in case.why(1).headline
    facts = {name: value for name, value, _ in case.why(0).facts}
    assert facts["share of its source"] == "2 of 5 samples"


def test_why_names_the_lower_bound_that_let_it_in() -> None:
    case = small(5.0, book="0.4-")
    assert case.selection().rows.tolist() == [0, 1, 2, 7, 8]
    assert case.why(7).headline.startswith(
        "Selected as pick 4 of 5 because its source, book, must have at least 40 %, 2 of 5 samples;"
    )
    assert case.why(3).headline == (
        "Not selected: the places that were left after pick 3 were kept for book (at least 40 %, 2 of 5 samples)."
    )
    assert "the last pick had" in case.why(9).headline


@pytest.mark.parametrize(
    ("budget", "shares", "notes"),
    [
        (5.0, {"web": "-0.4"}, []),
        (5.0, {"book": "0.8-"}, ["book has 3 samples where its share is at least 80 %, 4 of 5 samples: it has no more candidates"]),
        (8.0, {"web": "-0.25"}, ["3 of 8 places stay empty: web has reached its share"]),
        (8.0, {"web": "-0.25", "book": "-0.125"}, ["5 of 8 places stay empty: book and web have reached their shares"]),
        (5.0, {"web": "0.3-0.3"}, ["web has 1 sample where its share is at least 30 %, 2 of 5 samples: it is also at most 30 %, 1 of 5 samples", "1 of 5 places stay empty: web has reached its share"]),
    ],
)  # fmt: skip
def test_where_bounds_cannot_hold_is_said(budget: float, shares: dict[str, str], notes: list[str]) -> None:
    case = small(budget, **shares)
    assert share_notes(case.pool, case.selection(), case.settings) == notes


def test_pins_count_and_are_in_whatever_the_bounds_say() -> None:
    case = small(5.0, web="-0.2")
    case.settings = dataclasses.replace(case.settings, pinned=("s4", "s5"))
    made = case.selection()
    assert made.rows.tolist() == [4, 5, 7, 8, 9]
    assert "with the pinned samples" in case.why(0).headline
    assert share_notes(case.pool, made, case.settings) == [
        "web has 2 pinned samples, more than its share of at most 20 %, 1 of 5 samples"
    ]


def test_a_larger_budget_is_not_promised_where_shares_are_bounded() -> None:
    case = small(5.0, web="-0.4")
    found = case.reach(2)
    assert found.budget is None and "bounds on sources' shares" in found.notes["budget"]
    assert case.reach(7).notes["source_weight"] == "it is picked now"
    free = dataclasses.replace(case.settings, source_shares={})
    assert case.order().rows.tolist() == case.selection(dataclasses.replace(free, budget=1.0)).rows.tolist()


def test_a_later_epoch_with_fewer_places_keeps_the_bounds() -> None:
    """Epoch 0 filled 4 of 8 places; the next epoch has 4, and each source the same bound as before."""
    case = small(8.0, web="-0.25", book="-0.25")
    first = case.selection()
    assert len(first) == 4
    again = analysis.weighed(*case.parts, cache=case.cache)[1]
    pool, counts, scores, settings = case.parts
    later = select(
        counts, scores, settings, budget=len(first), ids=pool.ids,
        source_codes=pool.source_codes, sources=pool.sources, tfidf=again,
    )  # fmt: skip
    assert later.rows.tolist() == first.rows.tolist()


def test_a_round_ends_when_what_is_left_cannot_fill_the_places() -> None:
    """Cumulative: six of web are left, but only two of them may be in an epoch of four."""
    case = small(4.0, web="-0.5")
    settings = dataclasses.replace(case.settings, strategy="iterit-cumulative")
    pool, scores = case.pool, case.scores
    nothing = np.zeros(len(pool), dtype=bool)

    def epoch(number: int, rows: list[int]) -> EpochRecord:
        status = np.full(len(pool), Status.OUTRANKED, dtype=np.uint8)
        status[rows] = Status.SELECTED
        none = np.zeros(len(rows))
        made = Selection(np.array(rows), none, none, status, lambda: (np.empty((0, 5)), np.empty((0, 5))))
        return EpochRecord(number, scores, nothing, scores.complexity, made)

    one = epoch(0, [0, 1, 7, 8])
    assert round_and_earlier([one], settings, pool, budget=4)[0] == 1  # two of web and one of book
    assert round_and_earlier([one], settings, pool, budget=3)[0] == 0
    free = dataclasses.replace(settings, source_shares={})
    assert round_and_earlier([one], free, pool, budget=4)[0] == 0
