"""Re-selection from stored scores, quick enough to follow a slider: no model, and TF-IDF kept by candidate set."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

import numpy as np

from backend import diversity, selection, store
from backend.analysis.earlier_epochs import Earlier, look_ahead
from backend.analysis.epoch_tables import changes, mean_known
from backend.analysis.histograms import candidate_rows
from backend.config import SelectionSettings, Strategy, Words, budget_of
from backend.diversity import NgramCounts, Tfidf
from backend.records import Pool, Scores, Selection, Status
from backend.store.shelf import SHELF


@dataclass(frozen=True)
class WhatIf:
    """A selection from stored scores.

    diversity : (n,) float64, diversity before any pick, NaN outside the candidates.
    budget : samples that were asked for; `selection` holds fewer where there are not as many candidates.
    seconds : wall time of the selection.
    earlier : what epochs before this one would have trained on, where the strategy remembers it.
    among : (m,) int64, rows that a later epoch chooses from; None for all of the pool.
    """

    selection: Selection
    diversity: np.ndarray
    budget: int
    candidates: int
    seconds: float
    earlier: Earlier | None = None
    among: np.ndarray | None = None


class TfidfCache:
    """The last few weighed candidate sets; a slider that does not change who the candidates are reuses them.

    One for the process; threads may share it. They lie on the process's shelf until nobody holds this cache any more.
    """

    def __init__(self, size: int = 4) -> None:
        self._size = size
        self._kind = object()
        weakref.finalize(self, SHELF.leave, self._kind)

    def get(
        self, pool_id: str, settings: SelectionSettings, rows: np.ndarray, make: Callable[[], Tfidf]
    ) -> Tfidf:
        """The TF-IDF of these candidate rows, made by `make` where it is not kept.

        settings : of these it goes by how responses are cut into words, and what is added to them.
        """
        made_from = f"{settings.words}/{pool_id}/{settings.response_suffix}"
        key = blake2b(rows.tobytes(), digest_size=16, key=made_from.encode()[:64]).digest()
        return SHELF.get(self._kind, key, make, self._size)


def ngram_counts(home: Path, pool: Pool, *, suffix: str = "", words: Words = "paper") -> NgramCounts:
    """A pool's n-gram counts: read where they are stored, else counted and stored."""
    return store.ngram_counts(home, pool, suffix=suffix, words=words)


def what_if(
    pool: Pool,
    counts: NgramCounts,
    scores: Scores,
    settings: SelectionSettings,
    *,
    cache: TfidfCache,
    held_out: np.ndarray | None = None,
    epoch: int = 0,
) -> WhatIf:
    """What an epoch would select with these settings and scores.

    epoch : 0, or a later one, as far as that can be known without training: see `look_ahead`.
    held_out : (n,) bool, samples that are held out; the budget is a share of the others.

    Raises
    ------
    ConfigError : nobody is left to pick, a pinned or excluded id is unknown, or a limit needs lengths not known.
    """
    started = time.perf_counter()
    n = len(pool) if held_out is None else int((~held_out).sum())
    budget = budget_of(settings.budget, n)
    earlier, among, times = None, None, None
    if selection.remembers(settings):
        ahead = look_ahead(
            pool, counts, scores, settings, epoch=epoch, budget=budget, cache=cache, held_out=held_out
        )
        earlier, among = ahead.earlier, ahead.candidates
        times = earlier.times(len(pool))
    rows = selection.candidates_of_pool(
        pool, scores, settings, rows=among, held_out=held_out, earlier=times
    ).rows
    tfidf = cache.get(pool.id, settings, rows, lambda: diversity.tfidf(counts, rows))
    made = selection.select_of_pool(
        pool,
        counts,
        scores,
        settings,
        budget=budget,
        rows=among,
        held_out=held_out,
        epoch=epoch,
        tfidf=tfidf,
        earlier=times,
    )
    by_row = np.full(len(pool), np.nan)
    by_row[tfidf.rows] = selection.start_of(tfidf, settings, times).diversity
    by_row[made.status == Status.TRAINED] = np.nan
    seconds = time.perf_counter() - started
    return WhatIf(made, by_row, budget, len(candidate_rows(made)), seconds, earlier, among)


def baselines(
    pool: Pool, scores: Scores, settings: SelectionSettings, *, held_out: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Rows that simpler strategies would pick at the same budget, by strategy: what a selection is compared with.

    A strategy is left out where what it needs is not known (lengths for "longest", complexity for the last).
    """
    n = len(pool) if held_out is None else int((~held_out).sum())
    budget = budget_of(settings.budget, n)
    plain = SelectionSettings(
        budget=settings.budget, max_complexity=settings.max_complexity, seed=settings.seed
    )
    wanted: dict[Strategy, bool] = {
        "random": True,
        "longest": bool((scores.response_tokens >= 0).all()),
        "superfiltering": bool(np.isfinite(scores.complexity).any()),
    }
    found: dict[str, np.ndarray] = {}
    for strategy, known in wanted.items():
        if known:
            changed = replace(plain, strategy=strategy)
            made = selection.select_of_pool(pool, None, scores, changed, budget=budget, held_out=held_out)
            found[strategy] = made.rows
    return found


def selection_summary(pool: Pool, scores: Scores, made: Selection) -> dict[str, float | int | None]:
    """A selection in figures; None where a figure is not known.

    share : selected / pool. tokens : response tokens of the selected together. The rest counts rows by status.
    """
    tokens = scores.response_tokens[made.rows]
    known = bool(len(tokens)) and bool((tokens >= 0).all())
    complexity = mean_known(scores.complexity[made.rows])

    def count(*statuses: Status) -> int:
        return int(np.isin(made.status, statuses).sum())

    return {
        "pool": len(pool),
        "selected": len(made),
        "share": len(made) / len(pool) if len(pool) else None,
        "pinned": count(Status.PINNED),
        "candidates": len(candidate_rows(made)),
        "tokens": int(tokens.sum()) if known else None,
        "mean_tokens": float(tokens.mean()) if known else None,
        "mean_complexity": complexity if np.isfinite(complexity) else None,
        "rejected_complexity": count(Status.TOO_COMPLEX),
        "rejected_length": count(Status.TOO_SHORT, Status.TOO_LONG),
        "no_value": count(Status.NO_VALUE),
        "unscorable": count(Status.UNSCORABLE),
        "excluded": count(Status.EXCLUDED, Status.SOURCE_OFF),
        "held_out": count(Status.HELD_OUT),
    }


def change(before: Selection | None, after: Selection) -> dict[str, float | int | None]:
    """How one selection differs from another: kept, added, dropped, overlap (share of `after`, None without both)."""
    moved = changes(after, before)
    overlap = len(moved["kept"]) / len(after) if before is not None and len(after) else None
    return {**{name: len(rows) for name, rows in moved.items()}, "overlap": overlap}
