"""Scoring in several processes: the same numbers as in one, and none of them left behind, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
import tiny
from interrupted import wait_for, write_inputs

from backend import store
from backend.complexity import helpers, score
from backend.config import RunConfig, config_from
from backend.distributed.shards import Shards
from backend.errors import ConfigError, ModelError, Stopped
from backend.jobs import lifecycle, run_launch
from backend.model import load as models
from backend.prompts import Encoded, encode
from backend.records import Progress

pytestmark = pytest.mark.alone

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = 120


def started(pid: int | None = None) -> list[psutil.Process]:
    """The helpers below a process, this one where not given."""
    return [
        child
        for child in psutil.Process(pid).children(recursive=True)
        if child.status() != psutil.STATUS_ZOMBIE and "backend.complexity.helper" in child.cmdline()
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("processes")
    write_inputs(folder, samples=SAMPLES)
    return folder


def config(folder: Path, **values: object) -> RunConfig:
    return config_from(
        {
            "pool": (str(folder / "pool.jsonl"),),
            "model": str(folder / "model"),
            "epochs": 0,
            "held_out": "0",
            "threads": 1,
            "processes": 2,
            "batch_tokens": 64,
            "make_map": False,
            **values,
        }
    )


@pytest.fixture(scope="module")
def encoded(folder: Path) -> Encoded:
    samples = [("hi", ""), *[(f"name {i} animals", "dog " * (1 + i % 9)) for i in range(SAMPLES)]]
    return encode(tiny.pool(samples), tiny.tokenizer(), system_prompt="the cat", max_length=200)


def test_two_processes_give_what_one_gives(folder: Path, encoded: Encoded) -> None:
    model, _ = models.load(str(folder / "model"), device="cpu")
    expected = score(model, encoded, batch_tokens=64)
    seen: list[Progress] = []
    waited: list[None] = []
    with helpers(config(folder), model, encoded, waiting=lambda: waited.append(None)) as count:
        assert (count, len(started())) == (2, 1)
        found = score(model, encoded, batch_tokens=64, on_progress=seen.append)
    assert waited and not started()
    np.testing.assert_allclose(found.complexity, expected.complexity, rtol=1e-5)
    np.testing.assert_allclose(found.loss_cond, expected.loss_cond, rtol=1e-5)
    assert found.reason.tolist() == expected.reason.tolist()
    done = [progress.done for progress in seen]
    assert done[0] == 0 and done[-1] == SAMPLES and done == sorted(done) and len(set(done)) > 5
    rows = np.array([5, 3, 40])
    with helpers(config(folder), model, encoded, rows):
        some = score(model, encoded, rows, batch_tokens=64)
    np.testing.assert_allclose(some.complexity[rows], expected.complexity[rows], rtol=1e-5)
    assert np.isfinite(some.complexity).sum() == 3


def test_one_is_the_default_without_a_gpu(folder: Path, encoded: Encoded) -> None:
    model, _ = models.load(str(folder / "model"), device="cpu")
    with helpers(config(folder, processes=0), model, encoded) as count:
        assert count == 1 and not started()


def test_stopping_one_stops_all(folder: Path, encoded: Encoded) -> None:
    model, _ = models.load(str(folder / "model"), device="cpu")

    def stop(progress: Progress) -> None:
        if progress.done > 10:
            raise Stopped("asked to")

    with pytest.raises(Stopped, match="asked to"), helpers(config(folder), model, encoded):
        assert started()
        score(model, encoded, batch_tokens=64, on_progress=stop)
    assert not started()

    def at_once() -> None:
        raise Stopped("before it began")

    with pytest.raises(Stopped, match="before"), helpers(config(folder), model, encoded, waiting=at_once):
        raise AssertionError
    assert not started()


def test_a_process_that_dies_is_an_error(
    folder: Path, encoded: Encoded, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model, _ = models.load(str(folder / "model"), device="cpu")

    def kill(progress: Progress) -> None:
        if progress.done > 10:
            for helper in started():
                helper.kill()

    with (
        pytest.raises(ModelError, match=r"process 2 of 2 ended \(SIGKILL\)"),
        helpers(config(folder), model, encoded),
    ):
        score(model, encoded, batch_tokens=64, on_progress=kill)
    assert not started()
    missing = config(folder, model=str(tmp_path))
    with pytest.raises(ModelError, match=r"ended \(exit code 1\)"), helpers(missing, model, encoded):
        raise AssertionError
    assert "config.json is missing" in capfd.readouterr().err


RANK = """
import sys
sys.path[:0] = ["tests/engine"]
import numpy as np, tiny, torch
from pathlib import Path
from backend.complexity import held_out_loss, score
from backend.complexity.processes import join
from backend.errors import StudioError
from backend.prompts import encode
from backend.distributed.ranks import leave

