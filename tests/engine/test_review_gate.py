"""A run that waits for a review: what was changed is what is trained on, and no kill or stop loses it."""

from pathlib import Path

import pytest
from interrupted import settings, wait_for, write_inputs

from backend import store
from backend.config import RunConfig
from backend.jobs import lifecycle, run_launch
from backend.jobs.processes import process_of

pytestmark = pytest.mark.usefixtures("warm_workers")

SAMPLES = 80


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gate")
    write_inputs(folder, samples=SAMPLES)
    return folder


def reviewed(folder: Path, **values: object) -> RunConfig:
    changed = {"budget": 16, "epochs": 2, "device_batch_size": 2, "held_out_every": 0, "checkpoint_every": 0}
    return settings(folder, **{**changed, "review": True, **values})


def waits(home: Path, run: str, epoch: int) -> bool:
    info = store.run_info(home, run)
    assert info.state in ("queued", "running", "waiting"), info.error
    review = store.open_review(home, run)
    return review is not None and review.epoch == epoch


def ended(home: Path, run: str) -> bool:
    lifecycle.refresh(home)
    return not store.run_info(home, run).active and store.run_info(home, run).state != "queued"


def test_budget_and_pin_are_honoured_also_after_a_kill_while_it_waits(folder: Path, tmp_path: Path) -> None:
    home = tmp_path
    run = run_launch.launch(home, reviewed(folder))
    wait_for(lambda: waits(home, run, 0))
    ids = store.sample_ids(home, store.run_info(home, run).pool_id)
    proposal = store.read_proposal(home, run, 0)
    outside = next(row for row in range(SAMPLES) if proposal.selection.status[row] == 2)
    changes = {"budget": 12, "pinned": [str(ids[outside])]}
    store.answer_review(home, run, 0, changes, who="me")
    wait_for(lambda: waits(home, run, 1))
    first = store.read_epoch(home, run, 0)
    assert (len(first.selection), first.selection.rows[0], first.changes) == (12, outside, changes)

    lifecycle.kill(home, run)
    assert process_of(store.run_info(home, run)) is None
    proposed = store.read_proposal(home, run, 1).selection.rows.tolist()
    lifecycle.resume(home, run)
    wait_for(lambda: store.run_info(home, run).state == "waiting")
    assert store.read_proposal(home, run, 1).selection.rows.tolist() == proposed
    taken = str(ids[proposed[0]])
    store.answer_review(home, run, 1, {"excluded": [taken]}, who="me")
    wait_for(lambda: ended(home, run))
    info = store.run_info(home, run)
    assert (info.state, info.error) == ("done", None)
    assert proposed[0] not in store.read_epoch(home, run, 1).selection.rows
    # 12 samples in batches of 4: the steps of both epochs follow the reviewed budget
    assert max(metrics.step for metrics in store.read_metrics(home, run)) == 6


def test_a_waiting_run_stops_and_goes_on_by_itself_when_its_time_is_over(
    folder: Path, tmp_path: Path
) -> None:
    home = tmp_path
    run = run_launch.launch(home, reviewed(folder, epochs=1, review_minutes=0.15))
    wait_for(lambda: waits(home, run, 0))
    lifecycle.stop(home, run)
    wait_for(lambda: ended(home, run))
    info = store.run_info(home, run)
    assert info.state == "stopped"
    wait_for(lambda: process_of(info) is None)
    assert store.epochs(home, run) == []
    lifecycle.resume(home, run)
    wait_for(lambda: ended(home, run))
    assert store.run_info(home, run).state == "done"
    (review,) = store.reviews(home, run)
    assert (review.who, review.changes) == (None, {})
