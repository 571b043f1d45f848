"""How long fresh random draws have to train to end as low as each strategy."""

from __future__ import annotations

import math

from backend.analysis.multiplier_table import Worth
from backend.analysis.random_ladder import FRESH
from iterit_ui.plots.common import Figure, empty, numbers
from iterit_ui.plots.comparison_losses import looks
from iterit_ui.shared.strategies import strategy_name

TITLE = "How many steps would fresh random draws need?"
APART = 0.02  # of the logarithm of steps: strategies of equal length stand beside each other


def random_curve(found: Worth) -> Figure:
    """The loss of fresh random draws over steps, mean and sample standard deviation; every strategy at its own steps, with a
    line at its loss and a diamond where that meets the curve."""
    curve = found.curve
    if not curve:
        return empty("No length of random draws has two finished seeds yet.", TITLE)
    arms = [arm for arm in found.arms if math.isfinite(arm.mean) and arm.steps > 0]
    name = strategy_name(FRESH)
    look = looks([(name, FRESH), *((arm.label, arm.strategy) for arm in arms)])
    colour = look[name][0]
    seeds = [(point.steps, seed, loss) for point in curve for seed, loss in sorted(point.losses.items())]
    data: list[Figure] = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": numbers([steps for steps, _, _ in seeds]),
            "y": numbers([loss for _, _, loss in seeds]),
            "customdata": [[f"{seed}"] for _, seed, _ in seeds],
            "marker": {"size": 6, "color": colour, "opacity": 0.4},
            "hovertemplate": f"{name}, %{{x:,}} steps, seed %{{customdata[0]}}: %{{y:.4f}}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": numbers([point.steps for point in curve]),
            "y": numbers([point.mean for point in curve]),
            "customdata": [[f"{point.sd:.4f}", point.n, f"{point.times:.3g}"] for point in curve],
            "error_y": {
                "type": "data",
                "array": numbers([point.sd for point in curve]),
                "color": colour,
                "thickness": 1.5,
                "width": 4,
            },
            "line": {"color": colour, "width": 2},
            "marker": {"size": 8, "color": colour},
            "hovertemplate": f"{name}, %{{x:,}} steps (%{{customdata[2]}}x): mean %{{y:.4f}}, sd %{{customdata[0]}}, "
            "%{customdata[1]} seeds<extra></extra>",
        },
    ]
    shapes = []
    for at, arm in enumerate(arms):
        own = look[arm.label][0]
        shift = math.exp(APART * (at - (len(arms) - 1) / 2))
        point: Figure = {
            "type": "scatter",
            "mode": "markers",
            "name": arm.label,
            "x": numbers([arm.steps * shift]),
            "y": numbers([arm.mean]),
            "customdata": [
                [arm.label, f"{arm.steps:,.0f}", f"{arm.sd:.4f}" if math.isfinite(arm.sd) else "unknown"]
            ],
            "marker": {"size": 11, "symbol": "square", "color": own},
            "hovertemplate": "%{customdata[0]}, %{customdata[1]} steps: mean %{y:.4f}, sd %{customdata[2]}<extra></extra>",
        }
        if math.isfinite(arm.sd):
            point["error_y"] = {"type": "data", "array": [arm.sd], "color": own, "thickness": 1.5, "width": 4}
        data.append(point)
        times = arm.in_steps.times
        if times.reach == "reached":
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": arm.label,
                    "x": numbers([times.value * arm.steps]),
                    "y": numbers([arm.mean]),
                    "customdata": [[arm.label, times.words]],
                    "marker": {
                        "size": 11,
                        "symbol": "diamond-open",
                        "color": own,
                        "line": {"width": 2, "color": own},
                    },
                    "hovertemplate": "fresh random draws are as low as %{customdata[0]} after %{x:,.0f} steps "
                    "(%{customdata[1]} times its own)<extra></extra>",
                }
            )
        shapes.append(
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": arm.mean,
                "y1": arm.mean,
                "line": {"color": own, "width": 1, "dash": "dot"},
            }
        )
    ticks = sorted({round(point.steps) for point in curve} | {round(arm.steps) for arm in arms})
    return {
        "title": TITLE,
        "note": "Line: fresh random draws, each point runs of their own, mean ± sample sd over the seeds. Squares: strategies at "
        "their own steps. Diamonds: where their loss meets the line.",
        "data": data,
        "layout": {
            "xaxis": {
                "type": "log",
                "title": {"text": "optimizer steps (logarithmic)"},
                "tickvals": ticks,
                "ticktext": [f"{tick:,}" for tick in ticks],
            },
            "yaxis": {"title": {"text": "held-out loss (lower is better)"}},
            "shapes": shapes,
        },
        "legend": [
            {"label": name, "colour": colour, "line": True},
            *({"label": arm.label, "colour": look[arm.label][0]} for arm in arms),
        ],
    }
