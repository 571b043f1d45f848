"""Selecting 50,000 of a million generated responses: how long, in how much memory, and how fast again; and reading their scores
from shards."""

from __future__ import annotations

import argparse
import dataclasses
import resource
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backend.config import SelectionSettings
from backend.diversity import count_ngrams, load_counts, prepare, save_counts
from backend.records import Pool, Scores
from backend.selection import select, warm_up
from backend.store.score_shards import Shard, about_value, read_score_files
from backend.store.scores_file import write_scores
from benchmarks.common import timed

VOCABULARY = 200_000
EXPONENT = 1.0  # of Zipf's law: the r-th word is drawn with probability proportional to 1 / r
SHARDS = 16
CHUNK = 20_000  # responses made at a time


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=1_000_000, help="responses (default 1,000,000)")
    parser.add_argument("--words", type=int, default=60, help="words of a response on average (default 60)")
    parser.add_argument("--budget", type=int, default=50_000, help="samples to pick (default 50,000)")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Counting, storing, weighing, the first selection and others from the same candidates, with the peak of memory.

    `seconds` is all of these together, without the making of the pool; `peak_gib` is of the whole process, with it.
    """
    warm_up()
    responses, making = timed(lambda: zipf_responses(options.rows, words=options.words))
    n = len(responses)
    complexity = np.random.default_rng(0).uniform(0.3, 1.1, n).astype(np.float32)
    known = Scores(complexity, complexity, complexity, np.ones(n, np.int32), np.full(n, "", dtype=object))
    ids = np.array([f"{row:x}" for row in range(n)], dtype=object)

    words = pc.sum(pc.count_substring(responses, " ")).as_py() + n
    counts, counting = timed(lambda: count_ngrams(responses))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ngrams.npz"
        _, saving = timed(lambda: save_counts(path, counts))
        stored_gib = path.stat().st_size / 2**30
        del counts
        counts, loading = timed(lambda: load_counts(path))
    tfidf, weighing = timed(lambda: prepare(counts, np.flatnonzero(complexity < 1)))

    def pick(decay: float) -> None:
        select(
            counts,
            known,
            SelectionSettings(decay=decay),
            budget=options.budget,
            ids=ids,
            source_codes=np.zeros(n, dtype=np.int32),
            sources=("",),
            tfidf=tfidf,
        )

    _, picking = timed(lambda: pick(0.1))
    again = [timed(partial(pick, d))[1] for d in (0.2, 0.4, 0.6)]
    with tempfile.TemporaryDirectory() as folder:
        reading = _shards_read(
            Path(folder), Pool("0" * 16, "generated", pa.table({"id": ids, "response": responses})), known
        )
    return {
        "rows": n,
        "budget": options.budget,
        "words_on_average": round(words / n, 1),
        "vocabulary": len(counts.vocabulary),
        "shared_ngrams": len(counts.terms),
        "generating_s": round(making, 1),
        "counting_s": round(counting, 1),
        "saving_s": round(saving, 1),
        "loading_s": round(loading, 1),
        "stored_gib": round(stored_gib, 2),
        "weighing_s": round(weighing, 1),
        "picking_s": round(picking, 1),
        "seconds": round(counting + saving + loading + weighing + picking + sum(again), 2),
        "reselect_ms": round(1000 * float(np.median(again))),
        "reading_shards_s": round(reading, 2),
        "peak_gib": round(_peak_gib(), 1),
    }


def _shards_read(folder: Path, pool: Pool, scores: Scores) -> float:
    """Seconds to read the scores of a pool from as many files as `score --shard` would write in an array of so many jobs."""
    for number in range(1, min(SHARDS, len(pool)) + 1):
        shard = Shard(number, min(SHARDS, len(pool)))
        rows = shard.rows(len(pool))
        part = Scores(*(getattr(scores, field.name)[rows] for field in dataclasses.fields(scores)))
        about = about_value(pool, "generated", {}, shard)
        write_scores(folder / f"part-{number}.parquet", shard.of(pool), part, rows=rows, about=about)
    found, seconds = timed(lambda: read_score_files([str(folder / "part-*.parquet")], pool))
    if not np.array_equal(found.scores.complexity, scores.complexity):
        raise AssertionError("the shards' scores are not the pool's")
    return seconds


def zipf_responses(rows: int, *, words: int, seed: int = 0) -> pa.ChunkedArray:
    """Responses of words drawn by Zipf's law; their lengths are log-normal, `words` on average."""
    rng = np.random.default_rng(seed)
    vocabulary = np.array([_spelt(rank) for rank in range(VOCABULARY)])
    bounds = np.cumsum(1 / np.arange(1, VOCABULARY + 1) ** EXPONENT)
    chunks = []
    for begin in range(0, rows, CHUNK):
        spread = 0.8
        lengths = rng.lognormal(np.log(words) - spread**2 / 2, spread, min(CHUNK, rows - begin))
        lengths = np.maximum(1, lengths.round()).astype(np.int64)
        drawn = vocabulary[np.searchsorted(bounds, rng.random(lengths.sum()) * bounds[-1])].tolist()
        ends = np.cumsum(lengths).tolist()
        chunks.append(pa.array([" ".join(drawn[b - k : b]) for b, k in zip(ends, lengths.tolist())]))
    return pa.chunked_array(chunks)


def _spelt(rank: int) -> str:
    """A word of two letters or more for each rank; frequent words are short."""
    letters = "etaoinsrhldcumfpgwybvkxjqz"
    word, rank = "", rank + len(letters)
    while rank:
        rank, digit = divmod(rank, len(letters))
        word += letters[digit]
    return word


def _peak_gib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**30 if sys.platform == "darwin" else peak / 2**20
