"""The form that starts a sensitivity study: its fields, and what its events do; what it asks for is in `sensitivity_plan`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from backend.analysis.sensitivity import value_words
from backend.errors import StudioError
from backend.jobs.sensitivity_start import REFERENCES, VARIED
from iterit_ui.compare.form_base import (
    Form,
    Values,
    checked_form,
    for_pool,
    form_fields,
    source_fields,
    starting_source,
    wire,
    with_source,
)
from iterit_ui.compare.sensitivity_plan import plan_of, started, study_base
from iterit_ui.components import checked_int, note
from iterit_ui.components.comparison_form import comparison_form
from iterit_ui.shared.session import Session
from iterit_ui.shared.settings import label
from iterit_ui.shared.strategies import strategy_label

PREFIX = "study"
EXAMPLE = {
    "budget": "2.5 %, 5 %, 10 %",
    "update_ratio": "1, 2, 3, 5",
    "decay": "0, 0.1, 0.5",
    "complexity_weight": "0.5, 1, 2",
    "diversity_weight": "0.5, 1, 2",
}
LABEL = {
    "pool": "Pool",
    "model": "Model",
    "base": "The base: all settings from",
    **{name: label(name) for name in VARIED},
    "cross": "Every combination",
    "references": "Also run, as reference lines",
    "seeds": "Seeds",
    "epochs": "Epochs",
    "name": "Name",
}
HELP = {
    "pool": "The samples to pick from.",
    "model": "From the list, or a hub id.",
    "base": "A preset, or a run to copy pool, model and settings from. The base is run too.",
    **dict.fromkeys(
        VARIED,
        "Values to try, separated by commas; empty leaves it as in the base, whose value need not be named.",
    ),
    "cross": "Of all values. Otherwise one setting is changed at a time and the others stay as in the base, which takes far fewer runs.",
    "references": "Strategies with the base's budget, drawn as lines across the figure.",
    "seeds": "Numbers and ranges: 0-2, or 1, 5, 9. Each value runs once with each.",
    "epochs": "For every run; empty leaves what the settings say.",
    "name": "The study's name in the list of comparisons.",
}
PLACEHOLDER = {"epochs": "as it is", "name": "made from settings and pool"}


def build_sensitivity(session: Session) -> None:
    """Lay the form out and wire it."""
    home, models = session.home, session.model_roots
    form = Form(
        comparison_form(elem_id="study-fields"),
        note(None, elem_id="study-plan"),
        gr.State(starting_values(home, models)),
        gr.State(0),
    )
    wire(session, form, on_open, on_change, on_start)


def starting_values(home: Path, models: Sequence[Path]) -> Values:
    """What the form asks for before anybody changed it."""
    return {
        **starting_source(models),
        **dict.fromkeys(VARIED, ""),
        "cross": False,
        "references": "",
        "seeds": "0-2",
        "epochs": "",
        "name": "",
    }


def on_open(home: Path, models: Sequence[Path], pool: str, values: Values, answered: int) -> list[Any]:
    """Show the form for the page's pool, unless the settings come from a run, which brings its own pool."""
    return shown(home, models, for_pool(home, pool, values), seq=answered)


def on_change(home: Path, models: Sequence[Path], data: dict[str, Any], values: Values) -> list[Any]:
    """A field has another value."""
    seq = checked_int(data.get("seq"), 0, 2**53)
    there = checked_form(starting_values(home, models), data.get("values"))
    try:
        there = with_source(home, models, data.get("name"), there, values)
    except StudioError as error:
        return [*shown(home, models, values, seq=seq)[:-1], {"tone": "error", "text": f"{error}."}]
    return shown(home, models, there, seq=seq)


def on_start(
    home: Path, data_roots: Sequence[Path], models: Sequence[Path], data: dict[str, Any], who: str
) -> list[Any]:
    """The study, and values of `Form.drawn`, when the runs are asked for."""
    values = checked_form(starting_values(home, models), data.get("values"))
    made, said = started(home, data_roots, models, who, values)
    drawn = shown(home, models, values, seq=checked_int(data.get("seq"), 0, 2**53))
    return [made, *drawn[:-1], said]


def shown(home: Path, models: Sequence[Path], values: Values, *, seq: int) -> list[Any]:
    """Values of `Form.drawn`."""
    plan, button, ready = plan_of(home, models, values)
    return [values, seq, form_value(home, models, values, seq=seq, button=button, ready=ready), plan]


def form_value(
    home: Path, models: Sequence[Path], values: Values, *, seq: int, button: str, ready: bool
) -> dict[str, Any]:
    """The form as it is shown, see `components/comparison_form`."""
    more: dict[str, dict[str, Any]] = {
        **source_fields(home, models, values),
        "cross": {"kind": "switch"},
        "references": {
            "kind": "several",
            "options": [{"value": name, "label": strategy_label(name)} for name in REFERENCES],
        },
    }
    words = {"label": LABEL, "help": HELP, "placeholder": {**PLACEHOLDER, **_examples(home, models, values)}}
    return {
        "fields": form_fields(values, starting_values(home, models), words, more),
        "button": button,
        "ready": ready,
        "seq": seq,
        "prefix": PREFIX,
    }


def _examples(home: Path, models: Sequence[Path], values: Values) -> dict[str, str]:
    """The base's value and an example, for each setting that may be varied."""
    try:
        base, *_ = study_base(home, models, {**values, "epochs": ""})
    except StudioError:  # the plan says what is wrong
        return {name: f"such as {EXAMPLE[name]}" for name in VARIED}
    return {
        name: f"base {value_words(name, getattr(base, name))}; such as {EXAMPLE[name]}" for name in VARIED
    }
