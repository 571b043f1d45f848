"""What is presented: the pool, selection, run and comparison that a visitor is looking at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend import analysis, store
from backend.config import SelectionSettings
from backend.errors import StudioError
from backend.records import Pool, Scores, Selection
from backend.selection.review import review_settings
from iterit_ui.shared.selections import scores_key, selected
from iterit_ui.shared.session import exact_pool, get_pool


@dataclass(frozen=True)
class Subject:
    """Ids of what is presented; "" for what there is none of.

    chosen : whether the visitor has opened the run, so that its selection is told and not that of Curate's settings.
    compared : ids of the runs that are compared.
    """

    home: Path
    pool_id: str
    scores: str
    settings: dict[str, Any]
    run: str
    chosen: bool
    epoch: int
    compared: tuple[str, ...]

    @property
    def pool(self) -> Pool:
        if self.chosen:  # as the run was trained on it
            return exact_pool(self.home, store.run_info(self.home, self.run).pool_id)
        return get_pool(self.home, self.pool_id)


@dataclass(frozen=True)
class Told:
    """A selection with what its story needs. whose : in words, whose selection it is."""

    scores: Scores
    selection: Selection
    settings: SelectionSettings
    whose: str


def subject_of(
    home: Path,
    *,
    tab: str,
    pool: str,
    scores: str,
    run: str,
    epoch: int,
    settings: dict[str, Any],
    comparison: str,
    runs: Sequence[str],
) -> Subject:
    """What a visitor is looking at, from the states of their session.

    On Tune, Epochs and Compare the run decides which pool is meant, elsewhere the pool that is open. Without a run of this
    pool the newest one tells how a selection changed, and without a comparison the newest with runs of this pool.
    """
    infos = store.runs(home)
    of_run = {info.id: store.root_of(home, info.pool_id) for info in infos}
    if not run and tab == "epochs":  # which shows the newest
        run = next((info.id for info in infos if store.epochs(home, info.id)), "")
    if run in of_run and tab in ("tune", "epochs", "compare"):
        pool = of_run[run]
    chosen = run in of_run and of_run[run] == pool and bool(store.epochs(home, run))
    if not chosen:
        trained = [info.id for info in infos if of_run[info.id] == pool and info.epochs > 0]
        run = next((one for one in trained if store.epochs(home, one)), "")
        epoch = 0
    ids: Sequence[str] = runs
    known = store.comparisons(home)
    if comparison or not runs:
        named = next((one for one in known if one.id == comparison), None)
        named = named or next((one for one in known if run and run in one.runs), None)
        named = named or next(
            (one for one in known if any(of_run.get(member) == pool for member in one.runs)), None
        )
        ids = named.runs if named else ()
    compared = tuple(one for one in ids if of_run.get(one) == pool)
    return Subject(home, pool, scores, settings, run, chosen, epoch, compared)


def told_selection(about: Subject) -> Told:
    """The selection that is told: an epoch of the run that was opened, else what Curate's settings select.

    Raises
    ------
    StudioError : nothing is selected.
    """
    if about.chosen:
        there = store.epochs(about.home, about.run)
        epoch = max([e for e in there if e <= about.epoch], default=there[0])
        record = analysis.load_epoch(about.home, about.run, epoch)
        config = store.read_config(about.home, about.run)
        name = store.run_info(about.home, about.run).name
        whose = f"for epoch {epoch} of the run “{name}”"
        return Told(record.scores, record.selection, review_settings(config, record.changes), whose)
    key = scores_key(about.home, about.pool_id, about.scores)
    shown = selected(about.home, about.pool_id, key, about.settings)
    if not len(shown.what.selection):
        raise StudioError("these settings select nothing")
    return Told(shown.scores, shown.what.selection, shown.settings, "with the settings of Curate")


def easier_share(scores: Scores, row: int) -> float:
    """Share of the scored samples with a lower complexity than this one; NaN where it has none."""
    known = scores.complexity[np.isfinite(scores.complexity)]
    value = scores.complexity[row]
    return float((known < value).mean()) if np.isfinite(value) and len(known) else float("nan")
