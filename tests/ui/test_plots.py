"""Figures hold what the tables say, as plain JSON, with colours by name."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from backend import analysis
from iterit_ui import plots


@pytest.fixture
def histogram():
    values = {"pool": np.array([0.1, 0.5, 0.55, 1.2, np.nan, 9.0]), "selected": np.array([0.5])}
    return analysis.histogram(values, np.array([0.0, 0.5, 1.0, 1.5]))


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
        plots.loss(analysis.loss_table([]), analysis.held_out_table([]), epochs=3),
        plots.learning_rate(analysis.loss_table([]), epochs=3),
        plots.flow(pd.DataFrame()),
        plots.then_and_now(pd.DataFrame(), np.linspace(0, 1, 5), epoch=1, earlier=0),
        plots.labels(pd.DataFrame()),
    ):
        assert figure["empty"] and figure["title"] and not figure["data"]


def test_loss_keeps_the_held_out_before_training_and_the_whole_axis():
    table = pd.DataFrame({"epoch": [0.5, 1.0], "loss": [2.0, np.nan]})
    held_out = pd.DataFrame({"epoch": [0.0, 1.0], "held_out": [2.1, 1.9]})
    figure = plots.loss(table, held_out, epochs=3)
    assert figure["data"][0]["y"] == [2, None]  # JSON has no NaN
    assert figure["data"][1]["x"] == [0, 1] and figure["data"][1]["text"] == ["2.100", "1.900"]
    assert figure["layout"]["xaxis"]["range"][1] > 3
    json.dumps(figure, allow_nan=False)


def test_flow_stacks_kept_and_added_and_hangs_dropped_below():
    table = pd.DataFrame(
        {"epoch": [0, 1], "selected": [10, 10], "kept": [0, 7], "added": [10, 3], "dropped": [0, 3]}
    )
    kept, added, dropped = plots.flow(table, epoch=1)["data"]
    assert kept["y"] == [10, 7] and added["y"] == [0, 3] and dropped["y"] == [0, -3]
    assert kept["marker"]["opacity"] == [0.5, 1.0]


def test_then_and_now_counts_every_sample_or_says_so():
    table = pd.DataFrame({"before": [0.1, 0.1, 0.9, 5.0], "now": [0.1, 0.3, 0.8, 0.2]})
    edges = np.array([0.0, 0.5, 1.0])
    figure = plots.then_and_now(table, edges, epoch=2, earlier=0)
    cells = [value or 0 for row in figure["data"][0]["z"] for value in row]
    assert sum(cells) == 3
    assert "Beyond the axes: 1" in figure["note"]
    assert "fell for 50 %" in figure["note"]  # two of four: 0.9 to 0.8 and 5 to 0.2


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
