"""The search for the smallest budget: its runs, the verdict against a plain twin, and the commands."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from backend import store
from backend.analysis.budget_result import budget_result, course_words
from backend.analysis.budget_verdict import FULL, judge_budgets
from backend.cli.commands import app
from backend.config import config_from
from backend.config.trial_rules import BUDGET_RULE
from backend.data import load_pool
from backend.errors import ConfigError
from backend.jobs import budget_end, budget_search, lifecycle
from backend.records import Metrics
from backend.store import ComparisonInfo
from tests.unit.compared import settings

runner = CliRunner()


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is started."""
    monkeypatch.setattr(lifecycle, "pump", lambda home, **_: [])


def said(*words: object, code: int = 0) -> str:
    result = runner.invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


def test_the_budget_is_halved_and_the_full_pool_comes_first() -> None:
    base = settings(held_out="0.1", strategy="iterit", review=True)
    made = budget_search.search_of(base, 100, smallest=0.1, seeds=[0, 5])
    # 90 candidates; 11 would still be six steps of 2, 5 are below a tenth of 90
    assert made.budgets == (45, 22, 11)
    assert [(one.strategy, one.budget, one.seed) for one in made.configs[:4]] == [
        ("full", 4, 0), ("full", 4, 5), ("iterit", 45, 0), ("iterit", 45, 5),
    ]  # fmt: skip
    assert len(made.configs) == 8 and not any(one.review or one.max_steps for one in made.configs)
    # all halves together are no more than the full pool
    assert sum(made.budgets) <= 90


@pytest.mark.parametrize(
    ("values", "asked", "words"),
    [
        ({"strategy": "full"}, {}, "strategy is full"),
        ({"epochs": 0}, {}, "epochs is 0"),
        ({"held_out": "0"}, {}, "nothing to measure on"),
        ({}, {"seeds": [1]}, "needs two or more, and 1 is given"),
        ({}, {"smallest": 0.9}, "there is no budget to try"),
        ({}, {"smallest": 0.0}, "smallest is 0"),
        ({}, {"smallest": math.nan}, "smallest is nan"),
        ({"batch_size": 20}, {}, "fewer than 4 optimizer steps an epoch"),
    ],
)
def test_what_cannot_be_searched(values: dict, asked: dict, words: str) -> None:
    given = {"smallest": 0.1, "seeds": [0, 1], **asked}
    with pytest.raises(ConfigError, match=words):
        budget_search.search_of(settings(**{"held_out": "0.1", **values}), 100, **given)


def plain_smallest(losses: dict[int, list[float]]) -> int:
    """The twin: from the definition, one budget after the other."""
    squares = degrees = 0.0
    for values in losses.values():
        mean = sum(values) / len(values)
        squares += sum((value - mean) ** 2 for value in values)
        degrees += len(values) - 1
    spread = math.sqrt(squares / degrees)
    full, found = sum(losses[FULL]) / len(losses[FULL]), FULL
    for budget in sorted(losses, reverse=True):
        if budget == FULL:
            continue
        if sum(losses[budget]) / len(losses[budget]) - full > spread:
            break
        found = budget
    return found


def test_the_smallest_is_that_of_the_plain_twin() -> None:
    rng = np.random.default_rng(3)
    found = set()
    for _ in range(200):
        seeds = int(rng.integers(2, 4))
        losses = {
            budget: list(rng.normal(2 + rise, 0.02, seeds))
            for budget, rise in ((FULL, 0.0), (400, 0.0), (200, 0.01), (100, 0.02), (50, 0.05))
        }
        got = judge_budgets({budget: dict(enumerate(of)) for budget, of in losses.items()}, range(seeds))
        assert got.smallest == plain_smallest(losses) and got.ended
        found.add(got.smallest)
    assert len(found) >= 4  # every outcome was met


def test_what_is_not_known_yet() -> None:
    full, half = {0: 2.0, 1: 2.02}, {0: 2.0, 1: 2.01}
    nothing = judge_budgets({FULL: {0: 2.0}, 400: {}, 200: {}}, [0, 1])
    assert (nothing.smallest, nothing.ended) == (None, False) and math.isnan(nothing.spread)
    open_ = judge_budgets({FULL: full, 400: half, 200: {0: 9.0}}, [0, 1])
    assert (open_.smallest, open_.ended) == (400, False) and open_.rows[2].within is None
    # one that is missing between two that are known: what is below it does not count
    gap = judge_budgets({FULL: full, 400: {}, 200: half}, [0, 1])
    assert (gap.smallest, gap.ended) == (None, False)
    over = judge_budgets({FULL: full, 400: half, 200: {0: 2.3, 1: 2.3}, 100: {}}, [0, 1])
    assert (over.smallest, over.ended) == (400, True)


def test_a_seeds_own_samples_do_not_widen_the_spread() -> None:
    losses = {FULL: {0: 1.0, 1: 2.0}, 400: {0: 1.01, 1: 2.0}, 200: {0: 1.2, 1: 2.21}}
    assert judge_budgets(losses, [0, 1]).smallest == 200
    assert judge_budgets(losses, [0, 1], by_seed=True).smallest == 400


LOSSES = {"full": 2.0, 1100.0: 2.0, 550.0: 2.4}


def end(home: Path, run: str, losses: dict = LOSSES) -> None:
    """This run is done; how it ended its budget says, and a little its seed."""
    one = store.read_config(home, run)
    last = losses["full" if one.strategy == "full" else one.budget] + 0.01 * one.seed
    for epoch, loss in enumerate((3.0, last)):
        store.append_metrics(home, run, Metrics(5 * epoch, epoch, held_out=loss, held_out_epoch=epoch))
    store.set_state(home, run, "done")


