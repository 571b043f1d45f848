"""The form that starts a comparison: what it would run, and the start itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.config import PRESETS, STRATEGY_HELP, RunConfig, config_from, to_json
from backend.errors import ConfigError, StudioError
from backend.jobs import comparison_start, equal_tokens
from iterit_ui.compare.words import EQUAL_TOKENS, EQUAL_TOKENS_HELP, LADDER, LADDER_HELP
from iterit_ui.components import checked_int, note
from iterit_ui.components.comparison_form import comparison_form
from iterit_ui.components.screen import when_shown
from iterit_ui.shared.launch import (
    allowed_model,
    model_choices,
    pool_choices,
    pool_inputs,
    pool_mapping,
    preset_for,
)
from iterit_ui.shared.session import EVENT, Session, bound, first_pool, get_pool
from iterit_ui.shared.strategies import strategy_label
from iterit_ui.shared.theme import counted, duration, number

Values = dict[str, Any]  # of the form's fields: texts, `equal` and `ladder` bool; strategies a line each
LONGEST = 4000  # characters of one field
LABEL = {
    "pool": "Pool",
    "model": "Model",
    "base": "All other settings from",
    "strategies": "Strategies",
    "equal": "Full at equal steps",
    "ladder": LADDER,
    "tokens": EQUAL_TOKENS,
    "seeds": "Seeds",
    "budget": "Budget",
    "epochs": "Epochs",
    "name": "Name",
}
HELP = {
    "pool": "The samples to pick from.",
    "model": "From the list, or a hub id.",
    "base": "A preset, or a run to copy pool, model and settings from.",
    "strategies": "Random is the baseline; Random, redrawn each epoch, is the fair control for IterIT, whose data changes too.",
    "equal": "The whole pool, stopped after as many optimizer steps as the others take.",
    "ladder": LADDER_HELP,
    "tokens": EQUAL_TOKENS_HELP,
    "seeds": "Numbers and ranges: 0-4, or 1, 5, 9. Each strategy runs once with each.",
    "budget": "A share or a number of samples, for every run; empty leaves what the settings say.",
    "epochs": "For every run; empty leaves what the settings say.",
    "name": "The comparison's name in the list above.",
}
PLACEHOLDER = {
    "budget": "as it is",
    "epochs": "as it is",
    "name": "made from pool and strategies",
}
USUAL = (
    "iterit",
    "iterit-cumulative",
    "iterit-static",
    "superfiltering",
    "diversity",
    "random",
    "random-each-epoch",
)
RUN = "run "  # before a run's id among the places that settings come from


@dataclass(frozen=True)
class Form:
    """The form, what it says about what is asked for, and the states that only it uses."""

    fields: gr.HTML
    plan: gr.HTML
    values: gr.State
    answered: gr.State  # number of the form's last event that was answered

    @property
    def drawn(self) -> list[Any]:
        """The outputs of every event of the form."""
        return [self.values, self.answered, self.fields, self.plan]


def build_start(session: Session) -> Form:
    """Lay the form out and wire what it says about itself."""
    home, models = session.home, session.model_roots
    form = Form(
        comparison_form(elem_id="compare-fields"),
        note(None, elem_id="compare-plan"),
        gr.State(starting_values(home, models)),
        gr.State(0),
    )

    def change(event: gr.EventData, values: Values) -> list[Any]:
        return on_change(home, models, event._data, values)

    opened = when_shown("compare", "ready", "tab", "pool")
    opened(bound(on_open, home, models), [session.pool, form.values, form.answered], form.drawn, **EVENT)
    form.fields.set(change, form.values, form.drawn, **EVENT)
    return form


def starting_values(home: Path, models: Sequence[Path]) -> Values:
    """What the form asks for before anybody changed it."""
    known = model_choices(models)
    model = known[0][1] if known else ""
    return {
        "pool": first_pool(),
        "model": model,
        "base": preset_for(first_pool(), model),
        "strategies": "\n".join(USUAL),
        "equal": False,
        "ladder": False,
        "tokens": "",
        "seeds": "0-4",
        "budget": "",
        "epochs": "",
        "name": "",
    }


def form_value(
    home: Path, models: Sequence[Path], values: Values, *, seq: int, button: str, ready: bool
) -> dict[str, Any]:
    """The form as it is shown, see `components/comparison_form`. button, ready : its words, and whether it may be pressed."""
    more: dict[str, dict[str, Any]] = {
        **source_fields(home, models, values),
        "strategies": {
            "kind": "several",
            "options": _options([(strategy_label(name), name) for name in STRATEGY_HELP]),
        },
        "equal": {"kind": "switch"},
        "ladder": {"kind": "switch"},
        "tokens": {"kind": "choice", "options": _options(token_choices(home, values["pool"]))},
    }
    words = {"label": LABEL, "help": HELP, "placeholder": PLACEHOLDER}
    return {
        "fields": form_fields(values, starting_values(home, models), words, more),
        "button": button,
        "ready": ready,
        "seq": seq,
    }


def source_fields(home: Path, models: Sequence[Path], values: Values) -> dict[str, dict[str, Any]]:
    """What the fields `pool`, `model` and `base` offer, by field."""
    pools = pool_choices(home)
    fixed = ""
    if values["base"].startswith(RUN):
        fixed = "Taken from the run below."
        if values["pool"] not in [key for _, key in pools]:
            pools = [*pools, ("the run's pool", values["pool"])]
    return {
        "pool": {"kind": "choice", "options": _options(pools), "off": fixed},
        "model": {"offered": _options(model_choices(models)), "off": fixed},
        "base": {"kind": "choice", "options": _options(base_choices(home))},
    }


def form_fields(
    values: Values,
    start: Values,
    words: Mapping[str, Mapping[str, str]],
    more: Mapping[str, dict[str, Any]],
) -> list[dict[str, Any]]:
    """Fields as `components/comparison_form` takes them, texts but for what `more` says.

    start : values before anybody changed them. words : label, help and placeholder, each by field; every field has a label.
    """
    return [
        {
            "name": name,
            "label": label,
            "help": words["help"].get(name, ""),
            "kind": "text",
            "placeholder": words["placeholder"].get(name, ""),
            "value": values[name],
            "default": start[name],
            **more.get(name, {}),
        }
        for name, label in words["label"].items()
    ]


def base_choices(home: Path) -> list[tuple[str, str]]:
    """(words, value) of what settings may be taken from: presets, then runs, the newest first."""
    choices = [(f"preset {name}", name) for name in PRESETS]
    return choices + [(f"run {info.name} · {info.id}", f"{RUN}{info.id}") for info in store.runs(home)[:40]]


def token_choices(home: Path, pool: str) -> list[tuple[str, str]]:
    """(words, run id) of the runs whose amount of text others may be trained on: those that are done on this pool."""
    done = [
        info for info in store.runs(home) if info.state == "done" and info.epochs and info.pool_id == pool
    ]
    return [("none", ""), *((f"run {info.name} · {info.id}", info.id) for info in done[:40])]


def on_open(home: Path, models: Sequence[Path], pool: str, values: Values, answered: int) -> list[Any]:
    """Show the form for the page's pool, unless the settings come from a run, which brings its own pool."""
    if not values["base"].startswith(RUN) and pool in [key for _, key in pool_choices(home)]:
        values = {**values, "pool": pool}
    return shown(home, models, values, seq=answered)


