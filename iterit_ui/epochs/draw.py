"""The Epochs tab's state -> the values of its components."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from backend import analysis, store
from backend.analysis.held_out_words import words_or_none
from backend.errors import StudioError, without_folders
from backend.selection import review_settings
from iterit_ui.epochs import views as view
from iterit_ui.epochs.captions import epoch_words, strategy_note
from iterit_ui.epochs.charts import (
    EpochView,
    charts,
    cohorts,
    complexity_moved,
    hardest,
    label_chart,
    map_view,
)
from iterit_ui.epochs.flow import flow_value
from iterit_ui.epochs.lists import OF_EPOCH, USUAL, Listed, listed
from iterit_ui.epochs.run_choices import on_disk, run_choice
from iterit_ui.epochs.run_history import held_out_losses, read_history
from iterit_ui.epochs.state import EpochsState
from iterit_ui.samples.column_menu import menu_value
from iterit_ui.samples.hand_over import LISTED, button_value, run_choices
from iterit_ui.samples.sample_list import SampleList
from iterit_ui.samples.sample_values import sample_value, table_value
from iterit_ui.shared import text
from iterit_ui.shared.selections import record_tfidf
from iterit_ui.shared.theme import number, score

Value = dict[str, Any]
DRAWN = (
    "choice",
    "player",
    "message",
    "figures",
    "flow",
    "world",
    "complexity",
    "diversity",
    "lengths",
    "moved",
    "cohorts",
    "hardest",
    "labels",
    "listed",
    "sample",
    "history",
    "labelled",
    "body",
    "export",
    "receipt",
)
"""Components in the order of `all_values`."""

COLUMNS = ["rank", "complexity", "tokens", "source", "status", "response"]
PICKED = ["rank", "gain", "complexity", "tokens", "source", "response"]
NO_RUN = {
    "tone": "empty",
    "title": "No epochs yet",
    "text": "This screen shows how a run's selection changes from epoch to epoch.",
    "steps": [
        "Go to Tune and launch a run; the demo takes a few minutes.",
        "Come back: epoch 0 appears as soon as the pool is scored, and later ones while the run goes on.",
    ],
}


def normalised(home: Path, here: EpochsState) -> EpochsState:
    """Where a visitor is once the disk was looked at: a run is chosen, the epoch is one that it has; another run starts
    with its own selection."""
    run, mark = on_disk(home, here.run)
    if here.seen and run != _run_of(here.seen):
        here = replace(here, view={**here.view, "which": USUAL, "page": 0}, since=0)
    return replace(here, run=run, epoch=epoch_of(home, run, here.epoch), seen=mark)


def _run_of(mark: str) -> str:
    """The run that a mark of `on_disk` was made for."""
    return mark.partition(" | ")[2].partition(" ")[0]


def epoch_of(home: Path, run: str, epoch: int) -> int:
    """The epoch, or the nearest before it that the run has; as it is where there is no such run yet."""
    try:
        known = store.epochs(home, run) if run else []
    except StudioError:
        return epoch
    return max([e for e in known if e <= epoch], default=known[0]) if known else epoch


def epoch_view(home: Path, here: EpochsState) -> EpochView | None:
    """A run at an epoch, and what of it is looked at; None where it has no selection yet.

    Raises
    ------
    StudioError : no such run, or it cannot be read.
    """
    story = read_history(home, here.run) if here.run else None
    if story is None:
        return None
    epoch = story.nearest(here.epoch)
    since = story.since(epoch, here.since)
    what = listed(home, story, here.view["which"], epoch=epoch, since=since)
    return EpochView(home, story, epoch, since, what, here.sample, here.colour)


def all_values(home: Path, here: EpochsState) -> list[Any]:
    """All components, in the order of `DRAWN`."""
    choice = run_choice(home, here.run)
    try:
        at = epoch_view(home, here)
        info = store.run_info(home, here.run) if here.run else None
    except StudioError as error:
        problem = {
            "tone": "error",
            "title": "This run cannot be shown",
            "text": str(error),
            "steps": ["Choose another run."],
        }
        return [choice, None, problem, *nothing()]
    if at is None or info is None:
        return [choice, None, NO_RUN if info is None else waiting(info), *nothing()]
    story = at.story
    by_epoch = story.table(held_out_losses(home, story.run))
    planned = max(info.epochs, len(story.epochs))
    before = story.before(at.epoch)
    words = epoch_words(
        story.epochs,
        at.epoch,
        planned,
        strategy=story.settings.strategy,
        trains=info.epochs > 0,
        taken=story.record(at.epoch).taken,
        new_round=before is not None and before.round < at.record.round,
    )
    newest = None if before is None else story.hardest(before.epoch, at.epoch)
    return [
        choice,
        player(here, at, planned),
        {
            "tone": "info",
            "title": words,
            "text": strategy_note(story.settings.strategy, by_epoch),
            "fold": True,
        },
        view.cards(
            by_epoch,
            at.epoch,
            pool_rows=len(story.pool),
            newest=newest,
            listed=at.listed.key,
            measured_on=words_or_none(home, here.run),
        ),
        flow_value(story.flow, at.epoch, at.listed.key),
        map_view(at),
        *charts(at),
        complexity_moved(at),
        cohorts(at),
        hardest(at),
        label_chart(at),
        table(here, at),
        *sample_values(at, here),
        gr.Column(visible=story.pool.labels is not None),
        gr.Column(visible=True),
        export_value(home, at),
        gr.Button(visible=True),
    ]


def export_value(home: Path, at: EpochView) -> Value:
    """The export button: for the epoch shown, for all epochs together, or for another list in the table."""
    choices = run_choices(home, at.story.run, epochs=[at.epoch])
    if not at.listed.usual and len(at.listed.rows):
        label = f"The list below: {at.listed.label}"
        choices.append(
            {
                "key": LISTED,
                "label": label,
                "count": len(at.listed.rows),
                "group": "",
                "heldOut": 0,
                "picked": False,
            }
        )
    return button_value(choices[0]["count"], choices, choices[0]["key"])


def nothing() -> list[Any]:
    """From the figures on, where there is nothing to show."""
    return [*[None] * 13, gr.Column(visible=False), gr.Column(visible=False), None, gr.Button(visible=False)]


def sample_change(home: Path, here: EpochsState) -> list[Any]:
    """What an opened sample changes: map, table, sample, history."""
    try:
        at = epoch_view(home, here)
    except StudioError:
        at = None
    return [gr.skip()] * 4 if at is None else [map_view(at), table(here, at), *sample_values(at, here)]


def map_values(home: Path, here: EpochsState) -> list[Any]:
    """What other colours of the map change: the map."""
    try:
        at = epoch_view(home, here)
    except StudioError:
        at = None
    return [gr.skip()] if at is None else [map_view(at)]


def page_values(home: Path, here: EpochsState) -> list[Any]:
    """What another page or order of the table changes: table, sample (its place in the list), history."""
    try:
        at = epoch_view(home, here)
    except StudioError:
        at = None
    return [gr.skip()] * 3 if at is None else [table(here, at), *sample_values(at, here)]


def player(here: EpochsState, at: EpochView, planned: int) -> Value:
    """The bar that steps through the epochs."""
    return {
        "epochs": at.story.epochs,
        "epoch": at.epoch,
        "planned": planned,
        "seq": here.answered,
        "list": None if at.listed.usual else {"label": at.listed.label, "count": number(len(at.listed.rows))},
    }


def waiting(info: store.RunInfo) -> Value:
    """What a run without epochs says."""
    words = {
        "queued": ("This run is queued", "It starts when the run before it has ended."),
        "running": (
            "Epoch 0 is being prepared",
            "The pool is being scored; the first selection appears here by itself.",
        ),
        "waiting": ("This run waits for a review", "It continues once you answer on the Tune tab."),
        "stopping": ("This run is stopping", "It had not selected yet."),
        "stopped": (
            "This run was stopped before its first selection",
            "Resume it on the Tune tab, or choose another.",
        ),
        "failed": (
            "This run failed before its first selection",
            without_folders(info.error or "") or "See its log on the Tune tab.",
        ),
    }
    title, line = words.get(info.state, ("This run has no epochs", "Choose another run."))
    return {"tone": "error" if info.state == "failed" else "empty", "title": title, "text": line}


def samples(here: EpochsState, at: EpochView) -> SampleList:
    """What is listed, in the table's order."""
    record = at.record
    rows = analysis.ordered_rows(
        at.story.pool,
        record.scores,
        record.selection,
        at.listed.rows,
        diversity=record.diversity,
        sort=here.view["sort"],
        descending=here.view["descending"],
    )
    return SampleList(at.story.pool, rows, here.view)


