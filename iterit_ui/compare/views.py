"""What the Compare tab shows of runs side by side: ids in, values for the components out."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from backend import analysis, store
from backend.analysis.comparison import measured_words
from backend.analysis.paired import paired
from backend.errors import StudioError
from backend.jobs import evaluation_jobs
from backend.records import Pool
from backend.store.evaluations import Evaluation
from iterit_ui.compare.run_tables import missing_table, settings_table
from iterit_ui.compare.tables import (
    differences_table,
    signed,
    strategies_table,
)
from iterit_ui.compare.worth import worth_values
from iterit_ui.plots import comparison_losses as plots
from iterit_ui.plots import comparison_selections as chosen_plots
from iterit_ui.shared.session import exact_pool
from iterit_ui.shared.strategies import STRATEGY_NAMES
from iterit_ui.shared.theme import counted, score

Value = dict[str, Any]
ALL_EPOCHS = -1
NOTHING = {
    "tone": "empty",
    "title": "Nothing is compared yet",
    "text": "A comparison puts strategies side by side: which selection gives the lowest held-out loss, by how much, and whether "
    "that is more than chance between seeds.",
    "steps": [
        "Start one on the left: choose strategies and seeds, and queue the runs.",
        "Or tick runs in the table below and press Compare.",
    ],
}
SHOWN = 18  # the results' components, in the order of `results`
LADDER_AT = 10  # among them, whether the curve of random draws is shown


def results(
    home: Path,
    comparison: str,
    chosen: list[str],
    reference: str,
    over: str,
    epoch: int,
    *,
    expected: Collection[str] = (),
) -> tuple[Any, ...]:
    """Everything about the runs that are compared. expected : see `remarks_note`.

    Order: note, headline, final losses, differences, course, table of strategies, table of differences, the four of
    `worth.worth_values`, overlap, lengths, sources, noise, settings that differ, missing runs, whether there is anything.
    """
    hidden = gr.Column(visible=False)  # a layout takes no None
    nothing = (*(None,) * (LADDER_AT - 1), hidden, *(None,) * (SHOWN - LADDER_AT - 2), hidden)
    ids = runs_of(home, comparison, chosen)
    if not ids:
        empty = {**NOTHING, "title": "This comparison has no runs"} if comparison else NOTHING
        return (empty, *nothing)
    try:
        found = analysis.compare(home, ids, reference=reference, names=STRATEGY_NAMES)
    except StudioError as error:
        return ({"tone": "error", "title": "These runs cannot be compared", "text": f"{error}."}, *nothing)
    arms = [(arm.label, arm.strategy) for arm in found.arms]
    summary, points = analysis.summary_table(found), analysis.loss_points(found)
    differences = analysis.difference_table(found)
    pool, on = pool_of(home, found), measured_words(found)
    when = "for all epochs" if epoch == ALL_EPOCHS else f"for epoch {epoch}"
    return (
        remarks_note(found, expected),
        headline(found),
        measured(plots.final_losses(summary, points, arms, reference=found.reference), on),
        plots.differences(differences, arms, reference=found.reference),
        measured(plots.loss_course(points, arms, over=over if over in plots.OVER else "epoch"), on),  # type: ignore[arg-type]
        strategies_table(found, pool, evaluations_of(home, found)),
        differences_table(found),
        *worth_values(found),
        *selections(found, pool, None if epoch == ALL_EPOCHS else epoch, when, arms),
        settings_table(home, found),
        missing_table(found),
        gr.Column(visible=True),
    )


def measured(figure: Value, on: str) -> Value:
    """A figure of held-out losses that says what they were measured on."""
    return {**figure, "note": f"On {on}. {figure['note']}"} if on and "note" in figure else figure


def runs_of(home: Path, comparison: str, chosen: list[str]) -> list[str]:
    """The ids of the runs to compare: those of a named comparison, else those that were chosen."""
    if not comparison:
        return list(chosen)
    try:
        return list(store.comparison_info(home, comparison).runs)
    except StudioError:
        return []


def pool_of(home: Path, found: analysis.Comparison) -> Pool | None:
    """The pool that all runs choose from; None where there are several, or it is no longer stored."""
    ids = {run.info.pool_id for run in found.runs}
    if len(ids) != 1:
        return None
    try:
        return exact_pool(home, ids.pop())
    except StudioError:
        return None


def evaluations_of(home: Path, found: analysis.Comparison) -> list[Evaluation]:
    """What lm-eval measured of the compared runs; none where one cannot be read, which the table of evaluations says."""
    try:
        return evaluation_jobs.compared(home, [run.id for run in found.runs])
    except StudioError:
        return []


def remarks_note(found: analysis.Comparison, expected: Collection[str] = ()) -> Value | None:
    """What is not alike and what is missing, before any number; None where all is well.

    expected : what remarks are about that say nothing new of such a comparison, see `comparable.Remark`.
    """
    said = [remark for remark in found.remarks if remark.about not in expected]
    warnings = [remark.text for remark in said if remark.level == "warn"]
    others = [remark.text for remark in said if remark.level == "info"]
    if not warnings and not others:
        return None
    return {
        "tone": "warn" if warnings else "info",
        "title": "Before you read the figures" if warnings else "",
        "text": warnings[0] if len(warnings) == 1 else "",
        "steps": [*(warnings if len(warnings) > 1 else []), *others],
    }


def headline(found: analysis.Comparison) -> Value:
    """The answer in a few sentences: who ends lowest, and what may be said about the difference."""
    known = [(arm, *found.final(arm)) for arm in found.arms if found.losses(arm)]
    if not known:
        return {
            "tone": "info",
            "title": "No result yet",
            "text": "No run has finished with a held-out loss that could be compared. What is selected so far is shown below.",
        }
    arm, mean, sd, n = known[0]
    spread = f" ± {score(sd, 4)}" if np.isfinite(sd) else ""
    title = f"Lowest at the end: {arm.label}, {score(mean, 4)}{spread} ({counted(n, 'seed')})"
    if len(found.arms) == 1:
        return {
            "tone": "info",
            "title": title,
            "text": "There is nothing to compare it with: choose runs of another strategy too.",
        }
    said = []
    if arm.label != found.reference:
        d = found.difference(arm)
        said.append(f"Against {found.reference}: {signed(d.mean)}, {d.words}.")
    else:
        said.append(f"No strategy ends lower than {found.reference}, the baseline.")
    iterit = next((a for a in found.arms if a.strategy == "iterit"), None)
    if iterit is not None and iterit.label not in (arm.label, found.reference) and found.losses(iterit):
        d = found.difference(iterit)
        said.append(f"{iterit.label} against {found.reference}: {signed(d.mean)}, {d.words}.")
    if iterit is not None and iterit is not arm and found.losses(iterit):
        d = paired(found.losses(iterit), found.losses(arm))
        if arm.label != found.reference:
            said.append(f"{iterit.label} against {arm.label}: {signed(d.mean)}, {d.words}.")
    said.append("This is the loss after the last epoch, not after the best one.")
    return {"tone": "good" if n > 1 else "info", "title": title, "text": " ".join(said)}


def selections(
    found: analysis.Comparison, pool: Pool | None, epoch: int | None, when: str, arms: list[tuple[str, str]]
) -> tuple[Value, Value, Value, Value]:
    """(overlap, lengths, sources, noise) of what was selected."""
    if pool is None:
        why = "The runs choose from different pools, or their pool is missing, so their selections cannot be compared."
        return tuple(
            {"title": title, "data": [], "empty": why}
            for title in ("Overlap", "Lengths", "Sources", "Planted noise")
        )  # type: ignore[return-value]
    labels = [label for label, _ in arms]
    return (
        chosen_plots.overlap(labels, analysis.overlap_table(found, pool, epoch), when=when),
        chosen_plots.length_boxes(analysis.length_table(found, pool, epoch), arms, when=when),
        chosen_plots.shares(
            analysis.source_table(found, pool, epoch),
            what="source",
            title="Which sources do they choose from?",
            note=f"Share of each source in what was selected {when}, mean over the seeds.",
        ),
        chosen_plots.noise(analysis.noise_table(found, pool, epoch), arms, when=when),
    )
