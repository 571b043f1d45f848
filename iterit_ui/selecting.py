"""A selection for the screens: made from stored scores, kept in this process by what it was made from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from backend import analysis
from backend.analysis import WhatIf
from backend.config import SelectionSettings, selection_settings, to_json
from backend.records import Pool, Scores
from iterit_ui.session import get_counts, get_pool, get_scores, settings_of

TFIDF = analysis.TfidfCache()


@dataclass(frozen=True)
class Shown:
    """A pool under some settings, and what they select. `key` names the settings; the same key is the same picks."""

    key: str
    pool: Pool
    scores: Scores
    scores_key: str
    settings: SelectionSettings
    what: WhatIf

    @property
    def scored(self) -> bool:
        """Whether a model has read this pool."""
        return bool(np.isfinite(self.scores.complexity).any())


def selected(home: Path, pool_id: str, scores_key: str, changed: dict[str, Any]) -> Shown:
    """What the visitor's settings select from a pool now, its pins and excludes included."""
    settings = settings_of(home, pool_id, changed)
    return selected_by(home, pool_id, scores_key, json.dumps(to_json(settings), sort_keys=True))


@lru_cache(maxsize=12)
def selected_by(home: Path, pool_id: str, scores_key: str, key: str) -> Shown:
    """What complete settings, given as JSON, select."""
    settings = selection_settings(SelectionSettings(), **json.loads(key))
    pool, scores = get_pool(home, pool_id), get_scores(home, pool_id, scores_key)
    what = analysis.what_if(pool, get_counts(home, pool_id), scores, settings, cache=TFIDF)
    return Shown(key, pool, scores, scores_key, settings, what)


def scores_choices(home: Path, pool_id: str) -> list[tuple[str, str]]:
    """(label, key) of the scores that a pool has."""
    if not pool_id:
        return []
    return [(found.label, found.key) for found in analysis.score_sets(home, get_pool(home, pool_id))]


def scores_key(home: Path, pool_id: str, asked: str) -> str:
    """`asked` where the pool has such scores, else those of an untouched model, else ""."""
    if not pool_id:
        return ""
    found = analysis.score_sets(home, get_pool(home, pool_id))
    if any(one.key == asked for one in found):
        return asked
    return next((one.key for one in found if one.epoch == 0), "")
