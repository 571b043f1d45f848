"""Figures hold what the tables say, as plain JSON, with colours by name."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from backend import analysis
from backend.analysis.hardest import Hardest
from backend.analysis.quadrants import Quadrants
from backend.records import Metrics
from iterit_ui import plots


@pytest.fixture
def histogram():
    values = {"pool": np.array([0.1, 0.5, 0.55, 1.2, np.nan, 9.0]), "selected": np.array([0.5])}
    return analysis.histogram(values, np.array([0.0, 0.5, 1.0, 1.5]))


def curve(budgets: list[int], present: int | None = None, gain: float = 2.0) -> pd.DataFrame:
    """A frontier on which each sample covers another percent of the vocabulary."""
    return pd.DataFrame(
        {
            "budget": budgets,
            "gain": [gain / b for b in budgets],
            "covered": [b / 100 for b in budgets],
            "present": np.array([b == present for b in budgets], dtype=bool),
        }
    )


def test_a_distribution_has_a_bar_per_bin_and_its_totals(histogram):
    figure = plots.distribution(histogram, title="How hard?", x_title="complexity", ceiling=1.0)
    bars = {trace["name"]: trace["y"] for trace in figure["data"]}
    assert bars == {"pool": [1, 2, 1], "selected": [0, 1, 0]}
    assert [item["value"] for item in figure["legend"]] == ["6", "1"]
    assert figure["layout"]["xaxis"]["range"] == [0.0, 1.5]
    assert figure["layout"]["shapes"][0]["x0"] == 1.0
    assert figure["note"] == "Beyond the axis: 1 pool; no value: 1 pool."


def test_the_selected_lie_in_front_of_the_pool(histogram):
    figure = plots.distribution(histogram, title="", x_title="")
    assert [trace["name"] for trace in figure["data"]] == ["pool", "selected"]
    assert figure["layout"]["barmode"] == "overlay"


def test_colours_are_names_of_variables(histogram):
    figure = plots.distribution(histogram, title="", x_title="", ceiling=1.0)
    colours = [trace["marker"]["color"] for trace in figure["data"]]
    assert all(colour.startswith("--") for colour in colours)
    assert "#" not in json.dumps(figure)


def test_lengths_are_shares_of_each_group(histogram):
    figure = plots.lengths(histogram)
    assert figure["data"][0]["y"] == [20.0, 40.0, 20.0]  # of the five with a value
    assert figure["data"][1]["y"] == [0, 100, 0]


def test_nothing_to_show_says_what_would_fill_it():
    nothing = analysis.histogram({"pool": np.full(3, np.nan)}, np.array([0.0, 1.0]))
    for figure in (
        plots.distribution(nothing, title="How hard?", x_title=""),
        plots.lengths(nothing),
        plots.course(analysis.loss_table([]), analysis.held_out_points([]), epochs=3),
        plots.hardest([], [], epoch=0),
        plots.cohort_losses(pd.DataFrame(columns=["cohort", "epoch", "loss"]), epoch=0),
        plots.labels(pd.DataFrame()),
        plots.density(np.full(3, np.nan), np.ones(3), np.arange(3), np.arange(1)),
        plots.frontier(curve([]), budget=1, n=3),
    ):
        assert figure["empty"] and figure["title"] and not figure["data"]


def test_a_runs_course_keeps_gaps_and_says_what_is_missing():
    lines = [
        Metrics(1, 0.5, loss=2.0, learning_rate=1e-4),
        Metrics(2, 1.0, loss=float("nan"), learning_rate=5e-5),
    ]
    measured = [
        Metrics(0, 0.0, held_out=2.1, held_out_epoch=0),
        Metrics(1, 0.5, held_out=2.0),
        Metrics(2, 1.0, held_out=1.9, held_out_epoch=1),
    ]
    figure = plots.course(
        analysis.loss_table([*lines, *measured]), analysis.held_out_points([*lines, *measured]), epochs=3
    )
    loss, held_out = figure["data"][:2]
    assert loss["y"] == [2, None]  # JSON has no NaN
    assert "1 steps had a non-finite loss" in figure["note"]
    assert held_out["x"] == [0, 0.5, 1] and held_out["text"] == ["2.100", "", "1.900"]
    assert any("gradient norm: not reported" in one["text"] for one in figure["layout"]["annotations"])
    # what is drawn while the first line is not there yet must not say how high the axis is for good
    assert figure["layout"]["yaxis4"]["range"] == pytest.approx([0, 1.1e-4])
    assert len(figure["layout"]["shapes"]) == 4 and figure["layout"]["xaxis"]["range"][1] > 3
    json.dumps(figure, allow_nan=False)


def two_scorings(before, after, *, line):
    before, after = np.array(before), np.array(after)
    code = np.where(
        after >= 1, 3, np.where(before >= line, np.where(after >= line, 1, 0), np.where(after >= line, 2, 4))
    )
    rows = np.arange(len(before))
    return Quadrants(0, 2, 1.0, line, rows, before, after, code.astype(np.uint8))


def test_then_and_now_draws_every_sample_or_says_so():
    found = two_scorings([0.1, 0.1, 0.9, 5.0], [0.1, 0.3, 0.8, 0.2], line=0.5)
    figure = plots.then_and_now(found, (0.0, 1.2))
    assert sum(len(trace["x"]) for trace in figure["data"]) == 3 and "Beyond the axes: 1" in figure["note"]
    assert figure["data"][1]["name"] == "still hard" and figure["data"][1]["customdata"] == [2]


def test_many_samples_become_cells_none_of_which_lies_in_two_quadrants():
    rng = np.random.default_rng(0)
    before, after = rng.uniform(0, 1.1, (2, 5000))
    found = two_scorings(before, after, line=0.47)
    cells = plots.then_and_now(found, (0.0, 1.1))["data"][0]
    assert cells["type"] == "heatmap"
    counted = dict.fromkeys(found.counts(), 0)
    for line, words in zip(cells["text"], cells["customdata"]):
        for count, custom in zip(line, words):
            if custom is not None:
                counted[custom[0].partition(":")[2]] += int(count.replace(",", ""))
    assert counted == found.counts()


def test_hardest_says_what_chance_would_give_and_what_is_missing():
    known = Hardest(0, 1, 100, 20, np.arange(20), np.arange(20) < 7, 0.35, 0.8, False)
    missing = Hardest(1, 2, 10, 20, np.empty(0, int), np.empty(0, bool), np.nan, np.nan, False, "too few")
    figure = plots.hardest([known, missing], [known, missing], epoch=1)
    bars, chance = figure["data"][:2]
    assert (
        bars["text"] == ["35 %"]
        and bars["customdata"] == [["hardest:1:0", "7 of 20"]]
        and chance["y"] == [80]
    )
    assert "Epoch 2: too few" in figure["note"]
    assert figure["layout"]["annotations"][0]["text"] == "the paper: 55 %"
    json.dumps(figure, allow_nan=False)


def test_labels_are_in_the_tables_order_from_the_top():
    table = pd.DataFrame(
        {
            "label": ["clean", "near"],
            "pool": [3, 1],
            "selected": [1, 1],
            "share_pool": [0.75, 0.25],
            "share_selected": [0.5, 0.5],
        }
    )
    figure = plots.labels(table)
    assert figure["data"][0]["y"] == ["near", "clean"]  # Plotly draws the first at the bottom
    assert figure["data"][1]["x"] == [50, 50]


def test_bars_say_their_edges_exactly_for_a_brush(histogram):
    figure = plots.distribution(histogram, title="", x_title="", brushable=True, brush=(0.5, None))
    assert [bar[-2:] for bar in figure["data"][0]["customdata"]] == [[0.0, 0.5], [0.5, 1.0], [1.0, 1.5]]
    assert figure["brushable"] and figure["brush"] == {"low": 0.5, "high": None}
    assert plots.lengths(histogram)["brush"] is None and not plots.lengths(histogram)["brushable"]


def test_what_passes_the_filter_is_an_outline_over_the_bars():
    edges = np.array([0.0, 1.0, 2.0])
    made = analysis.histogram({"pool": np.array([0.5, 0.6, 1.5]), "filtered": np.array([0.5])}, edges)
    for figure, heights in (
        (plots.distribution(made, title="", x_title=""), [0, 1, 0, 0]),
        (plots.lengths(made), [0, 100, 0, 0]),
    ):
        outline = figure["data"][-1]
        assert outline["x"] == [0, 0, 1, 2] and outline["y"] == heights and outline["line"]["shape"] == "hv"
        assert outline["hoverinfo"] == "skip"  # the bars beneath keep their words and clicks
        assert figure["legend"][-1]["label"] == "filtered" and figure["legend"][-1]["line"]


def test_baselines_differ_in_more_than_colour():
    series = {name: np.array([1.0]) for name in ("pool", "selected", "random", "longest", "superfiltering")}
    figure = plots.lengths(analysis.histogram(series, np.array([0.0, 2.0])))
    lines = [trace["line"] for trace in figure["data"] if trace["type"] == "scatter"]
    assert len({line["dash"] for line in lines}) == len({line["color"] for line in lines}) == 3


def test_density_counts_the_candidates_in_cells_that_say_their_ranges():
    rng = np.random.default_rng(0)
    complexity, diversity = rng.uniform(0.2, 1, 500), rng.uniform(1, 20, 500)
    complexity[7] = np.nan
    candidates, selected = np.arange(400), np.arange(0, 400, 10)
    figure = plots.density(complexity, diversity, candidates, selected)
    cells, points = figure["data"]
    total = picked = 0
    for line in cells["customdata"]:
        for cell in line:
            if cell is None:
                continue
            x0, x1, y0, y1, words = cell
            inside = (complexity >= x0) & (complexity < x1) & (diversity >= y0) & (diversity < y1)
            count, taken = inside[candidates].sum(), inside[selected].sum()
            assert words == f"{count:,} candidates, {taken:,} selected"
            total, picked = total + count, picked + taken
    assert total == 399 and picked == 40
    heights = [value for row in cells["z"] for value in row if value is not None]
    assert sum(height**2 for height in heights) == pytest.approx(399)
    assert len(points["x"]) == 40 and points["hoverinfo"] == "skip"
    json.dumps(figure, allow_nan=False)
    assert "#" not in json.dumps(figure)


def test_density_thins_many_selected_and_says_so():
    rng = np.random.default_rng(0)
    rows = np.arange(9000)
    figure = plots.density(rng.uniform(0.2, 1, 9000), rng.uniform(1, 20, 9000), rows, rows)
    assert len(figure["data"][1]["x"]) == 1500
    assert "Every 6th of 9,000 selected is drawn" in figure["note"]
    assert figure["legend"][-1]["value"] == "9,000"


def test_frontier_marks_the_present_budget_and_says_what_doubling_it_brings():
    figure = plots.frontier(curve([1, 5, 20, 80], present=20), budget=20, n=400)
    assert figure["note"] == "5 % of the pool covers 20 % of the vocabulary; doubling it would reach 40 %."
    covered, gain, now = figure["data"]
    assert covered["y"] == [1, 5, 20, 80] and gain["y"] == [2, 0.4, 0.1, 0.025]
    assert now["x"] == [20] and now["y"] == [20]
    layout = figure["layout"]
    assert layout["shapes"][0]["x0"] == 20 and "20 samples: 20 %" in layout["annotations"][0]["text"]
    # two panels over one axis
    assert gain["yaxis"] == "y2" and layout["yaxis"]["domain"][0] > layout["yaxis2"]["domain"][1]


def test_frontier_without_gain_or_with_every_candidate_taken():
    table = curve([1, 10, 50], present=50, gain=np.nan)
    figure = plots.frontier(table, budget=70, n=100)
    assert "doubling" not in figure["note"] and "does not rank samples by gain" in figure["note"]
    assert "yaxis2" not in figure["layout"] and figure["layout"]["yaxis"]["domain"] == [0, 1]
    json.dumps(figure, allow_nan=False)
