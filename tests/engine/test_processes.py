"""Scoring in several processes: the same numbers as in one, and none of them left behind, however it ends."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest
import warm
from click.testing import Result
from interrupted import processes_of, wait_for, write_inputs
from typer.testing import CliRunner

from backend import store
from backend.cli import scoring
from backend.cli.commands import app
from backend.config import RunConfig, config_from
from backend.data import load_pool
from backend.distributed import launcher
from backend.distributed.process_group import STOPPED
from backend.distributed.shards import Shards
from backend.errors import ConfigError, ModelError, Stopped
from backend.jobs import lifecycle, run_launch
from backend.records import Pool, Progress

pytestmark = pytest.mark.alone

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = 120


def ranks(word: str) -> list[psutil.Process]:
    """The processes that a launcher has started with this word in their command, and that are there, in their order."""
    numbers = warm.forked_for(word)
    there = [process for process in processes_of(word) if numbers.get(process.pid) is not None]
    return sorted(there, key=lambda process: numbers[process.pid] or 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("processes")
    write_inputs(folder, samples=SAMPLES)
    return folder


@pytest.fixture(scope="module")
def pool(folder: Path) -> Pool:
    return load_pool([str(folder / "pool.jsonl")])


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


def scored(
    home: Path, config: RunConfig, pool: Pool, monkeypatch: pytest.MonkeyPatch, show: scoring.Show
) -> scoring.Found:
    """What the command finds; `show` is called with what its progress bar gets."""
    inner = scoring._in_several
    monkeypatch.setattr(scoring, "_in_several", lambda *given: inner(*given[:-1], show))
    return scoring.score_pool(home, config, pool)


def test_two_processes_give_what_one_gives(
    folder: Path, pool: Pool, home: Path, monkeypatch: pytest.MonkeyPatch, warm_workers: None
) -> None:
    expected = scoring.score_pool(home / "one", config(folder, processes=1), pool).scores
    seen: list[Progress] = []
    found, taken, _ = scored(home / "two", config(folder), pool, monkeypatch, seen.append)
    assert taken is None and not ranks("backend.cli.scoring")
    np.testing.assert_allclose(found.complexity, expected.complexity, rtol=1e-5)
    np.testing.assert_allclose(found.loss_cond, expected.loss_cond, rtol=1e-5)
    assert found.reason.tolist() == expected.reason.tolist()
    done = [progress.done for progress in seen if progress.stage == "score"]
    assert done[0] == 0 and done[-1] == SAMPLES and done == sorted(done) and len(set(done)) > 5


def test_an_accelerate_file_says_how_many(
    folder: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm_workers: None
) -> None:
    """Of one machine it starts the processes; of two it is refused before the pool is read."""

    def score(machines: int, out: str, *more: str) -> Result:
        file = tmp_path / f"{machines}.yaml"
        file.write_text(
            "compute_environment: LOCAL_MACHINE\ndistributed_type: MULTI_GPU\nnum_processes: 2\n"
            f"num_machines: {machines}\nmachine_rank: 0\nmain_process_port: 0\nuse_cpu: false\nmixed_precision: 'no'\n"
        )
        words = ["score", str(folder / "pool.jsonl"), "--model", str(folder / "model")]
        words += ["--out", str(home / out)]
        words += ["--runs-dir", str(home / out.partition(".")[0]), "--threads", "1", *more]
        return CliRunner().invoke(app, [*words, "--accelerate-config", str(file)])

    sizes: list[int] = []
    inner = launcher.command
    monkeypatch.setattr(launcher, "command", lambda *given: sizes.append(1) or inner(*given))
    # a shard of it: each job of an array may itself have several processes
    result = score(1, "half.parquet", "--shard", "2/2")
    assert result.exit_code == 0 and sizes == [1], result.output
    expected = scoring.score_pool(
        home / "one", config(folder, processes=1), load_pool([str(folder / "pool.jsonl")])
    )
    found = pq.read_table(home / "half.parquet")
    assert found["row"].to_pylist() == list(range(1, SAMPLES, 2))
    np.testing.assert_allclose(found["complexity"].to_numpy(), expected.scores.complexity[1::2], rtol=1e-5)

    refused = score(2, "two.parquet")
    assert refused.exit_code == 1 and "allowed: num_machines 1" in refused.stderr and sizes == [1]


def test_stopping_one_stops_all(
    folder: Path, pool: Pool, home: Path, monkeypatch: pytest.MonkeyPatch, warm_workers: None
) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == "score" and progress.done > 10:
            assert len(ranks("backend.cli.scoring")) == 2
            raise Stopped("asked to")

    with pytest.raises(Stopped, match="asked to"):
        scored(home, config(folder), pool, monkeypatch, stop)
    assert not processes_of("backend.cli.scoring")


def test_a_process_that_dies_is_an_error(
    folder: Path, pool: Pool, home: Path, monkeypatch: pytest.MonkeyPatch, warm_workers: None
) -> None:
    def kill(progress: Progress) -> None:
        if progress.stage == "score" and progress.done > 10:
            for second in ranks("backend.cli.scoring")[1:]:
                second.kill()

    with pytest.raises(ModelError, match=r"process 2 of 2 exited .*--processes 1 .*scores in one"):
        scored(home, config(folder, rescore=True), pool, monkeypatch, kill)
    assert not processes_of("backend.cli.scoring")


def test_what_one_finds_wrong_the_command_says(
    folder: Path, pool: Pool, home: Path, tmp_path: Path, warm_workers: None
) -> None:
    with pytest.raises(ModelError, match=r"config\.json is missing"):
        scoring.score_pool(home, config(folder, model=str(tmp_path)), pool)
    assert not processes_of("backend.cli.scoring")


RANKS = """
import os, sys
sys.path[:0] = ["tests/engine"]
import numpy as np, tiny, torch
from torch import distributed
from backend.complexity import held_out_loss, score
from backend.distributed.ranks import leave
from backend.errors import Stopped, StudioError
from backend.prompts import encode

