"""How much the settings matter: a panel for each setting that was varied, and two crossed settings as a heat map."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from backend.analysis.sensitivity import value_words
from iterit_ui.plots.common import MUTED, Figure, empty, missing, numbers
from iterit_ui.plots.comparison_losses import STRATEGY_COLOUR
from iterit_ui.plots.comparison_selections import pale_to_strong
from iterit_ui.shared.settings import label
from iterit_ui.shared.strategies import strategy_label
from iterit_ui.shared.theme import LINE, SELECTED

GAP = 0.025  # of the figure's width, between two panels
SIDE = 0.14  # of the step between two values: how far the seeds' dots lie beside the mean
TITLE = "How much do the settings matter?"


def setting_panels(
    table: pd.DataFrame, points: pd.DataFrame, references: pd.DataFrame, *, strategy: str
) -> Figure:
    """Held-out loss at the end by value, a panel per setting on one shared axis: mean, sample sd, and every seed.

    table, points, references : as `sensitivity_table`, `seed_table` and `reference_table` give them. The values stand in
    their order at equal distances, so that 0, 0.1 and 0.5 can be told apart. strategy : whose settings are varied.
    """
    if table["final"].isna().all():
        return empty(
            "No run has finished with a held-out loss yet. It appears here when the first one has.", TITLE
        )
    colour = STRATEGY_COLOUR.get(strategy, SELECTED)
    settings = list(dict.fromkeys(table["setting"]))
    data: list[Figure] = []
    layout: Figure = {"margin": {"l": 52, "r": 14, "t": 26, "b": 34}, "annotations": [], "shapes": []}
    for at, (setting, domain) in enumerate(zip(settings, _domains(table, settings))):
        axis = f"x{at + 1 if at else ''}"
        rows = table[table["setting"] == setting].reset_index(drop=True)
        data += _panel(rows, points[points["setting"] == setting], axis, colour)
        layout[f"xaxis{at + 1 if at else ''}"] = {
            "domain": domain,
            "anchor": "y",
            "range": [-0.5, len(rows) - 0.5],
            "tickvals": list(range(len(rows))),
            "ticktext": [_tick(setting, value) for value in rows["value"]],
            "showgrid": False,
            "zeroline": False,
        }
        layout["annotations"] += _titles(setting, rows, axis, domain)
        layout["shapes"].append(_base_column(rows, axis))
    layout["yaxis"] = {
        "title": {"text": "held-out loss (lower is better)"},
        "range": _span(table, points, references),
    }
    legend = [
        {"label": "mean ± sample sd", "colour": colour, "line": True},
        {"label": "a seed", "colour": colour},
    ]
    own = table[table["base"].astype(bool)]["final"].dropna()
    if len(own):
        layout["shapes"].append(_across(float(own.iloc[0]), LINE, "dash"))
        legend.append({"label": "the base's mean", "colour": LINE, "line": True, "dash": "dash"})
    for row in references.to_dict("records"):
        if np.isfinite(row["final"]):
            shade = STRATEGY_COLOUR.get(row["strategy"], MUTED)
            layout["shapes"].append(_across(row["final"], shade, "dot"))
            sd = f" ± {row['final_sd']:.4f}" if np.isfinite(row["final_sd"]) else ""
            words = f"{strategy_label(row['strategy'])}: {row['final']:.4f}{sd}"
            legend.append({"label": words, "colour": shade, "line": True, "dash": "dot"})
    return {"title": TITLE, "note": _note(table), "data": data, "layout": layout, "legend": legend}


def heat_map(table: pd.DataFrame, row: str, column: str) -> Figure:
    """Mean held-out loss at the end for each combination of two settings' values. table : as `grid_table` gives it."""
    title = f"{label(row)} and {label(column)[0].lower()}{label(column)[1:]} together"
    if table["final"].isna().all():
        return empty("No combination has a result yet.", title)
    down, across = sorted(set(table["row"])), sorted(set(table["column"]))
    cells = {(cell["row"], cell["column"]): cell for cell in table.to_dict("records")}
    losses = [[cells[a, b]["final"] for b in across] for a in down]
    return {
        "title": title,
        "note": "Mean held-out loss at the end, ± sample sd over the seeds; paler is lower. All other settings as in the base. "
        "Empty: no result yet.",
        "data": [
            {
                "type": "heatmap",
                "x": [value_words(column, value) for value in across],
                "y": [value_words(row, value) for value in down],
                "z": [numbers(line) for line in losses],
                "text": [[_cell(cells[a, b]) for b in across] for a in down],
                "customdata": [[cells[a, b]["n"] for b in across] for a in down],
                "texttemplate": "%{text}",
                "colorscale": pale_to_strong(),
                "showscale": False,
                "xgap": 2,
                "ygap": 2,
                "hoverongaps": False,
                "hovertemplate": "%{y} and %{x}<br>%{text}, %{customdata} seed(s)<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {"type": "category", "title": {"text": label(column)}, "showgrid": False},
            "yaxis": {"type": "category", "title": {"text": label(row)}, "showgrid": False},
        },
    }


def _panel(rows: pd.DataFrame, points: pd.DataFrame, axis: str, colour: str) -> list[Figure]:
    """The traces of one panel: every seed, a line through the means, and the means with their spread."""
    place = {value: at for at, value in enumerate(rows["value"])}
    seeds = sorted(set(points["seed"]))
    aside = np.linspace(-SIDE, SIDE, len(seeds)) if len(seeds) > 1 else np.zeros(1)
    shift = dict(zip(seeds, aside))
    known = rows.dropna(subset=["final"])
    hover = [
        [
            f"{label(row['setting'])} {value_words(row['setting'], row['value'])}{' (base)' if row['base'] else ''}",
            f"{row['final_sd']:.4f}" if np.isfinite(row["final_sd"]) else "unknown",
            int(row["n"]),
            f"against the base {row['difference']:+.4f}: {row['words']}" if row["difference_n"] else "",
        ]
        for row in known.to_dict("records")
    ]
    at = [place[value] for value in known["value"]]
    means: Figure = {
        "type": "scatter",
        "mode": "lines+markers",
        "xaxis": axis,
        "x": at,
        "y": numbers(known["final"]),
        "customdata": hover,
        "line": {"color": LINE, "width": 1},
        "marker": {
            "size": [12 if base else 9 for base in known["base"]],
            "symbol": ["diamond" if base else "circle" for base in known["base"]],
            "color": colour,
            "opacity": 1,
        },
        "error_y": {
            "type": "data",
            "array": [float(sd) if np.isfinite(sd) else 0 for sd in known["final_sd"]],
            "color": colour,
            "thickness": 2,
            "width": 5,
        },
        "hovertemplate": "%{customdata[0]}<br>mean %{y:.4f}, sd %{customdata[1]}, %{customdata[2]} seed(s)<br>%{customdata[3]}<extra></extra>",
    }
    dots: Figure = {
        "type": "scatter",
        "mode": "markers",
        "xaxis": axis,
        "x": [float(place[value] + shift[seed]) for value, seed in zip(points["value"], points["seed"])],
        "y": numbers(points["loss"]),
        "customdata": [f"{seed}" for seed in points["seed"]],
        "marker": {"size": 7, "color": colour, "opacity": 0.4},
        "hovertemplate": "seed %{customdata}: %{y:.4f}<extra></extra>",
    }
    return [dots, means]


def _domains(table: pd.DataFrame, settings: list[str]) -> list[list[float]]:
    """Each panel's part of the width, by its number of values."""
    counts = np.array([max(2, int((table["setting"] == setting).sum())) for setting in settings], dtype=float)
    widths = counts / counts.sum() * (1 - GAP * (len(settings) - 1))
    left = np.concatenate([[0], np.cumsum(widths + GAP)[:-1]])
    return [[float(a), float(min(1.0, a + w))] for a, w in zip(left, widths)]


def _titles(setting: str, rows: pd.DataFrame, axis: str, domain: list[float]) -> list[Figure]:
    """The panel's name above it, and where values have no result."""
    name: Figure = {
        "x": sum(domain) / 2,
        "xref": "paper",
        "y": 1,
        "yref": "paper",
        "text": label(setting),
        "showarrow": False,
        "xanchor": "center",
        "yanchor": "bottom",
        "yshift": 5,
        "font": {"size": 12.5, "color": "--text-1"},
    }
    gaps = [
        missing(at, "no result", axis) for at, final in enumerate(rows["final"]) if not np.isfinite(final)
    ]
    return [name, *gaps]


def _base_column(rows: pd.DataFrame, axis: str) -> Figure:
    at = list(rows["base"].astype(bool)).index(True)
    return {
        "type": "rect",
        "xref": axis,
        "yref": "paper",
        "x0": at - 0.32,
        "x1": at + 0.32,
        "y0": 0,
        "y1": 1,
        "line": {"width": 0},
        "fillcolor": "--surface-2",
        "layer": "below",
    }


def _across(y: float, colour: str, dash: str) -> Figure:
    line: dict[str, Any] = {"color": colour, "width": 1.3, "dash": dash}
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": float(y),
        "y1": float(y),
        "line": line,
        "layer": "below",
    }


