"""Sensitivity studies with made-up losses, for tests: the study's own configurations, stored as runs that have ended."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backend import store
from backend.config import RunConfig
from backend.jobs import sensitivity_start
from tests.unit.compared import ROWS, made_run, settings


def made_study(
    home: Path,
    vary: Mapping[str, Sequence[float]],
    loss: Callable[[RunConfig], float],
    *,
    seeds: Sequence[int] = (0, 1, 2),
    cross: bool = False,
    references: Sequence[str] = (),
    state: Callable[[RunConfig], str] = lambda one: "done",
    name: str = "a study",
    **base: Any,
) -> str:
    """A study of a base with budget 4 (see `compared.settings`), whose runs end at `loss` of their configuration; its id."""
    study = sensitivity_start.study(settings(**base), vary, ROWS, cross=cross, references=references)
    made = store.create_comparison(home, name, kind="sensitivity", plan=study.remembered(seeds))
    for one in sensitivity_start.configurations(settings(**base), study, seeds):
        given = {
            f.name: getattr(one, f.name)
            for f in dataclasses.fields(one)
            if f.name not in ("pool", "held_out")
        }
        done = state(one) == "done"
        losses = (3.0, loss(one) + 0.2, loss(one)) if done else (3.0,)
        run = made_run(home, losses, state=state(one), **given)
        store.add_to_comparison(home, made, [run])
    return made
