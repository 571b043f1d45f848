"""A column of the data as a factor of the gain: the picks of the plain twin, who is left out, what is said."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from plain_twins import plain_greedy
from small_pools import Case, random_case

from backend import store
from backend.config import RunConfig, SelectionSettings
from backend.errors import ConfigError, RunError
from backend.records import Pool, Status
from backend.selection import column_factor, select_of_pool

STRATEGIES = ("iterit", "iterit-static", "iterit-cumulative", "diversity", "complexity", "superfiltering")


def with_column(pool: Pool, name: str, values: object) -> Pool:
    column = pa.StructArray.from_arrays([pa.array(values)], names=[name])
    bare = pool.table.drop_columns(["own"]) if "own" in pool.table.column_names else pool.table
    return dataclasses.replace(pool, table=bare.append_column("own", column))


def case(seed: int, **settings: object) -> tuple[Case, np.ndarray]:
    """A pool whose column has ties, zeros and gaps."""
    rng = np.random.default_rng(seed)
    made = random_case(seed, **settings)
    values = np.round(rng.choice([0.0, 0.5, 1.0, 3.0, 10.0], len(made.texts)), 1)
    values[rng.random(len(values)) < 0.15] = np.nan
    values[0] = 1.0
    column = [None if np.isnan(value) else float(value) for value in values]
    made.pool = with_column(made.pool, "judge", column)
    return made, values


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_the_plain_search(seed: int, strategy: str) -> None:
    rng = np.random.default_rng(seed)
    w, a, b = rng.choice([0.5, 1.0, 2.0]), rng.choice([0.5, 1.0]), rng.choice([1.0, 2.0])
    made, values = case(
        seed, strategy=strategy, budget=float(rng.integers(4, 50)), decay=float(rng.choice([0.0, 0.1, 1.0])),
        complexity_weight=float(a), diversity_weight=float(b), factor_column="judge", factor_weight=float(w),
        source_weights={"b": 2.0}, pinned=("s3",),
    )  # fmt: skip
    found = made.selection()
    complexity = made.scores.complexity.astype(np.float64)
    by_complexity = strategy not in ("diversity",)
    fits = ~np.isnan(values) & ((complexity < 1) if by_complexity else True)
    fits[3] = True
    rows = np.flatnonzero(fits)
    weight = np.where(made.pool.source_codes == 1, 2.0, 1.0) * values**w
    greedy = strategy in ("iterit", "iterit-static", "iterit-cumulative")
    if strategy in ("complexity", "superfiltering"):
        gain = np.nan_to_num(complexity * weight, nan=-1)
        expected = [3, *[r for r in sorted(rows.tolist(), key=lambda r: (-gain[r], r)) if r != 3]]
        assert found.rows.tolist() == expected[: int(made.settings.budget)]
        return
    factor = np.nan_to_num(complexity**a * weight if greedy else weight)
    picks, gains, _ = plain_greedy(
        [made.texts[row] for row in rows],
        factor[rows],
        np.nan_to_num(complexity, nan=-1)[rows] if greedy else np.zeros(len(rows)),
        power=float(b) if greedy else 1.0,
        decay=made.settings.decay,
        budget=int(made.settings.budget),
        first=(int(np.searchsorted(rows, 3)),),
    )
    assert found.rows.tolist() == rows[picks].tolist()
    np.testing.assert_allclose(found.gain[1:], gains[1:], rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_off_it_changes_nothing(seed: int) -> None:
    made, _ = case(seed, budget=20.0)
    plain = made.selection()
    for off in ({"factor_column": "judge", "factor_weight": 0.0}, {"factor_weight": 3.0}):
        other = made.selection(SelectionSettings(budget=20.0, **off))  # type: ignore[arg-type]
        assert other.rows.tolist() == plain.rows.tolist()
        assert other.gain.tobytes() == plain.gain.tobytes() and (other.status == plain.status).all()
    draw = {"strategy": "random", "budget": 20.0}
    read = made.selection(SelectionSettings(**draw, factor_column="judge"))  # type: ignore[arg-type]
    assert read.rows.tolist() == made.selection(SelectionSettings(**draw)).rows.tolist()  # type: ignore[arg-type]


def test_only_ratios_of_the_values_matter() -> None:
    made, values = case(4, budget=25.0, factor_column="judge", factor_weight=2.0)
    first = made.selection().rows.tolist()
    made.pool = with_column(made.pool, "judge", [None if np.isnan(v) else float(v) * 100 for v in values])
    made.cache = type(made.cache)()
    assert made.selection().rows.tolist() == first


def test_samples_without_a_value_are_left_out_with_that_reason() -> None:
    made, values = case(1, budget=10.0, factor_column="judge")
    found = made.selection()
    missing = np.flatnonzero(np.isnan(values))
    assert len(missing) and (found.status[missing] == Status.NO_VALUE).all()
    told = made.why(int(missing[0]))
    assert "no value in column judge" in told.headline
    assert ("judge", "no value") in [fact[:2] for fact in told.facts]
    pick = made.why(int(found.rows[0]))
    facts = {name: (value, hint) for name, value, hint in pick.facts}
    assert facts["judge"][0] == f"{values[found.rows[0]]:.6g}" and facts["gain"][1].endswith("x judge^1")
    out = next(row for row in np.flatnonzero(found.status == Status.OUTRANKED))
    assert "gain" in made.why(int(out)).headline


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1.0, -2.0, 3.0], r"judge is -2 in row 1 of f; a factor of the gain must be a number of 0 or more"),
        ([-1.0, -2.0, 3.0], "and 1 more"),
        ([1.0, float("inf"), 3.0], "judge is inf in row 1"),
        (["good", "bad", "1"], "judge holds text .'good' in row 0 of f."),
    ],
)
def test_values_that_can_be_no_factor_are_refused_with_their_row(values: list, words: str) -> None:
    made = Case(["one word", "two words", "three"], [0.5, 0.6, 0.7], budget=2.0, factor_column="judge")
    made.pool = with_column(made.pool, "judge", values)
    with pytest.raises(ConfigError, match=words):
        made.selection()
    made.pool = with_column(made.pool, "other", [1.0, 2.0, 3.0])
    with pytest.raises(ConfigError, match=r"no column 'judge' in this pool .columns with numbers: other"):
        column_factor(made.pool, made.settings)


def test_a_large_budget_searches_copies_together_to_the_same_picks() -> None:
    made, _ = case(6, budget=50.0, factor_column="judge", decay=0.1)
    both = [
        select_of_pool(made.pool, made.counts, made.scores, made.settings, budget=budget).rows.tolist()
        for budget in (8, 50)  # of few candidates each is looked at by itself, of many copies are together
    ]
    assert both[1][:8] == both[0]


def test_a_run_goes_on_only_with_the_values_it_was_started_with(tmp_path: Path) -> None:
    made, _ = case(2)
    pool = made.pool
    store.save_pool(tmp_path, pool)
    config = RunConfig(model="demo", factor_column="judge")
    run = store.create_run(tmp_path, config, store.pool_info(tmp_path, pool.id))
    store.check_column(tmp_path, run)
    store.save_pool(tmp_path, with_column(pool, "other", [1.0] * len(pool)))  # another column is no harm
    store.check_column(tmp_path, run)
    store.save_pool(tmp_path, with_column(pool, "judge", [1.0] * len(pool)))
    with pytest.raises(RunError, match="the values in column judge are others"):
        store.check_column(tmp_path, run)
