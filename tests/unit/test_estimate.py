"""Training time from what earlier runs measured, and which samples a run's scores leave out."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from small_runs import small_config, small_pool, small_record

from backend import analysis, store
from backend.analysis.estimate import training_speed
from backend.records import Metrics, Status


def line(step: int, epoch: float, tokens: int, seconds: float) -> Metrics:
    return Metrics(step=step, epoch=epoch, loss=1.0, tokens=tokens, seconds=seconds)


# 100 tokens a step and 2 seconds; the first step waits 7 s, the held-out loss takes 30 s, scoring a minute
TWO_EPOCHS = [
    Metrics(step=0, epoch=0.0, held_out=2.0, held_out_epoch=0),
    line(1, 0.25, 100, 9),
    line(2, 0.5, 200, 11),
    line(3, 0.75, 300, 13),
    Metrics(step=4, epoch=1.0, held_out=1.9, held_out_epoch=1),
    line(4, 1.0, 400, 45),
    line(5, 1.25, 500, 107),
    line(6, 1.5, 600, 109),
    line(7, 1.75, 700, 111),
    line(8, 2.0, 800, 143),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "runs"
    store.save_pool(home, small_pool())
    return home


def run_of(home: Path, metrics: list[Metrics], *, model: str = "lama", epochs: int = 2) -> str:
    """A run of the small pool; both picks of each epoch have 7 response tokens."""
    run_id = store.create_run(home, small_config(model=model), small_pool())
    for epoch in range(epochs):
        store.write_epoch(home, run_id, small_record(epoch), ids=small_pool().ids)
    for one in metrics:
        store.append_metrics(home, run_id, one)
    return run_id


def test_only_steps_inside_an_epoch_are_its_speed() -> None:
    assert training_speed(TWO_EPOCHS) == pytest.approx(50)
    assert math.isnan(training_speed([]))
    assert math.isnan(training_speed(TWO_EPOCHS[:2]))
    assert math.isnan(training_speed([line(1, 1.0, 100, 9), line(2, 2.0, 200, 20)]))
    # a resumed run's seconds begin anew
    assert training_speed([*TWO_EPOCHS[1:3], line(3, 0.75, 300, 4), line(4, 0.8, 400, 6)]) == pytest.approx(
        50
    )


def test_an_estimate_counts_prompts_as_measured(home: Path) -> None:
    run_of(home, TWO_EPOCHS)
    # 800 tokens were read for 28 response tokens
    found = analysis.training_time(home, "lama", response_tokens=70, epochs=3, pool_id=small_pool().id)
    assert found.tokens == pytest.approx(3 * 70 * 800 / 28)
    assert found.tokens_per_second == pytest.approx(50)
    assert found.seconds == pytest.approx(found.tokens / 50)
    assert "50 tokens a second, 28.6 tokens read for each response token" in found.source
    assert "another pool" not in found.source
    whole = analysis.training_time(home, "lama", response_tokens=70, tokens=1000, epochs=2)
    assert whole.seconds == pytest.approx(40) and "another pool" in whole.source


def test_what_nobody_measured_is_unknown_with_the_reason(home: Path) -> None:
    run_of(home, TWO_EPOCHS[:4], epochs=1)
    for model, words in (
        ("", "no model is chosen"),
        ("other/one", "no run of one"),
        ("lama", "a full epoch"),
    ):
        found = analysis.training_time(home, model, response_tokens=70)
        assert math.isnan(found.seconds) and math.isnan(found.tokens_per_second) and words in found.source
    found = analysis.training_time(home, "lama", response_tokens=math.nan)
    assert math.isnan(found.seconds) and "lengths are not known" in found.source
    # with the tokens known, half an epoch is enough to know the speed
    assert analysis.training_time(home, "lama", response_tokens=70, tokens=100).seconds == pytest.approx(2)


def test_figures_follow_a_run_that_goes_on(home: Path) -> None:
    run_id = run_of(home, TWO_EPOCHS[:4])
    assert math.isnan(analysis.training_time(home, "lama", response_tokens=70).seconds)
    for one in TWO_EPOCHS[4:]:
        store.append_metrics(home, run_id, one)
    assert analysis.training_time(home, "lama", response_tokens=70).seconds == pytest.approx(40)


def test_held_out_of(home: Path) -> None:
    run_id = run_of(home, [], epochs=1)
    assert analysis.held_out_of(home, f"{run_id}/0") is None
    assert analysis.held_out_of(home, "demo") is analysis.held_out_of(home, "") is None
    record = small_record(1)
    status = record.selection.status.copy()
    status[[0, 4]] = Status.HELD_OUT
    record = dataclasses.replace(record, selection=dataclasses.replace(record.selection, status=status))
    store.write_epoch(home, run_id, record, ids=small_pool().ids)
    held_out = analysis.held_out_of(home, f"{run_id}/1")
    assert held_out is not None and np.flatnonzero(held_out).tolist() == [0, 4]
