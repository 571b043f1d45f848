"""When the processes of a run need a launcher."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backend.config import config_from
from backend.distributed import launcher


@pytest.mark.parametrize(
    ("settings", "gpus", "count"),
    [
        ({"epochs": 0}, 0, 1),
        ({"epochs": 0}, 1, 1),
        ({"epochs": 0}, 4, 4),  # scoring alone takes every GPU
        ({"epochs": 3}, 4, 1),
        ({"epochs": 0, "processes": 1}, 4, 1),
        ({"epochs": 0, "processes": 2}, 0, 2),
        ({"epochs": 3, "processes": 2}, 0, 2),
    ],
)
def test_scoring_and_training_have_one_launcher(
    settings: dict[str, object], gpus: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "gpu_count", lambda: gpus)
    config = config_from(settings)
    command = launcher.command(config, ["some.module", "word"])
    assert launcher.several(config) == (count > 1)
    if count == 1:
        assert command == [sys.executable, "-m", "some.module", "word"]
    else:
        assert command[command.index("--num_processes") + 1] == str(count)
        assert command[-4:] == ["-m", "some.module", "word", "--launched"]


@pytest.mark.parametrize("epochs", [0, 3])
def test_a_file_of_accelerate_says_how(epochs: int) -> None:
    command = launcher.command(config_from({"epochs": epochs, "accelerate_config": "own.yaml"}), ["module"])
    assert command[command.index("--config_file") + 1] == "own.yaml" and "--num_processes" not in command


def test_a_folder_of_our_name_where_a_command_is_given_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "__init__.py").write_text("raise SystemExit('not ours')")
    command = [sys.executable, "-m", "backend.distributed.launcher"]
    subprocess.run(command, cwd=tmp_path, env=launcher.environment(), check=True)
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 1
