"""Searches for the smallest budget with made-up losses, for tests: the search's own configurations, stored as runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from backend import store
from backend.config import RunConfig
from backend.jobs import budget_search
from tests.unit.compared import ROWS, made_run, settings


def made_search(
    home: Path,
    loss: Callable[[RunConfig], float],
    *,
    seeds: Sequence[int] = (0, 1),
    smallest: float = 0.1,
    state: Callable[[RunConfig], str] = lambda one: "done",
    name: str = "a search",
    **base: object,
) -> str:
    """A search on a pool of 40 (budgets 20, 10, and smaller ones of four steps or more), whose runs end at `loss` of their
    configuration; its id."""
    values = {"held_out": "aside.json", "batch_size": 1, "device_batch_size": 1, **base}
    search = budget_search.search_of(settings(**values), ROWS, smallest=smallest, seeds=seeds)
    plan = {"strategy": search.base.strategy, "budgets": list(search.budgets), "seeds": list(seeds)}
    made = store.create_comparison(home, name, kind="budget", plan=plan)
    for one in search.configs:
        given = {
            f.name: getattr(one, f.name)
            for f in dataclasses.fields(one)
            if f.name not in ("pool", "held_out")
        }
        ends = state(one)
        losses = (3.0, loss(one) + 0.2, loss(one)) if ends == "done" else ()
        picks = ((0, 1, 2, 3), (2, 3, 4, 5)) if ends == "done" else ()
        run = made_run(home, losses, picks=picks, state=ends, **given)
        store.add_to_comparison(home, made, [run])
    return made
