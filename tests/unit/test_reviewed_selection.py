"""What a review changes: the selection is made anew from the same scores, and what cannot be is refused."""

import numpy as np
import pytest
from plain_twins import random_texts
from small_pools import pool_of, scores_of

from backend.config import RunConfig, config_from
from backend.diversity import NgramCounts, count_ngrams
from backend.errors import ConfigError
from backend.records import EpochRecord, Pool, Status
from backend.selection import reviewed_record, reviewed_selection, select_epoch

N, HELD = 60, 6


@pytest.fixture(scope="module")
def parts() -> tuple[Pool, NgramCounts, RunConfig]:
    texts = random_texts(np.random.default_rng(3), N)
    config = config_from({"pool": ("words",), "model": "m", "budget": 12, "update_ratio": 2})
    return pool_of(texts, ["a", "b"] * (N // 2)), count_ngrams(texts), config


def proposal(parts: tuple[Pool, NgramCounts, RunConfig], epoch: int) -> EpochRecord:
    pool, counts, config = parts
    draw = np.random.default_rng(5)
    scores = scores_of(draw.uniform(0.2, 1.2, N), draw.integers(1, 40, N).astype(np.int32))
    held_out = np.arange(N) < HELD
    rescored = ~held_out if epoch == 0 else (np.arange(N) >= HELD) & (np.arange(N) < 40)
    selection, diversity = select_epoch(
        pool, lambda: counts, scores, config, epoch=epoch, budget=12, rescored=rescored, held_out=held_out
    )
    return EpochRecord(epoch, scores, rescored, diversity, selection)


@pytest.mark.parametrize("epoch", [0, 1])
def test_settings_that_say_the_same_change_nothing(parts, epoch):
    pool, counts, config = parts
    asked = proposal(parts, epoch)
    most = 12 if epoch else None
    assert reviewed_record(pool, lambda: counts, asked, config, {}, most=most) is asked
    same = reviewed_selection(
        pool, lambda: counts, asked, config, {"decay": config.decay}, most=most
    ).selection
    assert same.rows.tolist() == asked.selection.rows.tolist()
    assert (same.status == asked.selection.status).all()


def test_what_was_changed_is_honoured_and_kept(parts):
    pool, counts, config = parts
    asked = proposal(parts, 1)
    out = np.flatnonzero(asked.selection.status == Status.OUTRANKED)
    pinned, excluded = str(pool.ids[out[0]]), str(pool.ids[asked.selection.rows[0]])
    changes = {"budget": 7, "pinned": (pinned,), "excluded": (excluded,), "source_weights": {"b": 0.0}}
    record = reviewed_record(pool, lambda: counts, asked, config, changes, most=12)
    picked = pool.ids[record.selection.rows].tolist()
    assert len(picked) == 7
    assert picked[0] == pinned
    assert excluded not in picked
    assert all(pool.source_codes[row] == 0 for row in record.selection.rows[1:])
    assert record.changes == changes
    assert not np.isin(record.selection.rows, np.arange(HELD)).any()
    assert record.scores is asked.scores
    # candidates of a later epoch are the samples rescored, whatever was changed
    assert (record.selection.rows[1:] < 40).all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"strategy": "random"}, "strategy cannot be changed in a review"),
        ({"budget": 13}, "epochs have steps for 12"),
        ({"budget": 0}, "budget is 0"),
        ({"decay": 3}, "decay is 3"),
        ({"max_complexity": 0.0}, "nothing"),
    ],
)
def test_what_is_not_possible_is_refused(parts, changes, says):
    pool, counts, config = parts
    with pytest.raises(ConfigError, match=says):
        reviewed_selection(pool, lambda: counts, proposal(parts, 1), config, changes, most=12)


def test_a_budget_of_epoch_0_may_grow(parts):
    pool, counts, config = parts
    found = reviewed_selection(pool, lambda: counts, proposal(parts, 0), config, {"budget": 20}, most=None)
    assert len(found.selection) == 20
