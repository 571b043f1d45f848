"""A selection for the screens: made from stored scores, kept in this process by what it was made from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from backend import analysis, diversity, store
from backend.analysis import FullOrder, ScoreSet, Vocabulary, WhatIf
from backend.config import SelectionSettings, Words
from backend.records import EpochRecord, Pool, Scores, Selection
from backend.selection.choose import exponents
from backend.store.imported_scores import imported_info, is_imported
from backend.store.shelf import SHELF, keep_last
from iterit_ui.shared.session import epoch_of, exact_pool, get_counts, get_pool, get_scores, settings_of

TFIDF = analysis.TfidfCache()
NO_SET = ScoreSet("", "", "")
KEPT = 24  # selections that can be compared with what came after them


@dataclass(frozen=True)
class SelectionView:
    """A pool under some settings, and what they select. `token` names all that it was made from.

    changed : the visitor's settings as JSON, with the cutting into words that they go by. marks : names the pool's pins and excludes, and its files.
    held_out : (n,) bool, samples that the scores' run had held out; None where it had none.
    """

    token: str
    pool: Pool
    scores: Scores
    scores_key: str
    settings: SelectionSettings
    changed: str
    marks: str
    held_out: np.ndarray | None
    what: WhatIf

    @property
    def scored(self) -> bool:
        """Whether a model has read this pool."""
        return bool(np.isfinite(self.scores.complexity).any())

    @property
    def times(self) -> np.ndarray | None:
        """(n,) int32: how often each sample was trained on in earlier epochs, where the strategy remembers it."""
        earlier = self.what.earlier
        return None if earlier is None else earlier.times(len(self.pool))

    @cached_property
    def baselines(self) -> dict[str, np.ndarray]:
        """Rows that simpler strategies would pick; a filter changes none of them."""
        return analysis.baselines(self.pool, self.scores, self.settings, held_out=self.held_out)

    @cached_property
    def numbers(self) -> dict[str, np.ndarray]:
        """(n,) float64 by name: what a filter may limit; NaN where a sample has no such value."""
        made, n = self.what.selection, len(self.pool)
        rank, gain = np.full(n, np.nan), np.full(n, np.nan)
        rank[made.rows] = np.arange(1, len(made) + 1)
        gain[made.rows] = made.gain
        tokens = self.scores.response_tokens
        return {
            "complexity": self.scores.complexity.astype(np.float64),
            "diversity": self.what.diversity,
            "tokens": np.where(tokens >= 0, tokens, np.nan).astype(np.float64),
            "rank": rank,
            "gain": gain,
        }


def selected(home: Path, pool_id: str, scores_key: str, changed: dict[str, Any]) -> SelectionView:
    """What the visitor's settings select from a pool now, its pins and excludes included.

    Raises
    ------
    ConfigError : see `analysis.what_if`.
    """
    marks = f"{marks_digest(home, pool_id)}/{store.samples_written(home, pool_id)}"
    changed = {"words": store.pool_words(home, pool_id), **changed}
    key = json.dumps(changed, sort_keys=True)
    pool = get_pool(home, pool_id)
    token = f"{home}|{pool.id}|{scores_key}|{marks}|{key}"

    def select() -> SelectionView:
        settings = settings_of(home, pool_id, changed)
        epoch = epoch_of(changed)
        scores = get_scores(home, pool.id, scores_key)
        held_out = held_out_of(home, pool_id, scores_key)
        counts = get_counts(home, pool.id, settings.words)
        what = analysis.what_if(pool, counts, scores, settings, cache=TFIDF, held_out=held_out, epoch=epoch)
        return SelectionView(token, pool, scores, scores_key, settings, key, marks, held_out, what)

    return SHELF.get(SelectionView, token, select, KEPT)


def record_tfidf(
    home: Path, pool: Pool, settings: SelectionSettings, record: EpochRecord
) -> diversity.Tfidf | None:
    """The weighed n-grams of those that an epoch of a run chose from; None where its strategy reads none."""
    if exponents(settings)[1] == 0:
        return None
    rows = analysis.candidate_rows(record.selection)
    if record.earlier is not None:  # the idf is over these, too
        rows = np.union1d(rows, np.flatnonzero(record.earlier))
    counts = (
        analysis.ngram_counts(home, pool, suffix=settings.response_suffix, words=settings.words)
        if settings.response_suffix
        else get_counts(home, pool.id, settings.words)
    )
    return TFIDF.get(pool.id, settings, rows, lambda: diversity.tfidf(counts, rows))


def marks_digest(home: Path, pool_id: str) -> str:
    """Names a pool's pins and excludes as they are now; notes and saved settings change no selection."""
    return _marks_digest(home, pool_id, store.curation_revision(home, pool_id))


