"""The tables of backend.analysis against small pools whose answers are known by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from backend.analysis import epoch_tables, histograms, reasons, run_course, sample_table
from backend.config import SelectionSettings
from backend.errors import ConfigError
from backend.records import EpochRecord, Metrics, Pool, Scores, Selection, Status


def make_pool(n: int = 6, labels: list[str | None] | None = None) -> Pool:
    responses = [f"response {i}\nwith <b>html</b> and ${{payload}}" for i in range(n)]
    return Pool(
        id="0" * 16,
        name="six",
        table=pa.table(
            {
                "id": [f"s{i}-0" for i in range(n)],
                "turns": [[{"role": "user", "content": f"prompt {i}"}] for i in range(n)],
                "response": responses,
                "source": pa.array([["web", "book"][i % 2] for i in range(n)]).dictionary_encode(),
                "file": pa.array(["pool.jsonl"] * n).dictionary_encode(),
                "row": pa.array(range(n), pa.int64()),
                "label": pa.array(labels if labels else [None] * n, pa.string()),
            }
        ),
    )


def make_scores(complexity: list[float], tokens: list[int] | None = None) -> Scores:
    values = np.array(complexity, dtype=np.float32)
    n = len(values)
    reason = np.where(np.isnan(values), "empty response", "").astype(object)
    return Scores(
        loss_cond=values + 1,
        loss_prior=np.ones(n, np.float32),
        complexity=values,
        response_tokens=np.array(tokens if tokens else range(10, 10 + n), dtype=np.int32),
        reason=reason,
    )


def make_selection(rows: list[int], status: list[int]) -> Selection:
    k = len(rows)
    return Selection(
        rows=np.array(rows, dtype=np.int64),
        gain=np.linspace(1.0, 0.5, k),
        diversity=np.linspace(2.0, 1.0, k),
        explain=lambda: (
            np.array([["alpha beta", ""]] * k, dtype=object).reshape(k, 2),
            np.array([[0.25, 0.0]] * k, dtype=np.float32).reshape(k, 2),
        ),
        status=np.array(status, dtype=np.uint8),
    )


COMPLEXITY = [0.5, 0.9, 1.2, float("nan"), 0.7, 0.8]
FIRST = make_selection([1, 5], [2, 0, 4, 5, 2, 0])  # 0, 4 outranked; 2 too complex; 3 unscorable
SECOND = make_selection([4, 1], [3, 0, 3, 5, 0, 2])  # 4 came, 1 stayed, 5 went


def record(epoch: int, selection: Selection, complexity: list[float], rescored: list[int]) -> EpochRecord:
    mask = np.zeros(len(complexity), dtype=bool)
    mask[rescored] = True
    return EpochRecord(
        epoch=epoch,
        scores=make_scores(complexity),
        rescored=mask,
        diversity=np.array([1.0, 2.0, np.nan, np.nan, 3.0, 4.0]),
        selection=selection,
        seconds={"score": 2.0, "select": 0.5},
    )


RECORDS = [
    record(0, FIRST, COMPLEXITY, [0, 1, 2, 3, 4, 5]),
    record(1, SECOND, [0.5, 0.8, 1.2, float("nan"), 0.75, 0.6], [1, 4, 5]),
]


def test_complexity_edges_hold_one_and_leave_room():
    edges = histograms.complexity_edges(np.array([0.6, 0.7, np.nan, 0.95]))
    assert np.isclose(edges, 1.0).any()
    assert edges[0] < 0.6 and edges[-1] > 1.0
    assert np.allclose(np.diff(edges), np.diff(edges)[0])


def test_edges_without_any_value_are_still_an_axis():
    nothing = np.full(4, np.nan)
    assert len(histograms.complexity_edges(nothing)) > 2
    assert len(histograms.diversity_edges(nothing)) > 2
    assert len(histograms.length_edges(np.full(4, -1))) > 2


def test_histogram_counts_every_value_once_or_says_where_it_is():
    edges = np.array([0.0, 0.5, 1.0])
    made = histograms.histogram({"pool": np.array([-1.0, 0.0, 0.49, 0.5, 1.0, 7.0, np.nan])}, edges)
    assert made.table["count"].tolist() == [2, 1]
    outside = made.outside.iloc[0]
    assert (outside.below, outside.above, outside.unknown, outside.total) == (1, 2, 1, 7)
    assert made.table["count"].sum() + outside.below + outside.above + outside.unknown == outside.total
    assert made.outside_text() == "beyond the axis: 3 pool; no value: 1 pool"


def test_complexity_histogram_series():
    made = histograms.complexity_histogram(make_scores(COMPLEXITY), FIRST)
    totals = dict(zip(made.outside["series"], made.outside["total"]))
    assert totals == {"pool": 6, "candidates": 4, "selected": 2}


def test_length_histogram_shares_add_up_and_unknown_lengths_are_said():
    scores = make_scores(COMPLEXITY, [10, 20, 30, -1, 50, 60])
    made = histograms.length_histogram(
        scores, FIRST, {"random": np.array([0, 3])}, edges=np.arange(0, 101, 10.0)
    )
    shares = made.table.groupby("series")["share"].sum()
    assert shares["pool"] == pytest.approx(1) and shares["selected"] == pytest.approx(1)
    assert made.outside.set_index("series").loc["random", "unknown"] == 1


def test_rows_are_sorted_with_unknown_last_in_both_directions():
    pool, scores = make_pool(), make_scores(COMPLEXITY)
    everything = np.arange(6)
    up = sample_table.ordered_rows(pool, scores, FIRST, everything, sort="complexity")
    down = sample_table.ordered_rows(pool, scores, FIRST, everything, sort="complexity", descending=True)
    assert up.tolist() == [0, 4, 5, 1, 2, 3]
    assert down.tolist() == [2, 1, 5, 4, 0, 3]


def test_a_line_has_the_numbers_of_its_row():
    table = sample_table.sample_rows(make_pool(), make_scores(COMPLEXITY), FIRST, FIRST.rows)
    assert table["row"].tolist() == [1, 5]
    assert table["rank"].tolist() == [1, 2]
    assert table["gain"].tolist() == [1.0, 0.5]
    assert table["status"].tolist() == ["selected", "selected"]
    assert "\n" not in table["response"][0] and "<b>html</b>" in table["response"][0]
    assert np.isnan(table["diversity"]).all()  # nobody gave it, so it is not invented
    nothing = np.empty(0, dtype=np.int64)
    assert len(sample_table.sample_rows(make_pool(), make_scores(COMPLEXITY), FIRST, nothing)) == 0


def test_unknown_sort_and_filter_name_the_known():
    with pytest.raises(ConfigError, match="known: rank, gain"):
        sample_table.ordered_rows(make_pool(), make_scores(COMPLEXITY), FIRST, FIRST.rows, sort="beauty")
    with pytest.raises(ConfigError, match="known: all, selected"):
        sample_table.filter_rows(FIRST, "pretty")


@pytest.mark.parametrize(
    ("which", "rows"),
    [
        ("selected", [4, 1]),
        ("added", [4]),
        ("kept", [1]),
        ("dropped", [5]),
        ("candidates", [1, 4, 5]),
        ("unscorable", [3]),
        ("rejected", []),
        ("all", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_filters(which: str, rows: list[int]):
    assert sample_table.filter_rows(SECOND, which, FIRST).tolist() == rows


def test_a_sample_in_full_is_untouched_text():
    text = sample_table.sample_text(make_pool(), 2)
    assert text["response"] == "response 2\nwith <b>html</b> and ${payload}"
    assert text["turns"] == [{"role": "user", "content": "prompt 2"}]
    assert (text["file"], text["file_row"], text["source"]) == ("pool.jsonl", 2, "web")
    with pytest.raises(ConfigError, match="0 to 5"):
        sample_table.sample_text(make_pool(), 6)


def test_why_a_pick_was_picked():
    why = reasons.why(
        make_pool(),
        make_scores(COMPLEXITY),
        FIRST,
        5,
        diversity=RECORDS[0].diversity,
        settings=SelectionSettings(),
    )
    assert why.picked and why.rank == 2 and "pick 2 of 2" in why.headline
    assert why.terms == (("alpha beta", 0.25),)
    facts = {name: value for name, value, _ in why.facts}
    assert (
        facts["complexity"] == "0.800"
        and facts["gain"] == "0.5"
        and facts["diversity when picked"] == "1.000"
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [(0, "outranked|others gained more"), (2, "limit"), (3, "not defined: empty response")],
)
def test_why_others_were_not(row: int, words: str):
    why = reasons.why(make_pool(), make_scores(COMPLEXITY), FIRST, row)
    assert not why.picked and why.rank is None and why.terms == ()
    import re

    assert re.search(words, why.headline)


def test_every_status_has_words():
    for status in Status:
        assert reasons.STATUS_TEXT[status]
        selection = dataclasses.replace(FIRST, status=np.full(6, status, dtype=np.uint8))
        row = 1 if status in (Status.SELECTED, Status.PINNED) else 0
        headline = reasons.why(make_pool(), make_scores(COMPLEXITY), selection, row).headline
        assert headline.startswith(("Selected", "Not selected: ")) and headline.endswith(".")


def test_an_unknown_complexity_is_said_to_be():
    why = reasons.why(make_pool(), Scores.unknown(6), FIRST, 0)
    facts = {name: value for name, value, _ in why.facts}
    assert facts["complexity"] == "unknown" and facts["response length"] == "not measured yet"


def test_membership():
    names = [epoch_tables.MEMBERSHIP[code] for code in epoch_tables.membership(SECOND, FIRST)]
    assert names == ["not a candidate", "kept", "not a candidate", "unscorable", "added", "dropped"]
    first = [epoch_tables.MEMBERSHIP[code] for code in epoch_tables.membership(FIRST)]
    assert first == ["candidate", "kept", "rejected", "unscorable", "candidate", "kept"]


def test_epoch_table():
    metrics = [
        Metrics(step=0, epoch=0.0, held_out=2.0, held_out_epoch=0),
        Metrics(step=4, epoch=1.0, held_out=1.5, held_out_epoch=1),
    ]
    pool = make_pool(labels=["clean", "near", "mismatch", "clean", "dup", "refusal"])
    table = epoch_tables.epoch_table(RECORDS, metrics, pool)
    assert table["kept"].tolist() == [0, 1] and table["added"].tolist() == [2, 1]
    assert table["dropped"].tolist() == [0, 1] and table["distinct"].tolist() == [2, 3]
    assert np.isnan(table["overlap"][0]) and table["overlap"][1] == 0.5
    assert table["mean_complexity"].tolist() == pytest.approx([0.85, 0.775])
    assert table["noise_share"].tolist() == [1.0, 0.5]  # near and refusal; then the clean copy and near
    assert table["held_out_before"].tolist() == [2.0, 1.5]
    assert table["held_out_after"][0] == 1.5 and np.isnan(table["held_out_after"][1])


def test_noise_is_unknown_without_labels():
    assert epoch_tables.epoch_table(RECORDS, [], make_pool())["noise_share"].isna().all()
    assert epoch_tables.label_table(make_pool(), FIRST).empty


def test_label_table():
    pool = make_pool(labels=["clean", "near", "near", None, "clean", "clean"])
    table = epoch_tables.label_table(pool, FIRST).set_index("label")
    assert table["pool"].to_dict() == {"clean": 3, "near": 2, "no label": 1}
    assert table["selected"].to_dict() == {"clean": 1, "near": 1, "no label": 0}


def test_history_of_one_sample():
    table = epoch_tables.history(RECORDS, 5)
    assert table["status"].tolist() == ["selected", "candidate, outranked"]
    assert table["rank"][0] == 2 and np.isnan(table["rank"][1])
    assert table["complexity"].tolist() == pytest.approx([0.8, 0.6])


def test_loss_table_keeps_the_later_of_two_lines_for_one_step():
    metrics = [
        Metrics(step=0, epoch=0.0, held_out=2.0, held_out_epoch=0),
        Metrics(step=1, epoch=0.5, loss=3.0),
        Metrics(step=2, epoch=1.0, loss=2.5),
        Metrics(step=2, epoch=1.0, loss=2.4, learning_rate=1e-4),
    ]
    table = run_course.loss_table(metrics)
    assert table["step"].tolist() == [1, 2] and table["loss"].tolist() == [3.0, 2.4]
    assert np.isnan(table["learning_rate"][0])
    assert run_course.loss_table([]).empty


def test_held_out_change_is_against_the_untouched_model():
    metrics = [
        Metrics(step=4, epoch=1.0, held_out=1.5, held_out_epoch=1),
        Metrics(step=0, epoch=0.0, held_out=2.0, held_out_epoch=0),
    ]
    table = run_course.held_out_table(metrics)
    assert table["epoch"].tolist() == [0, 1] and table["change"].tolist() == [0.0, -0.5]
    assert np.isnan(run_course.held_out_table(metrics[:1])["change"][0])
    assert run_course.held_out_table([]).empty


def test_tokens_per_second_is_unknown_until_two_lines_say_it():
    lines = [Metrics(step=i, epoch=0.1 * i, loss=1.0, tokens=100 * i, seconds=0.5 * i) for i in range(1, 4)]
    assert np.isnan(run_course.tokens_per_second(lines[:1]))
    assert run_course.tokens_per_second(lines) == pytest.approx(200.0)


def test_stage_table():
    table = run_course.stage_table(RECORDS)
    assert table["stage"].tolist() == ["score", "select"] * 2 and table["seconds"].sum() == 5.0
