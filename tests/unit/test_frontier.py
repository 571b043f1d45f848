"""The full order's beginnings are the selections at smaller budgets; the frontier shows it in few points."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from small_pools import Case, random_case

from backend import analysis
from backend.config import STRATEGY_HELP

SETTINGS: list[dict[str, Any]] = [
    {},
    {"decay": 0.0},
    {"decay": 0.5, "complexity_weight": 0.5, "diversity_weight": 2.0},
    {"diversity_weight": 0.0},
    {"decay": 0.0, "pinned": ("s7", "s3"), "excluded": ("s4",), "source_weights": {"a": 0.5, "b": 2.0}},
    {"pinned": ("s7", "s3"), "source_weights": {"a": 0.0}},
]


def beginnings(case: Case, order: analysis.FullOrder) -> None:
    pinned = len(case.settings.pinned)
    for budget in range(max(pinned, 2), len(order) + 1):
        made = case.selection(dataclasses.replace(case.settings, budget=budget))
        assert order.rows[:budget].tolist() == made.rows.tolist(), budget
        np.testing.assert_array_equal(order.gain[:budget], made.gain)


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("seed", range(3))
def test_a_smaller_budget_takes_the_beginning(seed: int, settings: dict[str, Any]) -> None:
    case = random_case(seed, **settings)
    order = case.order()
    assert order.whole and len(set(order.rows.tolist())) == len(order)
    beginnings(case, order)


@pytest.mark.parametrize("strategy", [name for name in STRATEGY_HELP if name != "full"])
def test_so_it_is_for_every_strategy_that_selects(strategy: str) -> None:
    case = random_case(5, strategy=strategy, pinned=("s9",))
    beginnings(case, case.order())


def test_full_reads_no_budget() -> None:
    case = random_case(5, strategy="full", budget=3)
    order = case.order()
    assert order.rows.tolist() == case.selection().rows.tolist() == sorted(order.rows.tolist())
    assert np.isnan(order.gain).all()


def test_the_order_that_follows_when_gains_are_used_up() -> None:
    case = Case(["red apple"] * 4 + ["?"] * 2, [0.2, 0.6, 0.4, 0.6, 0.9, 0.1], decay=0.0)
    order = case.order()
    assert order.rows.tolist() == [1, 4, 3, 2, 0, 5]
    beginnings(case, order)


def test_a_limit_stops_it_but_not_before_the_pinned() -> None:
    case = random_case(2, pinned=("s7", "s3"))
    whole, part, pinned = case.order(), case.order(limit=10), case.order(limit=1)
    assert not part.whole and len(part) == 10 and len(pinned) == 2
    assert part.rows.tolist() == whole.rows[:10].tolist()
    np.testing.assert_array_equal(part.covered, whole.covered[:10])
    assert case.order(limit=10_000).whole
    assert whole.rank_of(int(whole.rows[4])) == 5
    assert part.rank_of(int(whole.rows[-1])) is None


def test_covered_is_of_the_whole_pool() -> None:
    case = random_case(3)
    order = case.order()
    for k in (1, 5, len(order)):
        assert order.covered[k - 1] == pytest.approx(analysis.covered_share(case.vocabulary, order.rows[:k]))
    assert (np.diff(order.covered) >= 0).all() and order.covered[-1] < 1  # not everybody is a candidate


def test_held_out_rows_are_in_no_order() -> None:
    case = random_case(3)
    held_out = np.arange(60) < 20
    assert case.order(held_out=held_out).rows.min() >= 20


def test_the_frontier_has_few_points_and_the_present_budget() -> None:
    k = 5000
    order = analysis.FullOrder(np.arange(k), np.linspace(9, 1, k), np.linspace(0, 0.5, k), True)
    table = analysis.frontier(order, 1234)
    assert list(table.columns) == ["budget", "gain", "covered", "present"]
    assert 120 <= len(table) <= 162
    assert table["budget"].iloc[0] == 1 and table["budget"].iloc[-1] == k and table["budget"].is_unique
    present = table[table["present"]]
    assert present["budget"].tolist() == [1234]
    assert present["gain"].tolist() == [order.gain[1233]]
    assert present["covered"].tolist() == [order.covered[1233]]


def test_a_budget_beyond_the_order_is_its_end_or_not_known() -> None:
    order = analysis.FullOrder(np.arange(50), np.ones(50), np.ones(50), True)
    table = analysis.frontier(order, 80)
    assert table.loc[table["present"], "budget"].tolist() == [50]
    assert not analysis.frontier(dataclasses.replace(order, whole=False), 80)["present"].any()
    empty = analysis.FullOrder(np.empty(0, int), np.empty(0), np.empty(0), True)
    assert len(analysis.frontier(empty, 3)) == 0