def table(here: EpochsState, at: EpochView) -> Value:
    """One page of what is listed, as it stands at the epoch that is shown."""
    record, what, story, found = at.record, at.listed, at.story, samples(here, at)
    of_epoch = {
        key: listed(at.home, story, key, epoch=at.epoch, since=at.since)
        for key in (OF_EPOCH if story.before(at.epoch) is not None else (USUAL,))
    }
    filters = [
        {"key": key, "label": view.FILTERS[key], "count": number(len(one.rows))}
        for key, one in of_epoch.items()
    ]
    if what.key not in of_epoch:
        filters.append({"key": what.key, "label": what.label, "count": number(len(what.rows))})
    value = table_value(
        found,
        record.scores,
        record.selection,
        diversity=record.diversity,
        opened=at.sample,
        columns=PICKED if what.ranked else COLUMNS,
        title=f"{what.label[0].upper()}{what.label[1:]}",
        note=f"State before epoch {at.epoch}. Click a row to read the whole sample and its history.",
        filters=filters,
        filter=what.key,
        empty=view.EMPTY_TABLE.get(what.key, "No samples in this list."),
        list_key=f"{story.run} {at.epoch} {what.key}",
    )
    value["own"] = menu_value(story.pool, found.view.get("own", ()), None)
    if what.since is not None:
        beside_complexity(value, found.page_rows, what, at)
    return value


