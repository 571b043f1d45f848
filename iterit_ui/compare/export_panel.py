"""Exporting what a compared run picked: the one that ended lowest is offered first, and any other can be chosen."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from backend import analysis, store
from backend.analysis.comparison import lowest_first
from backend.errors import StudioError
from iterit_ui.compare.views import runs_of
from iterit_ui.samples import hand_over
from iterit_ui.shared.theme import score

Value = dict[str, Any]


def compared_export(home: Path, tab: str, comparison: str, chosen: list[str]) -> Value | None:
    """The button above the results; None where no compared run has selected anything."""
    ids = runs_of(home, comparison, chosen) if tab == "compare" else []
    try:
        found = analysis.compare(home, ids) if ids else None
    except StudioError:
        found = None
    choices: list[Value] = []
    for arm in found.arms if found else ():
        # the seed that ended lowest first: it is what the button offers
        for run in sorted(arm.runs, key=lowest_first):
            loss = f", held-out loss {score(run.final, 4)}" if math.isfinite(run.final) else ""
            group = f"{arm.label}, seed {run.seed}{loss}"
            choices += hand_over.run_choices(home, run.id, epochs=run.epochs[-1:], group=group)
    if not choices:
        return None
    known = found is not None and bool(found.losses(found.arms[0]))
    return hand_over.button_value(
        choices[0]["count"],
        choices,
        choices[0]["key"],
        label="Export picks of the lowest run" if known else "Export picks of a run",
    )


def opened_export(home: Path, opened: str) -> Value | None:
    """The button beside the run that was clicked in the table of all runs."""
    if opened not in [info.id for info in store.runs(home)]:
        return None
    choices = hand_over.run_choices(home, opened)
    if not choices:
        return None
    last = [one for one in choices if not one["key"].endswith(hand_over.ALL)][-1]
    return hand_over.button_value(last["count"], choices, last["key"])


def on_export(home: Path, data: Any, who: str) -> str:
    """A file of what a run picked, to download. The run may be any that is here."""
    which = data.get("which") if isinstance(data, dict) else None
    run = which.rpartition("/")[0] if isinstance(which, str) else ""
    known = [info.id for info in store.runs(home)]
    choices = [one["key"] for one in hand_over.run_choices(home, run)] if run in known else []
    asked = hand_over.asked_of(data, choices)
    return hand_over.exported_file(home, hand_over.picks_of_key(home, asked.which), asked, who)
