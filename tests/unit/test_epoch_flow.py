"""Bands, quadrants, the hardest and cohorts of a run's epochs, against small runs whose answers are known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from backend.analysis.alluvial import alluvial
from backend.analysis.cohorts import COHORTS, cohort_losses, cohorts
from backend.analysis.hardest import hardest
from backend.analysis.quadrants import QUADRANTS, quadrants
from backend.records import EpochRecord, Scores, Selection, Status

NAN = float("nan")


def record(epoch, complexity, picked, *, rescored=None, held_out=(), losses=None) -> EpochRecord:
    values = np.array(complexity, dtype=np.float32)
    n = len(values)
    status = np.full(n, Status.OUTRANKED, dtype=np.uint8)
    status[list(picked)] = Status.SELECTED
    status[list(held_out)] = Status.HELD_OUT
    loss = values + 1 if losses is None else np.array(losses, dtype=np.float32)
    scores = Scores(loss, np.ones(n, np.float32), values, np.full(n, 9, np.int32), np.full(n, "", object))
    k = len(picked)
    nothing = (np.empty((k, 0), object), np.empty((k, 0), np.float32))
    made = Selection(np.array(picked, np.int64), np.ones(k), np.ones(k), status, lambda: nothing)
    anew = np.ones(n, bool) if rescored is None else np.isin(np.arange(n), rescored)
    return EpochRecord(epoch, scores, anew, np.full(n, NAN), made)


def as_dict(flow):
    return {(band.start, band.kind): band.rows.tolist() for band in flow.bands}


def test_bands_between_all_epochs():
    picks = [[5, 3, 1], [3, 0, 1], [5, 0, 2]]
    flow = alluvial([record(e, [0.5] * 6, rows) for e, rows in enumerate(picks)])
    assert as_dict(flow) == {
        (0, "kept"): [3, 1],
        (0, "new"): [0],
        (0, "dropped"): [5],
        (1, "kept"): [0],
        (1, "new"): [2],
        (1, "back"): [5],
        (1, "dropped"): [3, 1],
    }
    assert [column.gone.tolist() for column in flow.columns] == [[], [5], [1, 3]]
    assert flow.band(1, "away") is None and flow.column(7) is None


def test_what_flows_in_is_what_stands_there():
    rng = np.random.default_rng(0)
    records = [record(e, [0.5] * 60, rng.choice(60, 12, replace=False)) for e in range(6)]
    flow = alluvial(records)
    for before, after in zip(flow.columns, flow.columns[1:]):
        n = {band.kind: len(band.rows) for band in flow.bands if band.start == before.epoch}
        count = {kind: n.get(kind, 0) for kind in ("kept", "new", "back", "dropped", "away")}
        assert count["kept"] + count["new"] + count["back"] == len(after.selected)
        assert count["dropped"] + count["away"] == len(after.gone)
        assert count["kept"] + count["dropped"] == len(before.selected)
        assert count["back"] + count["away"] == len(before.gone)


def test_one_epoch_has_a_column_and_no_band():
    flow = alluvial([record(0, [0.5] * 4, [1, 2])])
    assert len(flow.columns) == 1 and flow.bands == ()


def test_quadrants_are_named_by_one_line_and_the_ceiling():
    then = record(0, [0.9, 0.8, 0.3, 0.2, 0.95, 0.1], [0, 1])
    now = record(1, [0.5, 0.85, 0.7, 0.1, 1.2, 0.1], [1, 2])
    found = quadrants(then, now, ceiling=1.0)
    assert found.line == pytest.approx(0.55)  # the median before epoch 0
    named = {name: found.rows_of(name).tolist() for name in QUADRANTS}
    assert named == {
        "learned": [0],
        "still hard": [1],
        "got harder": [2],
        "rejected": [4],
        "easy both times": [3, 5],
    }
    assert sum(found.counts().values()) == len(found) == 6


def test_exactly_on_a_line_is_hard_and_exactly_at_the_ceiling_is_rejected():
    found = quadrants(record(0, [0.5, 0.5, 0.5], [0]), record(1, [0.5, 0.4, 1.0], [0]), ceiling=1.0)
    assert [QUADRANTS[code] for code in found.code] == ["still hard", "learned", "rejected"]


def test_only_what_was_scored_before_both_epochs_is_compared():
    then = record(1, [0.9, 0.8, 0.7, NAN], [0], rescored=[0, 1, 3])
    now = record(2, [0.9, 0.8, 0.7, 0.5], [0], rescored=[0, 2, 3])
    assert quadrants(then, now, ceiling=1.0).rows.tolist() == [0]


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        (record(0, [0.5, 0.6], [0]), record(0, [0.5, 0.6], [0]), "no earlier epoch"),
        (record(0, [0.5, 0.6], [0]), record(1, [0.5, 0.6], [0], rescored=[]), "scores the pool once"),
        (record(0, [NAN] * 2, [0], rescored=[]), record(1, [NAN] * 2, [0], rescored=[]), "needs no model"),
        (record(1, [0.5, 0.6], [0], rescored=[0]), record(2, [0.5, 0.6], [1], rescored=[1]), "also scored"),
    ],
)
def test_why_nothing_can_be_compared(then, now, words):
    found = quadrants(then, now, ceiling=1.0)
    assert words in found.reason and len(found) == 0 and np.isnan(found.line)
    newest = hardest(then, now, ceiling=1.0)
    assert words in newest.reason and np.isnan(newest.share) and np.isnan(newest.chance)


def test_the_share_of_the_hardest_that_were_not_before():
    then = record(0, [0.9, 0.8, 0.7, 0.6, 0.5, 1.3], [0, 1])
    now = record(1, [0.4, 0.8, 0.9, 0.6, 0.5, 0.99], [0, 1])
    found = hardest(then, now, ceiling=1.0)
    # row 5 was above the ceiling before, so it is not compared; the two hardest were 0 and 1 and are 2 and 1
    assert found.rows.tolist() == [2, 1] and found.new_rows.tolist() == [2]
    assert (found.share, found.compared, found.k) == (0.5, 5, 2)
    assert found.chance == pytest.approx(0.6) and found.whole_pool


def test_ties_among_the_hardest_go_to_the_smaller_row():
    found = hardest(record(0, [0.5] * 5, [0, 1]), record(1, [0.5] * 5, [3, 4]), ceiling=1.0)
    assert found.rows.tolist() == [0, 1] and found.share == 0


def test_too_few_to_have_hardest_is_said():
    then = record(0, [0.9, 0.8, 0.7, 1.4], [0, 1, 2])
    found = hardest(then, record(1, [0.9, 0.8, 0.7, 1.4], [0, 1, 2], rescored=[0, 1, 2]), ceiling=1.0)
    assert np.isnan(found.share) and "only 3 samples" in found.reason and not found.whole_pool


def test_a_part_of_the_pool_is_called_that():
    then, now = record(0, [0.9, 0.8, 0.7, 0.6], [0]), record(1, [0.1, 0.8, 0.7, 0.6], [1], rescored=[0, 1, 2])
    found = hardest(then, now, ceiling=1.0)
    assert not found.whole_pool and found.compared == 3 and found.share == 1.0


def test_cohorts_are_disjoint_and_hold_everything_that_can_be_selected():
    records = [record(e, [0.5] * 8, rows, held_out=[7]) for e, rows in enumerate([[0, 1], [1, 2], [2, 3]])]
    found = {name: rows.tolist() for name, rows in cohorts(records, 2).items()}
    assert found == {
        "kept": [2],
        "added": [3],
        "dropped": [1],
        "gone earlier": [0],
        "never selected": [4, 5, 6],
    }
    first = cohorts(records, 0)
    assert first["kept"].tolist() == [0, 1] and not len(first["added"]) and not len(first["dropped"])
    assert list(first) == list(COHORTS)


def test_losses_compare_the_same_samples_with_themselves():
    records = [
        record(0, [0.5] * 5, [0, 1], losses=[2.0, 1.0, 3.0, 4.0, 8.0]),
        record(1, [0.5] * 5, [0, 2], losses=[1.5, 0.5, 2.0, 4.0, 8.0], rescored=[0, 1, 2]),
    ]
    table = cohort_losses(records, 1).set_index(["cohort", "epoch"])
    kept = table.loc[("kept", 1)]
    assert (kept["members"], kept["scored"], kept["loss"], kept["loss_first"]) == (1, 1, 1.5, 2.0)
    assert table.loc[("added", 1)]["change"] == -1.0 and table.loc[("dropped", 1)]["change"] == -0.5
    never = table.loc[("never selected", 1)]
    assert (never["members"], never["scored"]) == (2, 0) and np.isnan(never["loss"])  # nobody read them again
    assert table.loc[("never selected", 0)]["loss"] == 6.0
    assert "gone earlier" not in table.index.get_level_values(0)
