"""What was picked, as it leaves the studio: which samples in which order, what is known of each, and how to do it again.

The page and the command line write the same files with `write_picks`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend import store
from backend.analysis.quota_words import quota_story
from backend.analysis.reasons import picked_words
from backend.analysis.recipe import recipe_of_run, recipe_of_settings, recipe_path
from backend.config import SelectionSettings
from backend.data.export import write_samples
from backend.data.layouts import ExportFormat
from backend.errors import RunError
from backend.records import Pool, Scores, Selection, Status
from backend.selection.review import review_settings

COLUMNS = ("id", "file", "row", "rank", "gain", "complexity", "diversity", "why")
"""What is written beside a sample with its scores.

id : hash of its content, as the page shows it. file, row : where it was read from, the row from 0.
rank : place in the order of picks, from 1. gain : what won the pick. complexity : no unit. diversity : when it was picked;
all null where the strategy has none. why : in words.
"""
OF_ALL_EPOCHS = ("epoch", "epochs")
"""Beside samples of all epochs also: the epoch that picked a sample first, which the other columns are of, and how many
epochs picked it."""
TERMS = 3  # named in `why`


@dataclass(frozen=True)
class Picks:
    """Picked samples of a pool.

    rows : (k,) int64, in the order in which they were picked.
    columns : `COLUMNS` of each, worked out when asked for.
    recipe : how to pick them again, see `backend.analysis.recipe`; given the file and the options they are
        written with.
    run, epoch : whose they are, the epoch `store.ALL_EPOCHS` for the samples of all; "" and 0 where no run picked them.
    """

    pool: Pool
    rows: np.ndarray
    columns: Callable[[], list[dict[str, Any]]]
    recipe: Callable[[Path, list[str]], dict[str, Any]]
    run: str = ""
    epoch: int = 0

    def __len__(self) -> int:
        return len(self.rows)


def picks_of_settings(
    pool: Pool,
    scores: Scores,
    selection: Selection,
    settings: SelectionSettings,
    *,
    inputs: tuple[str, ...],
    mapping: dict[str, str],
    scores_file: Path | None,
    model: str = "",
    ahead: int = 0,
    budget: int | None = None,
) -> Picks:
    """What settings select from stored scores.

    inputs, mapping : what the pool was read from, and how. scores_file : where the scores lie; None where there are none.
    budget : samples, where the setting is a share of fewer than the pool.
    """
    return Picks(
        pool,
        selection.rows,
        lambda: columns_of(pool, scores, selection, settings),
        lambda out, options: recipe_of_settings(
            pool,
            selection,
            settings,
            inputs=inputs,
            mapping=mapping,
            scores_file=scores_file,
            model=model,
            ahead=ahead,
            budget=budget,
            out=out,
            options=options,
        ),
    )


def picks_of_run(home: Path, run_id: str, epoch: int | None = None) -> Picks:
    """What an epoch of a run selected.

    epoch : None for the last one; `store.ALL_EPOCHS` for every sample that any epoch selected, once each, in the order
        in which they were first picked.

    Raises
    ------
    RunError : no such run or epoch, or nothing was selected yet.
    """
    there = store.epochs(home, run_id)
    if not there:
        store.run_info(home, run_id)
        raise RunError(f"run {run_id} has not selected anything yet")
    chosen = there[-1] if epoch is None else epoch
    every = chosen == store.ALL_EPOCHS
    if not every and chosen not in there:
        raise RunError(f"run {run_id} has no epoch {chosen} (there are: {there})")
    pool = store.load_pool_from_store(home, store.read_run_pool(home, run_id).id)
    rows = store.picks_of_all_epochs(home, run_id) if every else store.read_picks(home, run_id, chosen)
    return Picks(
        pool,
        rows,
        lambda: _run_columns(home, run_id, pool, there if every else [chosen], every=every),
        lambda out, options: recipe_of_run(home, run_id, pool, rows, chosen, out=out, options=options),
        run_id,
        chosen,
    )


def columns_of(
    pool: Pool, scores: Scores, selection: Selection, settings: SelectionSettings
) -> list[dict[str, Any]]:
    """`COLUMNS` of every pick, in pick order."""
    columns = ["id", "file", "row"]
    found: list[dict[str, Any]] = pool.take(selection.rows, columns).to_pylist()
    story = quota_story(pool, selection, settings)
    for at, (line, row) in enumerate(zip(found, selection.rows.tolist())):
        status = Status(int(selection.status[row]))
        why = picked_words(status, at + 1, selection, settings, pool=pool, story=story)
        terms = [f"“{term}”" for term in selection.terms[at][:TERMS] if term] if len(selection.terms) else []
        line |= {
            "rank": at + 1,
            "gain": _known(selection.gain[at]),
            "complexity": _known(scores.complexity[row]),
            "diversity": _known(selection.diversity[at]),
            "why": f"{why} What counted most in it: {', '.join(terms)}." if terms else why,
        }
    return found


def _run_columns(
    home: Path, run_id: str, pool: Pool, epochs: list[int], *, every: bool
) -> list[dict[str, Any]]:
    config = store.read_config(home, run_id)
    first: dict[int, dict[str, Any]] = {}
    for epoch in epochs:
        record = store.read_epoch(home, run_id, epoch)
        settings = review_settings(config, record.changes)
        lines = columns_of(pool, record.scores, record.selection, settings)
        for row, line in zip(record.selection.rows.tolist(), lines):
            if row in first:
                first[row]["epochs"] += 1
            else:
                first[row] = {**line, "epoch": epoch, "epochs": 1} if every else line
    return list(first.values())


def write_picks(
    out: Path,
    picks: Picks,
    format: ExportFormat,
    *,
    with_scores: bool = False,
    with_recipe: bool = False,
) -> list[Path]:
    """Write picked samples to `out` (.json or .jsonl), and their recipe beside it; the paths that were written.

    Raises
    ------
    PoolError : the ending or the format is unknown.
    """
    write_samples(out, picks.pool, picks.rows, format, beside=picks.columns() if with_scores else None)
    if not with_recipe:
        return [out]
    options = ["--format", format, *(["--with-scores"] if with_scores else []), "--recipe"]
    written = {"file": out.name, "format": format, "with_scores": with_scores}
    store.write_json(recipe_path(out), {**written, **picks.recipe(out, options)})
    return [out, recipe_path(out)]


def _known(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
