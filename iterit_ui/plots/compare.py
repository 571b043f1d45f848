"""Strategies side by side: losses with every seed, differences, overlap, lengths, and what was picked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from iterit_ui.plots.common import MUTED, SERIES_COLOUR, Figure, empty, numbers
from iterit_ui.theme import LINE, SELECTED, SERIES, SOURCES

Over = Literal["epoch", "step", "tokens"]

STRATEGY_COLOUR = {
    **SERIES_COLOUR,
    "iterit": SELECTED,
    "iterit-static": SOURCES[2],
    "complexity": SOURCES[5],
    "diversity": SERIES[4],
    "random-each-epoch": SOURCES[6],
    "full": MUTED,
}
OVER = {"epoch": "epochs trained", "step": "optimizer steps", "tokens": "tokens trained"}
OVER_WORDS = {"epoch": "epochs", "step": "steps", "tokens": "tokens"}
DASHES = ("solid", "dash", "dot", "dashdot")


def looks(arms: Sequence[tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """(colour, dash) of each arm's label: a strategy keeps its colour, and its further arms are dashed.

    arms : (label, strategy), in any order.
    """
    found: dict[str, tuple[str, str]] = {}
    for label, strategy in sorted(arms):
        nth = sum(STRATEGY_COLOUR[strategy] == colour for colour, _ in found.values())
        found[label] = (STRATEGY_COLOUR[strategy], DASHES[nth % len(DASHES)])
    return found


def final_losses(
    summary: pd.DataFrame,
    points: pd.DataFrame,
    arms: Sequence[tuple[str, str]],
    *,
    reference: str,
) -> Figure:
    """The loss after the last epoch, a row per strategy: every seed as a dot, mean and sample standard deviation.

    summary, points : as `summary_table` and `loss_points` give them. The dashed line
    is the reference's mean.
    """
    title = "Which selection ends lowest?"
    known = summary.dropna(subset=["final"])
    if known.empty:
        return empty(
            "No run has finished with a held-out loss yet. It appears here when the first one has.", title
        )
    look = looks(arms)
    order = list(known["arm"])[::-1]
    done = points[points["done"]]
    ends = done.sort_values("step").groupby(["arm", "run"], sort=False).tail(1)
    data: list[Figure] = []
    for row in known.to_dict("records"):
        arm, colour = row["arm"], look[row["arm"]][0]
        seeds = ends[ends["arm"] == arm]
        spread = float(row["final_sd"]) if np.isfinite(row["final_sd"]) else None
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": arm,
                "x": numbers(seeds["loss"]),
                "y": [arm] * len(seeds),
                "customdata": [[f"{seed}"] for seed in seeds["seed"]],
                "marker": {"size": 9, "color": colour, "opacity": 0.45},
                "hovertemplate": "%{y}<br>seed %{customdata[0]}: %{x:.4f}<extra></extra>",
            }
        )
        mean: Figure = {
            "type": "scatter",
            "mode": "markers",
            "name": arm,
            "x": numbers([row["final"]]),
            "y": [arm],
            "customdata": [[f"{spread:.4f}" if spread is not None else "unknown", int(row["n"])]],
            "marker": {"size": 15, "symbol": "line-ns", "line": {"width": 3, "color": colour}},
            "hovertemplate": "%{y}<br>mean %{x:.4f}, sd %{customdata[0]}, %{customdata[1]} seed(s)<extra></extra>",
        }
        if spread is not None:
            mean["error_x"] = {
                "type": "data", "array": [spread], "color": colour, "thickness": 2, "width": 5,
            }  # fmt: skip
        data.append(mean)
    one = bool((known["n"] == 1).all())
    note = "Loss after the last epoch of each run, lowest on top. " + (
        "One seed each: no spread is known." if one else "Dots: seeds. Bar: mean ± sample sd."
    )
    layout: Figure = {
        "xaxis": {"title": {"text": "held-out loss (nats per token)"}, "showgrid": True, "nticks": 6},
        "yaxis": {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": order,
            "automargin": True,
            "range": [-0.6, len(order) - 0.4],
        },
        "margin": {"l": 130, "r": 16, "t": 8, "b": 38},
    }
    stands = known.loc[known["arm"] == reference, "final"]
    if len(stands):
        layout["shapes"] = [
            {
                "type": "line",
                "yref": "paper",
                "x0": float(stands.iloc[0]),
                "x1": float(stands.iloc[0]),
                "y0": 0,
                "y1": 1,
                "line": {"color": LINE, "width": 1, "dash": "dash"},
            }
        ]
    return {"title": title, "note": note, "data": data, "layout": layout}


def differences(table: pd.DataFrame, arms: Sequence[tuple[str, str]], *, reference: str) -> Figure:
    """Each strategy minus the reference, seed by seed: the mean with its 95 % interval; hollow where nothing is shown.

    table : as `difference_table` gives it.
    """
    title = f"Is it different from {reference}?" if reference else "Is it different?"
    known = table.dropna(subset=["mean"])
    if known.empty:
        return empty(
            "Differences need two strategies with a finished run of the same seed each.",
            title,
        )
    look = looks(arms)
    order = list(known["arm"])[::-1]
    data: list[Figure] = []
    for row in known.to_dict("records"):
        shown = row["verdict"] in ("lower", "higher")
        colour = look[row["arm"]][0]
        mark: Figure = {
            "type": "scatter",
            "mode": "markers",
            "name": row["arm"],
            "x": numbers([row["mean"]]),
            "y": [row["arm"]],
            "customdata": [[row["words"], f"{row['below']} of {row['n']}"]],
            "marker": {
                "size": 11,
                "symbol": "circle" if shown else "circle-open",
                "color": colour,
                "line": {"width": 2, "color": colour},
            },
            "hovertemplate": "%{y}: %{x:+.4f}<br>lower in %{customdata[1]} seed(s)<br>%{customdata[0]}<extra></extra>",
        }
        if np.isfinite(row["low"]):
            mark["error_x"] = {
                "type": "data",
                "array": [row["high"] - row["mean"]],
                "color": colour,
                "thickness": 2 if shown else 1,
                "width": 5,
            }
        data.append(mark)
    one = bool((known["n"] == 1).all())
    note = (
        "One seed: nothing can be said about differences."
        if one
        else "Seed by seed: mean and 95 % interval. Full: shown. Hollow: within the spread, or the interval holds 0."
    )
    return {
        "title": title,
        "note": note,
        "data": data,
        "layout": {
            "xaxis": {
                "title": {"text": f"loss minus {reference}'s (left: better)"},
                "showgrid": True,
                "zeroline": False,
                "tickformat": "+.3~f",
            },
            "yaxis": {
                "type": "category",
                "categoryorder": "array",
                "categoryarray": order,
                "automargin": True,
                "range": [-0.6, len(order) - 0.4],
            },
            "margin": {"l": 130, "r": 16, "t": 8, "b": 38},
            "shapes": [
                {
                    "type": "line",
                    "yref": "paper",
                    "x0": 0,
                    "x1": 0,
                    "y0": 0,
                    "y1": 1,
                    "line": {"color": LINE, "width": 1.5},
                }
            ],
        },
    }


def loss_course(points: pd.DataFrame, arms: Sequence[tuple[str, str]], *, over: Over = "epoch") -> Figure:
    """Held-out loss along training: a line through the means over seeds, every seed as a dot.

    points : as `loss_points` gives them. over : what the x axis counts.
    """
    title = "How does the loss move?"
    if points.empty:
        return empty("No held-out loss has been measured yet.", title)
    look = looks(arms)
    order = [label for label, _ in arms if (points["arm"] == label).any()]
    last = float(points[over].max())
    data: list[Figure] = []
    for at, arm in enumerate(order):
        colour, dash = look[arm]
        part = points[points["arm"] == arm].dropna(subset=[over])
        # side by side, not one on another
        shift = 0.02 * (at - (len(order) - 1) / 2) * min(1.0, last / 3) if over == "epoch" else 0.0
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": arm,
                "x": numbers(part[over] + shift),
                "y": numbers(part["loss"]),
                "customdata": [[f"{seed}", "" if done else " (not done)"] for seed, done in zip(part["seed"], part["done"])],
                "marker": {"size": 6, "color": colour, "opacity": 0.4},
                "hovertemplate": f"{_plain(arm)}, seed %{{customdata[0]}}%{{customdata[1]}}: %{{y:.4f}}<extra></extra>",
            }
        )  # fmt: skip
        if over == "epoch":
            means = part.groupby("epoch")["loss"].agg(["mean", "std", "count"]).reset_index()
            x = means["epoch"] + shift
        else:
            means = part.groupby("step").agg(
                mean=("loss", "mean"), std=("loss", "std"), count=("loss", "size"), at=(over, "mean")
            )
            x = means["at"]
        spread = [f"{value:.4f}" if np.isfinite(value) else "unknown" for value in means["std"]]
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": arm,
                "x": numbers(x),
                "y": numbers(means["mean"]),
                "customdata": [[sd, int(n)] for sd, n in zip(spread, means["count"])],
                "line": {"color": colour, "width": 2, "dash": dash},
                "hovertemplate": f"{_plain(arm)}: mean %{{y:.4f}}, sd %{{customdata[0]}}, %{{customdata[1]}} seed(s)<extra></extra>",
            }
        )
    trained = points[points["step"] > 0]
    axis: Figure = {"title": {"text": OVER[over]}}
    if over == "epoch":
        axis |= {"range": [-0.3, last + 0.3], "dtick": 1 if last <= 12 else None}
        axis = {key: value for key, value in axis.items() if value is not None}
    layout: Figure = {
        "xaxis": axis,
        "yaxis": {"title": {"text": "held-out loss (nats per token)"}},
    }
    note = "Lines: means over the seeds. Dots: the seeds."
    untouched = points[points["step"] == 0]["loss"]
    if len(trained) and len(untouched):
        low, high = float(trained["loss"].min()), float(trained["loss"].max())
        room = 0.08 * (high - low) + 1e-4
        if float(untouched.min()) > high + 2 * (high - low) or not len(trained):
            # the untouched model would press all the others into one line
            layout["yaxis"]["range"] = [low - room, high + room]
            note += f" The untouched model ({float(untouched.mean()):.3f}) lies above the axis."
    return {
        "title": title,
        "note": note,
        "data": data,
        "layout": layout,
        "legend": [{"label": arm, "colour": look[arm][0], "line": True} for arm in order],
    }


def overlap(labels: Sequence[str], values: np.ndarray, *, when: str) -> Figure:
    """Jaccard overlap between the strategies' selections. values : (a, a), NaN where unknown. when : "for epoch 1"."""
    title = "Do they choose the same samples?"
    if not len(labels) or not np.isfinite(values).any():
        return empty("No selections of one pool are there to be laid over each other.", title)
    return {
        "title": title,
        "note": f"Jaccard overlap {when}: samples in both / samples in either. Diagonal: a strategy with itself, between "
        "different seeds.",
        "data": [
            {
                "type": "heatmap",
                "x": list(labels),
                "y": list(labels),
                "z": [[_number(value) for value in row] for row in values],
                "text": [[f"{value:.2f}" if np.isfinite(value) else "" for value in row] for row in values],
                "texttemplate": "%{text}",
                "zmin": 0,
                "zmax": 1,
                "colorscale": _scale(),
                "showscale": False,
                "xgap": 2,
                "ygap": 2,
                "hoverongaps": False,
                "hovertemplate": "%{y} and %{x}<br>overlap %{z:.3f}<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {"type": "category", "tickangle": -35, "automargin": True, "showgrid": False},
            "yaxis": {"type": "category", "autorange": "reversed", "automargin": True, "showgrid": False},
        },
    }


def length_boxes(table: pd.DataFrame, arms: Sequence[tuple[str, str]], *, when: str) -> Figure:
    """Response lengths by strategy: median, quartiles, and the middle nine tenths. table : as `length_table` gives it."""
    title = "How long are the responses?"
    known = table.dropna(subset=["median"])
    if known.empty:
        return empty("No lengths are known yet: the pool is read by the model first.", title)
    look = looks(arms)
    data = []
    for row in known.iloc[::-1].to_dict("records"):
        arm = row["arm"]
        colour = LINE if arm == "pool" else look[arm][0]
        data.append(
            {
                "type": "box",
                "orientation": "h",
                "name": arm,
                "y": [arm],
                "q1": numbers([row["q1"]]),
                "median": numbers([row["median"]]),
                "q3": numbers([row["q3"]]),
                "lowerfence": numbers([row["p5"]]),
                "upperfence": numbers([row["p95"]]),
                "line": {"color": colour, "width": 1.6},
                "fillcolor": "rgba(0,0,0,0)",
                "hoverinfo": "x",
            }
        )
    unknown = int(known["unknown"].max())
    return {
        "title": title,
        "note": f"Response tokens of what was selected {when}, all seeds together. Box: quartiles and median; whiskers: 5 % to "
        "95 %." + (f" Lengths unknown: up to {unknown:,}." if unknown else ""),
        "data": data,
        "layout": {
            "xaxis": {"title": {"text": "response tokens"}, "rangemode": "tozero", "showgrid": True},
            "yaxis": {"type": "category", "automargin": True},
            "boxgap": 0.4,
        },
    }


def shares(table: pd.DataFrame, *, what: str, title: str, note: str) -> Figure:
    """Shares of sources or labels in what was selected, a row per strategy; the pool on top.

    table : as `source_table` or `label_shares` gives it. what : its second column.
    """
    if table.empty:
        return empty("Nothing has been selected yet.", title)
    wide = table.pivot_table(index="arm", columns=what, values="share", sort=False)
    names = sorted(wide.columns, key=lambda name: -float(wide.loc["pool", name]))
    kept = names[:12]
    wide = wide[kept]
    return {
        "title": title,
        "note": note + (f" The {len(names) - 12} smallest are not drawn." if len(names) > 12 else ""),
        "data": [
            {
                "type": "heatmap",
                "x": [str(name) for name in kept],
                "y": [_pool_name(arm) for arm in wide.index],
                "z": [[_number(100 * value) for value in row] for row in wide.to_numpy()],
                "text": [[f"{100 * value:.0f} %" for value in row] for row in wide.to_numpy()],
                "texttemplate": "%{text}",
                "zmin": 0,
                "zmax": float(100 * max(wide.to_numpy().max(), 1e-9)),
                "colorscale": _scale(),
                "showscale": False,
                "xgap": 2,
                "ygap": 2,
                "hovertemplate": "%{y}: %{z:.1f} % %{x}<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {"type": "category", "automargin": True, "showgrid": False},
            "yaxis": {"type": "category", "autorange": "reversed", "automargin": True, "showgrid": False},
        },
    }


def noise(table: pd.DataFrame, arms: Sequence[tuple[str, str]], *, when: str) -> Figure:
    """Share of planted noise in what was selected. table : as `noise_table` gives it, with a row "pool"."""
    title = "How much planted noise was picked?"
    if table.empty:
        return empty(
            "This pool brings no evaluation labels, so what was picked cannot be judged by them.", title
        )
    look = looks(arms)
    chosen = table[table["arm"] != "pool"].sort_values("mean", ascending=False)
    pool = float(table.loc[table["arm"] == "pool", "mean"].iloc[0])
    return {
        "title": title,
        "note": f"Share of what was selected {when}, mean ± sample sd over the seeds. The method reads no labels.",
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "y": list(chosen["arm"]),
                "x": numbers(100 * chosen["mean"]),
                "customdata": [[int(n), f"{100 * sd:.1f}" if np.isfinite(sd) else "unknown"] for n, sd in zip(chosen["n"], chosen["sd"])],
                "error_x": {"type": "data", "array": [100 * sd if np.isfinite(sd) else 0 for sd in chosen["sd"]], "color": MUTED, "thickness": 1.5, "width": 4},
                "marker": {"color": [look[arm][0] for arm in chosen["arm"]], "line": {"width": 0}},
                "hovertemplate": "%{y}: %{x:.1f} % planted noise<br>sd %{customdata[1]}, %{customdata[0]} seed(s)<extra></extra>",
            }
        ],
        "layout": {
            "bargap": 0.35,
            "xaxis": {"title": {"text": "planted noise (% of the selected)"}, "rangemode": "tozero", "showgrid": True},
            "yaxis": {"type": "category", "automargin": True},
            "shapes": [{"type": "line", "yref": "paper", "x0": 100 * pool, "x1": 100 * pool, "y0": 0, "y1": 1, "line": {"color": LINE, "width": 1.5, "dash": "dash"}}],
            "annotations": [{"x": 100 * pool, "yref": "paper", "y": 1, "text": f"the pool: {100 * pool:.0f} %", "showarrow": False, "xanchor": "right", "yanchor": "bottom", "xshift": -2}],
            "margin": {"l": 44, "r": 16, "t": 20, "b": 38},
        },
    }  # fmt: skip


def _scale() -> list[list[Any]]:
    """Pale to strong in one colour of the page, so that the numbers in the cells can be read in light and dark."""
    return [[0, "--surface-2"], [1, "--candidate"]]


def _pool_name(arm: Any) -> str:
    return "(the pool)" if arm == "pool" else str(arm)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _plain(text: str) -> str:
    """Text within a hover template: nothing in it is a tag or a variable."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("%{", "% {")
