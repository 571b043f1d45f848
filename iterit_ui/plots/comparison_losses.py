"""Strategies side by side: losses with every seed, and differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from iterit_ui.plots.common import MUTED, SERIES_COLOUR, Figure, empty, numbers
from iterit_ui.shared.theme import LINE, SELECTED, SERIES, SOURCES

Over = Literal["epoch", "step", "tokens"]

STRATEGY_COLOUR = {
    **SERIES_COLOUR,
    "iterit": SELECTED,
    "iterit-cumulative": SOURCES[1],
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
                "type": "data",
                "array": [spread],
                "color": colour,
                "thickness": 2,
                "width": 5,
            }
        data.append(mean)
    one = bool((known["n"] == 1).all())
    note = "Loss after the last epoch of each run, lowest on top. " + (
        "One seed each: no spread is known." if one else "Dots: seeds. Bar: mean ± sample sd."
    )
    layout: Figure = {
        "xaxis": {"title": {"text": "held-out loss (lower is better)"}, "showgrid": True, "nticks": 6},
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
        "One seed: differences cannot be judged."
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
    title = "How does the loss change?"
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
                "customdata": [
                    [f"{seed}", "" if done else " (not done)"]
                    for seed, done in zip(part["seed"], part["done"])
                ],
                "marker": {"size": 6, "color": colour, "opacity": 0.4},
                "hovertemplate": f"{_plain(arm)}, seed %{{customdata[0]}}%{{customdata[1]}}: %{{y:.4f}}<extra></extra>",
            }
        )
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
        "yaxis": {"title": {"text": "held-out loss (lower is better)"}},
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


def _plain(text: str) -> str:
    """Text within a hover template: nothing in it is a tag or a variable."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("%{", "% {")
