"""Arms at equal tokens: how many tokens a run trained on, and how many samples that is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend import config, store
from backend.errors import RunError
from backend.jobs.equal_tokens import Trained, equal_token_variants, trained
from tests.unit.compared import made_run

BASE = config.config_from({"pool": ("demo",), "model": "demo", "epochs": 3, "batch_size": 8})


def test_tokens_are_those_of_every_epochs_picks(tmp_path: Path) -> None:
    run = made_run(tmp_path, (3.0, 2.5, 2.0))
    found = trained(tmp_path, run)
    record = store.read_epoch(tmp_path, run, 0)
    lengths = record.scores.response_tokens
    by_hand = 0
    for epoch in store.epochs(tmp_path, run):
        for row in store.read_epoch(tmp_path, run, epoch).selection.rows.tolist():
            by_hand += int(lengths[row])
    assert found.tokens == by_hand > 0
    assert found.mean == pytest.approx(np.mean([n for n in lengths.tolist() if n > 0]))


def test_what_did_not_end_gives_no_number(tmp_path: Path) -> None:
    run = made_run(tmp_path, (3.0, 2.5, 2.0), state="stopped")
    with pytest.raises(RunError, match="cannot give a number of tokens: it is stopped"):
        trained(tmp_path, run)


def test_as_many_samples_as_make_these_tokens() -> None:
    drawn, full = equal_token_variants(BASE, Trained("r", 36_000, 40.0, 2000))
    assert drawn.changes == {"strategy": "random-each-epoch", "budget": 300.0}  # 300 x 3 epochs x 40 tokens
    assert full.changes == {"strategy": "full", "max_steps": 113}  # 900 samples in batches of 8
    assert "36,000 response tokens" in drawn.name


def test_more_than_the_pool_is_refused() -> None:
    with pytest.raises(RunError, match="3,000 samples in each of 3 epochs; the pool has 2,000"):
        equal_token_variants(BASE, Trained("r", 360_000, 40.0, 2000))
