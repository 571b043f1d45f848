"""Runs that several processes work on: the same outcome, one stop for all, and nobody left behind."""

import signal
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import warm
from interrupted import outcome, processes_of, settings, wait_for, write_inputs

from backend import store
from backend.config import RunConfig
from backend.jobs import lifecycle, processes, run_launch
from backend.training import last_checkpoint

pytestmark = [pytest.mark.slow, pytest.mark.alone]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several")
    write_inputs(folder)
    return folder


def finished(home: Path, run: str) -> dict[str, Any]:
    wait_for(lambda: lifecycle.refresh(home) or not store.run_info(home, run).active)
    assert store.run_info(home, run).state == "done", store.read_log(home, run)
    wait_for(lambda: not processes_of(run))
    return outcome(home, run)


@pytest.fixture(scope="module")
def two(folder: Path, warm_server: str) -> dict[str, Any]:
    """The run of two processes that nobody touches."""
    home = folder / "two"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "subprocess", warm.Starting(warm_server))
        run = run_launch.launch(home, settings(folder, processes=2))
        return {**finished(home, run), "complexity": store.read_epoch(home, run, 0).scores.complexity}


def longer(folder: Path) -> RunConfig:
    return settings(folder, processes=2, epochs=40)


def ranks(run: str) -> list[Any]:
    """The processes that work, without the launcher, the first before the second."""
    forked = warm.forked_for(run)

    def rank(process: psutil.Process) -> int | None:
        if process.pid in forked:
            return forked[process.pid]
        launcher = any("launch" in word for word in process.cmdline()[:4])
        return None if launcher else int(process.environ()["RANK"])

    by_rank = {rank(process): process for process in processes_of(run)}
    return [by_rank[number] for number in sorted(number for number in by_rank if number is not None)]


def test_two_processes_give_what_one_gives(
    two: dict[str, Any], folder: Path, home: Path, warm_workers: None
) -> None:
    run = run_launch.launch(home, settings(folder))
    one = finished(home, run)
    complexity = store.read_epoch(home, run, 0).scores.complexity
    np.testing.assert_allclose(complexity, two["complexity"], rtol=1e-5)
    assert one["picks"] == two["picks"]
    assert [line[0] for line in one["metrics"]] == [line[0] for line in two["metrics"]]
    for column in (2, 5):  # loss, held-out loss
        pairs = [
            (a[column], b[column])
            for a, b in zip(one["metrics"], two["metrics"], strict=True)
            if a[column] is not None
        ]
        np.testing.assert_allclose(*zip(*pairs, strict=True), atol=1e-4)


def test_stopped_together_and_resumed(
    two: dict[str, Any], folder: Path, home: Path, warm_workers: None
) -> None:
    run = run_launch.launch(home, settings(folder, processes=2))
    wait_for(lambda: store.run_info(home, run).stage == "train")
    lifecycle.stop(home, run)
    wait_for(lambda: lifecycle.refresh(home) or not store.run_info(home, run).active)
    wait_for(lambda: not processes_of(run))
    if store.run_info(home, run).state == "done":
        pytest.skip("it was done before it could be stopped")
    assert store.run_info(home, run).state == "stopped", store.read_log(home, run)
    assert last_checkpoint(store.run_folder(home, run) / "checkpoints") is not None
    lifecycle.resume(home, run)
    again = finished(home, run)
    assert again == {name: two[name] for name in again}


def test_killed_leaves_nobody(folder: Path, home: Path) -> None:
    """Started as an app does, each process with imports of its own."""
    run = run_launch.launch(home, longer(folder))
    wait_for(lambda: store.run_info(home, run).stage == "train")
    assert len(ranks(run)) == 2 and lifecycle.alive(store.run_info(home, run))
    lifecycle.kill(home, run)
    assert store.run_info(home, run).state == "stopped"
    assert not processes_of(run)


@pytest.mark.parametrize("who", ["launcher", "first", "second"])
def test_one_that_dies_ends_all_and_the_run_says_so(
    who: str, folder: Path, home: Path, warm_workers: None
) -> None:
    run = run_launch.launch(home, longer(folder))
    wait_for(lambda: store.run_info(home, run).stage == "train" and len(ranks(run)) == 2)
    first, second = ranks(run)
    launcher = store.run_info(home, run).pid
    victim = {"launcher": launcher, "first": first.pid, "second": second.pid}[who]
    next(process for process in processes_of(run) if process.pid == victim).send_signal(signal.SIGKILL)
    wait_for(lambda: lifecycle.refresh(home) or not store.run_info(home, run).active)
    wait_for(lambda: not processes_of(run))
    info = store.run_info(home, run)
    assert info.state == "failed" and info.resumable
    words = {"launcher": "SIGKILL", "first": "process 1 of 2", "second": "process 2 of 2"}[who]
    assert words in (info.error or ""), (info.error, store.read_log(home, run))


def test_a_failure_of_the_second_process_is_told_by_its_name(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch, warm_workers: None
) -> None:
    """What a process of its own finds wrong, the run says, and which it was."""
    broken = folder / "second.py"
    broken.write_text(
        "import os, sys\n"
        "from backend.jobs import worker\n"
        "from backend.errors import ModelError\n"
        "from backend.model import load as model\n"
        "load = model.load_for\n"
        "def refuse(config):\n"
        "    if os.environ['RANK'] == '1':\n"
        "        raise ModelError('no memory for the model')\n"
        "    return load(config)\n"
        "model.load_for = refuse\n"
        "sys.exit(worker.main(sys.argv[1:]))\n"
    )
    fine = lifecycle.command_of

    def command(home: Path, run: str) -> list[str]:
        words = fine(home, run)
        at = words.index("backend.jobs.worker")
        return [*words[: at - 1], str(broken), *words[at + 1 :]]

    monkeypatch.setattr(lifecycle, "command_of", command)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    run = run_launch.launch(home, settings(folder, processes=2))
    wait_for(lambda: lifecycle.refresh(home) or not store.run_info(home, run).active)
    wait_for(lambda: not processes_of(run))
    assert store.run_info(home, run).error == "process 2 of 2: no memory for the model"