def beside_complexity(value: Value, rows: np.ndarray, what: Listed, at: EpochView) -> None:
    """A column with the complexity of the earlier epoch that a list compares with."""
    assert what.since is not None
    then = at.story.record(what.since).scores.complexity
    place = [column["key"] for column in value["columns"]].index("complexity")
    column = {
        "key": "then",
        "label": f"Epoch {what.since}",
        "hint": f"complexity before epoch {what.since}",
        "align": "right",
        "width": "76px",
        "sort": False,
    }
    value["columns"].insert(place, column)
    for line, row in zip(value["rows"], rows):
        line["then"] = score(float(then[row]))


def sample_values(at: EpochView, here: EpochsState) -> list[Any]:
    """One sample in full with its reasons, and its history over the epochs."""
    row = at.story.pool.row_of.get(at.sample)
    if row is None:
        return [{"empty": text.NO_SAMPLE}, None]
    record = at.record
    settings = review_settings(at.story.settings, record.changes)
    value = sample_value(
        at.story.pool,
        row,
        scores=record.scores,
        selection=record.selection,
        diversity=record.diversity,
        settings=settings,
        tfidf=record_tfidf(at.home, at.story.pool, settings, record),
        earlier=analysis.earlier_epochs(at.story.records, at.epoch),
    )
    value["position"] = samples(here, at).position(at.sample)
    value["title"] = f"Sample {row:,} at epoch {at.epoch}"
    return [value, view.history_value(analysis.history(at.story.records, row), at.epoch)]
