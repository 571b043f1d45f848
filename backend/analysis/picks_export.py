"""What leaves the studio: which samples in which order, what is known of each, what was held out, how to do it again.

Page, command line and Python make `Picks` here and write them with `backend.analysis.export_files.export_picks`.
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
from backend.analysis.recipe import recipe_of_rows, recipe_of_run, recipe_of_settings
from backend.config import SelectionSettings
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
    held_out : the pool and rows ((m,) int64) that were kept aside to measure on, when asked for; None where there are none.
    """

    pool: Pool
    rows: np.ndarray
    columns: Callable[[], list[dict[str, Any]]]
    recipe: Callable[[Path, list[str]], dict[str, Any]]
    run: str = ""
    epoch: int = 0
    held_out: Callable[[], tuple[Pool, np.ndarray]] | None = None

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
    scores_files: tuple[str, ...],
    model: str = "",
    ahead: int = 0,
    budget: int | None = None,
    held_out: np.ndarray | None = None,
) -> Picks:
    """What settings select from stored scores.

    inputs, mapping : what the pool was read from, and how. scores_files : where the scores lie, as `--scores`
    takes it; () where there are none.
    budget : samples, where the setting is a share of fewer than the pool. held_out : (m,) int64, rows of the pool that the
    scores' run kept aside to measure on.
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
            scores_files=scores_files,
            model=model,
            ahead=ahead,
            budget=budget,
            out=out,
            options=options,
        ),
        held_out=None if held_out is None or not len(held_out) else lambda: (pool, held_out),
    )


def picks_of_rows(
    pool: Pool,
    rows: np.ndarray,
    *,
    inputs: tuple[str, ...],
    mapping: dict[str, str],
    scores: Scores | None = None,
) -> Picks:
    """Any samples of a pool, such as those of a filter. rows : (k,) int64, in the order in which they are written.

    inputs, mapping : what the pool was read from, and how. scores : what is known of all its samples; written beside them
    are then id, file, row and complexity.
    """

    def columns() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = pool.take(rows, ["id", "file", "row"]).to_pylist()
        if scores is not None:
            for line, row in zip(found, rows.tolist()):
                line["complexity"] = _known(scores.complexity[row])
        return found

    def recipe(out: Path, options: list[str]) -> dict[str, Any]:
        return recipe_of_rows(pool, rows, inputs=inputs, mapping=mapping, out=out, options=options)

    return Picks(pool, rows, columns, recipe)


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
        held_out_of_run(home, run_id),
    )


def held_out_of_run(home: Path, run_id: str) -> Callable[[], tuple[Pool, np.ndarray]] | None:
    """What a run measured its held-out loss on, as a function to the pool and its rows; None where it held out nothing."""
    other = store.read_run_pool(home, run_id).held_out_id
    if other:

        def of_file() -> tuple[Pool, np.ndarray]:
            pool = store.load_pool_from_store(home, other)
            return pool, np.arange(len(pool))

        return of_file
    there = store.epochs(home, run_id)
    if not there:
        return None
    rows = store.read_kept_aside(home, run_id, there[0])
    if not len(rows):
        return None
    return lambda: (store.load_pool_from_store(home, store.read_run_pool(home, run_id).id), rows)


def held_out_count(home: Path, run_id: str) -> int:
    """How many samples a run measures its held-out loss on; 0 where it held out none."""
    other = store.read_run_pool(home, run_id).held_out_id
    if other:
        return store.pool_info(home, other).rows
    found = held_out_of_run(home, run_id)
    return 0 if found is None else len(found()[1])


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


def _known(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