def _span(table: pd.DataFrame, points: pd.DataFrame, references: pd.DataFrame) -> list[float]:
    """The shared axis: everything drawn, with some room."""
    sd = table["final_sd"].fillna(0)
    values = [table["final"] - sd, table["final"] + sd, points["loss"]]
    values += [references["final"]] if len(references) else []
    every = pd.concat(values).dropna()
    low, high = float(every.min()), float(every.max())
    room = 0.06 * (high - low) or 0.01
    return [low - room, high + room]


def _tick(setting: str, value: float) -> str:
    """A value as short as an axis needs it."""
    if setting == "budget":
        return value_words(setting, value).replace(" samples", "").replace(" %", "%")
    return "1 (all)" if setting == "update_ratio" and value == 1 else value_words(setting, value)


def _note(table: pd.DataFrame) -> str:
    one = bool(table["n"].max() == 1)
    said = "Loss after the last epoch, all other settings as in the base (diamond, shaded: the same runs in every panel)."
    if one:
        said += " One seed each: no spread is known."
    if (table["setting"] == "budget").any():
        said += " A larger budget also trains for more steps."
    return said


def _cell(cell: dict[Any, Any]) -> str:
    if not np.isfinite(cell["final"]):
        return ""
    spread = f" ± {cell['final_sd']:.4f}" if np.isfinite(cell["final_sd"]) else ""
    return f"{cell['final']:.4f}{spread}{' (base)' if cell['base'] else ''}"
