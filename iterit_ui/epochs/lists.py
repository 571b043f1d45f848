"""What the Epochs tab's table can list: every card, band, bar, mark and area of the tab is a key of a set of rows.

    selected, added, kept, dropped    of the epoch that is shown
    flow:START:KIND                   a band between two epochs, KIND one of `alluvial.KINDS`
    column:EPOCH:SIDE                 what stands in a column, SIDE one of `alluvial.SIDES`
    quadrant:NAME                     of the epoch that is shown, against the earlier one; one of `QUADRANTS`
    hardest:EPOCH:SINCE               the hardest of an epoch that were not among them at an earlier one
    cohort:NAME                       of the epoch that is shown, one of `COHORTS`; kept, added and dropped are those above
    label:NAME                        the selected with an evaluation label
    cluster:CODE                      a cluster of the map
    rows:KEY                          a stored set of rows: what was inside your outline

A key comes from a page, so what it means is looked up, and one that means nothing lists the selected.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend import analysis, store
from backend.analysis.alluvial import KINDS, SIDES
from backend.analysis.cohorts import COHORTS
from backend.analysis.quadrants import QUADRANTS
from backend.errors import StudioError
from iterit_ui.epochs.run_history import RunHistory
from iterit_ui.samples.filter_lookup import get_clusters

USUAL = "selected"
OF_EPOCH = ("selected", "added", "kept", "dropped")
LONGEST_KEY = 200  # characters


@dataclass(frozen=True)
class Listed:
    """A set of samples with what a person calls it.

    key : names it, as above. rows : (m,) int64. ranked : whether all were picked before the epoch that is shown.
    since : the earlier epoch whose complexity is worth a column beside the present one, else None.
    """

    key: str
    label: str
    rows: np.ndarray
    ranked: bool = False
    since: int | None = None

    @property
    def usual(self) -> bool:
        """Whether the page lists just the selection."""
        return self.key == USUAL


def listed(home: Path, story: RunHistory, key: str, *, epoch: int, since: int) -> Listed:
    """What a key lists, at an epoch that the run has; the selected where it means nothing in this run."""
    kind, _, rest = key.partition(":")
    find = {
        "flow": _band,
        "column": _column,
        "quadrant": _quadrant,
        "hardest": _hardest,
        "cohort": _cohort,
        "label": _label,
        "cluster": _cluster,
        "rows": _drawn,
    }.get(kind)
    found = None
    if key in OF_EPOCH:
        found = _of_epoch(story, key, epoch)
    elif find is not None and rest and len(key) <= LONGEST_KEY:
        found = find(home, story, rest, epoch, since)
    return found or _of_epoch(story, USUAL, epoch)


def means_something(home: Path, story: RunHistory, key: str, *, epoch: int, since: int) -> bool:
    """Whether a key that a page sent lists anything of its own in this run."""
    return key == USUAL or not listed(home, story, key, epoch=epoch, since=since).usual


def _of_epoch(story: RunHistory, key: str, epoch: int) -> Listed:
    before = story.before(epoch)
    selection = story.record(epoch).selection
    if before is None:  # nothing has come or gone yet
        return Listed(USUAL, f"selected for epoch {epoch}", selection.rows, ranked=True)
    words = {
        "selected": f"selected for epoch {epoch}",
        "added": f"added in epoch {epoch}",
        "kept": f"kept from epoch {before.epoch} in epoch {epoch}",
        "dropped": f"dropped before epoch {epoch}",
    }
    rows = analysis.filter_rows(selection, key, before.selection)
    return Listed(key, words[key], rows, ranked=key != "dropped")


def _band(home: Path, story: RunHistory, rest: str, epoch: int, since: int) -> Listed | None:
    start, _, kind = rest.partition(":")
    if not start.isdecimal() or kind not in KINDS:
        return None
    band = story.flow.band(int(start), kind)
    if band is None:
        return None
    words = {
        "kept": f"kept from epoch {band.start} to {band.end}",
        "new": f"new in epoch {band.end}, never selected before",
        "back": f"came back in epoch {band.end}",
        "dropped": f"dropped after epoch {band.start}",
        "away": f"stayed away, epoch {band.start} to {band.end}",
    }
    ranked = epoch == band.end and kind in ("kept", "new", "back")
    return Listed(f"flow:{band.start}:{kind}", words[kind], band.rows, ranked=ranked)


def _column(home: Path, story: RunHistory, rest: str, epoch: int, since: int) -> Listed | None:
    at, _, side = rest.partition(":")
    column = story.flow.column(int(at)) if at.isdecimal() and side in SIDES else None
    if column is None:
        return None
    key = f"column:{column.epoch}:{side}"
    if side == "selected":
        return Listed(
            key, f"selected for epoch {column.epoch}", column.selected, ranked=epoch == column.epoch
        )
    return Listed(key, f"selected before, not for epoch {column.epoch}", column.gone)


def _quadrant(home: Path, story: RunHistory, rest: str, epoch: int, since: int) -> Listed | None:
    if rest not in QUADRANTS:
        return None
    found = story.quadrants(since, epoch)
    if found.reason:
        return None
    return Listed(f"quadrant:{rest}", f"{rest}, epoch {since} to {epoch}", found.rows_of(rest), since=since)


def _hardest(home: Path, story: RunHistory, rest: str, epoch: int, since: int) -> Listed | None:
    now, _, then = rest.partition(":")
    if not (now.isdecimal() and then.isdecimal()) or not {int(now), int(then)} <= set(story.epochs):
        return None
    found = story.hardest(int(then), int(now))
    if found.reason:
        return None
    words = f"hardest at epoch {found.epoch}, not at epoch {found.earlier}"
    return Listed(f"hardest:{found.epoch}:{found.earlier}", words, found.new_rows, since=found.earlier)


def _cohort(home: Path, story: RunHistory, rest: str, epoch: int, since: int) -> Listed | None:
    if rest not in COHORTS:
        return None
    rows = story.cohorts(epoch)[rest]
    if not len(rows):
        return None
    first = story.before(epoch) is None
    if rest in OF_EPOCH and not first:
        return _of_epoch(story, rest, epoch)  # the same set by its shorter name
    words = {
        "kept": f"selected for epoch {epoch}",
        "gone earlier": f"selected once, gone by epoch {epoch}",
        "never selected": f"never selected up to epoch {epoch}",
    }
    return Listed(f"cohort:{rest}", words[rest], rows, ranked=rest == "kept")


def _label(home: Path, story: RunHistory, rest: str, epoch: int, since: int) -> Listed | None:
    if story.pool.labels is None:
        return None
    picked = story.record(epoch).selection.rows
    names = analysis.label_names(story.pool)[picked]
    if not (names == rest).any():
        return None
    return Listed(
        f"label:{rest}", f"selected for epoch {epoch}, labelled {rest}", picked[names == rest], ranked=True
    )


def _cluster(home: Path, story: RunHistory, rest: str, epoch: int, since: int) -> Listed | None:
    clusters = get_clusters(home, story.pool.id)
    if clusters is None or not rest.isdecimal() or int(rest) >= len(clusters.labels):
        return None
    rows = np.flatnonzero(clusters.codes == int(rest))
    return Listed(f"cluster:{int(rest)}", f"cluster {clusters.labels[int(rest)]}", rows)


def _drawn(home: Path, story: RunHistory, rest: str, epoch: int, since: int) -> Listed | None:
    try:
        rows = store.load_rows(home, story.pool.id, rest)
    except StudioError:
        return None
    return Listed(f"rows:{rest}", "inside your outline", rows)
