"""Starting comparisons, keeping them, and the commands for both and for looking after runs."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from backend import config, store
from backend.analysis import Figure
from backend.cli.commands import app
from backend.errors import ConfigError, RunError
from backend.jobs import comparison_start, lifecycle
from tests.unit.compared import labelled, made_run, settings, two_strategies

runner = CliRunner()


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is started."""
    monkeypatch.setattr(lifecycle, "pump", lambda home, **_: [])


def said(*words: str, code: int = 0, **options: object) -> str:
    result = runner.invoke(app, [str(word) for word in words], **options)  # type: ignore[arg-type]
    assert result.exit_code == code, result.output
    return result.output


def test_seed_by_seed_every_strategy_once() -> None:
    made = comparison_start.configurations(
        settings(), 40, strategies=["iterit", "random"], seeds=[0, 3], equal_steps_full=True
    )
    assert [(one.strategy, one.seed, one.max_steps) for one in made] == [
        ("iterit", 0, 0), ("random", 0, 0), ("full", 0, 4), ("iterit", 3, 0), ("random", 3, 0), ("full", 3, 4),
    ]  # fmt: skip
    assert made[2].name == "full 4 steps seed 0"
    assert {one.budget for one in made} == {4}


def test_equal_steps_are_those_of_the_budget_without_what_is_held_out() -> None:
    # a tenth of 100 less the 20 held out are 8 samples: 4 steps of 2, for 2 epochs
    assert comparison_start.equal_steps(settings(budget=0.1, held_out="0.2"), 100) == 8
    with pytest.raises(ConfigError, match="nothing that full could be made equal to"):
        comparison_start.equal_steps(settings(epochs=0), 40)