@lru_cache(maxsize=8)
def _marks_digest(home: Path, pool_id: str, revision: int) -> str:
    words = json.dumps(sorted(store.marks(home, pool_id).items()))
    return blake2b(words.encode(), digest_size=8).hexdigest()


def earlier(token: str, pool_id: str) -> Selection | None:
    """A selection that was on screen before; None where it was of another pool, or is forgotten."""
    shown: SelectionView | None = SHELF.peek(SelectionView, token)
    return shown.what.selection if shown is not None and shown.pool.root == pool_id else None


def full_order(home: Path, shown: SelectionView) -> FullOrder:
    """What these settings would pick if the budget were the whole pool; whatever the budget is."""
    changed = {name: value for name, value in json.loads(shown.changed).items() if name != "budget"}
    if epoch_of(changed) and shown.what.earlier is not None:  # who the candidates are depends on the budget
        return _order(
            home, shown.pool.id, shown.scores_key, changed, rows=shown.what.among, earlier=shown.times
        )
    return _full_order(home, shown.pool.id, shown.scores_key, shown.marks, json.dumps(changed))


@keep_last(8)
def _full_order(home: Path, pool_id: str, scores_key: str, marks: str, changed: str) -> FullOrder:
    return _order(home, pool_id, scores_key, json.loads(changed))


def _order(home: Path, pool_id: str, scores_key: str, changed: dict[str, Any], **among: Any) -> FullOrder:
    settings = settings_of(home, pool_id, changed)
    return analysis.full_order(
        exact_pool(home, pool_id),
        get_counts(home, pool_id, settings.words),
        get_scores(home, pool_id, scores_key),
        settings,
        cache=TFIDF,
        vocabulary=get_vocabulary(home, pool_id, settings.words),
        held_out=held_out_of(home, pool_id, scores_key),
        **among,
    )


@keep_last(8)
def held_out_of(home: Path, pool_id: str, scores_key: str) -> np.ndarray | None:
    """(n,) bool: samples that the run behind these scores held out, None where there are none."""
    return analysis.held_out_of(home, scores_key) if scores_key else None


def model_of(home: Path, scores_key: str) -> str:
    """The model that gave these scores, as a run names it; "" for none, and where imported scores do not say."""
    if is_imported(scores_key):
        return imported_info(home, scores_key).model
    run_id = scores_key.rpartition("/")[0]
    return store.run_info(home, run_id).model if run_id else scores_key


@keep_last(4)
def get_vocabulary(home: Path, pool_id: str, words: Words = "paper") -> Vocabulary:
    """How much each n-gram weighs in the whole pool."""
    return analysis.vocabulary(get_counts(home, pool_id, words))


def scores_choices(home: Path, pool_id: str) -> list[tuple[str, str]]:
    """(label, key) of the scores that a pool has."""
    if not pool_id:
        return []
    return [(found.label, found.key) for found in analysis.score_sets(home, get_pool(home, pool_id))]


def scores_key(home: Path, pool_id: str, asked: str) -> str:
    """`asked` where the pool has such scores, else those of an untouched model, the fewest edited since, else ""."""
    if not pool_id:
        return ""
    found = analysis.score_sets(home, get_pool(home, pool_id))
    if any(one.key == asked for one in found):
        return asked
    return min((one for one in found if one.epoch == 0), key=lambda one: one.stale, default=NO_SET).key
