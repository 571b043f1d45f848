"""Sensitivity studies: what is run, the table against a plain twin, and the commands."""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path

import pytest
from scipy import stats
from typer.testing import CliRunner

from backend import store
from backend.analysis import sensitivity as analysis
from backend.cli.commands import app
from backend.config import RunConfig
from backend.errors import ConfigError, RunError
from backend.jobs import comparison_start, lifecycle, sensitivity_start
from tests.unit.compared import made_run, settings
from tests.unit.studies import made_study

runner = CliRunner()


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is started."""
    monkeypatch.setattr(lifecycle, "pump", lambda home, **_: [])


def said(*words: object, code: int = 0) -> str:
    result = runner.invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


def uneven(one: RunConfig) -> float:
    """A loss that every setting and seed moves, by another amount in each seed."""
    at_random = 7.1 * one.decay + 1.3 * one.update_ratio + one.budget + 3.7 * one.complexity_weight
    return (
        2.0
        + 0.3 * one.decay
        + 0.01 * one.budget
        + 0.02 * math.sin(at_random * (one.seed + 1))
        + 0.05 * one.seed
    )


# ---------------------------------------------------------------- what is run


def test_one_setting_at_a_time_and_the_base_once() -> None:
    study = sensitivity_start.study(settings(), {"decay": [0.5, 0, 0.1], "update_ratio": [1, 3]}, 40)
    assert [(one.name, one.changes) for one in study.variants] == [
        ("base", {}),
        ("update ratio 1", {"update_ratio": 1.0}),
        ("decay 0", {"decay": 0.0}),
        ("decay 0.5", {"decay": 0.5}),
    ]
    assert study.vary == {"update_ratio": (1.0, 3.0), "decay": (0.0, 0.1, 0.5)}
    configs = sensitivity_start.configurations(settings(), study, [0, 3])
    assert [one.name for one in configs[:2]] == ["base seed 0", "update ratio 1 seed 0"]
    assert len(configs) == 8 and len({(c.decay, c.update_ratio, c.seed) for c in configs}) == 8


def test_crossed_every_combination_is_run_once() -> None:
    study = sensitivity_start.study(settings(), {"decay": [0, 0.5], "update_ratio": [1]}, 40, cross=True)
    runs = sensitivity_start.configurations(settings(), study, [0])
    assert {(one.decay, one.update_ratio) for one in runs} == {(d, u) for d in (0, 0.1, 0.5) for u in (1, 3)}
    assert len(runs) == 6 and (runs[0].decay, runs[0].update_ratio, runs[0].name) == (0.1, 3, "base seed 0")


def test_a_share_and_a_number_may_be_the_same_budget() -> None:
    # the base's 4 samples are a tenth of 40
    study = sensitivity_start.study(settings(), {"budget": [0.1, 0.2]}, 40)
    assert study.vary["budget"] == (4.0, 0.2) and len(study.variants) == 2
    with pytest.raises(ConfigError, match=r"0\.2 and 8 are the same 8 samples"):
        sensitivity_start.study(settings(), {"budget": [0.2, 8]}, 40)


@pytest.mark.parametrize(
    ("vary", "words"),
    [
        ({}, "no setting is varied"),
        ({"decay": []}, "no setting is varied"),
        ({"decay": [0.1]}, r"every value is the base's \(decay 0.1\)"),
        ({"decay": [0.5, 0.5]}, "0.5 is named twice"),
        ({"decay": [2]}, "decay is 2; allowed: 0 to 1"),
        ({"update_ratio": [0.5]}, "update_ratio is 0.5; allowed: 1 or more"),
        ({"budget": [0]}, "budget is 0; allowed: above 0"),
        ({"complexity_weight": [math.nan]}, "complexity_weight is nan; allowed: 0 to 10"),
        ({"epochs": [1]}, "epochs cannot be varied; allowed: budget"),
    ],
)
def test_what_cannot_be_varied(vary: dict[str, list[float]], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        sensitivity_start.study(settings(), vary, 40)


def test_what_the_strategy_does_not_use_is_not_varied() -> None:
    with pytest.raises(ConfigError, match="the strategy random does not use decay"):
        sensitivity_start.study(settings(strategy="random"), {"decay": [0.5]}, 40)
    with pytest.raises(ConfigError, match="'best' is not a strategy"):
        sensitivity_start.study(settings(), {"decay": [0.5]}, 40, references=["best"])
    with pytest.raises(ConfigError, match="iterit is the strategy whose settings are varied"):
        sensitivity_start.study(settings(), {"decay": [0.5]}, 40, references=["iterit"])


def test_too_many_runs_says_how_many() -> None:
    vary = {"decay": [i / 20 for i in range(15)], "update_ratio": [1, 2, 3, 4, 5]}
    study = sensitivity_start.study(settings(), vary, 40, cross=True)
    with pytest.raises(ConfigError, match="75 variants with 3 seeds are 225 runs; at most 200"):
        sensitivity_start.configurations(settings(), study, [0, 1, 2])


def test_values_as_people_type_them() -> None:
    assert sensitivity_start.values_of("budget", "2.5 %, 5%;40") == (0.025, 0.05, 40)
    assert sensitivity_start.vary_of(["update-ratio=1,3", "a=2"]) == {"update_ratio": (1, 3), "complexity_weight": (2,)}  # fmt: skip
    for wrong, words in (("decay", "expected SETTING"), ("decay=", "no value"), ("decay=x", "'x' is not a number"),
                         ("seed=1", "'seed' cannot be varied"), ("decay=" + "1," * 21, "at most 20")):  # fmt: skip
        with pytest.raises(ConfigError, match=words):
            sensitivity_start.vary_of([wrong])
    with pytest.raises(ConfigError, match="names decay twice"):
        sensitivity_start.vary_of(["decay=1", "decay=0"])


def test_every_variant_has_a_time_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def estimate(home: Path, one: RunConfig, *_: object) -> object:
        asked.append((one.budget, one.update_ratio))
        return type("Estimate", (), {"seconds": comparison_start.analysis.Figure(one.budget, "measured")})

    monkeypatch.setattr(comparison_start.analysis, "plan_estimate", estimate)
    monkeypatch.setattr(comparison_start.analysis, "preflight", lambda one, rows, home=None: [])
    study = sensitivity_start.study(settings(), {"budget": [8], "update_ratio": [1]}, 40)
    configs = sensitivity_start.configurations(settings(), study, [0, 1])
    assert comparison_start.plan(tmp_path, configs, "pool", 40).seconds == 2 * (4 + 8 + 4)
    assert asked == [(4, 3), (8, 3), (4, 1)]  # the seed changes nothing


# ---------------------------------------------------------------- the table


def plain_row(values: dict[int, float], base: dict[int, float] | None) -> dict[str, float]:
    """A row's figures, written straight from their definitions; without differences where it is the base."""
    found = list(values.values())
    own = {"final": statistics.mean(found), "final_sd": statistics.stdev(found), "n": len(found)}
    if base is None:
        return own
    gaps = [values[seed] - base[seed] for seed in sorted(values) if seed in base]
    interval = stats.t.interval(0.95, len(gaps) - 1, statistics.mean(gaps), stats.sem(gaps))
    return {
        **own,
        "difference": statistics.mean(gaps), "difference_sd": statistics.stdev(gaps), "difference_n": len(gaps),
        "low": interval[0], "high": interval[1], "below": sum(gap < 0 for gap in gaps),
    }  # fmt: skip


