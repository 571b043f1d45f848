"""Runs with made-up losses and selections, for tests of comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from backend import store
from backend.config import RunConfig, config_from
from backend.records import EpochRecord, Metrics, Pool, Scores, Selection, Status

ROWS = 40


def labelled(n: int = ROWS, *, name: str = "pool") -> Pool:
    """n samples of two sources; every fourth is labelled a mismatch."""
    table = pa.table(
        {
            "id": [f"{i:032x}-0" for i in range(n)],
            "turns": pa.array(
                [[{"role": "user", "content": f"question {i}"}] for i in range(n)],
                type=pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])),
            ),
            "response": [f"answer {i}" for i in range(n)],
            "source": pa.array([("book", "web")[i % 2] for i in range(n)]).dictionary_encode(),
            "file": pa.array(["a.json"] * n).dictionary_encode(),
            "row": pa.array(range(n), pa.int64()),
            "label": [("mismatch", "clean", "dup", "clean")[i % 4] for i in range(n)],
        }
    )
    return Pool(f"{n:016x}", name, table)


def settings(**values: object) -> RunConfig:
    return config_from(
        {"pool": ("a.json",), "model": "m", "budget": 4, "epochs": 2, "batch_size": 2, "device_batch_size": 2, "held_out": "0",
         **values}
    )  # fmt: skip


def _no_terms(count: int) -> tuple[np.ndarray, np.ndarray]:
    return np.empty((count, 0), object), np.empty((count, 0), np.float32)


def made_run(
    home: Path,
    losses: Sequence[float],
    *,
    picks: Sequence[Sequence[int]] = ((0, 1, 2, 3), (2, 3, 4, 5)),
    state: str = "done",
    pool: Pool | None = None,
    held_out: Pool | str | None = None,
    kept_aside: Sequence[int] = (),
    per_epoch: int = 2,
    scored: int | None = None,
    **values: object,
) -> str:
    """A run that measured these held-out losses: before training, then after each epoch, of `per_epoch` steps.

    scored : tokens of the scoring before epoch 0, and none before the others. held_out : samples that it was measured on, or how a configuration names the pool of seven that else is measured on.
    """
    pool = pool or labelled()
    aside = held_out if isinstance(held_out, Pool) else labelled(7, name="aside")
    store.save_pool(home, pool)
    store.save_pool(home, aside, listed=False)
    file = held_out if isinstance(held_out, str) else "aside.json"
    given = {"held_out": file} if not kept_aside else {"held_out": "0.1"}
    config = settings(**{**given, **values})
    run = store.create_run(home, config, pool, held_out=None if kept_aside else aside)
    n = len(pool)
    for epoch, rows in enumerate(picks):
        status = np.full(n, Status.OUTRANKED, dtype=np.uint8)
        status[list(rows)] = Status.SELECTED
        status[list(kept_aside)] = Status.HELD_OUT
        none, count = np.full(len(rows), np.nan), len(rows)
        selection = Selection(
            rows=np.array(rows, dtype=np.int64),
            gain=none,
            diversity=none,
            status=status,
            explain=partial(_no_terms, count),
        )
        scores = Scores.unknown(n, np.arange(10, 10 + n, dtype=np.int32))
        record = EpochRecord(epoch, scores, np.zeros(n, bool), np.full(n, np.nan), selection)
        if scored is not None:
            record = replace(
                record, rescored=np.full(n, epoch == 0), scored_tokens=scored if epoch == 0 else 0
            )
        store.write_epoch(home, run, record)
    for epoch, loss in enumerate(losses):
        step = per_epoch * epoch
        if epoch:
            for at in range(step - per_epoch + 1, step + 1):
                line = Metrics(
                    at, at / per_epoch, loss=1.0, learning_rate=1e-3, tokens=50 * at, seconds=float(at)
                )
                store.append_metrics(home, run, line)
        store.append_metrics(home, run, Metrics(step, float(epoch), held_out=loss, held_out_epoch=epoch))
    if state != "queued":
        store.set_state(home, run, state, error="out of memory" if state == "failed" else None)  # type: ignore[arg-type]
    return run


def two_strategies(home: Path, *, gap: float = 0.5, seeds: int = 3) -> list[str]:
    """iterit ends `gap` below random in every seed, give or take a little; ids of the runs."""
    ids = []
    for seed in range(seeds):
        ids.append(made_run(home, (3.0, 2.5, 2.0 + 0.1 * seed), strategy="random", seed=seed))
        ids.append(
            made_run(home, (3.0, 2.4, 2.0 + 0.1 * seed - gap + 0.01 * seed), strategy="iterit", seed=seed)
        )
    return ids


def random_ladder(home: Path, losses: Mapping[int, float], *, seeds: int = 3, **values: object) -> list[str]:
    """Fresh random draws that end with these losses by their number of steps, a tenth higher with each seed; ids of the runs.

    Of 1, 2, 4, 8 and 16 steps, where the other strategies of this file take 4.
    """
    ids = []
    for seed in range(seeds):
        for steps, loss in losses.items():
            epochs = max(1, steps // 2)
            length: dict[str, object] = {"epochs": epochs} if steps >= 4 else {"max_steps": steps}
            measured = (3.0,) * epochs + (loss + 0.1 * seed,)
            given = {
                "strategy": "random-each-epoch",
                "seed": seed,
                "per_epoch": min(2, steps),
                **length,
                **values,
            }
            ids.append(made_run(home, measured, **given))  # type: ignore[arg-type]
    return ids
