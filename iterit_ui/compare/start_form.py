"""The form that starts a comparison: its fields, and what its events do; what it asks for is in `start_plan`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.config import STRATEGY_HELP
from backend.errors import StudioError
from iterit_ui.compare.form_base import (
    Form,
    Values,
    checked_form,
    for_pool,
    form_fields,
    options,
    source_fields,
    starting_source,
    wire,
    with_source,
)
from iterit_ui.compare.start_plan import plan_of, started
from iterit_ui.compare.words import EQUAL_TOKENS, EQUAL_TOKENS_HELP, LADDER, LADDER_HELP
from iterit_ui.components import checked_int, note
from iterit_ui.components.comparison_form import comparison_form
from iterit_ui.shared.session import Session
from iterit_ui.shared.strategies import strategy_label

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


def build_start(session: Session) -> Form:
    """Lay the form out and wire what it says about itself."""
    home, models = session.home, session.model_roots
    form = Form(
        comparison_form(elem_id="compare-fields"),
        note(None, elem_id="compare-plan"),
        gr.State(starting_values(home, models)),
        gr.State(0),
    )
    wire(session, form, on_open, on_change)
    return form


def starting_values(home: Path, models: Sequence[Path]) -> Values:
    """What the form asks for before anybody changed it."""
    return {
        **starting_source(models),
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
            "options": options([(strategy_label(name), name) for name in STRATEGY_HELP]),
        },
        "equal": {"kind": "switch"},
        "ladder": {"kind": "switch"},
        "tokens": {"kind": "choice", "options": options(token_choices(home, values["pool"]))},
    }
    words = {"label": LABEL, "help": HELP, "placeholder": PLACEHOLDER}
    return {
        "fields": form_fields(values, starting_values(home, models), words, more),
        "button": button,
        "ready": ready,
        "seq": seq,
    }


def token_choices(home: Path, pool: str) -> list[tuple[str, str]]:
    """(words, run id) of the runs whose amount of text others may be trained on: those that are done on this pool."""
    done = [
        info
        for info in store.runs(home)
        if info.state == "done" and info.epochs and store.root_of(home, info.pool_id) == pool
    ]
    return [("none", ""), *((f"run {info.name} · {info.id}", info.id) for info in done[:40])]


def on_open(home: Path, models: Sequence[Path], pool: str, values: Values, answered: int) -> list[Any]:
    """Show the form for the page's pool, unless the settings come from a run, which brings its own pool."""
    return shown(home, models, for_pool(home, pool, values), seq=answered)


def on_change(home: Path, models: Sequence[Path], data: dict[str, Any], values: Values) -> list[Any]:
    """A field has another value; a run that settings are taken from brings its pool and model."""
    seq = checked_int(data.get("seq"), 0, 2**53)
    there = checked_values(home, models, data.get("values"))
    try:
        there = with_source(home, models, data.get("name"), there, values)
    except StudioError as error:
        return [*shown(home, models, values, seq=seq)[:-1], {"tone": "error", "text": f"{error}."}]
    return shown(home, models, there, seq=seq)


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


def given(values: Values) -> list[Any]:
    """The form's values in the order of the parameters of `asked_for`."""
    return [
        values["pool"] or None,
        values["model"],
        values["base"],
        values["strategies"].split("\n"),
        *(values[name] for name in ("equal", "seeds", "budget", "epochs", "ladder", "tokens")),
    ]


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
