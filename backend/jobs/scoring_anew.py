"""Scoring again what was edited since it was scored, and nothing else: a run without epochs, with the same model."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from backend import analysis, store
from backend.analysis.score_sets import DEMO
from backend.config import PRESETS, RunConfig, config_from
from backend.errors import ScoresError
from backend.jobs import lifecycle, run_launch
from backend.records import Pool
from backend.store.imported_scores import is_imported


def score_edited(home: Path, pool_id: str, key: str) -> str:
    """Queue the scoring of the samples that were edited since a set of scores was made, and return the run's id.

    All other samples keep their scores: those of a run are in the runs folder (see `store/kept_losses`), those that come
    with the embedded pool are given to the run. key : of a `ScoreSet` of the pool.

    Raises
    ------
    ScoresError : nothing was edited since, or the scores are imported, or of a model that had been trained.
    """
    home = Path(home).resolve()
    pool = store.edited_pool(home, pool_id)
    edited = analysis.edited_since_scored(home, pool, key)
    if not len(edited):
        raise ScoresError("no sample was edited since these scores were made")
    if is_imported(key):
        raise ScoresError(
            "these scores were imported: have the edited samples scored where the others were, and import them again"
        )
    run, _, epoch = key.rpartition("/")
    if run and epoch != "0":
        raise ScoresError(
            "these scores are of a model that had been trained for a while, which is not kept; choose scores of the untouched model"
        )
    name = f"{len(edited):,} edited {'sample' if len(edited) == 1 else 'samples'} of {pool.name}"
    config = dataclasses.replace(
        _config(home, pool, run), name=name[:80], epochs=0, make_map=False, review=False, rescore=False
    )
    held_out = store.read_run_pool(home, run).held_out_id if run else None
    run_id = store.create_run(
        home,
        run_launch.with_absolute_paths(config),
        pool,
        held_out=store.pool_info(home, held_out) if held_out else None,
        parent=run or None,
        given=(analysis.load_scores(home, pool, key), None) if key == DEMO else None,
    )
    lifecycle.pump(home)
    return run_id


def _config(home: Path, pool: Pool, run: str) -> RunConfig:
    """The settings that the scores were made with."""
    if run:
        return store.read_config(home, run)
    preset = PRESETS["demo"]
    values = {
        "pool": store.pool_info(home, pool.root).inputs,
        "model": "demo",
        "held_out": "0",
        "max_length": preset["max_length"],
        "system_prompt": preset["system_prompt"],
    }
    return config_from(values)
