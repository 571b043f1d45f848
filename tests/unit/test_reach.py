"""What it would take for a sample to be picked, against selecting at every value of every slider."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from small_pools import Case, random_case

from backend import analysis
from backend.config import selection_settings
from backend.records import Status

TREES = ["red apple tree", "red apple", "blue plum", "red apple", "green pear", "grey fig cake"]


def plain_nearest(case: Case, row: int, name: str, present: float) -> float | None:
    """The nearest grid value at which the row is picked, by selecting at each of them."""
    source = case.pool.sources[case.pool.source_codes[row]]
    best = None
    for step in range(1 if name == "source_weight" else 0, 31):
        value = step / 10
        change: dict[str, Any] = {name: value}
        if name == "source_weight":
            change = {"source_weights": {**case.settings.source_weights, source: value}}
        made = case.selection(selection_settings(case.settings, **change))
        nearer = best is None or abs(value - present) < abs(best - present) - 1e-9
        if row in made.rows and nearer and abs(value - present) > 1e-9:
            best = value
    return best


@pytest.mark.parametrize("seed", range(3))
def test_reach_agrees_with_trying_every_value(seed: int) -> None:
    case = random_case(seed, n=40, budget=8, complexity_weight=1.2, source_weights={"b": 0.7})
    made, order = case.selection(), case.order()
    found = dict.fromkeys(("complexity_weight", "diversity_weight", "source_weight"), 0)
    for row in np.flatnonzero(made.status == Status.OUTRANKED).tolist()[:12]:
        reach = case.reach(row, order=order)
        assert reach == case.reach(row)  # with or without the order
        assert reach.budget == order.rows.tolist().index(row) + 1
        for budget, picked in ((reach.budget, True), (reach.budget - 1, False)):
            settings = dataclasses.replace(case.settings, budget=budget)
            assert (row in case.selection(settings).rows) == picked
        source = case.pool.sources[case.pool.source_codes[row]]
        for name, present in (
            ("complexity_weight", 1.2),
            ("diversity_weight", 1.0),
            ("source_weight", case.settings.source_weights.get(source, 1.0)),
        ):
            value = getattr(reach, name)
            assert value == plain_nearest(case, row, name, present), name
            assert (value is None) == (reach.notes.get(name) == "no value from 0 to 3")
            found[name] += value is not None
    assert all(found.values())


def test_reach_of_a_pick_is_the_present() -> None:
    case = random_case(1, budget=8, complexity_weight=1.2)
    row = int(case.selection().rows[3])
    reach = case.reach(row)
    assert (reach.budget, reach.complexity_weight, reach.diversity_weight, reach.source_weight) == (
        4,
        1.2,
        1.0,
        1.0,
    )
    assert set(reach.notes.values()) == {"it is picked now"}


def test_a_source_that_is_off_can_be_let_in() -> None:
    case = Case(
        TREES, [0.5, 0.5, 0.5, 0.5, 0.5, 0.9], sources=list("xxxxxy"), budget=3, source_weights={"y": 0.0}
    )  # fmt: skip
    steps = list(analysis.reaching(*case.parts, 5, cache=case.cache))
    assert steps[-1].source_weight == plain_nearest(case, 5, "source_weight", 0.0)
    assert steps[-1].source_weight is not None and "source_weight" not in steps[-1].notes
    assert "its source, y, has the weight 0" in steps[-1].notes["budget"]


def test_weights_that_change_nothing_are_said_to() -> None:
    alone = Case(TREES, np.linspace(0.9, 0.1, 6), budget=2)
    assert "all candidates are of its source" in alone.reach(5).notes["source_weight"]
    plain = random_case(2, budget=5, strategy="random")
    row = int(plain.order().rows[7])
    reach = plain.reach(row)
    assert reach.budget == 8 and reach.source_weight is None
    assert "computes no gain" in reach.notes["complexity_weight"]
    single = random_case(2, budget=5, strategy="superfiltering")
    notes = single.reach(int(single.order().rows[7])).notes
    assert (
        "does not read it" in notes["complexity_weight"] and "does not read it" in notes["diversity_weight"]
    )
    full = random_case(2, strategy="full", budget=1)
    assert full.reach(int(full.order().rows[7])).budget == 1


def test_time_that_is_up_and_orders_that_are_short_are_noted() -> None:
    case = random_case(1, budget=3)
    row = int(case.order().rows[20])
    reach = case.reach(row, order=case.order(limit=10), seconds=0.0)
    assert reach.budget is None and reach.notes["budget"] == "not among the first 10 picks"
    assert reach.notes["complexity_weight"] == "time was up: nothing was tried"
    first, *others = analysis.reaching(*case.parts, row, cache=case.cache)
    assert first.budget == 21 and first.complexity_weight is None and len(others) == 3
