"""How much faster the selection is than one written straight from its definition, with the same picks."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from backend.config import SelectionSettings
from backend.data import load_pool
from backend.diversity import count_ngrams, prepare
from backend.records import Scores
from backend.selection import select, warm_up
from benchmarks.common import Result, pool_input, timed


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pool", default="pool_52k", help="pool_52k, pool_small, demo, or a file")
    parser.add_argument("--budget", type=int, default=2600, help="samples to pick (default 2600)")
    parser.add_argument("--decay", type=float, default=0.1, help="diversity decay (default 0.1)")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Times and ratios of one pool, complexity drawn with a fixed seed; the picks of both ways are compared.
    `later_epoch_times` is how much longer the cumulative strategy takes for a second epoch than to select anew.
    `unicode_times` is how much longer TF-IDF of words by Unicode's rules takes than that of the paper's.

    Both ways of making TF-IDF are run three times, of which the median counts; the search of everything once.
    """
    pool = load_pool([pool_input(options.pool)])
    budget, decay = options.budget, options.decay
    texts = pool.responses().to_pylist()
    complexity = np.random.default_rng(0).uniform(0.3, 1.1, len(pool)).astype(np.float32)
    tokens = np.ones(len(pool), dtype=np.int32)
    known = Scores(complexity, complexity, complexity, tokens, np.full(len(pool), "", dtype=object))
    warm_up()

    kept = np.flatnonzero(complexity < 1)
    counts, counting = _median(lambda: count_ngrams(pool.responses()))
    tfidf, weighing = _median(lambda: prepare(counts, kept))
    by_unicode, unicode_counting = _median(lambda: count_ngrams(pool.responses(), words="unicode"))
    _, unicode_weighing = _median(lambda: prepare(by_unicode, kept))

    def pick(settings: SelectionSettings, earlier: np.ndarray | None = None) -> np.ndarray:
        return select(
            counts,
            known,
            settings,
            budget=budget,
            ids=pool.ids,
            source_codes=pool.source_codes,
            sources=pool.sources,
            tfidf=tfidf,
            earlier=earlier,
        ).rows

    first, picking = timed(lambda: pick(SelectionSettings(decay=decay)))
    again = [timed(lambda d=d: pick(SelectionSettings(decay=d)))[1] for d in (0.2, 0.3, 0.4, 0.5, 0.6)]
    reselect = float(np.median(again))
    trained = np.zeros(len(pool), dtype=np.int32)
    trained[first] = 1
    later = float(
        np.median(
            [
                timed(lambda d=d: pick(SelectionSettings(strategy="iterit-cumulative", decay=d), trained))[1]
                for d in (0.2, 0.3, 0.4, 0.5, 0.6)
            ]
        )
    )

    matrix, plain_tfidf = _median(
        lambda: TfidfVectorizer(ngram_range=(1, 3)).fit_transform([texts[i] for i in kept])
    )
    plain, plain_picking = timed(lambda: _full_search(matrix, complexity[kept].astype(float), budget, decay))
    ours = counting + weighing
    return {
        "rows": len(pool),
        "budget": budget,
        "identical": bool(np.array_equal(first, kept[plain])),
        "tfidf_s": round(ours, 3),
        "unicode_tfidf_s": round(unicode_counting + unicode_weighing, 3),
        "unicode_times": round((unicode_counting + unicode_weighing) / ours, 2),
        "plain_tfidf_s": round(plain_tfidf, 3),
        "tfidf_ratio": round(plain_tfidf / ours, 1),
        "first_s": round(ours + picking, 3),
        "plain_first_s": round(plain_tfidf + plain_picking, 3),
        "first_ratio": round((plain_tfidf + plain_picking) / (ours + picking), 1),
        "reselect_ms": round(reselect * 1000, 1),
        "later_epoch_ms": round(later * 1000, 1),
        "later_epoch_times": round(later / reselect, 2),
        "reselect_ratio": round((plain_tfidf + plain_picking) / reselect),
    }


def _median(work: Callable[[], Result]) -> tuple[Result, float]:
    runs = [timed(work) for _ in range(3)]
    return runs[-1][0], sorted(seconds for _, seconds in runs)[1]


def _full_search(matrix: Any, complexity: np.ndarray, budget: int, decay: float) -> list[int]:
    """Every candidate's gain anew before every pick. Gains alike to 12 digits tie, to the smaller row."""
    weights = np.ones(matrix.shape[1])
    open_ = np.ones(len(complexity), dtype=bool)
    picks: list[int] = []
    for _ in range(budget):
        gain = np.where(open_, complexity * (matrix @ weights), -1.0)
        near = np.flatnonzero(gain >= gain.max() * (1 - 1e-12))
        best = int(near[0])
        picks.append(best)
        open_[best] = False
        weights[matrix.indices[matrix.indptr[best] : matrix.indptr[best + 1]]] *= decay
    return picks