@pytest.mark.parametrize(
    ("strategies", "seeds", "words"),
    [
        (["best"], [0], "'best'; allowed: iterit"),
        ([], [0], "no strategy"),
        (["iterit"], [], "0 seeds"),
        (["iterit", "iterit"], [0], "iterit is named twice"),
        (["iterit"], [1, 1], "seed 1 is named twice"),
    ],
)
def test_what_cannot_be_started(strategies: list[str], seeds: list[int], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        comparison_start.configurations(settings(), 40, strategies=strategies, seeds=seeds)


def test_seeds_as_people_type_them() -> None:
    assert comparison_start.seeds_of("0-2, 7") == [0, 1, 2, 7]
    for text in ("a", "-1", "3-1", "0-99999"):
        with pytest.raises(ConfigError, match="seeds"):
            comparison_start.seeds_of(text)


def test_a_plan_says_steps_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    estimate = SimpleNamespace(seconds=Figure(10.0, "measured"))
    monkeypatch.setattr(comparison_start.analysis, "plan_estimate", lambda *given: estimate)
    monkeypatch.setattr(comparison_start.analysis, "preflight", lambda one, rows, home=None: [])
    configs = comparison_start.configurations(settings(), 40, strategies=["random", "full"], seeds=[0])
    planned = comparison_start.plan(tmp_path, configs, "pool", 40)
    assert planned.steps == (4, 40) and planned.seconds == 20.0 and planned.source == "measured"


def test_one_unknown_time_makes_the_whole_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = iter([Figure(10.0, "measured"), Figure(float("nan"), "never run")])
    monkeypatch.setattr(
        comparison_start.analysis, "plan_estimate", lambda *given: SimpleNamespace(seconds=next(figures))
    )
    monkeypatch.setattr(comparison_start.analysis, "preflight", lambda one, rows, home=None: [])
    configs = comparison_start.configurations(settings(), 40, strategies=["random", "full"], seeds=[0])
    planned = comparison_start.plan(tmp_path, configs, "pool", 40)
    assert planned.seconds != planned.seconds and planned.source == "never run"


def test_runs_are_queued_under_one_comparison(
    tmp_path: Path, quiet: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison_start.analysis, "preflight", lambda one, rows, home=None: [])
    configs = comparison_start.configurations(settings(), 40, strategies=["iterit", "random"], seeds=[0, 1])
    made = comparison_start.start(tmp_path, "a test", configs, labelled(), who="me")
    info = store.comparison_info(tmp_path, made)
    assert (info.name, info.who, len(info.runs)) == ("a test", "me", 4)
    runs = [store.run_info(tmp_path, run) for run in info.runs]
    assert {run.state for run in runs} == {"queued"}
    queue = sorted(runs, key=lambda run: run.ahead or 0)
    assert [run.name for run in queue] == ["iterit seed 0", "random seed 0", "iterit seed 1", "random seed 1"]
    assert store.read_config(tmp_path, info.runs[0]) == config.config_from(config.to_json(configs[0]))


def test_nothing_is_queued_where_something_is_wrong(
    tmp_path: Path, quiet: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison_start.analysis, "preflight", lambda one, rows, home=None: [])
    configs = comparison_start.configurations(
        settings(held_out="nowhere.json"), 40, strategies=["iterit"], seeds=[0], equal_steps_full=True
    )
    with pytest.raises(Exception, match="nowhere"):
        comparison_start.start(tmp_path, "a test", configs, labelled())
    assert store.runs(tmp_path) == [] and store.comparisons(tmp_path) == []


def test_comparisons_are_kept(tmp_path: Path) -> None:
    ids = two_strategies(tmp_path, seeds=2)
    first = store.create_comparison(tmp_path, " first ", who="me")
    second = store.create_comparison(tmp_path, "second")
    store.add_to_comparison(tmp_path, first, ids)
    store.add_to_comparison(tmp_path, second, ids[:1])  # it moves
    assert store.comparison_info(tmp_path, first).runs == tuple(ids[1:])
    assert {info.name for info in store.comparisons(tmp_path)} == {"first", "second"}
    store.delete_run(tmp_path, ids[1])
    assert store.comparison_info(tmp_path, first).runs == tuple(ids[2:])
    store.restore_run(tmp_path, ids[1])
    store.remove_from_comparison(tmp_path, first, ids[2:3])
    assert store.comparison_info(tmp_path, first).runs == (ids[1], ids[3])
    store.delete_comparison(tmp_path, first)
    assert store.run_info(tmp_path, ids[1]).comparison is None
    for wrong in (lambda: store.comparison_info(tmp_path, first), lambda: store.create_comparison(tmp_path, " "),
                  lambda: store.add_to_comparison(tmp_path, second, ["20200101-000000-abcdef"])):  # fmt: skip
        with pytest.raises(RunError):
            wrong()


def test_a_comparison_remembers_what_it_was_made_for(tmp_path: Path) -> None:
    made = store.create_comparison(tmp_path, "decay", kind="sensitivity", plan={"vary": {"decay": [0, 0.5]}})
    info = store.comparison_info(tmp_path, made)
    assert (info.kind, info.plan) == ("sensitivity", {"vary": {"decay": [0, 0.5]}})
    store.change_plan(tmp_path, made, {"rung": 2})
    assert store.comparison_info(tmp_path, made).plan == {"rung": 2}
    with pytest.raises(RunError, match="not found"):
        store.change_plan(tmp_path, "c20260101-000000-000000", {})


def test_variants_are_repeated_with_every_seed(tmp_path: Path) -> None:
    base = config.config_from({"pool": ("demo",), "model": "demo"}, preset="demo")
    variants = [comparison_start.Variant(f"decay {decay:g}", {"decay": decay}) for decay in (0.0, 0.5)]
    runs = comparison_start.runs_of(base, variants, [3, 4])
    assert [one.name for one in runs] == [
        "decay 0 seed 3",
        "decay 0.5 seed 3",
        "decay 0 seed 4",
        "decay 0.5 seed 4",
    ]
    assert [(one.decay, one.seed) for one in runs] == [(0.0, 3), (0.5, 3), (0.0, 4), (0.5, 4)]
    with pytest.raises(ConfigError, match="decay is 2"):
        comparison_start.runs_of(base, [comparison_start.Variant("too much", {"decay": 2.0})], [0])


def test_compare_in_a_terminal(tmp_path: Path) -> None:
    ids = two_strategies(tmp_path)
    made = said("compare", "add", "mine", *ids, "--new", "--runs-dir", tmp_path).strip()
    assert store.comparison_info(tmp_path, made).runs == tuple(ids)
    assert "mine" in said("compare", "list", "--runs-dir", tmp_path)
    text = said("compare", "show", "last", "--runs-dir", tmp_path)
    assert "lower, by more than the spread between seeds" in text and "Overlap of the selections" in text
    markdown = said("compare", "show", "mine", "--markdown", "--runs-dir", tmp_path)
    assert "| iterit | 3 of 3 | 3.0000 | 2.4000 | 1.6100 ± 0.1100 |" in markdown
    values = json.loads(said("compare", "show", *ids, "--json", "--runs-dir", tmp_path))
    assert values["differences"][0]["verdict"] == "lower" and values["missing"] == []
    assert "comparison 'c9' not found" in said("compare", "show", "c9", "--runs-dir", tmp_path, code=1)
    said("compare", "remove", "mine", "--runs-dir", tmp_path)
    assert store.comparisons(tmp_path) == [] and len(store.runs(tmp_path)) == len(ids)


def test_a_dry_run_starts_nothing(tmp_path: Path, quiet: None) -> None:
    given = ("compare", "start", "demo", "--model", "demo", "--strategies", "iterit,random", "--seeds", "0,1", "--equal-steps-full")  # fmt: skip
    text = said(*given, "--dry-run", "--runs-dir", tmp_path)
    assert "6 runs: 3 strategies (iterit, random, full 84 steps) with 2 seeds (0, 1)" in text
    assert store.runs(tmp_path) == []
    made = said(*given, "--yes", "--runs-dir", tmp_path).splitlines()
    info = store.comparisons(tmp_path)[0]
    assert info.id in made and len(info.runs) == 6


def test_labels_and_differences_in_a_terminal(tmp_path: Path) -> None:
    a, b = two_strategies(tmp_path, seeds=1)
    said("label", a, "--tag", "night", "--tag", "gpu", "--note", "the long one", "--name", "baseline", "--runs-dir", tmp_path)  # fmt: skip
    said("label", a, "--untag", "gpu", "--runs-dir", tmp_path)
    info = store.run_info(tmp_path, a)
    assert (info.name, info.tags, info.notes) == ("baseline", ("night",), "the long one")
    assert "has no tag 'gpu'" in said("label", a, "--untag", "gpu", "--runs-dir", tmp_path, code=1)
    listed = json.loads(said("runs", "--search", "long one", "--json", "--runs-dir", tmp_path))
    assert [run["id"] for run in listed] == [a]
    assert json.loads(said("runs", "--tag", "night", "--json", "--runs-dir", tmp_path))[0]["id"] == a
    found = json.loads(said("diff", a, b, "--json", "--runs-dir", tmp_path))
    assert found["differences"] == [{"kind": "setting", "name": "strategy", "values": ["random", "iterit"]}]


def test_delete_asks_twice_for_what_was_exported(tmp_path: Path) -> None:
    a, b = two_strategies(tmp_path, seeds=1)
    store.note_export(tmp_path, a, 1, rows=4, file="/tmp/picked.jsonl", who="somebody")
    refused = said("delete", a, "--yes", "--runs-dir", tmp_path, code=1)
    assert "the only record" in refused and store.run_info(tmp_path, a)
    assert "add --yes" in said("delete", b, "--runs-dir", tmp_path, code=1)  # nobody to ask
    text = said("delete", a, b, "--yes", "--exported-too", "--runs-dir", tmp_path)
    assert "picked.jsonl" in text and store.runs(tmp_path) == []
    assert "baseline" not in said("runs", "--deleted", "--runs-dir", tmp_path)
    said("restore", a, "--runs-dir", tmp_path)
    assert [info.id for info in store.runs(tmp_path)] == [a]
    said("erase", b, "--yes", "--runs-dir", tmp_path)
    assert store.runs(tmp_path, deleted=True) == []
    assert "0 deleted runs" in said("erase", a, "--yes", "--runs-dir", tmp_path, code=1)


def test_a_queued_run_is_not_deleted(tmp_path: Path) -> None:
    queued = made_run(tmp_path, (), picks=(), state="queued")
    assert "stop it before" in said("delete", queued, "--yes", "--runs-dir", tmp_path, code=1)
