"""Pilots: the runs that are made, the verdict against a plain twin and by simulation, and the commands."""

from __future__ import annotations

import json
import math
import shlex
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t as student
from typer.testing import CliRunner

from backend import config, store
from backend.analysis.pilot_result import length_words, newest_result, pilot_result, pilots, progress_words
from backend.analysis.pilot_verdict import judge, verdict_words
from backend.cli.commands import app
from backend.config.trial_rules import CONTROL, PILOT_RULE
from backend.errors import ConfigError, RunError
from backend.jobs import lifecycle, pilot
from backend.records import Metrics
from tests.unit.compared import made_run, settings

runner = CliRunner()


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is started."""
    monkeypatch.setattr(lifecycle, "pump", lambda home, **_: [])


def said(*words: object, code: int = 0) -> str:
    result = runner.invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


def run_to_try(**values: object) -> config.RunConfig:
    return settings(**{"budget": 0.5, "held_out": "aside.json", "strategy": "iterit", **values})


# ---------------------------------------------------------------- the runs


def test_the_budget_is_scaled_and_all_else_stays() -> None:
    base = run_to_try(warmup_ratio=0.1, review=True, review_minutes=2.0, max_steps=40)
    made = pilot.pilot_of(base, 80, ["iterit", "random"], share=0.5, seeds=[0, 3])
    assert made.strategies == ("iterit", "random", "random-each-epoch")
    assert [(one.strategy, one.seed, one.name) for one in made.configs[2:4]] == [
        ("random-each-epoch", 0, "pilot random-each-epoch seed 0"),
        ("iterit", 3, "pilot iterit seed 3"),
    ]
    # half of 40 samples; batches of 2, 2 epochs; max_steps is halved, too
    assert {(one.budget, one.max_steps) for one in made.configs} == {(20, 20)} and made.budget == 20
    assert (made.steps, made.whole_steps) == (20, 40) and made.times == 3
    assert not made.configs[0].review and made.base.review
    kept = ("epochs", "learning_rate", "warmup_ratio", "schedule", "batch_size", "update_ratio", "held_out")
    assert all(getattr(one, name) == getattr(base, name) for one in made.configs for name in kept)


@pytest.mark.parametrize(
    ("values", "asked", "words"),
    [
        ({}, {"share": 0.0}, "share is 0; a pilot takes 0.05 to 1"),
        ({}, {"share": math.nan}, "share is nan"),
        ({}, {"share": 0.15}, "6 of the 40 samples of an epoch are 3 optimizer steps; a pilot needs 4 or more"),
        ({"max_steps": 10}, {"share": 0.25}, "a pilot needs 4 or more in each"),
        ({"held_out": "0"}, {}, "nothing to measure on"),
        ({"held_out": "0.001"}, {}, "nothing to measure on"),
        ({"epochs": 0}, {}, "epochs is 0"),
        ({"pinned": tuple(f"{i:032x}-0" for i in range(12))}, {"share": 0.25}, "12 samples are pinned"),
        ({}, {"strategies": ["random"]}, "no strategy is chosen besides the random draws"),
        ({}, {"strategies": ["full"]}, "full trains on the whole pool"),
        ({}, {"strategies": ["best"]}, "'best'; a pilot can try iterit"),
        ({}, {"seeds": [0]}, "needs two or more, and 1 is given"),
        ({}, {"seeds": [2, 2]}, "seed 2 is named twice"),
    ],
)  # fmt: skip
def test_what_no_pilot_is_made_of(values: dict, asked: dict, words: str) -> None:
    given = {"strategies": ["iterit"], "share": 0.5, "seeds": [0, 1], **asked}
    strategies = given.pop("strategies")
    with pytest.raises(ConfigError, match=words):
        pilot.pilot_of(run_to_try(**values), 80, strategies, **given)


# ---------------------------------------------------------------- the verdict


def plain_margin(losses: dict[str, list[float]], by_seed: bool = False) -> float:
    """The twin: written from the definition, strategy by strategy and seed by seed."""
    seeds = len(next(iter(losses.values())))
    squares, degrees = 0.0, 0
    by_of_seed = [sum(values[i] for values in losses.values()) / len(losses) for i in range(seeds)]
    grand = sum(by_of_seed) / seeds
    for values in losses.values():
        mean = sum(values) / seeds
        for i, value in enumerate(values):
            expected = mean + (by_of_seed[i] - grand if by_seed else 0)
            squares += (value - expected) ** 2
        degrees += seeds - 1
    if by_seed:
        degrees -= seeds - 1
    selections = len([name for name in losses if name not in ("random", CONTROL)])
    return (
        float(student.ppf(1 - 0.05 / selections, degrees))
        * math.sqrt(squares / degrees)
        * math.sqrt(2 / seeds)
    )


def judged(losses: dict[str, list[float]], **given: bool):
    values = {name: dict(enumerate(of)) for name, of in losses.items()}
    return judge(values, range(len(next(iter(losses.values())))), **given)


@pytest.mark.parametrize("by_seed", [False, True])
def test_the_margin_is_that_of_the_plain_twin(by_seed: bool) -> None:
    rng = np.random.default_rng(5)
    for seeds in (2, 3):
        names = ["iterit", "diversity", "longest", "random", CONTROL]
        losses = {name: list(rng.normal(2, 0.1, seeds)) for name in names}
        found = judged(losses, by_seed=by_seed)
        assert found.margin == pytest.approx(plain_margin(losses, by_seed), rel=1e-12)


@pytest.mark.parametrize("by_seed", [False, True])
def test_where_nothing_differs_a_winner_is_named_no_more_often_than_stated(by_seed: bool) -> None:
    rng = np.random.default_rng(7)
    names, trials = ["iterit", "diversity", "longest", "random", CONTROL], 1500
    wrong = 0
    for _ in range(trials):
        # with samples of its own each seed has a level of its own, ten times the chance between runs
        seed_level = rng.normal(0, 0.1, 2) if by_seed else np.zeros(2)
        losses = {name: list(2 + seed_level + rng.normal(0, 0.01, 2)) for name in names}
        wrong += judged(losses, by_seed=by_seed).kind == "launch"
    # 5 % and three standard errors of 1,500 trials; and not so seldom that the rule would be useless
    assert 0.01 < wrong / trials < 0.05 + 3 * math.sqrt(0.05 * 0.95 / trials)


def test_strategies_that_are_one_and_the_same_run_count_once() -> None:
    """With one epoch both random draws are the same, and so are the kinds of IterIT."""
    apart = {"iterit": [1.90, 1.93], CONTROL: [2.0, 2.01]}
    twice = {**apart, "iterit-static": apart["iterit"], "random": apart[CONTROL]}
    assert judged(twice).degrees == judged(apart).degrees == 2
    assert judged(twice).spread == judged(apart).spread == pytest.approx(math.sqrt((0.03**2 + 0.01**2) / 4))
    alike = judged({"iterit": [2.0, 2.1], "random": [2.0, 2.1], CONTROL: [2.0, 2.1]}, by_seed=True)
    assert (alike.kind, alike.degrees) == ("nothing", 0) and math.isnan(alike.margin)


def test_a_large_difference_is_nearly_always_seen_with_two_seeds() -> None:
    rng = np.random.default_rng(11)
    right = 0
    for _ in range(300):
        losses = {name: list(rng.normal(2, 0.01, 2)) for name in ("iterit", "diversity", "random", CONTROL)}
        losses["iterit"] = list(rng.normal(1.9, 0.01, 2))
        found = judged(losses)
        right += (found.kind, found.strategy) == ("launch", "iterit")
    assert right / 300 > 0.97


def test_a_seeds_own_samples_do_not_hide_a_difference() -> None:
    """Each seed measured on other samples: what they have in common is no spread between repeats."""
    losses = {"iterit": [1.900, 2.401], "random": [2.003, 2.500], CONTROL: [2.001, 2.502]}
    assert judged(losses).kind == "alike"
    assert judged(losses, by_seed=True).strategy == "iterit"


def test_the_verdict_in_words() -> None:
    won = judged(
        {"iterit": [1.90, 1.91], "diversity": [1.91, 1.90], "random": [2.01, 2.0], CONTROL: [2.0, 2.01]}
    )
    assert (won.kind, won.strategy) == ("launch", "iterit")
    words = verdict_words(won, lambda name: name.upper())
    assert words.startswith("Launch “ITERIT”: it ended 0.1000 below “RANDOM-EACH-EPOCH”, more than the 0.0")
    assert words.endswith("Not told apart from it: “DIVERSITY”.")

    alike = judged({"iterit": [1.99, 2.0], "random": [2.01, 2.0], CONTROL: [2.0, 2.01]})
    assert (alike.kind, alike.strategy) == ("alike", CONTROL)
    assert "needs no scoring, and is as good as what was shown" in verdict_words(alike)

    nothing = judged({"iterit": [2.2, 2.21], "random": [2.01, 2.0], CONTROL: [2.0, 2.01]})
    assert (nothing.kind, nothing.strategy) == ("nothing", CONTROL)
    assert "Nothing beats a fresh random draw here" in verdict_words(nothing)

    # below the new draws, but so is the draw that is kept, and further
    kept = judged({"iterit": [1.8, 1.81], "random": [1.7, 1.71], CONTROL: [2.0, 2.01]})
    assert (kept.kind, kept.strategy) == ("nothing", "random")
    assert "“random”, one draw for all epochs, ended 0.3000 below" in verdict_words(kept)

    open_ = judge({"iterit": {0: 2.0}, CONTROL: {0: 2.0, 1: math.nan}}, [0, 1])
    assert open_.kind == "unfinished" and open_.missing == (("iterit", 1), (CONTROL, 1))
    assert math.isnan(open_.margin) and verdict_words(open_) == "" and open_.rows[0].n == 1


# ---------------------------------------------------------------- from disk


LOSSES = {"iterit": 1.8, "random": 2.0, "random-each-epoch": 1.95}


def made_pilot(
    home: Path,
    *,
    left: int = 0,
    losses: dict[str, float] = LOSSES,
    state: str = "queued",
    aside: bool = False,
) -> str:
    """A pilot whose runs have ended but for the last ones; those are in this state. aside: each seed keeps other samples aside."""
    made = pilot.pilot_of(run_to_try(pool=("a.json",)), 80, ["iterit"], share=0.5, seeds=[0, 1])
    runs = []
    for at, one in enumerate(made.configs):
        open_ = at >= len(made.configs) - left
        loss = losses[one.strategy] + 0.01 * one.seed
        same: dict = {"strategy": one.strategy, "seed": one.seed, "budget": one.budget}
        if aside:
            same["kept_aside"] = (30 + one.seed, 35)
        runs.append(
            made_run(
                home,
                () if open_ else (3.0, 2.5, loss),
                state=state if open_ else "done",
                name=one.name,
                **same,
            )
        )
    plan = {"pool": "p" * 16, "model": "m", "base": config.to_json(made.base), "strategies": list(made.strategies),
            "seeds": [0, 1], "share": 0.5, "budget": made.budget, "steps": made.steps, "whole_steps": made.whole_steps}  # fmt: skip
    found = store.create_comparison(home, "a pilot", kind="pilot", plan=plan)
    store.add_to_comparison(home, found, runs)
    return found


def test_a_finished_pilot(tmp_path: Path) -> None:
    made = made_pilot(tmp_path)
    # what somebody adds to the comparison is no part of the pilot
    other = made_run(tmp_path, (3.0, 2.5, 9.0), strategy="iterit", seed=0, budget=7)
    store.add_to_comparison(tmp_path, made, [other])
    found = pilot_result(tmp_path, store.comparison_info(tmp_path, made))
    assert (found.done, len(found.runs), found.open) == (6, 6, False)
    assert (found.verdict.kind, found.verdict.strategy) == ("launch", "iterit")
    assert [row.strategy for row in found.verdict.rows] == ["iterit", "random-each-epoch", "random"]
    assert found.verdict.rows[0].mean == pytest.approx(1.805)
    assert found.launch("iterit").budget == 0.5
    assert "20 of the run's 40 optimizer steps (50 %)" in length_words(found)


def test_a_pilot_that_is_not_finished(tmp_path: Path) -> None:
    made = made_pilot(tmp_path, left=2)
    found = pilot_result(tmp_path, store.comparison_info(tmp_path, made))
    assert found.open and found.verdict.kind == "unfinished"
    assert progress_words(found) == "4 of 6 runs are done."
    for run in found.runs[:1]:
        store.delete_run(tmp_path, run.id)
    found = pilot_result(tmp_path, store.comparison_info(tmp_path, made))
    assert "No verdict without iterit, seed 0 (its run was deleted)" in progress_words(found)


def test_runs_count_as_they_end_where_each_seed_keeps_other_samples_aside(tmp_path: Path) -> None:
    """Compare lets a seed count once every strategy has finished it; here nothing is compared before all are there."""
    found = pilot_result(tmp_path, store.comparison_info(tmp_path, made_pilot(tmp_path, left=1, aside=True)))
    assert progress_words(found) == "5 of 6 runs are done." and found.verdict.kind == "unfinished"
    found = pilot_result(tmp_path, store.comparison_info(tmp_path, made_pilot(tmp_path, aside=True)))
    assert found.done == 6 and found.verdict.degrees == 2  # (3 strategies - 1) x (2 seeds - 1)


def test_a_run_that_failed_is_named(tmp_path: Path) -> None:
    made = made_pilot(tmp_path, left=1, state="failed")
    found = pilot_result(tmp_path, store.comparison_info(tmp_path, made))
    assert not found.open
    assert "without random-each-epoch, seed 1 (failed: out of memory): resume" in progress_words(found)


def test_the_newest_pilot_of_a_pool_and_a_model(tmp_path: Path) -> None:
    made = made_pilot(tmp_path)
    store.create_comparison(tmp_path, "no pilot")
    assert [info.id for info in pilots(tmp_path)] == [made]
    assert newest_result(tmp_path, pool="p" * 16, model="other") is None
    found = newest_result(tmp_path, pool="p" * 16, model="m")
    assert found is not None and found.info.id == made
    # one whose plan cannot be read is passed over here, and named where somebody asks for it
    broken = store.create_comparison(tmp_path, "broken", kind="pilot", plan={"pool": "p" * 16, "model": "m"})
    found = newest_result(tmp_path, pool="p" * 16, model="m")
    assert found is not None and found.info.id == made
    with pytest.raises(RunError, match="cannot be read"):
        pilot_result(tmp_path, store.comparison_info(tmp_path, broken))


# ---------------------------------------------------------------- in a terminal

SMALL = ("pilot", "start", "demo", "--model", "demo", "--epochs", "1", "--budget", "80", "--share", "0.5")


def test_a_dry_run_says_what_it_would_cost_and_starts_nothing(tmp_path: Path, quiet: None) -> None:
    text = said(*SMALL, "--strategies", "iterit,diversity", "--dry-run", "--runs-dir", tmp_path)
    assert "8 runs: iterit, diversity, random, random-each-epoch with seeds 0, 1" in text
    assert (
        "each trains 5 of the run's 10 optimizer steps, 40 samples an epoch; 40 steps in all, 4.0 times"
        in text
    )
    assert "the demo's held-out rows" in text and store.runs(tmp_path) == []
    text = said(*SMALL, "--dry-run", "--json", "--runs-dir", tmp_path)
    assert "note: With one epoch nothing is selected a second time" in text
    values = json.loads(text[text.index("{\n") :])  # behind what is said on stderr
    assert values["steps_in_all"] == 30 and values["strategies"] == ["iterit", "random", "random-each-epoch"]


def test_what_cannot_be_tried_is_said(tmp_path: Path, quiet: None) -> None:
    for words, told in (
        (("--share", "0"), "share is 0; a pilot takes 0.05 to 1"),
        (("--strategies", "full"), "full trains on the whole pool"),
        (("--seeds", "x"), "'x' is not a seed"),
        (("--held-out", "0"), "nothing to measure on"),
    ):
        assert told in said(*SMALL, *words, "--yes", "--runs-dir", tmp_path, code=1)
    assert store.runs(tmp_path) == []
    assert "no pilot yet in" in said("pilot", "show", "--runs-dir", tmp_path, code=1)


def test_a_pilot_in_a_terminal(tmp_path: Path, quiet: None) -> None:
    said(*SMALL, "--name", "the long one", "--decay", "0.3", "--review", "--yes", "--runs-dir", tmp_path)
    (info,) = store.comparisons(tmp_path)
    assert info.kind == "pilot" and len(info.runs) == 6
    text = said("pilot", "show", "--runs-dir", tmp_path)
    assert "0 of 6 runs are done." in text and "launch" not in text.splitlines()[-1]
    losses = {"iterit": 1.5, "random": 2.0, "random-each-epoch": 2.0}
    for run in info.runs:
        one = store.read_config(tmp_path, run)
        for epoch, loss in enumerate((3.0, losses[one.strategy] + 0.01 * one.seed)):
            store.append_metrics(
                tmp_path, run, Metrics(5 * epoch, epoch, held_out=loss, held_out_epoch=epoch)
            )
        store.set_state(tmp_path, run, "done")
    text = said("pilot", "show", info.id[:12], "--runs-dir", tmp_path)
    assert "Launch “iterit”: it ended 0.5000 below “random-each-epoch”" in text and PILOT_RULE in text
    values = json.loads(said("pilot", "show", "last", "--json", "--runs-dir", tmp_path))
    assert (values["verdict"]["kind"], values["done"], values["run_steps"]) == ("launch", 6, 10)
    # the command launches the run itself, with what it was asked for
    words = shlex.split(values["launch"])
    assert values["launch"] in text and words[:4] == ["python", "-m", "backend", "tune"]
    said(*words[3:], "--detach")
    launched = store.read_config(tmp_path, store.runs(tmp_path)[0].id)
    assert (launched.budget, launched.decay, launched.review, launched.name, launched.strategy) == (
        80, 0.3, True, "the long one", "iterit",
    )  # fmt: skip
    assert "not found" in said("pilot", "show", "other", "--runs-dir", tmp_path, code=1)


def test_the_rule_is_in_the_help() -> None:
    for command in ("start", "show"):
        text = " ".join(said("pilot", command, "--help").split())
        assert "at most 5 in 100 pilots recommend a strategy" in text
