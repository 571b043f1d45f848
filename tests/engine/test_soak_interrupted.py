"""Short soaks of what a run depends on: a model's folder that is gone for a while, checkpoints that are cut short."""

from pathlib import Path
from typing import Any

import pytest
from interrupted import settings, write_inputs

from backend import store
from backend.config import RunConfig
from backend.jobs import run_launch
from backend.training import damaged_checkpoints, last_checkpoint
from tools.soak.checkpoints import files_of, killed_after_a_checkpoint, resumed_without
from tools.soak.kills import finished, outcome
from tools.soak.models import STOPPED, without_model

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("warm_workers")]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    folder = tmp_path_factory.mktemp("inputs")
    write_inputs(folder)
    return settings(folder)


@pytest.fixture
def whole(home: Path, config: RunConfig) -> dict[str, Any]:
    """What the run gives that nobody touches."""
    return outcome(home, finished(home, run_launch.launch(home, config)))


def test_a_model_folder_that_is_gone_for_a_while(
    home: Path, config: RunConfig, whole: dict[str, Any]
) -> None:
    # it has been read: nothing of the folder is needed any more
    assert without_model(home, config, "while training", whole) == ("done", "", [])
    # it has not: the run says which folder is missing, and goes on when that is back, from its checkpoint
    for moment in ("at once", STOPPED):
        found = without_model(home, config, moment, whole)
        assert (found.ended, found.different) == ("failed", [])
        assert f"model folder {config.model} does not exist" in found.said


def test_a_checkpoint_that_is_cut_in_half(home: Path, config: RunConfig, whole: dict[str, Any]) -> None:
    name = killed_after_a_checkpoint(home, config)
    files = files_of(home, name)
    assert {"model.safetensors", "optimizer.pt", "complete.json"} <= set(files)
    step = last_checkpoint(store.run_folder(home, name) / "checkpoints")
    assert step is not None
    for file, what in (("model.safetensors", " bytes of "), ("complete.json", "cannot be read")):
        found = resumed_without(home, name, file, "cut in half", whole)
        assert found.different == []
        assert found.said.startswith(f"checkpoint-{step.step} is damaged: {file} ") and what in found.said
        assert found.said.endswith("; the run goes on from its beginning")


def test_an_older_checkpoint_is_gone_on_from_and_a_half_removed_one_is_no_damage(tmp_path: Path) -> None:
    for step in (3, 6, 9):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "a.bin").write_bytes(b"12345")
        (folder / "complete.json").write_text(
            f'{{"step": {step}, "carried": {{"losses": [0.0]}}, "files": {{"a.bin": 5}}}}'
        )
    (tmp_path / "checkpoint-3" / "a.bin").unlink()
    (tmp_path / "checkpoint-9" / "a.bin").write_bytes(b"12")
    found = last_checkpoint(tmp_path)
    assert found is not None and found.step == 6
    assert damaged_checkpoints(tmp_path, after=found.step) == [
        "checkpoint-9 is damaged: a.bin has 2 bytes of 5"
    ]