rank, how = int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(1)
model = tiny.model()
encoded = encode(tiny.random_pool(40), tiny.tokenizer(), system_prompt="", max_length=200)
alone = held_out_loss(model, encoded, batch_tokens=64)
join(Path(sys.argv[1]), rank, 3)

def fail(progress):
    if rank and progress.done > 5:
        raise ValueError("of its own")

try:
    score(model, encoded, batch_tokens=64, on_progress=fail if how == "fail" else None)
    both = held_out_loss(model, encoded, batch_tokens=64)
    assert abs(both / alone - 1) < 1e-6
    print("the same")
except (StudioError, ValueError) as error:
    print(type(error).__name__, error)
leave(0)
"""


@pytest.mark.parametrize("how", ["go", "fail"])
def test_every_process_gets_everything_or_an_error(tmp_path: Path, how: str) -> None:
    """Three processes; two of them fail, in the same round."""
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", RANK, str(tmp_path), str(rank), how],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(3)
    ]
    said = [rank.communicate(timeout=120)[0].strip() for rank in ranks]
    if how == "go":
        assert said == ["the same"] * 3
    else:
        assert said[0].startswith("AnotherFailed another process")
        assert said[1:] == ["ValueError of its own"] * 2


def command(folder: Path, out: Path) -> list[str]:
    words = ["score", str(folder / "pool.jsonl"), "--model", str(folder / "model"), "--out", str(out)]
    words += ["--runs-dir", str(out.parent / "runs")]
    return [
        sys.executable,
        "-m",
        "backend",
        *words,
        "--processes",
        "2",
        "--batch-tokens",
        "64",
        "--threads",
        "1",
    ]


def test_nothing_is_left_where_the_command_is_killed(folder: Path, tmp_path: Path) -> None:
    numbers = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # tests in the background; a child inherits it
        numbers.pop()
    for number in numbers:
        process = subprocess.Popen(
            command(folder, tmp_path / "scores.jsonl"), cwd=ROOT, stderr=subprocess.PIPE
        )
        wait_for(lambda process=process: started(process.pid))
        (helper,) = started(process.pid)
        os.kill(process.pid, number)
        process.communicate(timeout=60)
        wait_for(lambda helper=helper: not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE)
    assert not (tmp_path / "scores.jsonl").exists()


def test_a_run_that_only_scores(folder: Path, tmp_path: Path) -> None:
    def ended(run: str) -> bool:
        return lifecycle.refresh(tmp_path) or store.run_info(tmp_path, run).state in ("done", "failed")

    one = run_launch.launch(tmp_path, config(folder, processes=1))
    wait_for(lambda: ended(one))
    # launched when what is kept is older than they are: they score, and take nothing of it
    two = run_launch.launch(tmp_path, config(folder, rescore=True))
    wait_for(lambda: ended(two))
    stopped = run_launch.launch(tmp_path, config(folder, rescore=True))
    assert [store.run_info(tmp_path, run).error for run in (one, two)] == [None, None]
    records = [store.read_epoch(tmp_path, run, 0) for run in (one, two)]
    np.testing.assert_allclose(records[0].scores.complexity, records[1].scores.complexity, rtol=1e-5)
    assert records[0].selection.rows.tolist() == records[1].selection.rows.tolist()

    wait_for(lambda: (pid := store.run_info(tmp_path, stopped).pid) and started(pid))
    (helper,) = started(store.run_info(tmp_path, stopped).pid)
    lifecycle.stop(tmp_path, stopped)
    wait_for(lambda: not store.run_info(tmp_path, stopped).active)
    assert store.run_info(tmp_path, stopped).state == "stopped"
    wait_for(lambda: not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE)


def test_a_run_that_trains_in_several_shares_its_batches(folder: Path) -> None:
    with pytest.raises(ConfigError, match="is not a multiple of processes"):
        config(folder, epochs=3, processes=3, batch_size=32)
    assert config(folder, epochs=3, processes=2, batch_size=32).processes == 2


def test_work_is_dealt_evenly() -> None:
    shards = Shards()
    assert [hand.tolist() for hand in shards.deal([1, 5, 3])] == [[1, 2, 0]]
    shards.size = 3
    costs = np.random.default_rng(0).integers(1, 100, size=200).astype(float)
    hands = shards.deal(costs.tolist())
    assert sorted(np.concatenate(hands).tolist()) == list(range(200))
    loads = [costs[hand].sum() for hand in hands]
    assert max(loads) - min(loads) < 5
    assert all((np.diff(costs[hand]) <= 0).all() for hand in hands)
