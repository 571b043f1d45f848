"""The Epochs tab's pictures of one epoch: distributions, lengths, what training changed, and the map."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend import analysis
from backend.records import EpochRecord
from iterit_ui import plots
from iterit_ui.components import encode_bytes
from iterit_ui.epochs import captions as words
from iterit_ui.epochs.lists import Listed
from iterit_ui.epochs.run_history import RunHistory
from iterit_ui.epochs.state import MODES
from iterit_ui.epochs.views import map_value
from iterit_ui.samples.filter_lookup import get_clusters
from iterit_ui.shared.session import map_key
from iterit_ui.shared.strategies import strategy_name
from iterit_ui.shared.theme import POOL, SOURCES, number

Value = dict[str, Any]
MOST_COLOURS = 8  # epochs that are told apart on the map
NO_MAP = "This pool has no map yet. Start it on the Curate tab; it takes a minute."


@dataclass(frozen=True)
class EpochView:
    """A run at one epoch, and what of it is looked at.

    since : the earlier epoch that complexity is compared with. sample : id of the open one, "" for none.
    colour : what the map's colours mean, a key of `state.MODES`.
    """

    home: Path
    story: RunHistory
    epoch: int
    since: int
    listed: Listed
    sample: str
    colour: str = "moved"

    @property
    def record(self) -> EpochRecord:
        return self.story.record(self.epoch)

    @property
    def mask(self) -> np.ndarray | None:
        """(n,) bool: what is listed; None where that is just the selection."""
        if self.listed.usual:
            return None
        inside = np.zeros(len(self.story.pool), dtype=bool)
        inside[self.listed.rows] = True
        return inside


def charts(at: EpochView) -> list[Value]:
    """Complexity, diversity and lengths over the same bins at every epoch; what is listed as a line over them."""
    record, story, edges = at.record, at.story, at.story.edges
    strategy = story.settings.strategy
    complexity = plots.empty(
        f"The strategy “{strategy_name(strategy)}” needs no model, so nothing was scored.",
        "How hard is the selection?",
    )
    if story.scored:
        known = "as known before this epoch" if record.epoch else "of the untouched model"
        complexity = plots.distribution(
            analysis.complexity_histogram(
                record.scores, record.selection, edges=edges["complexity"], filtered=at.mask
            ),
            title="How hard is the selection?",
            x_title="complexity",
            ceiling=story.settings.max_complexity,
            note=f"Complexity {known}. 0: the prompt gives the response away; 1: it does not help",
        )
    diversity = plots.empty("This strategy computes no diversity.", "How varied is the selection?")
    if np.isfinite(record.diversity).any():
        diversity = plots.distribution(
            analysis.diversity_histogram(
                record.diversity, record.selection, edges=edges["diversity"], filtered=at.mask
            ),
            title="How varied is the selection?",
            x_title="diversity before any pick",
            note="More distinct words and phrases, rare among the candidates, give a larger value",
        )
    lengths = plots.lengths(
        analysis.length_histogram(
            story.first.scores, record.selection, story.baselines, edges=edges["lengths"], filtered=at.mask
        ),
        title="How long are they?",
        note=None if strategy == "full" else f"At the same budget of {number(len(record.selection))} samples",
    )
    for figure in (complexity, diversity, lengths):
        for item in figure.get("legend", []):
            if item["label"] == "filtered":
                item["label"] = "listed below"
        figure["note"] = figure.get("note", "").replace(" filtered", " listed below")
    made = (complexity, diversity, lengths)
    return [{**one, "short": word} for one, word in zip(made, ("complexity", "diversity", "tokens"))]


def complexity_moved(at: EpochView) -> Value:
    """Complexity at an earlier epoch against now, with its areas as buttons and a choice of the earlier epoch."""
    story = at.story
    found = story.quadrants(at.since, at.epoch)
    if found.reason:
        return plots.then_and_now(found, story.limits)
    then, now = story.record(at.since), at.record
    whole = not bool((then.rescored & ~now.rescored).any())
    value = plots.then_and_now(found, story.limits, note=words.quadrant_note(found, whole=whole))
    earlier = [epoch for epoch in story.epochs if epoch < at.epoch]
    value["against"] = {
        "label": "Compared with",
        "value": str(at.since),
        "options": [{"key": str(epoch), "label": f"epoch {epoch}"} for epoch in earlier],
    }
    return value | {"choices": words.quadrant_choices(found), "on": at.listed.key}


def hardest(at: EpochView) -> Value:
    """The share of the hardest that were not among the hardest before, at every epoch."""
    story = at.story
    first = story.epochs[0]
    pairs = list(zip(story.epochs, story.epochs[1:]))
    by_before = [story.hardest(before, epoch) for before, epoch in pairs]
    by_first = [story.hardest(first, epoch) for _, epoch in pairs]
    shown = [one for one in (*by_before, *by_first) if one.epoch == at.epoch]
    shown = shown[:1] if len(shown) == 2 and shown[0].earlier == shown[1].earlier else shown
    known = next((one for one in shown if not one.reason), None)
    note = words.hardest_note(known) if known else "Choose a later epoch to list its newly hardest samples"
    value = plots.hardest(by_before, by_first, epoch=at.epoch, note=note)
    if value.get("empty"):
        return value
    return value | {"choices": words.hardest_choices(shown), "on": at.listed.key}


def cohorts(at: EpochView) -> Value:
    """Mean response loss of those that were kept, added, dropped and never selected."""
    story = at.story
    table = story.losses(at.epoch)
    first = story.before(at.epoch) is None
    once = not any(record.rescored.any() for record in story.records[1:])
    whole = all(record.rescored[story.first.rescored].all() for record in story.records)
    note = words.cohort_note(at.epoch, first=first, scored_once=once, whole=whole)
    value = plots.cohort_losses(table, epoch=at.epoch, note=note)
    if value.get("empty"):
        return value
    return value | {"choices": words.cohort_choices(table, at.epoch, first), "on": at.listed.key}


def label_chart(at: EpochView) -> Value:
    """Which evaluation labels were picked."""
    return plots.labels(analysis.label_table(at.story.pool, at.record.selection))


def map_view(at: EpochView) -> Value:
    """The map at one epoch, with what is listed in front."""
    pool = at.story.pool
    key = map_key(at.home, pool.id)
    if not key:
        return {"title": "Where in the pool is the selection?", "empty": NO_MAP}
    before = at.story.before(at.epoch)
    modes: Value = {
        "modes": [{"key": key, "label": label} for key, label in MODES.items()],
        "mode": at.colour,
    }
    drawn = len(at.listed.rows) if at.listed.key.startswith("rows:") else None
    value = map_value(
        key,
        at.record.selection,
        None if before is None else before.selection,
        pool.row_of.get(at.sample),
        clusters=get_clusters(at.home, pool.id),
        marked=at.mask,
        drawn=drawn,
    )
    return value | modes | (first_trained(at) if at.colour == "first" else {})


def first_trained(at: EpochView) -> Value:
    """The map's colours by the epoch that each sample was first selected for, up to the one that is shown."""
    epochs = [epoch for epoch in at.story.epochs if epoch <= at.epoch]
    code = np.zeros(len(at.story.pool), dtype=np.uint8)
    for place, epoch in reversed(list(enumerate(epochs, start=1))):
        code[at.story.record(epoch).selection.rows] = min(place, MOST_COLOURS)
    colours = [POOL, *(SOURCES[i] for i in range(MOST_COLOURS))]
    counts = np.bincount(code, minlength=MOST_COLOURS + 1)
    shown = [place for place in range(1, MOST_COLOURS + 1) if counts[place]]
    last = min(len(epochs), MOST_COLOURS)
    legend = [
        {
            "label": f"epoch {epochs[place - 1]}" + (" or later" if place == last < len(epochs) else ""),
            "colour": colours[place],
            "value": number(counts[place]),
        }
        for place in shown
    ]
    legend.append({"label": "not trained on", "colour": POOL, "value": number(counts[0])})
    return {
        "note": "Each sample in the colour of the epoch that trained on it first. Responses that use similar words lie "
        "close together.",
        "codes": encode_bytes(code),
        "palette": colours,
        "top": shown,
        "legend": legend,
    }
