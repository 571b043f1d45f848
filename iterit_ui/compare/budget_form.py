"""The form that starts a search for the smallest budget: what it would run and cost, and the start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.errors import StudioError
from backend.jobs import budget_search
from backend.jobs.budget_search import SMALLEST, Search
from backend.jobs.comparison_start import Plan, seeds_of
from iterit_ui.compare.form_base import (
    RUN,
    Form,
    Values,
    base_of,
    checked_form,
    for_pool,
    form_fields,
    nothing_queued,
    number_of,
    options,
    plan_value,
    source_fields,
    starting_source,
    wire,
    with_source,
)
from iterit_ui.components import checked_int, note
from iterit_ui.components.comparison_form import comparison_form
from iterit_ui.shared.session import Session, get_pool
from iterit_ui.shared.strategies import STRATEGIES, strategy_label
from iterit_ui.shared.theme import counted, duration, number

PREFIX = "budget"
BUTTON = "Queue the runs"
LABEL = {
    "pool": "Pool",
    "model": "Model",
    "base": "All other settings from",
    "strategy": "Strategy",
    "smallest": "Smallest budget",
    "seeds": "Seeds",
    "epochs": "Epochs",
}
HELP = {
    "pool": "The samples to pick from. All of them are trained on too: that is what a budget has to match.",
    "model": "From the list, or a hub id.",
    "base": "A preset, or a run to copy pool, model and settings from.",
    "strategy": "It selects every budget below the full pool.",
    "smallest": "The search halves the pool down to this: a share such as 2 %, or a number of samples.",
    "seeds": "Two or more, such as 0,1 or 0-2. Each budget runs once with each; more of them see smaller differences.",
    "epochs": "For every run; empty leaves what the settings say.",
}
PLACEHOLDER = {"epochs": "as it is"}


@dataclass(frozen=True)
class Asked:
    """The request from the form, parsed and checked."""

    search: Search
    pool_id: str
    rows: int
    held_out_id: str | None


def build_budget(session: Session) -> None:
    """Lay the form out and wire it."""
    models = session.model_roots
    form = Form(
        comparison_form(elem_id="budget-fields"),
        note(None, elem_id="budget-plan"),
        gr.State(starting_values(models)),
        gr.State(0),
    )
    wire(session, form, on_open, on_change, on_start)


def starting_values(models: Sequence[Path]) -> Values:
    """What the form asks for before anybody changed it."""
    return {
        **starting_source(models),
        "strategy": STRATEGIES[0],
        "smallest": f"{100 * SMALLEST:g} %",
        "seeds": "0,1",
        "epochs": "",
    }


def on_open(home: Path, models: Sequence[Path], pool: str, values: Values, answered: int) -> list[Any]:
    """Show the form for the page's pool, unless the settings come from a run, which brings its own pool."""
    return shown(home, models, for_pool(home, pool, values), seq=answered)


def on_change(home: Path, models: Sequence[Path], data: dict[str, Any], values: Values) -> list[Any]:
    """A field has another value; a run that settings are taken from brings its strategy too."""
    seq = checked_int(data.get("seq"), 0, 2**53)
    there = checked_form(starting_values(models), data.get("values"))
    try:
        there = with_source(home, models, data.get("name"), there, values)
        if data.get("name") == "base" and there["base"].startswith(RUN):
            strategy = store.run_info(home, there["base"].removeprefix(RUN)).strategy
            there = {**there, "strategy": strategy if strategy in STRATEGIES else there["strategy"]}
    except StudioError as error:
        return [*shown(home, models, values, seq=seq)[:-1], {"tone": "error", "text": f"{error}."}]
    return shown(home, models, there, seq=seq)


def on_start(
    home: Path, data_roots: Sequence[Path], models: Sequence[Path], data: dict[str, Any], who: str
) -> list[Any]:
    """The search, and values of `Form.drawn`, when the runs are asked for."""
    values = checked_form(starting_values(models), data.get("values"))
    made, said = started(home, data_roots, models, who, values)
    drawn = shown(home, models, values, seq=checked_int(data.get("seq"), 0, 2**53))
    return [made, *drawn[:-1], said]


