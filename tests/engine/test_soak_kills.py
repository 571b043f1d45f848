"""A short soak of kills: a run of a small model is killed at random moments and ends as the one nobody touched."""

import random
from pathlib import Path

import pytest
from interrupted import settings, write_inputs

from tools.soak.kills import WORKER, differences, kill_runs


@pytest.mark.slow
@pytest.mark.usefixtures("warm_workers")
def test_killed_at_random_moments(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("inputs")
    write_inputs(folder)
    told = kill_runs(home, settings(folder), count=1, rng=random.Random(0), apps=False)
    assert told.kills[WORKER] >= 1 and sum(told.stages.values()) == told.kills[WORKER]
    assert told.different == []


def test_a_run_that_ended_in_another_way_is_told() -> None:
    whole = {"picks": [[1, 2], [3]], "metrics": [(1, 0.5)], "weights": "ab"}
    assert differences("a", {**whole, "picks": [[1, 2], [4]], "weights": "ac"}, whole) == [
        "a: other picks",
        "a: other weights",
    ]
