"""Runs side by side: what counts, what is left out, and what may be said about differences."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from backend import analysis, store
from backend.analysis.overlap import by_arm, jaccard
from backend.analysis.paired import paired
from backend.errors import RunError
from backend.records import Metrics
from tests.unit.compared import labelled, made_run, two_strategies


def test_differences_are_taken_seed_by_seed() -> None:
    other = {0: 2.0, 1: 3.0, 2: 4.0, 9: 1.0}
    lower = paired({0: 1.5, 1: 2.49, 2: 3.51}, other)
    assert (lower.n, lower.below, lower.verdict) == (3, 3, "lower")
    assert lower.mean == pytest.approx(-0.5) and lower.high < 0
    # the t-interval of three differences: 4.3027 standard errors
    assert lower.high - lower.mean == pytest.approx(4.302653 * lower.sd / math.sqrt(3), rel=1e-5)


def test_a_difference_within_the_spread_is_called_that() -> None:
    d = paired({0: 1.0, 1: 2.5, 2: 2.9}, {0: 1.1, 1: 2.2, 2: 3.0})
    assert d.verdict == "within the spread"
    assert d.words == "smaller than the spread between seeds: no difference shown"


def test_few_seeds_and_one_seed_say_nothing() -> None:
    assert paired({0: 1.0, 1: 1.0}, {0: 1.2, 1: 1.4}).verdict == "too few seeds"
    one = paired({0: 1.0}, {0: 1.5})
    assert one.words == "one seed: differences cannot be judged"
    assert math.isnan(one.sd) and math.isnan(one.low)
    assert paired({0: 1.0}, {1: 1.0}).verdict == "unknown"
    assert paired({0: 1.0, 1: 2.0}, {0: 1.0, 1: 2.0}).verdict == "same"


def test_overlap_is_that_of_plain_sets() -> None:
    rng = np.random.default_rng(0)
    picks = [rng.choice(60, size, replace=False) for size in (5, 20, 20, 1)]
    found = jaccard(picks, 60)
    for i, a in enumerate(picks):
        for j, b in enumerate(picks):
            assert found[i, j] == pytest.approx(len(set(a) & set(b)) / len(set(a) | set(b)))


def test_overlap_pairs_the_same_seeds_and_different_ones_on_the_diagonal() -> None:
    overlaps = np.array([[1, 0.2, 0.5, 0.1], [0.2, 1, 0.3, 0.7], [0.5, 0.3, 1, 0.4], [0.1, 0.7, 0.4, 1]])
    found = by_arm(overlaps, [0, 0, 1, 1], [0, 1, 0, 1], 3)
    assert found[0, 0] == pytest.approx(0.2) and found[1, 1] == pytest.approx(0.4)
    assert found[0, 1] == found[1, 0] == pytest.approx((0.5 + 0.7) / 2)
    assert np.isnan(found[2]).all()


def test_the_last_epoch_counts_and_not_the_best(tmp_path: Path) -> None:
    ids = two_strategies(tmp_path)
    best_early = made_run(tmp_path, (3.0, 0.1, 2.9), strategy="longest", seed=0)
    found = analysis.compare(tmp_path, [*ids, best_early])
    table = analysis.summary_table(found)
    assert list(table["arm"]) == ["iterit", "random", "longest"]  # by the measured value, whoever wins
    assert table["final"].tolist() == pytest.approx([1.61, 2.1, 2.9])
    assert table.loc[2, "after_1"] == 0.1
    assert found.reference == "random"
    differences = analysis.difference_table(found)
    assert differences.loc[differences["arm"] == "iterit", "verdict"].item() == "lower"
    assert differences.loc[differences["arm"] == "longest", "verdict"].item() == "one seed"


def test_iterit_may_lose(tmp_path: Path) -> None:
    found = analysis.compare(tmp_path, two_strategies(tmp_path, gap=-0.5))
    assert [arm.label for arm in found.arms] == ["random", "iterit"]
    assert analysis.difference_table(found)["verdict"].tolist() == ["higher"]


def test_unfinished_runs_are_missing_and_not_filled_in(tmp_path: Path) -> None:
    ids = two_strategies(tmp_path)
    failed = made_run(tmp_path, (3.0, 2.0), state="failed", strategy="iterit", seed=3)
    queued = made_run(tmp_path, (), picks=(), state="queued", strategy="iterit", seed=4)
    found = analysis.compare(tmp_path, [*ids, failed, queued])
    row = analysis.summary_table(found).set_index("arm").loc["iterit"]
    assert (row["runs"], row["done"], row["n"], row["after_1_n"]) == (5, 3, 3, 4)
    why = {run.id: why for _, run, why in found.missing()}
    assert why == {failed: "failed: out of memory", queued: "still queued"}
    assert "2 of 8 runs are not done" in found.remarks[0].text


def test_other_held_out_samples_are_not_compared(tmp_path: Path) -> None:
    ids = two_strategies(tmp_path)
    other = made_run(
        tmp_path, (3.0, 1.0, 0.5), strategy="longest", seed=0, held_out=labelled(9, name="others")
    )
    found = analysis.compare(tmp_path, [*ids, other])
    longest = next(arm for arm in found.arms if arm.label == "longest")
    assert found.losses(longest) == {}
    assert found.arms[-1] is longest  # what does not count is not ranked
    assert any("measured on other held-out samples" in remark.text for remark in found.remarks)
    assert other not in set(analysis.loss_points(found)["run"])


def test_how_the_held_out_samples_are_read_matters(tmp_path: Path) -> None:
    ids = two_strategies(tmp_path)
    cut = made_run(tmp_path, (3.0, 1.0, 0.5), strategy="longest", seed=0, max_length=64)
    found = analysis.compare(tmp_path, [*ids, cut])
    assert cut in found.measured.left_out


def test_a_share_held_out_is_another_one_for_every_seed(tmp_path: Path) -> None:
    ids = []
    for seed in range(2):
        aside = (30 + seed, 35 + seed)
        ids += [
            made_run(tmp_path, (3.0, 2.0, 2.0 + seed), strategy="random", seed=seed, kept_aside=aside),
            made_run(tmp_path, (3.0, 2.0, 1.5 + seed), strategy="iterit", seed=seed, kept_aside=aside),
        ]
    alone = made_run(tmp_path, (3.0, 2.0, 0.1), strategy="iterit", seed=2, kept_aside=(36, 37))
    found = analysis.compare(tmp_path, [*ids, alone])
    iterit = next(arm for arm in found.arms if arm.label == "iterit")
    assert found.measured.by_seed
    assert found.losses(iterit) == {0: 1.5, 1: 2.5}  # seed 2 has no counterpart on its samples
    assert found.difference(iterit).mean == pytest.approx(-0.5)


def test_what_differs_beside_the_strategy_is_said(tmp_path: Path) -> None:
    ids = two_strategies(tmp_path)
    other = made_run(
        tmp_path, (3.0, 2.0, 1.0), pool=labelled(50, name="larger"), picks=((0, 1, 2),), strategy="longest", model="other"
    )  # fmt: skip
    text = " ".join(remark.text for remark in analysis.compare(tmp_path, [*ids, other]).remarks)
    for part in ("2 different pools", "2 different models", "different numbers of samples"):
        assert part in text


def test_settings_set_arms_apart_and_seeds_do_not(tmp_path: Path) -> None:
    ids = [made_run(tmp_path, (3.0, 2.0, 1.0), strategy="iterit", seed=seed) for seed in range(2)]
    ids.append(made_run(tmp_path, (3.0, 2.0, 1.0), strategy="iterit", decay=0.0))
    ids.append(made_run(tmp_path, (3.0, 2.0, 1.0), strategy="random", threads=2, name="by another name"))
    found = analysis.compare(tmp_path, ids)
    assert {arm.label: len(arm.runs) for arm in found.arms} == {
        "iterit": 2,
        "iterit, decay 0": 1,
        "random": 1,
    }


def test_full_at_equal_steps_is_told_from_full(tmp_path: Path) -> None:
    whole = [range(40)] * 2
    ids = [made_run(tmp_path, (3.0, 2.0, 1.0), strategy="random")]
    ids.append(made_run(tmp_path, (3.0, 2.5), strategy="full", max_steps=2, picks=whole[:1]))
    found = analysis.compare(tmp_path, ids)
    assert {arm.label for arm in found.arms} == {"random", "full, 2 steps"}
    row = analysis.summary_table(found).set_index("arm").loc["full, 2 steps"]
    assert (row["final"], row["steps"], row["distinct"]) == (2.5, 2, 4)
    assert any("same number of optimizer steps" in remark.text for remark in found.remarks)


def test_a_measurement_amid_an_epoch_knows_how_far_it_was(tmp_path: Path) -> None:
    lines = [
        Metrics(0, 0.0, held_out=3.0, held_out_epoch=0),
        Metrics(2, 0.1, loss=1.0, tokens=90),
        Metrics(2, 1.0, held_out=2.5, held_out_epoch=1),  # max_steps ended the first epoch after a tenth
    ]
    found = analysis.measurements(lines)
    assert [(m.epoch, m.tokens, m.whole) for m in found] == [(0.0, 0, 0), (0.1, 90, None)]


def test_a_repeated_run_counts_once(tmp_path: Path) -> None:
    ids = two_strategies(tmp_path, seeds=2)
    again = made_run(tmp_path, (3.0, 2.0), strategy="iterit", seed=0, state="failed")
    found = analysis.compare(tmp_path, [*ids, again])
    iterit = next(arm for arm in found.arms if arm.label == "iterit")
    assert [run.done for run in iterit.runs] == [True, True]
    assert [run.id for run in iterit.repeated] == [again]


def test_what_was_selected(tmp_path: Path) -> None:
    pool = labelled()
    ids = two_strategies(tmp_path, seeds=2)
    ids.append(
        made_run(tmp_path, (3.0, 2.0, 1.9), strategy="longest", picks=((36, 37, 38, 39), (36, 37, 38, 39)))
    )
    found = analysis.compare(tmp_path, ids)
    at = {arm.label: i for i, arm in enumerate(found.arms)}
    first, union = analysis.overlap_table(found, pool, 0), analysis.overlap_table(found, pool, None)
    assert first[at["iterit"], at["random"]] == 1 and first[at["iterit"], at["longest"]] == 0
    assert union[at["iterit"], at["iterit"]] == 1 and math.isnan(union[at["longest"], at["longest"]])
    noise = analysis.noise_table(found, pool, None).set_index("arm")["mean"]
    assert noise["pool"] == 0.25 and noise["longest"] == 0.25
    assert noise["iterit"] == pytest.approx(2 / 8)  # rows 0 and 4 of 0 1 2 3, 2 3 4 5
    lengths = analysis.length_table(found, pool, 0).set_index("arm")
    assert lengths.loc["longest", "median"] == 10 + 37.5 and lengths.loc["pool", "n"] == 40
    sources = analysis.source_table(found, pool, 0)
    assert set(sources["share"]) == {0.5}


def test_what_cannot_be_compared_is_an_error(tmp_path: Path) -> None:
    ids = two_strategies(tmp_path, seeds=1)
    with pytest.raises(RunError, match="choose at least one"):
        analysis.compare(tmp_path, [])
    with pytest.raises(RunError, match="not among the strategies: random; iterit"):
        analysis.compare(tmp_path, ids, reference="full")
    found = analysis.compare(tmp_path, [*ids, "20200101-000000-abcdef"])
    assert "20200101-000000-abcdef" in found.unreadable and "cannot be read" in found.remarks[0].text


def test_only_differences_are_listed(tmp_path: Path) -> None:
    a = made_run(tmp_path, (3.0,), strategy="random", decay=0.5)
    b = made_run(tmp_path, (3.0,), strategy="random", pinned=("x",))
    for run, torch in ((a, "2.13.0"), (b, "2.12.0")):
        store.write_json(store.run_folder(tmp_path, run) / "environment.json", {"python": "3.11", "packages": {"torch": torch}})  # fmt: skip
    found = {item.name: item.values for item in analysis.run_differences(tmp_path, [a, b])}
    assert found == {"decay": ("0.5", "0.1"), "pinned": ("", "x"), "torch": ("2.13.0", "2.12.0")}


def test_runs_are_found_by_words(tmp_path: Path) -> None:
    a = made_run(tmp_path, (3.0,), strategy="random", name="night run")
    b = made_run(tmp_path, (3.0,), strategy="iterit", name="run night")
    store.label_run(tmp_path, b, tags=["Keep", "for later"], notes="the one with the GPU")
    infos = store.runs(tmp_path)

    def ids(*words: str, **more: list[str]) -> set[str]:
        return {info.id for info in analysis.matching_runs(infos, *words, **more)}  # type: ignore[arg-type]

    assert ids("NIGHT") == {a, b} and ids('"night run"') == {a} and ids("gpu iterit") == {b}
    assert ids(tags=["keep"]) == {b} and ids("gpu", tags=["keep", "other"]) == set()
