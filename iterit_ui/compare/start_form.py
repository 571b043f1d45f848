"""The form that starts a comparison: what it would run, and the start itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.config import PRESETS, STRATEGY_HELP, RunConfig, config_from, to_json
from backend.errors import ConfigError, StudioError
from backend.jobs import comparison_start
from iterit_ui.components import note
from iterit_ui.components.screen import when_shown
from iterit_ui.shared.launch import (
    allowed_model,
    model_choices,
    pool_choices,
    pool_inputs,
    pool_mapping,
    preset_for,
)
from iterit_ui.shared.session import DRAW, QUIET, Session, first_pool, get_pool
from iterit_ui.shared.theme import counted, duration, number

USUAL = ("iterit", "iterit-static", "superfiltering", "diversity", "random", "random-each-epoch")
RUN = "run "  # before a run's id among the places that settings come from


@dataclass(frozen=True)
class Form:
    """The form's controls."""

    pool: gr.Dropdown
    model: gr.Dropdown
    base: gr.Dropdown
    strategies: gr.CheckboxGroup
    equal: gr.Checkbox
    seeds: gr.Textbox
    budget: gr.Textbox
    epochs: gr.Textbox
    name: gr.Textbox
    plan: gr.HTML
    start: gr.Button

    @property
    def given(self) -> list[Any]:
        """What is asked for."""
        return [
            self.pool,
            self.model,
            self.base,
            self.strategies,
            self.equal,
            self.seeds,
            self.budget,
            self.epochs,
        ]


def build_start(session: Session) -> Form:
    """Lay the form out and wire what it says about itself."""
    home, models = session.home, session.model_roots
    pool = gr.Dropdown(
        pool_choices(home),
        value=first_pool() or None,
        label="Pool",
        elem_id="compare-pool",
        interactive=True,
        filterable=False,
    )
    known = model_choices(models)
    model = gr.Dropdown(
        known,
        value=known[0][1] if known else None,
        label="Model",
        allow_custom_value=True,
        elem_id="compare-model",
        interactive=True,
    )
    base = gr.Dropdown(
        base_choices(home),
        value=preset_for(first_pool(), known[0][1] if known else ""),
        label="All other settings from",
        info="A preset, or a run to copy pool, model and settings from.",
        elem_id="compare-base",
        filterable=False,
        interactive=True,
    )
    strategies = gr.CheckboxGroup(
        [(name, name) for name in STRATEGY_HELP],
        value=list(USUAL),
        label="Strategies",
        elem_id="compare-strategies",
        info="Random is the baseline; random-each-epoch is the fair control for iterit, whose data changes too.",
    )
    equal = gr.Checkbox(
        False,
        label="full at equal steps",
        elem_id="compare-equal",
        info="The whole pool, stopped after as many optimizer steps as the others take.",
    )
    with gr.Row(elem_classes="row-tight", elem_id="compare-numbers"):
        seeds = gr.Textbox("0-4", label="Seeds", elem_id="compare-seeds", min_width=60)
        budget = gr.Textbox(
            "", label="Budget", placeholder="as it is", elem_id="compare-budget", min_width=60
        )
        epochs = gr.Textbox(
            "", label="Epochs", placeholder="as it is", elem_id="compare-epochs", min_width=60
        )
    name = gr.Textbox(
        "", label="Name", placeholder="made from pool and strategies", elem_id="compare-name", max_length=120
    )
    plan = note(None, elem_id="compare-plan")
    start = gr.Button("Queue the runs", variant="primary", elem_id="compare-launch")
    form = Form(pool, model, base, strategies, equal, seeds, budget, epochs, name, plan, start)
    filled = when_shown("compare", "ready", "tab", "pool")
    filled(partial(fill, home), [session.tab, session.pool, base], [pool, base], **QUIET)
    base.input(partial(taken, home), base, [pool, model], **QUIET)
    gr.on(
        [when_shown("compare", "ready"), *(item.change for item in form.given)],
        partial(plan_of, home, models),
        form.given,
        [plan, start],
        **DRAW,
    )
    return form


def base_choices(home: Path) -> list[tuple[str, str]]:
    """(words, value) of what settings may be taken from: presets, then runs, the newest first."""
    choices = [(f"preset {name}", name) for name in PRESETS]
    return choices + [(f"run {info.name} · {info.id}", f"{RUN}{info.id}") for info in store.runs(home)[:40]]


def fill(home: Path, tab: str, pool: str, base: str) -> tuple[Any, Any]:
    """(pools, bases) as they are now, where the tab is shown."""
    if tab != "compare":
        return gr.skip(), gr.skip()
    pools, bases = pool_choices(home), base_choices(home)
    chosen = pool if pool in [value for _, value in pools] else None
    return (
        gr.Dropdown(choices=pools, value=chosen) if not base.startswith(RUN) else gr.Dropdown(choices=pools),
        gr.Dropdown(choices=bases, value=base if base in [value for _, value in bases] else "paper"),
    )


