"""What the Epochs tab shows of a run at one epoch: ids in, values for the components out."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from backend import analysis, store
from backend.config import RunConfig
from backend.errors import StudioError
from backend.records import EpochRecord, Pool, Status
from iterit_ui import epochs_view as view
from iterit_ui import plots
from iterit_ui.samples import sample_value, table_value
from iterit_ui.session import get_pool, map_file
from iterit_ui.theme import number

PICKED = ["rank", "gain", "complexity", "tokens", "source", "response"]
DROPPED = ["complexity", "tokens", "source", "status", "response"]
NO_RUN = {
    "tone": "empty",
    "title": "No epochs yet",
    "text": "This screen shows how a run's selection changes from epoch to epoch.",
    "steps": [
        "Go to Tune and launch a run; the demo takes a few minutes.",
        "Come back: epoch 0 appears as soon as the pool is scored, and later ones while the run goes on.",
    ],
}


class Shown:
    """The records behind one epoch of a run, read through caches."""

    def __init__(self, home: Path, run: str, epoch: int) -> None:
        self.info = store.run_info(home, run)
        self.epochs = store.epochs(home, run)
        self.epoch = min(max(epoch, 0), self.epochs[-1]) if self.epochs else 0
        self.records = [analysis.load_epoch(home, run, e) for e in self.epochs]
        self.pool: Pool = get_pool(home, self.info.pool_id)

    @property
    def record(self) -> EpochRecord:
        return self.records[self.epochs.index(self.epoch)]

    @property
    def previous(self) -> EpochRecord | None:
        at = self.epochs.index(self.epoch)
        return self.records[at - 1] if at else None


def overview(home: Path, run: str, epoch: int) -> tuple[Any, ...]:
    """Everything but map, table and sample.

    Order: note, cards, flow, complexity, diversity, lengths, moved, labels, whether there are labels, whether there
    is anything.
    """
    nothing = (*(None,) * 7, gr.Column(visible=False), gr.Column(visible=False))
    if not run:
        return (NO_RUN, *nothing)
    try:
        shown = Shown(home, run, epoch)
    except StudioError as error:
        return (
            {
                "tone": "error",
                "title": "This run cannot be shown",
                "text": str(error),
                "steps": ["Choose another run."],
            },
            *nothing,
        )
    if not shown.records:
        return (waiting(shown.info), *nothing)
    record, previous = shown.record, shown.previous
    settings = store.read_config(home, run)
    by_epoch = analysis.epoch_table(shown.records, store.read_metrics(home, run), shown.pool)
    edges = run_edges(home, run)
    first = shown.records[0]
    epochs_planned = max(shown.info.epochs, len(shown.epochs))
    return (
        {
            "tone": "info",
            "title": view.epoch_words(
                shown.epochs,
                shown.epoch,
                epochs_planned,
                strategy=shown.info.strategy,
                trains=shown.info.epochs > 0,
            ),
            "text": view.strategy_note(shown.info.strategy, by_epoch),
        },
        view.cards(by_epoch, shown.epoch, pool_rows=len(shown.pool)),
        plots.flow(by_epoch, epoch=shown.epoch),
        complexity_figure(record, settings, edges["complexity"]),
        diversity_figure(record, edges["diversity"]),
        plots.lengths(
            analysis.length_histogram(
                first.scores, record.selection, run_baselines(home, run), edges=edges["lengths"]
            ),
            note=None
            if settings.strategy == "full"
            else f"At the same budget of {number(len(record.selection))} samples",
        ),
        plots.empty(
            f"The strategy “{settings.strategy}” needs no model, so nothing was scored and there is nothing to compare.",
            "Did training change what is hard?",
        )
        if not np.isfinite(record.scores.complexity).any()
        else plots.then_and_now(
            analysis.complexity_change(record, first)
            if previous is not None
            else analysis.complexity_change(first, first).iloc[:0],
            moved_edges(home, run, len(shown.epochs)),
            epoch=shown.epoch,
            earlier=shown.epochs[0],
            ceiling=settings.max_complexity,
        ),
        plots.labels(analysis.label_table(shown.pool, record.selection)),
        gr.Column(visible=shown.pool.labels is not None),
        gr.Column(visible=True),
    )


def waiting(info: store.RunInfo) -> dict[str, Any]:
    """What a run without epochs says."""
    words = {
        "queued": ("This run waits for its turn", "It starts when the run before it has ended."),
        "running": (
            "Epoch 0 is being prepared",
            "The pool is being scored; the first selection appears here by itself.",
        ),
        "stopping": ("This run is stopping", "It had not selected yet."),
        "stopped": (
            "This run was stopped before its first selection",
            "Resume it on the Tune tab, or choose another.",
        ),
        "failed": (
            "This run failed before its first selection",
            info.error or "See its log on the Tune tab.",
        ),
    }
    title, line = words.get(info.state, ("This run has no epochs", "Choose another run."))
    return {"tone": "error" if info.state == "failed" else "empty", "title": title, "text": line}


def complexity_figure(record: EpochRecord, settings: RunConfig, edges: np.ndarray) -> dict[str, Any]:
    """Complexity of pool, candidates and selected at one epoch."""
    title = "How hard is what was selected?"
    if not np.isfinite(record.scores.complexity).any():
        return plots.empty(
            f"The strategy “{settings.strategy}” needs no model, so nothing was scored.", title
        )
    known = "as known before this epoch" if record.epoch else "of the untouched model"
    return plots.distribution(
        analysis.complexity_histogram(record.scores, record.selection, edges=edges),
        title=title,
        x_title="complexity (0: the prompt gives the response away, 1: it does not help)",
        ceiling=settings.max_complexity,
        note=f"Complexity {known}",
    )


def diversity_figure(record: EpochRecord, edges: np.ndarray) -> dict[str, Any]:
    """Diversity before any pick of the candidates and the selected at one epoch."""
    title = "How much variety is in what was selected?"
    if not np.isfinite(record.diversity).any():
        return plots.empty("This strategy computes no diversity.", title)
    return plots.distribution(
        analysis.diversity_histogram(record.diversity, record.selection, edges=edges),
        title=title,
        x_title="diversity before any pick",
        note="More distinct words and phrases, rare among the candidates, give a larger value",
    )


@lru_cache(maxsize=16)
def run_edges(home: Path, run: str) -> dict[str, np.ndarray]:
    """A run's bins, from its first epoch, for all of its epochs."""
    first = analysis.load_epoch(home, run, store.epochs(home, run)[0])
    return {
        "complexity": analysis.complexity_edges(first.scores.complexity),
        "diversity": analysis.diversity_edges(first.diversity),
        "lengths": analysis.length_edges(first.scores.response_tokens),
    }