@pytest.fixture
def search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ComparisonInfo:
    """A search of four budgets and two seeds, eight runs, in the queue; from now on runs are claimed, and no process starts."""
    base = config_from(
        {"pool": ("demo",), "model": "demo", "epochs": 1, "held_out": "demo", "make_map": False}
    )
    pool = load_pool(["demo"])
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "pump", lambda home, **_: [])
        made = budget_search.start(
            tmp_path, budget_search.search_of(base, len(pool), smallest=0.1, seeds=[0, 1]), pool
        )
    monkeypatch.setattr(lifecycle, "refresh", lambda home: [])
    monkeypatch.setattr(lifecycle, "spawn", lambda *_, **__: SimpleNamespace(pid=os.getpid()))
    return store.comparison_info(tmp_path, made)


def states(home: Path, info: ComparisonInfo) -> list[str]:
    return [store.run_info(home, run).state for run in info.runs]


def test_a_search_ends_early_by_itself(tmp_path: Path, search: ComparisonInfo) -> None:
    """Whoever ends a run pumps; nobody has to look at the search."""
    runs = search.runs
    for at in range(6):
        assert lifecycle.pump(tmp_path) == [runs[at]]  # in their order: what is not decided goes on
        end(tmp_path, runs[at])
    assert lifecycle.pump(tmp_path) == []
    assert states(tmp_path, search) == ["done"] * 6 + ["stopped"] * 2
    assert [event.text for event in store.events(tmp_path, runs[6])][-1] == budget_end.NOTE
    result = budget_result(tmp_path, search)
    assert result.course == "early" and result.needless == ()
    assert all((store.run_folder(tmp_path, run) / "config.json").is_file() for run in runs)


def test_what_has_begun_or_was_resumed_is_not_taken_out(tmp_path: Path, search: ComparisonInfo) -> None:
    runs = search.runs
    assert store.claim_next(tmp_path, "here") == runs[0]
    for run in runs[:6]:
        end(tmp_path, run)
    # somebody stopped the first small one amid its work, and resumed it; the second is at work
    store.set_state(tmp_path, runs[6], "running")
    store.set_state(tmp_path, runs[6], "stopped")
    store.queue_again(tmp_path, runs[6])
    assert budget_end.end_early_all(tmp_path) == 1  # the second
    assert states(tmp_path, search)[6:] == ["queued", "stopped"]
    store.queue_again(tmp_path, runs[7])  # somebody wants to know all the same
    assert budget_end.end_early_all(tmp_path) == 0
    assert states(tmp_path, search)[6:] == ["queued", "queued"]


def test_nothing_leaves_the_queue_while_a_loss_is_missing(tmp_path: Path, search: ComparisonInfo) -> None:
    for run in search.runs[:5]:
        end(tmp_path, run)
    store.set_state(tmp_path, search.runs[5], "failed", error="out of memory")
    assert budget_end.end_early_all(tmp_path) == 0
    result = budget_result(tmp_path, search)
    assert result.course == "running" and result.verdict.smallest == 1100
    assert "The verdict needs the run of 550 samples, seed 1 (failed: out of memory)" in course_words(result)
    for run in search.runs[6:]:
        store.set_state(tmp_path, run, "stopped", expect=("queued",))
    assert budget_result(tmp_path, search).course == "held up"


def test_a_search_that_cannot_be_read_holds_up_nobody(tmp_path: Path, search: ComparisonInfo) -> None:
    store.change_plan(tmp_path, search.id, {"strategy": "iterit"})
    assert lifecycle.pump(tmp_path) == [search.runs[0]]


SMALL = ("budget", "start", "demo", "--model", "demo", "--epochs", "1", "--smallest", "0.1")


def test_a_search_in_a_terminal(tmp_path: Path, quiet: None) -> None:
    assert "no search for a budget yet" in said("budget", "show", "--runs-dir", tmp_path, code=1)
    text = said(*SMALL, "--dry-run", "--runs-dir", tmp_path)
    assert "8 runs: the full pool, then 1,100, 550, 275 samples an epoch by iterit, with seeds 0, 1" in text
    # batches of 8: 275 steps for the full pool; 138, 69 and 35 for its parts
    assert "at most 1,034 optimizer steps in all, 550 of them on the full pool" in text
    assert store.runs(tmp_path) == []
    said(*SMALL, "--yes", "--runs-dir", tmp_path)
    (info,) = store.comparisons(tmp_path)
    assert info.kind == "budget" and len(info.runs) == 8
    text = said("budget", "show", "--runs-dir", tmp_path)
    assert "Nothing can be said" in text and "Still running: 0 of 8 runs are done. 8 are queued." in text
    for run in info.runs[:6]:
        end(tmp_path, run)
    found = json.loads(said("budget", "show", info.id[:14], "--json", "--runs-dir", tmp_path))
    assert (found["verdict"]["smallest"], found["verdict"]["ended"], found["stopped"]) == (1100, True, 2)
    assert (
        found["course"] == "early"
        and [run["why"] for run in found["runs"]] == [""] * 6 + ["taken out of the queue"] * 2
    )
    assert {store.run_info(tmp_path, run).state for run in info.runs[6:]} == {"stopped"}
    text = said("budget", "show", "--runs-dir", tmp_path)
    assert (
        "Ended early: 6 of 8 runs are done. 2 that could no longer change the verdict left the queue." in text
    )
    assert "1,100 samples an epoch do as well as the full pool. Their mean loss differs from" in text
    assert "Half of that is too few: 550 samples ended 0.4000 above it" in text and BUDGET_RULE in text
    assert "search for a budget 'x' not found" in said("budget", "show", "x", "--runs-dir", tmp_path, code=1)
    # a pilot is asked for by its own command
    assert "no pilot yet" in said("pilot", "show", "--runs-dir", tmp_path, code=1)