def on_change(home: Path, models: Sequence[Path], data: dict[str, Any], values: Values) -> list[Any]:
    """A field has another value; a run that settings are taken from brings its pool and model."""
    seq = checked_int(data.get("seq"), 0, 2**53)
    there = checked_values(home, models, data.get("values"))
    try:
        there = with_source(home, models, data.get("name"), there, values)
    except StudioError as error:
        return [*shown(home, models, values, seq=seq)[:-1], {"tone": "error", "text": f"{error}."}]
    return shown(home, models, there, seq=seq)


def with_source(home: Path, models: Sequence[Path], changed: Any, there: Values, before: Values) -> Values:
    """The form's values where the field `changed` is another one: a run that settings are taken from brings its pool and model.

    Raises
    ------
    StudioError : there is no such run.
    """
    if changed == "base" and there["base"].startswith(RUN):
        info = store.run_info(home, there["base"].removeprefix(RUN))
        return {**there, "pool": info.pool_id, "model": info.model}
    if changed == "base" and before["base"].startswith(RUN):
        start = starting_values(home, models)
        return {**there, "pool": start["pool"], "model": start["model"]}
    return there


def shown(home: Path, models: Sequence[Path], values: Values, *, seq: int) -> list[Any]:
    """Values of `Form.drawn`."""
    plan, button, ready = plan_of(home, models, *given(values))
    return [values, seq, form_value(home, models, values, seq=seq, button=button, ready=ready), plan]