@lru_cache(maxsize=16)
def moved_edges(home: Path, run: str, epochs: int) -> np.ndarray:
    """Cells for complexity then and now that hold what any of a run's `epochs` epochs compares."""
    records = [analysis.load_epoch(home, run, epoch) for epoch in store.epochs(home, run)[:epochs]]
    changes = [analysis.complexity_change(record, records[0]) for record in records[1:]]
    values = [column.to_numpy() for table in changes for column in (table["before"], table["now"])]
    known = np.concatenate(values) if values else np.empty(0)
    if not len(known):
        return np.linspace(0, 1.2, 25)
    low, high = np.quantile(known, [0.005, 0.995])
    room = 0.05 * (high - low) + 0.001
    return np.linspace(low - room, high + room, 29)


@lru_cache(maxsize=16)
def run_baselines(home: Path, run: str) -> dict[str, np.ndarray]:
    """What simpler strategies would pick for this run, from its first epoch's scores and the same held-out rows."""
    first = analysis.load_epoch(home, run, store.epochs(home, run)[0])
    pool = get_pool(home, store.run_info(home, run).pool_id)
    held_out = first.selection.status == Status.HELD_OUT
    found = analysis.baselines(pool, first.scores, store.read_config(home, run), held_out=held_out)
    return {name: rows for name, rows in found.items() if name != "superfiltering"}


def show_map(home: Path, run: str, epoch: int, sample: str) -> Any:
    """The map at one epoch."""
    try:
        shown = Shown(home, run, epoch) if run else None
    except StudioError:
        shown = None
    if shown is None or not shown.records:
        return None
    previous = shown.previous
    value = view.map_value(
        shown.pool.id,
        shown.record.selection,
        previous.selection if previous else None,
        shown.pool.row_of.get(sample),
    )
    if map_file(home, shown.pool.id) is None:
        value["empty"] = (
            "The map of this pool is not laid out yet. Start it on the Curate tab; it takes a minute."
        )
    return value


def show_table(home: Path, run: str, epoch: int, asked: dict[str, Any], sample: str) -> Any:
    """One page of the epoch's samples."""
    try:
        shown = Shown(home, run, epoch) if run else None
        if shown is None or not shown.records:
            return None
        record, previous = shown.record, shown.previous
        former = previous.selection if previous else None
        rows = {which: analysis.filter_rows(record.selection, which, former) for which in view.FILTERS}
        # at the first epoch nothing has come or gone yet, and the cards say so too
        filters = view.FILTERS if previous else {"selected": view.FILTERS["selected"]}
        which = asked["which"] if asked["which"] in filters else "selected"
        page = analysis.sample_rows(
            shown.pool,
            record.scores,
            record.selection,
            rows[which],
            diversity=record.diversity,
            sort=asked["sort"],
            descending=asked["descending"],
            page=asked["page"],
        )
    except StudioError:
        return None
    return table_value(
        shown.pool,
        page,
        record.selection,
        sort=asked["sort"],
        descending=asked["descending"],
        opened=sample,
        columns=PICKED if which != "dropped" else DROPPED,
        title="The samples behind it",
        note="Click a row to read the whole sample and why it was picked.",
        filters=[
            {"key": key, "label": label, "count": number(len(rows[key]))} for key, label in filters.items()
        ],
        filter=which,
        empty=view.EMPTY_TABLE[which],
    )


def show_sample(home: Path, run: str, epoch: int, sample: str) -> tuple[Any, Any]:
    """One sample in full with its reasons, and its history over the epochs."""
    try:
        shown = Shown(home, run, epoch) if run else None
    except StudioError:
        shown = None
    if shown is None or not shown.records:
        return None, None
    row = shown.pool.row_of.get(sample)
    if row is None:
        return {"empty": "Click a row of the table, or a point of the map, to read the sample here."}, None
    record = shown.record
    value = sample_value(
        shown.pool,
        row,
        scores=record.scores,
        selection=record.selection,
        diversity=record.diversity,
        settings=store.read_config(home, run),
    )
    return value | {"title": f"Sample {row:,} at epoch {shown.epoch}"}, view.history_value(
        analysis.history(shown.records, row), shown.epoch
    )