def taken(home: Path, base: str) -> tuple[Any, Any]:
    """Pool and model of the run that settings are taken from; free to choose with a preset."""
    if not base.startswith(RUN):
        return gr.Dropdown(interactive=True), gr.Dropdown(interactive=True)
    try:
        info = store.run_info(home, base.removeprefix(RUN))
    except StudioError:
        return gr.skip(), gr.skip()
    return (
        gr.Dropdown(
            choices=[(f"{info.pool_name} · {info.pool_rows:,} samples", info.pool_id)],
            value=info.pool_id,
            interactive=False,
        ),
        gr.Dropdown(value=info.model, interactive=False),
    )


@dataclass(frozen=True)
class Asked:
    """What somebody asked for, read and checked."""

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
) -> Asked:
    """The runs that the form asks for.

    Raises
    ------
    StudioError : something in it is missing or wrong; the message says what would do.
    """
    changes: dict[str, Any] = {"max_steps": 0}
    if budget.strip():
        changes["budget"] = _number("budget", budget)
    if epochs.strip():
        changes["epochs"] = _number("epochs", epochs)
    held_out_id = None
    if base.startswith(RUN):
        run = base.removeprefix(RUN)
        pools = store.read_run_pool(home, run)
        pool_id, rows, held_out_id = pools.id, pools.rows, pools.held_out_id
        complete = config_from({**to_json(store.read_config(home, run)), **changes})
    else:
        if not pool:
            raise ConfigError("no pool is chosen; take one from the list")
        pool_id, rows = pool, len(get_pool(home, pool))
        complete = config_from(
            {
                "pool": pool_inputs(home, pool),
                "mapping": pool_mapping(home, pool),
                "model": allowed_model(model or "", model_roots),
                **_marks(home, pool),
                **changes,
            },
            preset=base,
        )
    configs = comparison_start.configurations(
        complete,
        rows,
        strategies=[name for name in STRATEGY_HELP if name in strategies],
        seeds=comparison_start.seeds_of(seeds),
        equal_steps_full=equal,
    )
    return Asked(configs, pool_id, rows, held_out_id)


def plan_of(home: Path, model_roots: Sequence[Path], *given: Any) -> tuple[Any, Any]:
    """(what would be run, the button) for the form as it stands."""
    try:
        asked = asked_for(home, model_roots, *given)
        planned = comparison_start.plan(home, asked.configs, asked.pool_id, asked.rows)
    except StudioError as error:
        return {"tone": "error", "text": f"{error}."}, gr.Button(interactive=False)
    return plan_note(planned), gr.Button(
        f"Queue {counted(len(planned.configs), 'run')}", interactive=not planned.problems
    )


def plan_note(planned: comparison_start.Plan) -> dict[str, Any]:
    """What would be run, for a person."""
    seeds = {one.seed for one in planned.configs}
    steps = sum(planned.steps)
    time = f"about {duration(planned.seconds)}" if planned.seconds == planned.seconds else "not known"
    lines = [
        f"{counted(len(planned.configs) // len(seeds), 'strategy', 'strategies')} with {counted(len(seeds), 'seed')}: "
        f"{counted(len(planned.configs), 'run')}, one after the other.",
        f"{number(steps)} optimizer steps in all"
        + (f"; full is stopped after {number(planned.equal_steps)}." if planned.equal_steps else "."),
        f"Time in all: {time} ({planned.source}).",
        f"Held-out loss: on {planned.measured_on}.",
    ]
    if len(seeds) == 1:
        lines.append("With one seed there is no spread, so differences cannot be judged. Five is usual.")
    if planned.problems:
        return {
            "tone": "error",
            "title": "This would fail",
            "text": " ".join(lines),
            "steps": list(planned.problems),
        }
    return {"tone": "info", "text": " ".join(lines), "steps": list(planned.warnings)}


def started(
    home: Path, data_roots: Sequence[Path], model_roots: Sequence[Path], who: str, name: str, *given: Any
) -> tuple[Any, Any]:
    """(the comparison that was queued, a message)."""
    try:
        asked = asked_for(home, model_roots, *given)
        strategies = list(dict.fromkeys(one.strategy for one in asked.configs))
        title = (
            name.strip()
            or f"{counted(len(strategies), 'strategy', 'strategies')} on {_pool_name(home, asked.pool_id)}"
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
        return gr.skip(), {"tone": "error", "title": "Nothing was queued", "text": f"{error}."}
    return made, {
        "tone": "good",
        "title": f"{counted(len(asked.configs), 'run')} queued",
        "text": "The results appear on the right as the runs end. This page may be closed; Tune shows and stops the runs.",
    }


def _marks(home: Path, pool_id: str) -> dict[str, Any]:
    """What people pinned and excluded in the pool holds for the runs, as on the Tune tab."""
    marks = dict(store.marks(home, pool_id))
    return {
        "pinned": tuple(sample for sample, mark in marks.items() if mark == "pinned"),
        "excluded": tuple(sample for sample, mark in marks.items() if mark == "excluded"),
    }


def _pool_name(home: Path, pool_id: str) -> str:
    return get_pool(home, pool_id).name


def _number(name: str, text: str) -> float:
    try:
        return float(text.strip().removesuffix("%")) / (100 if text.strip().endswith("%") else 1)
    except ValueError as error:
        raise ConfigError(f"{name} is {text.strip()!r}; expected a number") from error