def checked_values(home: Path, models: Sequence[Path], values: Any) -> Values:
    """What the page says is asked for.

    Raises
    ------
    StudioError : it is not what the form has.
    """
    return checked_form(starting_values(home, models), values)


def checked_form(known: Values, values: Any) -> Values:
    """The same for any form. known : values of the same names and kinds."""
    if not isinstance(values, dict) or set(values) != set(known):
        raise ConfigError("the page sent another form than this one; load the page again")
    for name, value in values.items():
        if type(value) is not type(known[name]) or len(str(value)) > LONGEST:
            raise ConfigError(f"the page sent {name} as {str(value)[:40]!r}; expected what the form has")
    return values


def given(values: Values) -> list[Any]:
    """The form's values in the order of the parameters of `asked_for`."""
    return [
        values["pool"] or None,
        values["model"],
        values["base"],
        values["strategies"].split("\n"),
        *(values[name] for name in ("equal", "seeds", "budget", "epochs", "ladder", "tokens")),
    ]


def _options(choices: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"value": value, "label": label} for label, value in choices]


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
        changes["budget"] = _number("budget", budget)
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


def base_of(
    home: Path,
    model_roots: Sequence[Path],
    pool: str | None,
    model: str | None,
    base: str,
    epochs: str,
    changes: dict[str, Any],
) -> tuple[RunConfig, str, int, str | None]:
    """(settings that all runs share, the pool's id, its samples, the id of stored held-out samples or None).

    changes : settings that differ from the base's, by name.

    Raises
    ------
    StudioError : something is missing or wrong; the message says what would do.
    """
    if epochs.strip():
        changes = {**changes, "epochs": _number("epochs", epochs)}
    if base.startswith(RUN):
        run = base.removeprefix(RUN)
        pools = store.read_run_pool(home, run)
        complete = config_from({**to_json(store.read_config(home, run)), **changes})
        return complete, pools.id, pools.rows, pools.held_out_id
    if not pool:
        raise ConfigError("no pool is chosen; take one from the list")
    values = {
        "pool": pool_inputs(home, pool),
        "mapping": pool_mapping(home, pool),
        "model": allowed_model(model or "", model_roots),
        **_marks(home, pool),
        **changes,
    }
    return config_from(values, preset=base), pool, len(get_pool(home, pool)), None


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
    if planned.problems:
        return {
            "tone": "error",
            "title": "This would fail",
            "text": " ".join(lines),
            "steps": list(planned.problems),
        }
    return {"tone": "info", "text": " ".join(lines), "steps": list(planned.warnings)}


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


def on_start(
    home: Path,
    data_roots: Sequence[Path],
    model_roots: Sequence[Path],
    data: dict[str, Any],
    who: str,
) -> list[Any]:
    """The comparison, and values of `Form.drawn`, when the runs are asked for."""
    values = checked_values(home, model_roots, data.get("values"))
    made, said = started(home, data_roots, model_roots, who, values["name"], *given(values))
    drawn = shown(home, model_roots, values, seq=checked_int(data.get("seq"), 0, 2**53))
    return [made, *drawn[:-1], said]


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
