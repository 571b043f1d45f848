"""Runs made by hand, without a model: a pool of trees, its scores, and the epochs that the engine's selection gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from backend import diversity, selection, store
from backend.config import config_from
from backend.records import EpochRecord, Metrics, Pool, Scores

WORDS = ["ash", "birch", "cedar", "date", "elm", "fir", "gum", "holly", "ivy", "juniper", "kapok", "larch"]
PAYLOAD = "<img src=x onerror=alert(1)> ${alert(2)}"
ROWS = 120


def trees(n: int = ROWS) -> Pool:
    """n samples of three sources with labels; every tenth response holds a payload."""
    rng = np.random.default_rng(0)
    responses = [" ".join(rng.choice(WORDS, rng.integers(2, 9))) for _ in range(n)]
    responses = [f"{text} {PAYLOAD}" if i % 10 == 0 else text for i, text in enumerate(responses)]
    table = pa.table(
        {
            "id": [f"{i:08x}-0" for i in range(n)],
            "turns": pa.array(
                [[{"role": "user", "content": f"{PAYLOAD} trees {i}"}] for i in range(n)],
                type=pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])),
            ),
            "response": responses,
            "source": pa.array([("book", "forum", "web")[i % 3] for i in range(n)]).dictionary_encode(),
            "file": pa.array(["trees.jsonl"] * n).dictionary_encode(),
            "row": pa.array(range(n), pa.int64()),
            "label": [("clean", "clean", "mismatch", "dup")[i % 4] for i in range(n)],
        }
    )
    return Pool("abcdef0123456789", "trees", table)


def unlabelled() -> Pool:
    """The same without labels, which makes it another pool."""
    pool = trees()
    return Pool("fedcba9876543210", "trees without labels", pool.table.drop_columns(["label"]))


def make_run(
    home: Path,
    *,
    epochs: int = 3,
    planned: int = 3,
    state: str = "done",
    strategy: str = "iterit",
    labels: bool = True,
) -> str:
    """A run with this many epochs recorded; held-out losses before training and after each."""
    pool = trees() if labels else unlabelled()
    store.save_pool(home, pool, inputs=("trees.jsonl",))
    config = config_from(
        {
            "pool": ("trees.jsonl",),
            "model": "nowhere/tiny",
            "budget": 10,
            "strategy": strategy,
            "epochs": planned,
            "make_map": False,
        }
    )
    run = store.create_run(home, config, pool)
    rng = np.random.default_rng(1)
    complexity = rng.uniform(0.5, 1.1, ROWS).astype(np.float32)
    complexity[7] = np.nan
    tokens = np.array([len(text.as_py().split()) for text in pool.responses()], dtype=np.int32)
    held_out = np.arange(ROWS) >= ROWS - 6
    counts = diversity.count_ngrams(pool.responses())
    store.append_metrics(home, run, Metrics(0, 0.0, held_out=2.0, held_out_epoch=0))
    order = None
    for epoch in range(epochs):
        rows, rescored = None, np.ones(ROWS, dtype=bool)
        if order is not None:
            rows = selection.top_rows(order, update_ratio=3.0, budget=10)
            rescored = np.isin(np.arange(ROWS), rows)
            complexity = np.where(rescored, complexity * rng.uniform(0.8, 1.02, ROWS), complexity).astype(
                np.float32
            )
        reason = np.where(np.isnan(complexity), "empty response", "").astype(object)
        scores = Scores(np.log(complexity) + 2, np.full(ROWS, 2, np.float32), complexity, tokens, reason)
        who = {
            "ids": pool.ids,
            "source_codes": pool.source_codes,
            "sources": pool.sources,
            "rows": rows,
            "held_out": held_out,
        }
        tfidf = diversity.tfidf(counts, selection.candidates(scores, config, **who).rows)
        by_row = np.full(ROWS, np.nan)
        by_row[tfidf.rows] = diversity.initial_diversity(tfidf)
        made = selection.select(counts, scores, config, budget=10, epoch=epoch, tfidf=tfidf, **who)
        record = EpochRecord(epoch, scores, rescored, by_row, made, {"score": 1.0, "select": 0.1})
        store.write_epoch(home, run, record)
        others = np.setdiff1d(np.argsort(-np.nan_to_num(complexity)), made.rows, assume_unique=True)
        order = np.concatenate([made.rows, others])
        for step in range(5 * epoch + 1, 5 * epoch + 6):
            line = Metrics(
                step, step / 5, loss=2 - 0.05 * step, learning_rate=1e-4, tokens=50 * step, seconds=0.1 * step
            )
            store.append_metrics(home, run, line)
        store.append_metrics(
            home,
            run,
            Metrics(5 * epoch + 5, epoch + 1.0, held_out=1.9 - 0.1 * epoch, held_out_epoch=epoch + 1),
        )
    store.set_state(home, run, state, error="out of memory" if state == "failed" else None)
    return run
