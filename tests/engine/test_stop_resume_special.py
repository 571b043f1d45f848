"""Resuming an adapter's run, past a damaged checkpoint, and a run that an accelerate configuration file starts."""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interrupted import outcome, processes_of, settings, wait_for, write_inputs

from backend import store
from backend.config import RunConfig
from backend.jobs import lifecycle, run_launch
from backend.training import last_checkpoint

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("warm_workers")]

KILLED = Path(__file__).with_name("killed_worker.py")
LORA = {"lora_rank": 4, "lora_dropout": 0.1, "epochs": 2}

# a worker whose own report asks it to stop after two of the four steps of epoch 1
STOPPED = """
import sys
from backend import store
from backend.jobs import worker
from backend.records import Progress
from backend.jobs.reporting import Reporting
told = Reporting.__call__
def tell(self, record):
    if isinstance(record, Progress) and (record.stage, record.epoch) == ("train", 1) and record.done >= 2:
        store.set_state(self.home, self.job_id, "stopping", expect=("running",), note="asked to stop")
        self.asked_to_stop.set()
    told(self, record)
Reporting.__call__ = tell
sys.exit(worker.main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("special")
    write_inputs(folder)
    return folder


def ended(home: Path, run: str) -> str:
    """The state in which a run ended, and nobody is left of it."""
    wait_for(lambda: lifecycle.refresh(home) or not store.run_info(home, run).active)
    wait_for(lambda: not processes_of(run))
    return store.run_info(home, run).state


def made(home: Path, run: str) -> dict[str, Any]:
    """The outcome with every file of weights, an adapter's as well."""
    files = sorted((store.run_folder(home, run) / "model").rglob("*.safetensors"))
    weights = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert weights
    return {**outcome(home, run), "weights": weights}


def whole(home: Path, config: RunConfig) -> dict[str, Any]:
    run = run_launch.launch(home, config)
    assert ended(home, run) == "done", store.read_log(home, run)
    return made(home, run)


def interrupted(home: Path, config: RunConfig, command: list[str], patch: pytest.MonkeyPatch) -> str:
    """The id of a run whose first worker is this command."""
    fine = lifecycle.command_of
    with patch.context() as here:
        here.setattr(lifecycle, "command_of", lambda home, run: [*command, *fine(home, run)[3:]])
        here.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        run = run_launch.launch(home, config)
        assert ended(home, run) in ("stopped", "failed"), store.read_log(home, run)
    return run


def test_an_adapter_stopped_within_an_epoch(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropout's draws go on where they were."""
    config = settings(folder, **LORA)
    run = interrupted(home, config, [sys.executable, "-c", STOPPED], monkeypatch)
    found = last_checkpoint(store.run_folder(home, run) / "checkpoints")
    assert store.run_info(home, run).state == "stopped" and found is not None and found.step == 6
    lifecycle.resume(home, run)
    assert ended(home, run) == "done", store.read_log(home, run)
    assert made(home, run) == whole(home / "whole", config)


def test_a_damaged_newest_checkpoint_is_passed_over(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(folder)
    command = [sys.executable, str(KILLED), "publish:9:after"]
    run = interrupted(home, config, command, monkeypatch)
    checkpoints = store.run_folder(home, run) / "checkpoints"
    assert {path.name for path in checkpoints.glob("checkpoint-*")} == {"checkpoint-8", "checkpoint-9"}
    weights = checkpoints / "checkpoint-9" / "model.safetensors"
    os.truncate(weights, weights.stat().st_size // 2)
    found = last_checkpoint(checkpoints)
    assert found is not None and found.step == 8
    lifecycle.resume(home, run)
    assert ended(home, run) == "done", store.read_log(home, run)
    assert made(home, run) == whole(home / "whole", config)


def test_an_accelerate_configuration_gives_what_one_process_gives(folder: Path, home: Path) -> None:
    path = home / "two.yaml"
    path.write_text(
        "compute_environment: LOCAL_MACHINE\ndistributed_type: MULTI_GPU\nnum_processes: 2\nnum_machines: 1\n"
        "machine_rank: 0\nmain_process_port: 0\nmixed_precision: 'no'\nuse_cpu: true\n"
    )
    run = run_launch.launch(home, settings(folder, accelerate_config=str(path), epochs=2))
    assert ended(home, run) == "done", store.read_log(home, run)
    environment = json.loads((store.run_folder(home, run) / "environment.json").read_text())
    assert environment["processes"] == 2
    one, two = whole(home / "one", settings(folder, epochs=2)), made(home, run)
    assert one["picks"] == two["picks"]
    measured = [[line[5] for line in run["metrics"] if line[5] is not None] for run in (one, two)]
    np.testing.assert_allclose(*measured, atol=1e-4)
