"""What the form that starts a comparison asks for: the runs, what they would take, and the start itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from backend.config import STRATEGY_HELP, RunConfig
from backend.errors import StudioError
from backend.jobs import comparison_start, equal_tokens
from iterit_ui.compare.form_base import base_of, nothing_queued, number_of, plan_value
from iterit_ui.shared.session import get_pool
from iterit_ui.shared.theme import counted, duration, number


@dataclass(frozen=True)
class Asked:
    """The request from the form, parsed and checked."""

    configs: tuple[RunConfig, ...]
    pool_id: str
    rows: int
    held_out_id: str | None


def asked_for(
    home: Path,
    model_roots: Sequence[Path],
    pool: str | None,
    model: str | None,
    base: str,
    strategies: list[str],
    equal: bool,
    seeds: str,
    budget: str,
    epochs: str,
    ladder: bool = False,
    tokens_of: str = "",
) -> Asked:
    """The runs that the form asks for.

    Raises
    ------
    StudioError : something in it is missing or wrong; the message says what would do.
    """
    changes: dict[str, Any] = {"max_steps": 0}
    if budget.strip():
        changes["budget"] = number_of("budget", budget)
    complete, pool_id, rows, held_out_id = base_of(home, model_roots, pool, model, base, epochs, changes)
    others = (
        equal_tokens.equal_token_variants(complete, equal_tokens.trained(home, tokens_of))
        if tokens_of
        else []
    )
    configs = comparison_start.configurations(
        complete,
        rows,
        strategies=[name for name in STRATEGY_HELP if name in strategies],
        seeds=comparison_start.seeds_of(seeds),
        equal_steps_full=equal,
        ladder=ladder,
        others=others,
    )
    return Asked(configs, pool_id, rows, held_out_id)


def plan_of(home: Path, model_roots: Sequence[Path], *given: Any) -> tuple[dict[str, Any], str, bool]:
    """(what would be run, the button's words, whether it could be started) for the form as it stands."""
    try:
        asked = asked_for(home, model_roots, *given)
        planned = comparison_start.plan(home, asked.configs, asked.pool_id, asked.rows)
    except StudioError as error:
        return {"tone": "error", "text": f"{error}."}, "Queue the runs", False
    return plan_note(planned), f"Queue {counted(len(planned.configs), 'run')}", not planned.problems


def plan_note(planned: comparison_start.Plan) -> dict[str, Any]:
    """What would be run, for a person."""
    seeds = {one.seed for one in planned.configs}
    steps = sum(planned.steps)
    time = f"about {duration(planned.seconds)}" if planned.seconds == planned.seconds else "not known"
    lines = [
        f"{counted((len(planned.configs) - planned.ladder_runs) // len(seeds), 'strategy', 'strategies')} with {counted(len(seeds), 'seed')}: "
        f"{counted(len(planned.configs), 'run')}, one after the other.",
        f"{number(steps)} optimizer steps in all"
        + (f"; full is stopped after {number(planned.equal_steps)}." if planned.equal_steps else ".")
        + _ladder_words(planned),
        f"Time in all: {time} ({planned.source}).",
        f"Held-out loss: on {planned.measured_on}.",
    ]
    if len(seeds) == 1:
        lines.append("With one seed there is no spread, so differences cannot be judged. Five is usual.")
    return plan_value(planned, lines)


def _ladder_words(planned: comparison_start.Plan) -> str:
    if not planned.ladder_runs:
        return ""
    runs, steps = counted(planned.ladder_runs, "run"), number(planned.ladder_steps)
    return f" Of these {runs} and {steps} steps are for the compute multiplier."


def started(
    home: Path, data_roots: Sequence[Path], model_roots: Sequence[Path], who: str, name: str, *given: Any
) -> tuple[Any, Any]:
    """(the comparison that was queued, a message)."""
    try:
        asked = asked_for(home, model_roots, *given)
        strategies = list(dict.fromkeys(one.strategy for one in asked.configs))
        title = (
            name.strip()
            or f"{counted(len(strategies), 'strategy', 'strategies')} on {get_pool(home, asked.pool_id).name}"
        )
        made = comparison_start.start(
            home,
            title,
            asked.configs,
            asked.pool_id,
            held_out_id=asked.held_out_id,
            roots=data_roots,
            who=who,
        )
    except StudioError as error:
        return gr.skip(), nothing_queued(str(error))
    return made, {
        "tone": "good",
        "title": f"{counted(len(asked.configs), 'run')} queued",
        "text": "The results appear on the right as the runs end. This page may be closed; Tune shows and stops the runs.",
    }
