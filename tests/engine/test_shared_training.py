"""Two processes that train together do what one does: same scores, same picks, every sample read once."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import warm

from backend.training.sampler import SelectionBatches, SelectionSampler

ROOT = Path(__file__).resolve().parents[2]


def told(folder: Path, start: warm.Starting, *, processes: int, stop_at: int = -1) -> dict[str, Any]:
    folder.mkdir()
    words = [sys.executable]
    if processes > 1:
        # each process writes to files of its own: the launcher's words would stand between theirs, and after them
        words += ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
        words += ["--log-dir", str(folder / "said"), "--redirects", "3"]
    words += [str(Path(__file__).with_name("shared_training.py")), str(folder), str(stop_at)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with open(folder / "launcher.log", "w") as log:
        code = start.Popen(words, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT).wait(500)
    said = [f"{path}:\n{path.read_text()[-3000:]}" for path in sorted(folder.glob("**/*.log"))]
    assert code == 0, "\n".join(said)
    return json.loads((folder / "told.json").read_text())


@pytest.fixture(scope="module")
def start(warm_server: str) -> warm.Starting:
    return warm.Starting(warm_server)


def everything(run: dict[str, Any]) -> list[list[int]]:
    """The samples that all processes read, sorted."""
    return sorted(itertools.chain.from_iterable(run["read"]))


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory, start: warm.Starting) -> dict[str, Any]:
    """What a single process comes to."""
    return told(tmp_path_factory.mktemp("shared") / "one", start, processes=1)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, start: warm.Starting) -> dict[str, Any]:
    """What two processes that nobody stops come to."""
    return told(tmp_path_factory.mktemp("shared") / "two", start, processes=2)


@pytest.mark.alone
@pytest.mark.slow
def test_two_processes_are_one(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert one["picks"] == two["picks"] and len(one["picks"]) == 2
    np.testing.assert_allclose(one["complexity"]["0"], two["complexity"]["0"], rtol=1e-5)
    np.testing.assert_allclose(one["complexity"]["1"], two["complexity"]["1"], rtol=1e-3)
    for kind in ("losses", "held_out"):
        assert list(one[kind]) == list(two[kind])
        np.testing.assert_allclose(list(one[kind].values()), list(two[kind].values()), atol=1e-4)
    # the same samples were read, each once an epoch, and both processes read some
    assert all(two["read"])
    assert everything(one) == everything(two)
    assert len(everything(two)) == 14


@pytest.mark.alone
@pytest.mark.slow
def test_two_processes_remember_earlier_epochs_as_one_does(one: dict[str, Any], two: dict[str, Any]) -> None:
    alone, both = one["cumulative"], two["cumulative"]
    assert alone["picks"] == both["picks"] and alone["round"] == both["round"] == {"0": 0, "1": 0, "2": 1}
    picks = [set(rows) for rows in both["picks"].values()]
    assert [len(rows) for rows in picks] == [12] * 3
    assert not picks[0] & picks[1] and picks[2] & (picks[0] | picks[1])
    assert alone["weights"].keys() == both["weights"].keys()
    for name, weights in alone["weights"].items():
        np.testing.assert_allclose(both["weights"][name], weights, atol=1e-4, err_msg=name)


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.parametrize("stop_at", [1, 3])
def test_two_processes_stop_together_and_go_on(
    stop_at: int, two: dict[str, Any], start: warm.Starting, tmp_path: Path
) -> None:
    """Only the first is asked; both stop after the same step, and the outcome is that of the run that was not stopped."""
    halves = told(tmp_path / "stopped", start, processes=2, stop_at=stop_at)
    assert halves["stopped"]
    for kind in ("picks", "losses", "held_out", "weights"):
        assert halves[kind] == two[kind], kind
    assert everything(halves) == everything(two)


@pytest.mark.parametrize("length", [1, 3, 8, 13, 16])
@pytest.mark.parametrize(("size", "processes"), [(1, 1), (2, 1), (1, 2), (2, 2), (4, 2), (1, 8)])
def test_every_row_is_read_once_and_steps_are_the_same(length: int, size: int, processes: int) -> None:
    sampler = SelectionSampler(length, seed=1)
    sampler.choose(0, np.arange(length))
    shares = [
        list(SelectionBatches(sampler, size=size, step=8, processes=processes, process=process))
        for process in range(processes)
    ]
    expected = len(SelectionBatches(sampler, size=size, step=8, processes=processes))
    assert {len(share) for share in shares} == {expected}
    passes = 8 // (size * processes)  # of a step
    for step in range(-(-length // 8)):
        rows = [
            row for share in shares for batch in share[step * passes : (step + 1) * passes] for row in batch
        ]
        assert sorted(rows) == sorted(list(sampler)[step * 8 : step * 8 + 8])


def test_batches_that_do_not_fill_a_step_are_refused() -> None:
    with pytest.raises(ValueError, match="8 samples are no whole number of passes of 3 in 2 processes"):
        SelectionBatches(SelectionSampler(8, seed=0), size=3, step=8, processes=2)
