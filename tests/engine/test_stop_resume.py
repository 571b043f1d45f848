"""A run that is stopped or killed anywhere and resumed gives what the run gives that nobody touched."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from interrupted import EPOCHS, STEPS, outcome, processes_of, settings, wait_for, write_inputs

from backend import store
from backend.jobs import lifecycle, run_launch
from backend.training import last_checkpoint

pytestmark = pytest.mark.usefixtures("warm_workers")

KILLED = Path(__file__).with_name("killed_worker.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interrupted")
    write_inputs(folder)
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> dict[str, Any]:
    """The run that nobody touches."""
    home = folder / "whole"
    run = run_launch.launch(home, settings(folder))
    wait_for(lambda: not store.run_info(home, run).active)
    assert store.run_info(home, run).state == "done", store.read_log(home, run)
    made = outcome(home, run)
    assert len(made["picks"]) == EPOCHS and made["weights"]
    # held-out losses: of the untouched model, after each epoch, and at steps 3, 6 and 9, of which none ends an epoch
    measured = [(line[0], line[6]) for line in made["metrics"] if line[5] is not None]
    assert measured == [(0, 0), (3, None), (4, 1), (6, None), (8, 2), (9, None), (12, 3)]
    return made


def resumed(home: Path, run: str) -> dict[str, Any]:
    lifecycle.resume(home, run)
    wait_for(lambda: not store.run_info(home, run).active)
    assert store.run_info(home, run).state == "done", store.read_log(home, run)
    return outcome(home, run)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "step"),
    [
        pytest.param("load:0:0", 0, id="while loading"),
        pytest.param("score:0:20", 0, id="while scoring"),
        pytest.param("select:0:0", 0, id="while selecting"),
        pytest.param("evaluate:0:1", 0, id="before training"),
        pytest.param("train:0:2", 0, id="in training, before any checkpoint"),
        pytest.param("train:1:0", 4, id="at an epoch's beginning"),
        pytest.param("train:1:3", 6, id="in training, after a checkpoint within the epoch"),
        pytest.param("evaluate:2:1", 6, id="while measuring after an epoch"),
        pytest.param("score:2:20", 8, id="while scoring again"),
        pytest.param("select:2:0", 8, id="while selecting again"),
        pytest.param("publish:9:before", 8, id="before a checkpoint has its place"),
        pytest.param("publish:9:after", 9, id="before the older checkpoint is gone"),
        pytest.param("save:3:0", 12, id="while saving"),
    ],
)
def test_killed_and_resumed(
    moment: str, step: int, whole: dict[str, Any], folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = lifecycle.command_of
    with monkeypatch.context() as patch:
        patch.setattr(
            lifecycle,
            "command_of",
            lambda home, run: [sys.executable, str(KILLED), moment, *fine(home, run)[3:]],
        )
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        run = run_launch.launch(home, settings(folder))
        wait_for(lambda: lifecycle.refresh(home) == [run])
    info = store.run_info(home, run)
    assert info.state == "failed" and "SIGKILL" in (info.error or ""), store.read_log(home, run)
    assert not processes_of(run)
    found = last_checkpoint(store.run_folder(home, run) / "checkpoints")
    assert (found.step if found else 0) == step
    assert resumed(home, run) == whole
    checkpoints = store.run_folder(home, run) / "checkpoints"
    assert [path.name for path in checkpoints.iterdir()] == [f"checkpoint-{STEPS * EPOCHS}"]


def asked_at(moment: str) -> str:
    """A worker that is asked to stop by its own report: what `lifecycle.stop` writes down, at a moment of our choice."""
    return f"""
import sys
from backend import store
from backend.jobs import worker
from backend.records import Progress
from backend.jobs.reporting import Reporting
stage, epoch, done = {moment.split(":")!r}
told = Reporting.__call__
def tell(self, record):
    if isinstance(record, Progress) and (record.stage, record.epoch) == (stage, int(epoch)) and record.done >= int(done):
        store.set_state(self.home, self.job_id, "stopping", expect=("running",), note="asked to stop")
        self.asked_to_stop.set()
    told(self, record)
Reporting.__call__ = tell
sys.exit(worker.main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "step"),
    [
        pytest.param("score:0:20", 0, id="scoring"),
        pytest.param("train:0:1", 1, id="first step"),
        pytest.param("train:1:2", 6, id="within an epoch"),
        pytest.param("train:1:4", 8, id="last step of an epoch"),
        pytest.param("evaluate:2:1", 8, id="measuring"),
        pytest.param("score:2:20", 8, id="scoring again"),
        pytest.param("train:2:4", 12, id="last step"),
    ],
)
@pytest.mark.parametrize("save_checkpoints", [True, False])
def test_stopped_with_a_checkpoint_at_its_step(
    moment: str,
    step: int,
    save_checkpoints: bool,
    whole: dict[str, Any],
    folder: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changes = {} if save_checkpoints else {"save_checkpoints": False, "checkpoint_every": 0}
    fine = lifecycle.command_of
    with monkeypatch.context() as patch:
        patch.setattr(
            lifecycle,
            "command_of",
            lambda home, run: [sys.executable, "-c", asked_at(moment), *fine(home, run)[3:]],
        )
        run = run_launch.launch(home, settings(folder, **changes))
        wait_for(lambda: not store.run_info(home, run).active)
    assert store.run_info(home, run).state == "stopped", store.read_log(home, run)
    wait_for(lambda: not processes_of(run))
    found = last_checkpoint(store.run_folder(home, run) / "checkpoints")
    assert (found.step if found else 0) == step
    assert resumed(home, run) == whole


@pytest.mark.slow
def test_a_stop_from_outside(whole: dict[str, Any], folder: Path, home: Path) -> None:
    """Whenever it comes: the checkpoint holds what was trained, and nobody is left."""
    run = run_launch.launch(home, settings(folder))
    wait_for(lambda: store.run_info(home, run).stage == "train")
    lifecycle.stop(home, run)
    wait_for(lambda: not store.run_info(home, run).active)
    wait_for(lambda: not processes_of(run))
    info = store.run_info(home, run)
    if info.state == "done":
        pytest.skip("it was done before it could be stopped")
    assert info.state == "stopped", json.dumps(info.error)
    assert last_checkpoint(store.run_folder(home, run) / "checkpoints") is not None
    assert resumed(home, run) == whole