folder, how = sys.argv[1:]
torch.set_num_threads(1)
model = tiny.model()
encoded = encode(tiny.random_pool(40), tiny.tokenizer(), system_prompt="", max_length=200)
alone = held_out_loss(model, encoded, batch_tokens=64)
rank = 0 if os.fork() else 1 if os.fork() else 2
distributed.init_process_group("gloo", store=distributed.FileStore(folder + "/meeting", 3), rank=rank, world_size=3)

def fail(progress):
    if rank and progress.done > 5:
        raise ValueError("of its own")

def stop_at_the_end(progress):
    if not rank and progress.done == progress.total:
        raise Stopped("asked to")

with open(f"{folder}/{rank}", "w") as file:
    try:
        score(model, encoded, batch_tokens=64, on_progress={"fail": fail, "stop": stop_at_the_end}.get(how))
        both = held_out_loss(model, encoded, batch_tokens=64)
        assert abs(both / alone - 1) < 1e-6
        file.write("the same")
    except (StudioError, ValueError) as error:
        file.write(f"{type(error).__name__} {error}")
if rank < 2:
    os.wait()
leave(0)
"""


@pytest.mark.parametrize("how", ["go", "fail", "stop"])
def test_every_process_gets_everything_or_an_error(tmp_path: Path, how: str, warm_server: str) -> None:
    """Three processes; two of them fail, in the same round, or the first is asked to stop when everything is read."""
    words = [sys.executable, "-c", RANKS, str(tmp_path), how]
    first = warm.Starting(warm_server).Popen(words, env=dict(os.environ), cwd=ROOT)
    assert first.wait(timeout=120) == 0
    said = [(tmp_path / str(rank)).read_text() for rank in range(3)]
    if how == "go":
        assert said == ["the same"] * 3
    elif how == "stop":
        assert said == ["Stopped asked to"] + [f"Stopped {STOPPED}"] * 2
    else:
        assert said[0].startswith("AnotherFailed another process")
        assert said[1:] == ["ValueError of its own"] * 2


COMMAND = """
import signal, sys
sys.path[:0] = ["tests/engine"]
import warm
from backend.cli import scoring
from backend.cli.commands import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore it, and a child inherits that
scoring.subprocess = warm.Starting(sys.argv.pop(1))
main()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_where_the_command_is_killed(
    number: signal.Signals, folder: Path, tmp_path: Path, warm_server: str
) -> None:
    words = ["score", str(folder / "pool.jsonl"), "--model", str(folder / "model")]
    words += ["--out", str(tmp_path / "scores.jsonl"), "--runs-dir", str(tmp_path / "runs")]
    words += ["--processes", "2", "--batch-tokens", "64", "--threads", "1"]
    command = warm.Starting(warm_server).Popen(
        [sys.executable, "-c", COMMAND, warm_server, *words], env=dict(os.environ), cwd=ROOT
    )
    wait_for(lambda: len(ranks("backend.cli.scoring")) == 2)
    os.kill(command.pid, number)
    command.wait(timeout=60)
    wait_for(lambda: not processes_of("backend.cli.scoring"))
    assert not (tmp_path / "scores.jsonl").exists()


def test_a_run_that_only_scores(folder: Path, home: Path, warm_workers: None) -> None:
    def ended(run: str) -> bool:
        return lifecycle.refresh(home) or store.run_info(home, run).state in ("done", "failed")

    one = run_launch.launch(home, config(folder, processes=1))
    wait_for(lambda: ended(one))
    # launched when what is kept is older than they are: they score, and take nothing of it
    two = run_launch.launch(home, config(folder, rescore=True))
    wait_for(lambda: ended(two))
    stopped = run_launch.launch(home, config(folder, rescore=True))
    # before its processes have met, when those that wait for the first would wait for long
    lifecycle.stop(home, stopped)
    assert [store.run_info(home, run).error for run in (one, two)] == [None, None]
    records = [store.read_epoch(home, run, 0) for run in (one, two)]
    np.testing.assert_allclose(records[0].scores.complexity, records[1].scores.complexity, rtol=1e-5)
    assert records[0].selection.rows.tolist() == records[1].selection.rows.tolist()

    wait_for(lambda: not store.run_info(home, stopped).active)
    assert store.run_info(home, stopped).state == "stopped"
    wait_for(lambda: not processes_of(stopped))

    # and once they have
    another = run_launch.launch(home, config(folder, rescore=True))
    wait_for(lambda: lifecycle.refresh(home) or store.run_info(home, another).stage == "score")
    lifecycle.stop(home, another)
    wait_for(lambda: not store.run_info(home, another).active)
    assert store.run_info(home, another).state == "stopped"
    wait_for(lambda: not processes_of(another))


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
