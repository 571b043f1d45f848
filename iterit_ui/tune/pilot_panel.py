"""Try before you launch: what a pilot of the run in the form would cost, queueing it, and what the newest one says.

The panel lives in the form (assets/web/tune/tune_pilot.js). It asks `answer` whenever the form or a pilot's run has changed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend import store
from backend.analysis.arms import NO_MATTER
from backend.analysis.pilot_result import (
    PilotResult,
    length_words,
    newest_result,
    pilots,
    progress_words,
)
from backend.analysis.pilot_verdict import verdict_words
from backend.config import STRATEGY_HELP, RunConfig, to_json
from backend.config.trial_rules import CONTROL, PILOT_RULE
from backend.errors import ConfigError, StudioError
from backend.jobs import comparison_start, pilot, run_launch
from backend.jobs.pilot import CONTROLS, LEAST_SHARE, MOST_SHARE, Pilot
from iterit_ui.shared.launch import allowed_model
from iterit_ui.shared.session import get_pool
from iterit_ui.shared.settings import label
from iterit_ui.shared.strategies import strategy_label
from iterit_ui.shared.theme import counted, duration, moment, number, score
from iterit_ui.tune.form_check import launchable
from iterit_ui.tune.form_config import Draft, read_draft, worded
from iterit_ui.tune.words import PILOT, PILOT_HELP, PILOT_LABEL

OFFERED = [name for name in STRATEGY_HELP if name not in (*CONTROLS, "full")]
USUAL = [name for name in OFFERED if name in ("iterit", "iterit-cumulative")]
LONGEST = 2000  # characters of one field
START = {"strategies": "\n".join(USUAL), "share": f"{pilot.SHARE:g}", "seeds": pilot.SEEDS}


def panel() -> dict[str, Any]:
    """What never changes of the panel: {title, help, rule, fields}."""
    more: dict[str, dict[str, Any]] = {
        "strategies": {
            "kind": "several",
            "options": [{"value": name, "label": strategy_label(name)} for name in OFFERED],
        },
        "share": {"kind": "decimal"},
    }
    return {
        "title": PILOT["title"],
        "help": PILOT["help"],
        "rule": PILOT_RULE,
        "fields": [
            {
                "name": name,
                "label": PILOT_LABEL[name],
                "help": PILOT_HELP[name],
                "kind": "text",
                "value": START[name],
                "default": START[name],
                **more.get(name, {}),
            }
            for name in START
        ],
    }


def answer(home: Path, data: Sequence[Path], models: Sequence[Path], asked: Any) -> dict[str, Any]:
    """What there is to say of a pilot of the form that the page sent: {plan, newest}.

    asked : {form, pilot: {strategies, share, seeds}, open: whether anybody sees the plan}.
    plan : {tone, lines, ready, button}, None where nobody sees it. newest : see `newest_value`, None where there is none.
    """
    sent = asked if isinstance(asked, dict) else {}
    try:
        draft = read_draft(sent.get("form"))
    except StudioError as error:
        return {"plan": _wrong(error), "newest": None}
    config, why = None, None
    try:
        config = launchable(home, draft, data, models)
    except StudioError as error:
        why = _wrong(error)
    plan = None
    if sent.get("open"):
        plan = why or plan_value(home, draft.pool, config, sent.get("pilot"))
    return {"plan": plan, "newest": newest_value(home, draft, models, config)}


def asked_for(home: Path, pool: str, config: RunConfig, sent: Any) -> Pilot:
    """The pilot of a run that the panel asks for.

    Raises
    ------
    ConfigError, PoolError : something in it is missing or wrong; the message says what would do.
    """
    if not isinstance(sent, dict) or set(sent) != set(START):
        raise ConfigError("the page sent another panel than this one; load the page again")
    if not all(isinstance(value, str) and len(value) <= LONGEST for value in sent.values()):
        raise ConfigError("the page sent a pilot that is not a few short texts")
    return pilot.pilot_of(
        config,
        len(get_pool(home, pool)),
        sent["strategies"].split(),
        share=_share(sent["share"]),
        seeds=comparison_start.seeds_of(sent["seeds"]),
    )


def plan_value(home: Path, pool: str, config: RunConfig | None, sent: Any) -> dict[str, Any]:
    """What the pilot would be and cost, or why there is none: {tone, lines, ready, button}."""
    try:
        if config is None:
            raise ConfigError("the form describes no run yet")
        made = asked_for(home, pool, config, sent)
        planned = pilot.plan(home, made, pool, len(get_pool(home, pool)))
    except StudioError as error:
        return _wrong(error)
    time = f"about {duration(planned.seconds)}" if planned.seconds == planned.seconds else "not known"
    lines = [
        f"{counted(len(made.strategies) - len(CONTROLS), 'strategy', 'strategies')} and the two random draws with "
        f"{counted(len(made.seeds), 'seed')}: "
        f"{counted(len(made.configs), 'run')}, one after the other.",
        f"Each trains {number(made.steps)} of the run's {number(made.whole_steps)} steps, on {number(made.budget)} samples an "
        f"epoch: {number(sum(planned.steps))} steps in all, {made.times:.1f} times the run itself."
        + (" A smaller share costs less." if made.times > 1 else ""),
        f"Time in all: {time} ({planned.source}).",
        f"Held-out loss: on {planned.measured_on}.",
        *pilot.notes(made),
    ]
    if planned.problems:
        return {
            "tone": "error",
            "lines": [*lines, *map(worded, planned.problems)],
            "ready": False,
            "button": "Queue the pilot",
        }
    return {"tone": "info", "lines": lines, "ready": True, "button": "Queue the pilot"}


def queue(
    home: Path, data: Sequence[Path], models: Sequence[Path], draft: Draft, sent: Any, who: str
) -> tuple[str, str]:
    """Queue the pilot that the panel asks for: (its title, a line about it).

    Raises
    ------
    StudioError : there is none to queue; nothing was queued.
    """
    made = asked_for(home, draft.pool, launchable(home, draft, data, models), sent)
    pool = get_pool(home, draft.pool)
    pilot.start(home, made, pool, pool.id, roots=data, who=who)
    return (
        f"{counted(len(made.configs), 'run')} queued",
        "The verdict appears below as they end. They continue if you close this page; the queue on the right shows and "
        "stops them.",
    )


def newest_value(
    home: Path, draft: Draft, models: Sequence[Path], config: RunConfig | None
) -> dict[str, Any] | None:
    """The newest pilot of the form's pool and model.

    {id, head, progress, done, total, open, words: the verdict's, notes: [sentence], use: {strategy, label} or None,
    columns: [text], rows: [{cells: [text], chosen}], short: a few words for the folded panel}.

    config : the run in the form, None where it describes none.
    """
    try:
        model = allowed_model(draft.model, models)
    except StudioError:
        return None
    found = newest_result(home, pool=draft.pool, model=model)
    if found is None:
        return None
    verdict, strategy = found.verdict, found.verdict.strategy
    words = verdict_words(verdict, strategy_label)
    differing = changed_since(found, config)
    notes = [length_words(found)] if words else []
    if differing:
        notes.append(PILOT["made"].format(names=", ".join(f"“{label(name)}”" for name in differing)))
    if found.measured:
        notes.append(
            f"Held-out loss on {found.measured} (lower is better), mean over seeds. Spread: standard deviation between seeds. "
            f"Difference: to “{strategy_label(CONTROL)}”."
        )
    short = "no verdict"
    if words:
        short = "verdict is in"
    elif found.open:
        short = f"{found.done} of {len(found.runs)} runs done"
    return {
        "id": found.info.id,
        "head": f"Pilot of {moment(found.info.created)}, {100 * found.share:g} % of the budget",
        "progress": "" if words else progress_words(found, strategy_label),
        "done": found.done,
        "total": len(found.runs),
        "open": found.open,
        "words": words,
        "notes": notes,
        "use": {"strategy": strategy, "label": strategy_label(strategy)} if strategy else None,
        "columns": ["Strategy", "Loss", "Spread", "Difference"],
        "rows": [
            {
                "cells": [
                    strategy_label(row.strategy),
                    score(row.mean, 4),
                    score(row.sd, 4),
                    "–" if row.strategy == CONTROL else _signed(row.difference),
                ],
                "chosen": row.strategy == strategy,
            }
            for row in verdict.rows
        ],
        "short": short,
    }


def changed_since(found: PilotResult, config: RunConfig | None) -> list[str]:
    """Settings in which the run in the form differs from the one that the pilot was made for, but for the strategy."""
    if config is None:
        return []
    now, then = to_json(run_launch.with_absolute_paths(config)), to_json(found.base)
    return [
        name for name in now if name != "strategy" and name not in NO_MATTER and now[name] != then.get(name)
    ]


def stamp(home: Path) -> str:
    """Another text once a pilot has come or gone, or a run of one is in another state."""
    made = pilots(home)
    if not made:
        return ""
    states = {info.id: info.state for info in store.runs(home)}
    return json.dumps([[info.id, [states.get(run) for run in info.runs]] for info in made])


def _share(text: str) -> float:
    given = text.strip()
    try:
        return float(given.removesuffix("%")) / (100 if given.endswith("%") else 1)
    except ValueError as error:
        raise ConfigError(
            f"share is {given!r}; expected a number from {LEAST_SHARE:g} to {MOST_SHARE:g}"
        ) from error


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−") if value == value else "–"


def _wrong(error: StudioError) -> dict[str, Any]:
    return {"tone": "error", "lines": [worded(str(error))], "ready": False, "button": "Queue the pilot"}
