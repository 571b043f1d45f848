"""Pools of short random texts with scores, for tests of what is said about a selection."""

from typing import Any

import numpy as np
import pyarrow as pa
from plain_twins import random_texts

from backend import analysis, diversity
from backend.config import SelectionSettings
from backend.records import Pool, Scores


def pool_of(texts: list[str], sources: list[str] | None = None) -> Pool:
    """These responses; ids are s0, s1, ..."""
    n = len(texts)
    table = pa.table(
        {
            "id": [f"s{i}" for i in range(n)],
            "turns": [[{"role": "user", "content": "say words"}]] * n,
            "response": texts,
            "source": pa.array(sources or ["a"] * n).dictionary_encode(),
            "file": pa.array(["f"] * n).dictionary_encode(),
            "row": pa.array(range(n), pa.int64()),
            "label": pa.nulls(n, pa.string()),
        }
    )
    return Pool("2" * 16, "words", table)


def scores_of(complexity: np.ndarray, tokens: np.ndarray | None = None) -> Scores:
    """These complexities (NaN: the loss was not finite), with lengths of 10 tokens where none are given."""
    complexity = np.asarray(complexity, dtype=np.float32)
    lengths = np.full(len(complexity), 10, dtype=np.int32) if tokens is None else tokens
    reason = np.where(np.isnan(complexity), "non-finite loss", "").astype(object)
    return Scores(complexity, np.zeros_like(complexity), complexity, lengths, reason)


class Case:
    """A pool with scores and settings, and what the functions of analysis take."""

    def __init__(
        self, texts: list[str], complexity: Any, *, sources: Any = None, tokens: Any = None, **settings: Any
    ):
        self.texts = texts
        self.pool = pool_of(texts, sources)
        self.scores = scores_of(complexity, tokens)
        self.settings = SelectionSettings(**settings)
        self.counts = diversity.count_ngrams(texts)
        self.cache = analysis.TfidfCache()
        self.vocabulary = analysis.vocabulary(self.counts)

    @property
    def parts(self) -> tuple:
        return self.pool, self.counts, self.scores, self.settings

    def selection(self, settings: SelectionSettings | None = None):
        return analysis.what_if(
            self.pool, self.counts, self.scores, settings or self.settings, cache=self.cache
        ).selection

    def order(self, **more: Any):
        return analysis.full_order(*self.parts, vocabulary=self.vocabulary, cache=self.cache, **more)

    def tfidf(self):
        return analysis.weighed(*self.parts, cache=self.cache)[1]

    def why(self, row: int, **more: Any):
        return analysis.why(
            self.pool, self.scores, self.selection(), row,
            settings=self.settings, tfidf=self.tfidf(), **more,
        )  # fmt: skip

    def reach(self, row: int, **more: Any):
        return analysis.reach(*self.parts, row, cache=self.cache, **more)


def random_case(seed: int, n: int = 60, **settings: Any) -> Case:
    """Texts of which many are copies, a few unscorable or too complex, three sources."""
    rng = np.random.default_rng(seed)
    complexity = rng.uniform(0.2, 1.1, n)
    complexity[rng.random(n) < 0.05] = np.nan
    complexity[0] = 0.5
    tokens = rng.integers(1, 40, n).astype(np.int32)
    sources = rng.choice(["a", "b", "c"], n).tolist()
    return Case(random_texts(rng, n), complexity, sources=sources, tokens=tokens, **settings)
