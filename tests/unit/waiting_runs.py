"""A run that waits for a review of its second epoch, made by the engine's own selection."""

from pathlib import Path

import numpy as np
from plain_twins import random_texts
from small_pools import pool_of, scores_of

from backend import diversity, selection, store
from backend.config import config_from
from backend.records import EpochRecord

N, BUDGET = 80, 12


def waiting_run(home: Path, *, until: float | None = None, **settings) -> str:
    """The id of a run that waits before epoch 1; epoch 0 selected 12 of 80 samples."""
    rng = np.random.default_rng(3)
    texts = random_texts(rng, N)
    pool = pool_of(texts, ["a", "b"] * (N // 2))
    store.save_pool(home, pool)
    values = {
        "pool": ("f",),
        "model": "nowhere",
        "budget": BUDGET,
        "review": True,
        "make_map": False,
        "held_out": "0",
    }
    config = config_from({**values, **settings})
    run = store.create_run(home, config, pool)
    store.claim_next(home, "here")
    counts, held_out = diversity.count_ngrams(texts), np.arange(N) >= N - 5
    complexity = rng.uniform(0.3, 0.99, N)

    def record(epoch: int, rescored: np.ndarray) -> EpochRecord:
        scores = scores_of(complexity)
        made = selection.select_epoch(
            pool,
            lambda: counts,
            scores,
            config,
            epoch=epoch,
            budget=BUDGET,
            rescored=rescored,
            held_out=held_out,
        )
        return EpochRecord(epoch, scores, rescored, made.diversity, made.selection)

    first = record(0, ~held_out)
    store.write_epoch(home, run, first)
    order = selection.rank_for_next_epoch(first.selection, first.scores, settings=config)
    rescored = np.isin(np.arange(N), selection.top_rows(order, update_ratio=3.0, budget=BUDGET))
    complexity = np.where(rescored, complexity * rng.uniform(0.5, 1.0, N), complexity)
    store.ask_review(home, run, record(1, rescored), until=until)
    return run