def shown(home: Path, models: Sequence[Path], values: Values, *, seq: int) -> list[Any]:
    """Values of `Form.drawn`."""
    plan, button, ready = plan_of(home, models, values)
    more: dict[str, dict[str, Any]] = {
        **source_fields(home, models, values),
        "strategy": {
            "kind": "choice",
            "options": options([(strategy_label(name), name) for name in STRATEGIES]),
        },
    }
    words = {"label": LABEL, "help": HELP, "placeholder": PLACEHOLDER}
    form = {
        "fields": form_fields(values, starting_values(models), words, more),
        "button": button,
        "ready": ready,
        "seq": seq,
        "prefix": PREFIX,
    }
    return [values, seq, form, plan]


def asked_for(home: Path, models: Sequence[Path], values: Values) -> Asked:
    """The search that the form asks for.

    Raises
    ------
    StudioError : something in it is missing or wrong; the message says what would do.
    """
    pool, model, base = values["pool"] or None, values["model"], values["base"]
    changes = {"strategy": values["strategy"], "max_steps": 0}
    config, pool_id, rows, held_out_id = base_of(home, models, pool, model, base, values["epochs"], changes)
    search = budget_search.search_of(
        config, rows, smallest=number_of("smallest", values["smallest"]), seeds=seeds_of(values["seeds"])
    )
    return Asked(search, pool_id, rows, held_out_id)


def plan_of(home: Path, models: Sequence[Path], values: Values) -> tuple[dict[str, Any], str, bool]:
    """(what would be run, the button's words, whether it could be started) for the form as it stands."""
    try:
        asked = asked_for(home, models, values)
        planned = budget_search.plan(home, asked.search, asked.pool_id, asked.rows)
    except StudioError as error:
        return {"tone": "error", "text": f"{_in_words(str(error))}."}, BUTTON, False
    return (
        plan_note(planned, asked.search),
        f"Queue {counted(len(planned.configs), 'run')}",
        not planned.problems,
    )


def plan_note(planned: Plan, search: Search) -> dict[str, Any]:
    """What would be run and cost, for a person."""
    *others, last = [number(budget) for budget in search.budgets]
    budgets = f"{', '.join(others)} and {last}" if others else last
    seeds = len(search.seeds)
    known = planned.seconds == planned.seconds
    lines = [
        f"The full pool, then {budgets} samples an epoch, with {counted(seeds, 'seed')}: "
        f"{counted(len(planned.configs), 'run')}, one after the other, the largest first.",
        f"At most {number(sum(planned.steps))} optimizer steps in all, {number(sum(planned.steps[:seeds]))} of them on the full "
        "pool. Once a budget turns out to be too small, the smaller ones are not run.",
        f"Time in all: {f'at most about {duration(planned.seconds)}' if known else 'not known'} ({planned.source}).",
        f"Held-out loss: on {planned.measured_on}.",
    ]
    return plan_value(planned, lines)


def started(
    home: Path, data_roots: Sequence[Path], models: Sequence[Path], who: str, values: Values
) -> tuple[Any, Any]:
    """(the search that was queued, a message)."""
    try:
        asked = asked_for(home, models, values)
        made = budget_search.start(
            home,
            asked.search,
            asked.pool_id,
            name=get_pool(home, asked.pool_id).name,
            held_out_id=asked.held_out_id,
            roots=data_roots,
            who=who,
        )
    except StudioError as error:
        return gr.skip(), nothing_queued(_in_words(str(error)))
    return made, {
        "tone": "good",
        "title": f"{counted(len(asked.search.configs), 'run')} queued",
        "text": "The search appears on the right and fills as the runs end; it ends early by itself where it can. This page may "
        "be closed; Tune shows, stops and resumes the runs.",
    }


def _in_words(error: str) -> str:
    """An error that begins with a field's name, with its label instead."""
    name = next((name for name in LABEL if error.startswith((f"{name} ", f"{name}:"))), "")
    return LABEL[name] + error.removeprefix(name) if name else error
