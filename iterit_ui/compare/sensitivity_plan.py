"""What the form that starts a sensitivity study asks for: the runs, what they would take, and the start itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from backend.config import RunConfig
from backend.errors import ConfigError, StudioError
from backend.jobs import comparison_start, sensitivity_start
from backend.jobs.comparison_start import seeds_of
from backend.jobs.sensitivity_start import VARIED, Study
from iterit_ui.compare.form_base import Values, base_of, nothing_queued, plan_value
from iterit_ui.shared.session import get_pool
from iterit_ui.shared.settings import label
from iterit_ui.shared.theme import counted, duration, number

BUTTON = "Queue the runs"
NOTHING = {
    "tone": "info",
    "text": "Give values for at least one setting. Each is run with every seed, all else as in the base; the plan and its cost "
    "then stand here.",
}


@dataclass(frozen=True)
class Asked:
    """The request from the form, parsed and checked. made : None where no setting has values yet."""

    base: RunConfig
    pool_id: str
    rows: int
    held_out_id: str | None
    made: Study | None
    configs: tuple[RunConfig, ...]
    seeds: tuple[int, ...]


def study_base(home: Path, models: Sequence[Path], values: Values) -> tuple[RunConfig, str, int, str | None]:
    """The base of the study, as `form_base.base_of` gives it."""
    pool, model, base = values["pool"] or None, values["model"], values["base"]
    return base_of(home, models, pool, model, base, values["epochs"], {})


def asked_for(home: Path, models: Sequence[Path], values: Values) -> Asked:
    """The runs that the form asks for.

    Raises
    ------
    StudioError : something in it is missing or wrong; the message says what would do.
    """
    base, pool_id, rows, held_out_id = study_base(home, models, values)
    seeds = tuple(seeds_of(values["seeds"]))
    vary = {name: sensitivity_start.values_of(name, values[name]) for name in VARIED}
    if not any(vary.values()):
        return Asked(base, pool_id, rows, held_out_id, None, (), seeds)
    made = sensitivity_start.study(
        base,
        vary,
        rows,
        cross=values["cross"],
        references=[name for name in values["references"].split("\n") if name],
    )
    configs = sensitivity_start.configurations(base, made, seeds)
    return Asked(base, pool_id, rows, held_out_id, made, configs, seeds)


def plan_of(home: Path, models: Sequence[Path], values: Values) -> tuple[dict[str, Any], str, bool]:
    """(what would be run, the button's words, whether it could be started) for the form as it stands."""
    try:
        asked = asked_for(home, models, values)
        if asked.made is None:
            return NOTHING, BUTTON, False
        planned = comparison_start.plan(home, asked.configs, asked.pool_id, asked.rows)
    except StudioError as error:
        return {"tone": "error", "text": f"{_in_words(str(error))}."}, BUTTON, False
    return (
        plan_note(planned, asked.made),
        f"Queue {counted(len(planned.configs), 'run')}",
        not planned.problems,
    )


def _in_words(error: str) -> str:
    """An error that begins with a setting's name, with its label instead."""
    name = next((name for name in VARIED if error.startswith((f"{name} ", f"{name}:"))), "")
    return label(name) + error.removeprefix(name) if name else error


def plan_note(planned: comparison_start.Plan, made: Study) -> dict[str, Any]:
    """What would be run, for a person."""
    seeds = {one.seed for one in planned.configs}
    count = len(made.variants)
    others = count - 1 - len(made.references)
    beside = f" and {counted(len(made.references), 'reference')}" if made.references else ""
    time = f"about {duration(planned.seconds)}" if planned.seconds == planned.seconds else "not known"
    how = "combination" if made.cross else "value"
    lines = [
        f"The base, {counted(others, f'other {how}')}{beside}, with {counted(len(seeds), 'seed')}: "
        f"{counted(len(planned.configs), 'run')}, one after the other.",
        f"{number(sum(planned.steps))} optimizer steps in all.",
        f"Time in all: {time} ({planned.source}).",
        f"Held-out loss: on {planned.measured_on}.",
    ]
    if len(seeds) == 1:
        lines.append("With one seed there is no spread, so differences cannot be judged. Three is usual.")
    return plan_value(planned, lines)


def started(
    home: Path, data_roots: Sequence[Path], models: Sequence[Path], who: str, values: Values
) -> tuple[Any, Any]:
    """(the study that was queued, a message)."""
    try:
        asked = asked_for(home, models, values)
        if asked.made is None:
            raise ConfigError("no setting has values; give some for at least one")
        varied = ", ".join(label(name).lower() for name in asked.made.vary)
        made = comparison_start.start(
            home,
            values["name"].strip() or f"{varied} on {get_pool(home, asked.pool_id).name}",
            asked.configs,
            asked.pool_id,
            held_out_id=asked.held_out_id,
            roots=data_roots,
            who=who,
            kind="sensitivity",
            remember=asked.made.remembered(asked.seeds),
        )
    except StudioError as error:
        return gr.skip(), nothing_queued(_in_words(str(error)))
    return made, {
        "tone": "good",
        "title": f"{counted(len(asked.configs), 'run')} queued",
        "text": "The figure appears on the right and fills as the runs end. This page may be closed; Tune shows, stops and "
        "resumes the runs.",
    }
