"""The compute multiplier: where a curve of random draws first reaches a loss, and what is said of it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from backend import analysis, store
from backend.analysis import multiplier_words as words
from backend.analysis.compute_multiplier import Times, first_crossing, lowest_before_rise, multiplier
from backend.analysis.multiplier_table import Worth, worth
from backend.analysis.random_ladder import rung_settings, rung_times
from backend.cli.commands import app
from backend.errors import ConfigError
from backend.jobs import comparison_start, lifecycle
from backend.records import Progress
from tests.unit.compared import labelled, made_run, random_ladder, settings, two_strategies


def plain_crossing(at: np.ndarray, losses: np.ndarray, target: float) -> tuple[str, float]:
    """The slow twin: walks the curve in small steps of log cost and stops where it is first low enough."""
    if losses[0] <= target:
        return "at most", at[0]
    for i in range(1, len(at)):
        for part in np.linspace(0, 1, 20_001):
            if losses[i - 1] + part * (losses[i] - losses[i - 1]) <= target:
                return "reached", math.exp(math.log(at[i - 1]) + part * math.log(at[i] / at[i - 1]))
    return "not reached", at[-1]


def test_the_crossing_is_that_of_the_plain_walk() -> None:
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(40):
        at = np.cumsum(rng.integers(1, 40, size=5)).astype(float)
        losses, target = rng.random(5), float(rng.random())
        found, (reach, value) = first_crossing(at, losses, target), plain_crossing(at, losses, target)
        assert found.reach == reach and found.value == pytest.approx(value, rel=5e-4)
        seen.add(reach)
    assert seen == {"at most", "reached", "not reached"}


def test_straight_over_the_logarithm_of_steps_and_the_first_time_down() -> None:
    at = np.array([10.0, 40.0, 160.0, 640.0])
    # half way down between 10 and 40 steps are 20, though the curve rises and comes down again
    assert first_crossing(at, np.array([3.0, 2.0, 2.8, 1.0]), 2.5) == Times("reached", pytest.approx(20.0))
    assert first_crossing(at, np.array([3.0, 2.0, 2.8, 1.0]), 0.5) == Times("not reached", 640.0)
    assert first_crossing(at, np.array([3.0, 2.0, 2.8, 1.0]), 3.0) == Times("at most", 10.0)
    assert lowest_before_rise([10, 40, 160], [3.0, 2.0, 2.8]) == 40
    assert math.isnan(lowest_before_rise([10, 40, 160], [3.0, 2.5, 2.5]))
    assert math.isnan(lowest_before_rise([], []))


def test_the_spread_is_of_the_strategy_and_by_seed() -> None:
    curve = [{0: 3.0, 1: 3.2}, {0: 2.0, 1: 2.2}, {0: 1.0, 1: 1.2}]
    found = multiplier([10, 40, 160], curve, 40, {0: 1.5, 1: 1.7, 9: 1.6})
    assert found.times.reach == "reached" and found.times.value == pytest.approx(2.0)
    # mean 1.6 and sd 0.1, of a mean curve of 3.1, 2.1, 1.1
    assert found.worse.value == pytest.approx(4**0.4) and found.better.value == pytest.approx(4**0.6)
    assert {seed: times.value for seed, times in found.by_seed.items()} == {
        0: pytest.approx(2.0), 1: pytest.approx(2.0),
    }  # fmt: skip
    # a seed that one of the points lacks has no curve of its own
    assert 9 not in found.by_seed
    assert words.range_words(found) == "1.7 to 2.3"


@pytest.mark.parametrize(
    ("curve", "own", "losses", "why"),
    [
        ([{0: 1.0, 1: 1.0}, {0: 1.0}], 4.0, {0: 1.0, 1: 1.0}, "1 length of random draws has two finished seeds"),
        ([{0: 1.0, 1: 1.0}] * 2, 4.0, {0: 1.0}, "one seed has finished"),
        ([{0: 1.0, 1: 1.0}] * 2, 4.0, {}, "no run has finished"),
        ([{0: 1.0, 1: 1.0}] * 2, math.nan, {0: 1.0, 1: 1.0}, "what it cost itself is not known"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_has_a_reason(curve: list, own: float, losses: dict, why: str) -> None:
    found = multiplier([2.0, 4.0], curve, own, losses)
    assert found.times.reach == "unknown" and math.isnan(found.times.value) and why in found.reason
    assert words.range_words(found) == words.seeds_words(found) == "-"


def test_the_ladder_is_of_runs_with_schedules_of_their_own() -> None:
    assert rung_settings(settings(epochs=3), 84) == {
        0.25: {"strategy": "random-each-epoch", "max_steps": 21},
        0.5: {"strategy": "random-each-epoch", "max_steps": 42},
        2: {"strategy": "random-each-epoch", "epochs": 6, "max_steps": 0},
        4: {"strategy": "random-each-epoch", "epochs": 12, "max_steps": 0},
    }
    assert list(rung_settings(settings(), 1)) == [2, 4]  # less than one step is none
    made = comparison_start.configurations(settings(), 40, strategies=["iterit"], seeds=[0, 1], ladder=True)
    assert [(one.strategy, one.epochs, one.max_steps) for one in made[:6]] == [
        ("iterit", 2, 0), ("random-each-epoch", 2, 0), ("random-each-epoch", 2, 1), ("random-each-epoch", 2, 2),
        ("random-each-epoch", 4, 0), ("random-each-epoch", 8, 0),
    ]  # fmt: skip
    assert made[4].name == "random-each-epoch 2x steps seed 0" and len(made) == 12
    both = comparison_start.configurations(
        settings(), 40, strategies=["random-each-epoch"], seeds=[0], ladder=True
    )
    assert len(both) == 5  # once is not queued twice
    with pytest.raises(ConfigError, match="no optimizer step"):
        comparison_start.configurations(settings(epochs=0), 40, strategies=["iterit"], seeds=[0], ladder=True)


def test_a_rung_is_told_by_its_steps() -> None:
    names = ["iterit", "random", "full", "random-each-epoch", "random-each-epoch", "random-each-epoch"]
    found = rung_times(names, [84, 84, 825, 84, 21, 90])
    assert found[3:5] == [1.0, 0.25] and all(map(math.isnan, [*found[:3], found[5]]))
    assert rung_times(["random-each-epoch"] * 3, [84, 21, 168]) == [
        1.0,
        0.25,
        2.0,
    ]  # a ladder alone, as it is queued
    assert rung_times([], []) == []


def test_a_plan_says_what_the_ladder_adds(tmp_path: Path) -> None:
    base = settings(pool=("demo",), model="demo")
    configs = comparison_start.configurations(base, 40, strategies=["iterit"], seeds=[0, 1], ladder=True)
    planned = comparison_start.plan(tmp_path, configs, "0" * 16, 40)
    assert (planned.ladder_runs, planned.ladder_steps) == (8, 2 * (1 + 2 + 8 + 16))
    configs = comparison_start.configurations(base, 40, strategies=["iterit", "random-each-epoch"], seeds=[0])
    assert comparison_start.plan(tmp_path, configs, "0" * 16, 40).ladder_runs == 0


FALLING = {1: 3.0, 2: 2.5, 4: 2.0, 8: 1.5, 16: 1.0}


def worth_of(home: Path, ids: list[str]) -> Worth:
    found = worth(analysis.compare(home, ids))
    assert found is not None
    return found


def test_the_ladder_stands_aside_and_measures_the_others(tmp_path: Path) -> None:
    ids = [*two_strategies(tmp_path, gap=0.5), *random_ladder(tmp_path, FALLING)]
    found = analysis.compare(tmp_path, ids)
    assert [arm.label for arm in found.arms] == ["iterit", "random", "random-each-epoch"]
    assert not any("same number of optimizer steps" in remark.text for remark in found.remarks)
    value = worth_of(tmp_path, ids)
    assert [(point.label, point.steps, point.n) for point in value.points] == [
        ("random-each-epoch, 0.25x steps", 1, 3), ("random-each-epoch, 0.5x steps", 2, 3), ("random-each-epoch", 4, 3),
        ("random-each-epoch, 2x steps", 8, 3), ("random-each-epoch, 4x steps", 16, 3),
    ]  # fmt: skip
    iterit, random = value.arms
    # iterit ends at 1.61, 0.11 above 8 steps of the mean curve (2.1, 1.6, 1.1); random at 2.1
    assert iterit.in_steps.times.value == pytest.approx(2 ** (0.49 / 0.5)) and iterit.steps == 4
    assert random.in_steps.times.value == pytest.approx(1.0)
    assert words.headline(value).startswith("iterit ends where fresh random draws need 2.0 times the steps")


def test_lengths_that_another_strategy_has_stay_in_the_tables(tmp_path: Path) -> None:
    ids = [*two_strategies(tmp_path), *random_ladder(tmp_path, {4: 2.0, 8: 1.5})]
    ids += [
        made_run(tmp_path, (3.0, 2.5, 2.0, 1.5, 1.4), epochs=4, strategy="iterit", seed=s) for s in (0, 1)
    ]
    found = analysis.compare(tmp_path, ids)
    assert "random-each-epoch, epochs 4" in {arm.label for arm in found.arms}
    assert [rung.times for rung in found.rungs] == [1.0, 2.0]
    assert len(worth_of(tmp_path, ids).arms) == 3


def test_nothing_but_random_draws_is_no_ladder(tmp_path: Path) -> None:
    found = analysis.compare(tmp_path, random_ladder(tmp_path, FALLING))
    assert len(found.arms) == 5 and worth(found) is None


@pytest.mark.parametrize(
    ("curve", "gap", "said"),
    [
        ({1: 1.0, 2: 1.1, 4: 1.2}, 0.5, "Fresh random draws end as low as iterit with a quarter of the steps or fewer: selecting did not pay"),
        (FALLING, 1.5, "No number of steps up to 4 times lets fresh random draws end as low as iterit"),
        ({1: 2.0, 2: 1.4, 4: 1.2}, 0.5, "Fresh random draws end as low as iterit with 0.44 times the steps: selecting did not pay"),
    ],
)  # fmt: skip
def test_what_is_said(tmp_path: Path, curve: dict[int, float], gap: float, said: str) -> None:
    value = worth_of(tmp_path, [*two_strategies(tmp_path, gap=gap), *random_ladder(tmp_path, curve)])
    assert words.headline(value).startswith(said)
    rises = any("end lowest after 1 step and" in text for text in words.remarks(value))
    assert rises == (curve[4] > curve[1])
    assert any("4 steps of iterit may be too many" in text for text in words.remarks(value)) == rises


def test_scoring_counts_as_compute_whether_it_was_taken_or_not(tmp_path: Path) -> None:
    ids = random_ladder(tmp_path, FALLING)
    for seed, scored in enumerate((300, 500, 400)):
        ids.append(
            made_run(tmp_path, (3.0, 2.4, 1.6 + 0.1 * seed), strategy="iterit", seed=seed, scored=scored)
        )
    (iterit,) = worth_of(tmp_path, ids).arms
    # 50 tokens a step: 4 steps are 600 of compute, and 400 scored make it 1,000; 8 random steps are 1,200
    assert (iterit.trained, iterit.scored) == (200, 400)
    assert iterit.in_steps.times.value == pytest.approx(2 ** (0.4 / 0.5))
    assert iterit.in_compute.times.value == pytest.approx(600 * 2 ** (0.4 / 0.5) / 1000)
    assert "(1.0 times the compute when scoring is counted)" in words.headline(worth_of(tmp_path, ids))


def test_seeds_that_disagree_are_said(tmp_path: Path) -> None:
    ids = random_ladder(tmp_path, {2: 2.5, 4: 2.0, 8: 1.5}, seeds=2)
    ids += [
        made_run(tmp_path, (3.0, 2.4, loss), strategy="iterit", seed=s) for s, loss in ((0, 1.6), (1, 2.3))
    ]
    value = worth_of(tmp_path, ids)
    (iterit,) = value.arms
    assert iterit.in_steps.times.value > 1 and not words.pays(value)
    assert iterit.in_steps.by_seed[0].value > 1 > iterit.in_steps.by_seed[1].value
    assert any("The seeds do not agree" in text for text in words.remarks(value))


def test_scoring_that_nobody_counted_is_not_known(tmp_path: Path) -> None:
    run = made_run(tmp_path, (3.0, 2.0, 1.5), strategy="iterit", scored=300)
    (compared,) = analysis.compare(tmp_path, [run]).runs
    assert compared.scored_tokens == (300.0, "")
    path = store.run_folder(tmp_path, run) / "epochs" / "0" / "meta.json"
    meta = json.loads(path.read_text())
    taken = {"samples": 40, "at": 1.0}
    for more, why in (({"taken": taken}, "taken from kept ones"), ({}, "were not counted")):
        path.write_text(json.dumps({**meta, **more, "scored_tokens": None}))
        compared = analysis.compare(tmp_path, [run]).runs[0]
        tokens, said = compared.scored_tokens
        assert math.isnan(tokens) and why in said
    # what the progress of its stage has counted
    store.set_state(tmp_path, run, "running")
    for done, tokens in ((0, 0), (40, 280)):
        store.heartbeat(tmp_path, run, Progress("score", 0, done, 40, "samples", tokens))
    store.set_state(tmp_path, run, "done")
    assert analysis.compare(tmp_path, [run]).runs[0].scored_tokens == (280.0, "")


def test_other_batches_are_other_steps(tmp_path: Path) -> None:
    ids = random_ladder(tmp_path, FALLING, seeds=2)
    for seed in range(2):
        ids.append(made_run(tmp_path, (3.0, 2.0, 1.5), strategy="iterit", seed=seed, batch_size=4, budget=8))
    (iterit,) = worth_of(tmp_path, ids).arms
    assert iterit.in_steps.reason == iterit.in_compute.reason
    assert "its batches are of 4 samples, those of the random runs of 2" in iterit.in_steps.reason


def test_unfinished_rungs_are_said_and_not_drawn(tmp_path: Path) -> None:
    ids = [*two_strategies(tmp_path), *random_ladder(tmp_path, {2: 2.5, 4: 2.0, 8: 1.5})]
    for seed in range(3):
        ids.append(
            made_run(
                tmp_path, (), picks=(), state="queued", strategy="random-each-epoch", seed=seed, epochs=8
            )
        )
    found = analysis.compare(tmp_path, ids)
    value = worth_of(tmp_path, ids)
    assert [point.counts for point in value.points] == [True, True, True, False]
    assert "Not on the curve yet, for want of two finished seeds: 4x the steps." in words.remarks(value)
    assert sum(arm.label.endswith("4x steps") for arm, _, _ in found.missing()) == 3


def test_random_draws_measured_on_other_samples_do_not_count(tmp_path: Path) -> None:
    ids = [*two_strategies(tmp_path), *random_ladder(tmp_path, {4: 2.0})]
    ids += random_ladder(tmp_path, {8: 1.5}, held_out=labelled(9, name="others"))
    assert [point.n for point in worth_of(tmp_path, ids).points] == [3, 0]


def test_with_samples_kept_aside_by_seed_all_seeds_are_needed(tmp_path: Path) -> None:
    ids = []
    for seed in range(3):
        aside = {"kept_aside": (30 + seed, 36), "seed": seed}
        ids.append(made_run(tmp_path, (3.0, 2.4, 1.6), strategy="iterit", **aside))
        ids.append(made_run(tmp_path, (3.0, 2.4, 2.0), strategy="random-each-epoch", **aside))
        if seed < 2:
            ids.append(
                made_run(tmp_path, (3.0,) * 4 + (1.5,), strategy="random-each-epoch", epochs=4, **aside)
            )
    assert [point.n for point in worth_of(tmp_path, ids).points] == [3, 0]


def said(*words_: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words_])
    assert result.exit_code == 0, result.output
    return result.output


def test_in_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "pump", lambda home, **_: [])
    ids = two_strategies(tmp_path)
    assert "--random-ladder" in said("compare", "show", *ids, "--runs-dir", tmp_path)
    assert (
        json.loads(said("compare", "show", *ids, "--json", "--runs-dir", tmp_path))["compute_multiplier"]
        is None
    )
    ids += random_ladder(tmp_path, FALLING)
    text = said("compare", "show", *ids, "--runs-dir", tmp_path)
    assert "Is selecting worth it?" in text and "--random-ladder" not in text
    markdown = said("compare", "show", *ids, "--markdown", "--runs-dir", tmp_path)
    assert (
        "| iterit | 4 | 1.6100 ± 0.1100 | 2.0 |" in markdown
        and "| random-each-epoch, 4x steps | 16 |" in markdown
    )
    values = json.loads(said("compare", "show", *ids, "--json", "--runs-dir", tmp_path))["compute_multiplier"]
    assert values["strategies"][0]["in_steps"]["times"] == pytest.approx(2 ** (0.49 / 0.5))
    assert len(values["points"]) == 5 and values["headline"].startswith("iterit ends where")
    given = (
        "compare",
        "start",
        "demo",
        "--model",
        "demo",
        "--strategies",
        "iterit",
        "--seeds",
        "0,1",
        "--random-ladder",
    )
    assert "12 runs" in said(*given, "--dry-run", "--runs-dir", tmp_path)
    assert "1,134 of them in the 8 runs of the random ladder" in said(
        *given, "--dry-run", "--runs-dir", tmp_path
    )