def test_the_table_is_that_of_a_plain_twin(tmp_path: Path) -> None:
    vary = {"budget": [8], "decay": [0, 0.5], "complexity_weight": [2]}
    made = made_study(tmp_path, vary, uneven, seeds=(0, 1, 5))
    found = analysis.sensitivity(tmp_path, store.comparison_info(tmp_path, made))
    table = analysis.sensitivity_table(found)
    whole = {"budget": [4, 8], "decay": [0, 0.1, 0.5], "complexity_weight": [1, 2]}
    assert [(row["setting"], row["value"]) for row in table.to_dict("records")] == [
        (name, value) for name, values in whole.items() for value in values
    ]
    base = {seed: uneven(settings(seed=seed)) for seed in (0, 1, 5)}
    for row in table.to_dict("records"):
        own = {seed: uneven(settings(seed=seed, **{row["setting"]: row["value"]})) for seed in base}
        plain = plain_row(own, None if row["base"] else base)
        assert row["base"] == (row["value"] == getattr(settings(), row["setting"]))
        for name in plain:
            assert row[name] == pytest.approx(plain[name], abs=1e-12), (row["setting"], row["value"], name)
        assert row["after_1"] == pytest.approx(plain["final"] + 0.2) and row["after_2"] == row["final"]
        assert (row["seeds"], row["done"], row["missing"]) == (3, 3, "")
        assert (row["steps"], row["tokens"], row["distinct"]) == (4, 200, 6)
        if row["base"]:
            assert math.isnan(row["difference"]) and row["verdict"] == ""
    points = analysis.seed_table(found)
    assert len(points) == 7 * 3
    one = points[(points["setting"] == "decay") & (points["value"] == 0.5) & (points["seed"] == 5)]
    assert one["loss"].iloc[0] == uneven(settings(seed=5, decay=0.5))


