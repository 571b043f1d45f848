"""A runs folder with two pools and a run on each, made without a model: numbers are drawn, files are real."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from backend import data, diversity, selection, store
from backend.analysis.receipt import write_receipt
from backend.config import config_from
from backend.findings import ContentFindings, Lengths, NearPairs
from backend.records import Clusters, EpochRecord, Metrics, Pool, Scores
from backend.store import PoolMap
from tools.soak.good_files import as_lines, rows_of

ROWS = 40
EPOCHS = 2


def make_folder(home: Path, *, seed: int) -> list[tuple[str, str]]:
    """Fill a runs folder; returns (pool id, run id) of both halves."""
    rng = random.Random(f"store-{seed}")
    made = []
    for name in ("first", "second"):
        path = home.parent / f"{name}.jsonl"
        path.write_bytes(as_lines(rows_of(rng, ROWS, "alpaca")))
        pool = data.load_pool([path])
        store.save_pool(home, pool, inputs=[str(path)])
        _derived(home, pool)
        made.append((pool.id, _run(home, pool, str(path))))
    return made


def _derived(home: Path, pool: Pool) -> None:
    """What is computed once per pool."""
    n = len(pool)
    rng = np.random.default_rng(0)
    store.ngram_counts(home, pool)
    store.build_search(home, pool)
    store.pool_unspaced_share(home, pool)
    store.set_pool_words(home, pool.id, "unicode")
    store.set_pool_words(home, pool.id, "paper")
    store.save_map(home, pool.id, PoolMap(rng.random((n, 2)).astype(np.float32), "drawn", {"all": 1.0}))
    codes = np.arange(n, dtype=np.int16) % 2
    terms = [[("a", 1.0)], [("b", 1.0)]]
    store.save_clusters(
        home, pool.id, Clusters(codes, ["a", "b"], rng.random((2, 2)).astype(np.float32), terms, "drawn")
    )
    pairs = np.array([0], np.int32), np.array([1], np.int32), np.array([0.9], np.float32)
    store.save_near(home, pool.id, NearPairs(*pairs, 0.5))
    found = np.array([0], np.int32), np.array(["loop"], object), np.array(["a a a"], object)
    store.save_content(home, pool.id, ContentFindings(*found))
    tokens = np.full(n, 9, np.int32)
    store.save_lengths(home, pool.id, Lengths(tokens, tokens, np.full(n, "", object), "demo", 512, "", 512))


def _run(home: Path, pool: Pool, path: str) -> str:
    """A run that is done, with the records of two epochs."""
    config = config_from(
        {"pool": (path,), "model": "nowhere/tiny", "budget": 5, "epochs": EPOCHS, "make_map": False}
    )
    run = store.create_run(home, config, pool)
    rng = np.random.default_rng(1)
    n = len(pool)
    counts = diversity.count_ngrams(pool.responses())
    store.append_metrics(home, run, Metrics(0, 0.0, held_out=2.0, held_out_epoch=0))
    for epoch in range(EPOCHS):
        complexity = rng.uniform(0.4, 0.99, n).astype(np.float32)
        scores = Scores(np.log(complexity) + 2, np.full(n, 2, np.float32), complexity, np.full(n, 9, np.int32), np.full(n, "", object))  # fmt: skip
        made = selection.select_of_pool(pool, counts, scores, config, budget=5)
        record = EpochRecord(
            epoch, scores, np.ones(n, bool), np.ones(n), made, {"score": 1.0}, scored_tokens=9 * n
        )
        store.write_epoch(home, run, record)
        store.append_metrics(
            home, run, Metrics(epoch + 1, epoch + 1.0, loss=2.0, learning_rate=1e-4, tokens=9, seconds=1.0)
        )
        store.append_metrics(
            home, run, Metrics(epoch + 1, epoch + 1.0, held_out=1.9, held_out_epoch=epoch + 1)
        )
    folder = store.run_folder(home, run)
    (folder / "log.txt").write_text("10:00:00 score, epoch 0\n10:00:01 done\n", encoding="utf-8")
    store.write_json(
        folder / "environment.json", {"python": "3.11", "device": "cpu", "packages": {"torch": "2"}}
    )
    store.set_state(home, run, "done")
    write_receipt(home, run)
    return run
