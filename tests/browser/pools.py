"""Pools for the browser tests: stored with scores, map, clusters and search index, so that nothing has to be waited for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend import projection, store
from backend.data import load_pool
from backend.records import Pool
from benchmarks.ui import recorded_run

TOPICS = {
    "trees": ["oak", "elm", "ash", "fir", "yew", "box", "bay", "pine", "cedar", "larch", "maple", "birch"],
    "tools": [
        "saw",
        "axe",
        "file",
        "rasp",
        "plane",
        "chisel",
        "hammer",
        "mallet",
        "drill",
        "vice",
        "clamp",
        "awl",
    ],
    "birds": [
        "wren",
        "rook",
        "crow",
        "jay",
        "tit",
        "kite",
        "swift",
        "heron",
        "robin",
        "finch",
        "lark",
        "owl",
    ],
}


def scored_pool(home: Path, folder: Path, *, rows: int = 600, seed: int = 0) -> tuple[Pool, str]:
    """A stored pool of three topics, which lie apart on its map, with a column "judge" from 1 to 5, and a run whose epochs
    have its scores."""
    rng = np.random.default_rng(seed)
    names = list(TOPICS)
    samples = []
    for i in range(rows):
        topic = names[i % 3]
        words = rng.choice(TOPICS[topic], rng.integers(4, 14))
        samples.append((f"Name some {topic}, please ({seed}-{i}).", " ".join(words), topic, 1 + i % 5))
    path = folder / f"topics-{seed}.parquet"
    columns = zip(("instruction", "output", "source", "judge"), zip(*samples))
    pq.write_table(pa.table({name: list(values) for name, values in columns}), path)
    return scored(home, path, seed=seed)


def scored(home: Path, path: Path, *, seed: int = 0) -> tuple[Pool, str]:
    """A file's pool, stored with a search index and a map that is drawn, and a run whose epochs have its scores."""
    pool, rng = load_pool([path]), np.random.default_rng(seed)
    rows = len(pool)
    store.save_pool(home, pool, inputs=[str(path)])
    store.build_search(home, pool)
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [5.0, 9.0]])
    xy = centres[np.arange(rows) % 3] + rng.normal(scale=0.8, size=(rows, 2))
    store.save_map(home, pool.id, store.PoolMap(xy.astype(np.float32), "drawn for a test", {}))
    counts = store.ngram_counts(home, pool)
    store.save_clusters(home, pool.id, projection.clusters(xy.astype(np.float32), counts))
    return pool, recorded_run(home, pool)