def test_the_end_counts_and_not_the_best_epoch(tmp_path: Path) -> None:
    made = made_study(tmp_path, {"decay": [0.5]}, lambda one: 2.0, seeds=(0, 1))
    for seed in (0, 1):  # at its best after epoch 1, at the end worse than the base
        run = made_run(tmp_path, (3.0, 1.0, 2.5 + 0.01 * seed), decay=1.0, seed=seed)
        store.add_to_comparison(tmp_path, made, [run])
    plan = store.comparison_info(tmp_path, made).plan
    store.change_plan(tmp_path, made, {**plan, "vary": {"decay": [0.1, 0.5, 1.0]}})
    table = analysis.sensitivity_table(analysis.sensitivity(tmp_path, store.comparison_info(tmp_path, made)))
    row = table[table["value"] == 1.0].iloc[0]
    assert row["after_1"] == 1.0 and row["final"] == pytest.approx(2.505) and row["verdict"] == "higher"


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    def state(one: RunConfig) -> str:
        return "failed" if one.decay == 0.5 and one.seed == 1 else "queued" if one.decay == 1 else "done"

    made = made_study(tmp_path, {"decay": [0, 0.5, 1]}, uneven, state=state)
    gone = [
        run
        for run in store.comparison_info(tmp_path, made).runs
        if store.read_config(tmp_path, run).decay == 0
    ]
    store.delete_run(tmp_path, gone[0])
    rows = analysis.sensitivity_table(analysis.sensitivity(tmp_path, store.comparison_info(tmp_path, made)))
    missing = dict(zip(rows["value"], rows["missing"]))
    assert missing == {
        0.0: "1 deleted, or taken out of the comparison",
        0.1: "",
        0.5: "1 failed: out of memory",
        1.0: "3 still queued",
    }
    by_value = rows.set_index("value")
    assert by_value.loc[0.5, "n"] == 2 and math.isnan(by_value.loc[1.0, "final"])
    for run in gone[1:]:
        store.delete_run(tmp_path, run)
    found = analysis.sensitivity(tmp_path, store.comparison_info(tmp_path, made))
    assert analysis.sensitivity_table(found)["missing"].iloc[0] == analysis.GONE
    assert "2 of 3 other values cannot be judged yet" in analysis.findings(found)[0][1]


def test_other_strategies_are_lines_and_not_values(tmp_path: Path) -> None:
    made = made_study(tmp_path, {"decay": [0.5]}, uneven, references=["random", "random-each-epoch"])
    found = analysis.sensitivity(tmp_path, store.comparison_info(tmp_path, made))
    assert found.comparison.reference == "iterit"  # and not random, as in other comparisons
    others = analysis.reference_table(found)
    assert set(others["strategy"]) == {"random", "random-each-epoch"} and (others["difference_n"] == 3).all()
    assert len(analysis.sensitivity_table(found)) == 2


