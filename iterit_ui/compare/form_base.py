"""What every form of this tab asks for: a pool, a model, and where all other settings are taken from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.config import PRESETS, RunConfig, config_from, to_json
from backend.errors import ConfigError
from backend.jobs.comparison_start import Plan
from iterit_ui.components.screen import when_shown
from iterit_ui.shared.launch import (
    allowed_model,
    model_choices,
    pool_choices,
    pool_inputs,
    pool_mapping,
    preset_for,
)
from iterit_ui.shared.session import EVENT, QUIET, Session, bound, content_id, first_pool, get_pool

Values = dict[str, Any]  # of a form's fields, by name: texts, switches bool; several choices a line each
LONGEST = 4000  # characters of one field
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


def wire(
    session: Session,
    form: Form,
    on_open: Callable[..., list[Any]],
    on_change: Callable[..., list[Any]],
    on_start: Callable[..., list[Any]] | None = None,
) -> None:
    """What a form does when its tab or another pool is opened, when a field changes, and when the runs are asked for."""
    home, models = session.home, session.model_roots

    def change(event: gr.EventData, values: Values) -> list[Any]:
        return on_change(home, models, event._data, values)

    opened = when_shown("compare", "ready", "tab", "pool")
    opened(bound(on_open, home, models), [session.pool, form.values, form.answered], form.drawn, **EVENT)
    form.fields.set(change, form.values, form.drawn, **EVENT)
    if on_start is None:
        return

    def start(event: gr.EventData, who: str) -> list[Any]:
        return on_start(home, session.data_roots, models, event._data, who)

    form.fields.start(start, session.who, [session.comparison, *form.drawn], concurrency_limit=1, **QUIET)


def starting_source(models: Sequence[Path]) -> Values:
    """Pool, model and base before anybody changed them."""
    known = model_choices(models)
    model = known[0][1] if known else ""
    return {"pool": first_pool(), "model": model, "base": preset_for(first_pool(), model)}


def for_pool(home: Path, pool: str, values: Values) -> Values:
    """A form's values for the page's pool, unless the settings come from a run, which brings its own pool."""
    if not values["base"].startswith(RUN) and pool in [key for _, key in pool_choices(home)]:
        return {**values, "pool": pool}
    return values


def source_fields(home: Path, models: Sequence[Path], values: Values) -> dict[str, dict[str, Any]]:
    """What the fields `pool`, `model` and `base` offer, by field."""
    pools = pool_choices(home)
    fixed = ""
    if values["base"].startswith(RUN):
        fixed = "Taken from the run below."
        if values["pool"] not in [key for _, key in pools]:
            pools = [*pools, ("the run's pool", values["pool"])]
    return {
        "pool": {"kind": "choice", "options": options(pools), "off": fixed},
        "model": {"offered": options(model_choices(models)), "off": fixed},
        "base": {"kind": "choice", "options": options(base_choices(home))},
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


def with_source(home: Path, models: Sequence[Path], changed: Any, there: Values, before: Values) -> Values:
    """The form's values where the field `changed` is another one: a run that settings are taken from brings its pool and model.

    Raises
    ------
    StudioError : there is no such run.
    """
    if changed == "base" and there["base"].startswith(RUN):
        info = store.run_info(home, there["base"].removeprefix(RUN))
        return {**there, "pool": store.root_of(home, info.pool_id), "model": info.model}
    if changed == "base" and before["base"].startswith(RUN):
        start = starting_source(models)
        return {**there, "pool": start["pool"], "model": start["model"]}
    return there


def checked_form(known: Values, values: Any) -> Values:
    """What the page says is asked for. known : values of the same names and kinds.

    Raises
    ------
    StudioError : it is not what the form has.
    """
    if not isinstance(values, dict) or set(values) != set(known):
        raise ConfigError("the page sent another form than this one; load the page again")
    for name, value in values.items():
        if type(value) is not type(known[name]) or len(str(value)) > LONGEST:
            raise ConfigError(f"the page sent {name} as {str(value)[:40]!r}; expected what the form has")
    return values


def plan_value(planned: Plan, lines: Sequence[str]) -> dict[str, Any]:
    """What would be run, in sentences, with what would fail or is worth knowing below; as a note takes it."""
    if planned.problems:
        return {
            "tone": "error",
            "title": "This would fail",
            "text": " ".join(lines),
            "steps": list(planned.problems),
        }
    return {"tone": "info", "text": " ".join(lines), "steps": list(planned.warnings)}


def nothing_queued(text: str) -> dict[str, Any]:
    """A note that no run was queued, with the reason."""
    return {"tone": "error", "title": "Nothing was queued", "text": f"{text}."}


def options(choices: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """(words, value) of each choice, as a field takes them."""
    return [{"value": value, "label": label} for label, value in choices]


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
        changes = {**changes, "epochs": number_of("epochs", epochs)}
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
    return config_from(values, preset=base), content_id(home, pool), len(get_pool(home, pool)), None


def _marks(home: Path, pool_id: str) -> dict[str, Any]:
    """What people pinned and excluded in the pool holds for the runs, as on the Tune tab."""
    marks = dict(store.marks(home, pool_id))
    return {
        "pinned": tuple(sample for sample, mark in marks.items() if mark == "pinned"),
        "excluded": tuple(sample for sample, mark in marks.items() if mark == "excluded"),
    }


def number_of(name: str, text: str) -> float:
    """What somebody typed: a number, or a share in percent.

    Raises
    ------
    ConfigError : something else. name : the field's, for the message.
    """
    try:
        return float(text.strip().removesuffix("%")) / (100 if text.strip().endswith("%") else 1)
    except ValueError as error:
        raise ConfigError(f"{name} is {text.strip()!r}; expected a number") from error
