"""Filling the Tune form: from the pool, a preset, and what was set on the Curate tab.

Answers come late and some events ask twice, and meanwhile somebody types. So the session remembers what the form was
last filled with (`Filled`), and only a control for which that has changed is filled anew; what was typed elsewhere
stays. Only another pool, or a preset that somebody chose, fills everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

import gradio as gr

from backend.errors import StudioError
from iterit_ui.session import first_pool, settings_of
from iterit_ui.tune_form import FIELDS, form_fields, preset_values
from iterit_ui.tune_launch import model_choices, pool_choices, preset_for

SELECTION = [name for name in form_fields() if FIELDS[name].metadata["group"] == "selection"]
# one at a time, so that each of them sees what the one before it has filled
ONE_AT_A_TIME: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "tune-form"}


class Filled(TypedDict):
    """What the form was last filled with: for which pool ("" for none yet), by which preset, every control's value."""

    pool: str
    preset: str
    values: list[Any]


def first_fill(roots: Sequence[Path]) -> Filled:
    """What the form holds before it knows its pool: what suits the pool and model that most visitors begin with."""
    models = [value for _, value in model_choices(roots)]
    preset = preset_for(first_pool(), models[0] if models else "")
    return Filled(pool="", preset=preset, values=preset_values(preset, {}))


def fill_pool(
    home: Path,
    roots: Sequence[Path],
    pool_id: str,
    settings: dict[str, Any],
    model: str | None,
    filled: Filled,
) -> tuple[Any, ...]:
    """The form for a pool: (pool, model, preset, note on what was carried over, every control, what was filled)."""
    if pool_id == filled["pool"]:
        return (gr.skip(),) * (5 + len(form_fields()))
    choices, models = pool_choices(home), model_choices(roots)
    known = [value for _, value in models]
    chosen = model or (known[0] if known else "")
    preset = preset_for(pool_id, chosen)
    values = _values(home, preset, pool_id, settings)
    return (
        gr.Dropdown(choices=choices, value=pool_id if pool_id in [value for _, value in choices] else None),
        gr.Dropdown(choices=models) if model else gr.Dropdown(choices=models, value=chosen or None),
        _unless(filled["preset"], preset),
        carried_note(settings),
        *(values if filled["pool"] else map(_unless, filled["values"], values)),
        Filled(pool=pool_id, preset=preset, values=values),
    )


def fill_preset(
    home: Path, preset: str, pool_id: str, settings: dict[str, Any], filled: Filled
) -> tuple[Any, ...]:
    """The form for a preset that somebody chose: (every control, what was filled)."""
    values = _values(home, preset, pool_id, settings)
    return *values, Filled(pool=filled["pool"], preset=preset, values=values)


def fill_model(
    home: Path, pool_id: str, settings: dict[str, Any], model: str | None, filled: Filled
) -> tuple[Any, ...]:
    """The form for a model that somebody chose: (preset, every control, what was filled)."""
    preset = preset_for(pool_id, model or "")
    values = _values(home, preset, pool_id, settings)
    return (
        _unless(filled["preset"], preset),
        *map(_unless, filled["values"], values),
        Filled(pool=filled["pool"], preset=preset, values=values),
    )


def carry_over(
    home: Path, pool_id: str, settings: dict[str, Any], tab: str, filled: Filled
) -> tuple[Any, ...]:
    """The selection's controls after a change on the Curate tab: (note on it, those controls, what was filled)."""
    if tab == "epochs":
        return (gr.skip(),) * (2 + len(SELECTION))
    names, before = form_fields(), dict(zip(form_fields(), filled["values"], strict=True))
    found = dict(zip(names, _values(home, filled["preset"], pool_id, settings), strict=True))
    after = before | {name: found[name] for name in SELECTION}
    return (
        carried_note(settings),
        *(_unless(before[name], after[name]) for name in SELECTION),
        Filled(pool=filled["pool"], preset=filled["preset"], values=list(after.values())),
    )


def curated(home: Path, pool_id: str) -> dict[str, Any]:
    """The pool's pins and excludes."""
    if not pool_id:
        return {}
    try:
        settings = settings_of(home, pool_id, {})
    except StudioError:
        return {}
    return {"pinned": settings.pinned, "excluded": settings.excluded}


def carried_note(settings: dict[str, Any]) -> dict[str, Any] | None:
    """Which settings come from the Curate tab."""
    names = [name.replace("_", " ") for name in settings if name in FIELDS]
    if not names:
        return None
    return {"tone": "info", "text": f"From Curate: {', '.join(names)}. The preset gives the rest."}


def _values(home: Path, preset: str, pool_id: str, settings: dict[str, Any]) -> list[Any]:
    """Every control for a preset, with the Curate tab's settings and the pool's pins on top."""
    return preset_values(preset, settings | curated(home, pool_id))


def _unless(before: Any, after: Any) -> Any:
    """A control's new value, or nothing where it was filled with that already."""
    return gr.skip() if before == after else after