def test_two_crossed_settings_make_a_grid(tmp_path: Path) -> None:
    made = made_study(tmp_path, {"decay": [0, 0.5], "update_ratio": [1]}, uneven, seeds=(0, 1), cross=True)
    found = analysis.sensitivity(tmp_path, store.comparison_info(tmp_path, made))
    assert analysis.pairs(found) == [("update_ratio", "decay")]
    grid = analysis.grid_table(found, "update_ratio", "decay")
    assert len(grid) == 6 and grid["base"].sum() == 1
    for cell in grid.to_dict("records"):
        one = [uneven(settings(seed=s, update_ratio=cell["row"], decay=cell["column"])) for s in (0, 1)]
        assert cell["final"] == pytest.approx(statistics.mean(one)) and cell["n"] == 2
    with pytest.raises(RunError, match="were not crossed"):
        analysis.grid_table(found, "budget", "decay")


def test_a_comparison_that_is_no_study_is_refused(tmp_path: Path) -> None:
    made = store.create_comparison(tmp_path, "strategies")
    with pytest.raises(RunError, match="no sensitivity study"):
        analysis.sensitivity(tmp_path, store.comparison_info(tmp_path, made))


def test_findings_say_what_is_shown(tmp_path: Path) -> None:
    def loss(one: RunConfig) -> float:
        return 2.0 + 0.1 * one.seed + {0.0: -0.1, 0.1: 0.0, 0.5: 0.3, 1.0: 0.01 * (one.seed - 1)}[one.decay]

    made = made_study(tmp_path, {"decay": [0, 0.5, 1]}, loss)
    found = analysis.sensitivity(tmp_path, store.comparison_info(tmp_path, made))
    assert analysis.findings(found) == [
        ("decay", "lower than the base (0.1) at 0 (-0.1000); higher at 0.5 (+0.3000); no difference shown at 1. "
                  "Means from 2.0000 to 2.4000.")
    ]  # fmt: skip
    assert (
        analysis.value_words("budget", 0.025) == "2.5 %"
        and analysis.value_words("budget", 36) == "36 samples"
    )


# ---------------------------------------------------------------- commands


def test_a_study_is_queued_and_shown(tmp_path: Path, quiet: None) -> None:
    given = ("sensitivity", "start", "demo", "--model", "demo", "--vary", "decay=0,0.5", "--vary", "budget=0.05",
             "--seeds", "0,1", "--references", "random-each-epoch", "--runs-dir", tmp_path)  # fmt: skip
    text = said(*given, "--dry-run")
    assert "10 runs: 5 variants, one setting at a time, with 2 seeds (0, 1)" in text
    assert "decay: 0, 0.1 (base), 0.5" in text and "budget: 5 %, 10 % (base)" in text
    assert store.comparisons(tmp_path) == []
    said(*given, "--yes")
    info = store.comparisons(tmp_path)[0]
    assert (info.kind, len(info.runs), info.name) == ("sensitivity", 10, "budget, decay on demo")
    assert info.plan["vary"] == {"budget": [0.05, 0.1], "decay": [0.0, 0.1, 0.5]}
    assert "2 still queued" in said("sensitivity", "show", "--runs-dir", tmp_path)
    refused = said(*given[:5], "--vary", "decay=3", "--runs-dir", tmp_path, code=1)
    assert "decay is 3; allowed: 0 to 1" in refused


def test_show_prints_tables_markdown_and_json(tmp_path: Path) -> None:
    assert "no sensitivity study yet in" in said("sensitivity", "show", "--runs-dir", tmp_path, code=1)
    made_study(
        tmp_path, {"decay": [0, 0.5], "update_ratio": [1]}, uneven, seeds=(0, 1), cross=True, name="mine"
    )
    text = said("sensitivity", "show", "mine", "--runs-dir", tmp_path)
    assert "0.1 (base)" in text and "Update ratio and decay, at the end" in text
    markdown = said("sensitivity", "show", "--markdown", "--runs-dir", tmp_path)
    assert "| setting | value | seeds | at the end |" in markdown
    values = json.loads(said("sensitivity", "show", "last", "--json", "--runs-dir", tmp_path))
    assert len(values["values"]) == 5 and len(values["grids"][0]["cells"]) == 6 and values["missing"] == []
