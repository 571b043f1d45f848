"""What changes from epoch to epoch in numbers: the hardest, losses by cohort, and which labels were picked."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from backend.analysis.hardest import Hardest
from iterit_ui.plots.common import MUTED, Figure, empty, numbers, sentences
from iterit_ui.shared.theme import ADDED, CANDIDATE, DROPPED, KEPT, POOL, SELECTED, SERIES, score

PAPER = 0.55  # of the hardest after one epoch were not among the hardest before it, arXiv 2412.17365

COHORT_COLOUR = {
    "kept": KEPT,
    "added": ADDED,
    "dropped": DROPPED,
    "gone earlier": SERIES[1],
    "never selected": POOL,
}


def hardest(
    by_before: Sequence[Hardest], by_first: Sequence[Hardest], *, epoch: int, note: str | None = None
) -> Figure:
    """Share of the hardest that were not among the hardest before, by epoch, with what chance would give as a mark.

    by_before : of every epoch but the first, against the one before it. by_first : the same against the first epoch.
    epoch : the epoch that is shown.
    """
    title = "How many of the hardest samples are new?"
    known = [one for one in (*by_before, *by_first) if not one.reason]
    if not known:
        why = next((one.reason for one in by_before), "")
        return empty(
            f"{why[0].upper()}{why[1:]}."
            if why
            else "This is the first scoring. From the next epoch on, this shows how the hardest samples change.",
            title,
        )
    epochs = [one.epoch for one in by_before]
    series = [("against the epoch before", by_before, SELECTED, -0.19)]
    # after the first epoch of training both are the same comparison
    others = [one for one, near in zip(by_first, by_before) if one.earlier != near.earlier]
    if others:
        series.append((f"against epoch {others[0].earlier}", others, CANDIDATE, 0.19))
    else:
        series = [(f"against epoch {by_first[0].earlier}", by_before, SELECTED, 0.0)]
    data: list[Figure] = []
    for name, found, colour, aside in series:
        shown = [one for one in found if not one.reason]
        data.append(
            {
                "type": "bar",
                "name": name,
                "x": [one.epoch + aside for one in shown],
                "y": [100 * one.share for one in shown],
                "width": 0.36,
                "text": [f"{100 * one.share:.0f} %" for one in shown],
                "textposition": "outside",
                "cliponaxis": False,
                "customdata": [
                    [f"hardest:{one.epoch}:{one.earlier}", f"{len(one.new_rows):,} of {one.k:,}"]
                    for one in shown
                ],
                "marker": {
                    "color": colour,
                    "opacity": [1.0 if one.epoch == epoch else 0.6 for one in shown],
                    "line": {"width": 0},
                },
                "hovertemplate": f"epoch %{{x:.0f}} {name}<br>%{{customdata[1]}} hardest are new: %{{y:.1f}} %<extra></extra>",
            }
        )
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [one.epoch + aside for one in shown],
                "y": [100 * one.chance for one in shown],
                "marker": {"symbol": "line-ew", "size": 26, "line": {"width": 2, "color": MUTED}},
                "hovertemplate": "a random order would give %{y:.0f} %<extra></extra>",
            }
        )
    left_out = [one for one in by_before if one.reason]
    return {
        "title": title,
        "note": sentences(note, f"Epoch {left_out[0].epoch}: {left_out[0].reason}" if left_out else ""),
        "data": data,
        "layout": {
            "xaxis": {
                "tickvals": epochs,
                "ticktext": [f"epoch {e}" for e in epochs],
                "range": [epochs[0] - 0.6, epochs[-1] + 0.6],
                "showgrid": False,
            },
            "yaxis": {"title": {"text": "new among the hardest (%)"}, "range": [0, 108]},
            **_paper(epochs),
        },
        "legend": [
            *({"label": name, "colour": colour} for name, _, colour, _ in series),
            {"label": "by chance", "colour": MUTED, "line": True},
        ],
    }


def _paper(epochs: Sequence[int]) -> Figure:
    """The paper's figure, at the epoch that it is of."""
    if 1 not in epochs:
        return {}
    line = {
        "type": "line",
        "x0": 0.56,
        "x1": 1.44,
        "y0": 100 * PAPER,
        "y1": 100 * PAPER,
        "line": {"color": MUTED, "width": 1.2, "dash": "dot"},
    }
    words = {
        "x": 1.44,
        "y": 100 * PAPER,
        "text": f"the paper: {100 * PAPER:.0f} %",
        "showarrow": False,
        "xanchor": "right",
        "yanchor": "bottom",
        "font": {"size": 10.5},
    }
    return {"shapes": [line], "annotations": [words]}


def cohort_losses(table: pd.DataFrame, *, epoch: int, note: str | None = None) -> Figure:
    """Mean response loss by cohort and epoch: hollow the same samples before epoch 0, filled before that epoch.

    table : as `backend.analysis.cohorts.cohort_losses` gives it for the epoch that is shown.
    """
    title = "Did training help what was trained on more than the rest?"
    known = table[table["loss"].notna()]
    if known.empty:
        return empty("This strategy needs no model, so no sample has a loss.", title)
    epochs = sorted(int(e) for e in table["epoch"].unique())
    names = [name for name in COHORT_COLOUR if (table["cohort"] == name).any()]
    step = 0.72 / max(len(names), 1)
    data: list[Figure] = []
    for k, name in enumerate(names):
        part = known[known["cohort"] == name]
        if part.empty:
            continue
        colour = COHORT_COLOUR[name]
        later = part[part["epoch"] > epochs[0]]
        place = (k - (len(names) - 1) / 2) * step
        at = [float(e) + place for e in later["epoch"]]
        paths = [(x, a, b) for x, a, b in zip(at, later["loss_first"], later["loss"])]
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [v for x, _, _ in paths for v in (x, x, None)],
                "y": [v for _, a, b in paths for v in (a, b, None)],
                "line": {"color": colour, "width": 2},
                "hoverinfo": "skip",
            }
        )
        data.append(_marks(later, at, "loss_first", name, colour, hollow=True))
        data.append(
            _marks(part, [float(e) + place for e in part["epoch"]], "loss", name, colour, hollow=False)
        )
    return {
        "title": title,
        "note": note or "",
        "data": data,
        "layout": {
            "xaxis": {
                "tickvals": epochs,
                "ticktext": [f"before epoch {e}" if len(epochs) < 5 else str(e) for e in epochs],
                "range": [epochs[0] - 0.5, epochs[-1] + 0.5],
                "showgrid": False,
                "title": {"text": "scored before epoch" if len(epochs) >= 5 else ""},
            },
            "yaxis": {"title": {"text": "mean response loss"}, "rangemode": "tozero"},
            "shapes": [
                {
                    "type": "rect",
                    "xref": "x",
                    "yref": "paper",
                    "x0": epoch - 0.5,
                    "x1": epoch + 0.5,
                    "y0": 0,
                    "y1": 1,
                    "fillcolor": MUTED,
                    "opacity": 0.07,
                    "line": {"width": 0},
                    "layer": "below",
                }
            ]
            if len(epochs) > 1
            else [],
        },
    }


def _marks(
    part: pd.DataFrame, at: list[float], column: str, name: str, colour: str, *, hollow: bool
) -> Figure:
    when = "before epoch 0" if hollow else "before epoch %{customdata[2]}"
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": at,
        "y": numbers(part[column]),
        "customdata": [
            [f"cohort:{name}", f"{scored:,} of {members:,} scored both times", int(e), score(change)]
            for scored, members, e, change in zip(
                part["scored"], part["members"], part["epoch"], part["change"]
            )
        ],
        "marker": {
            "size": 9,
            "color": "--surface" if hollow else colour,
            "line": {"width": 2, "color": colour},
        },
        "hovertemplate": f"{name}, {when}: %{{y:.3f}}<br>%{{customdata[1]}}<extra></extra>",
    }


def labels(table: pd.DataFrame, *, title: str = "What did it pick, by evaluation label?") -> Figure:
    """Share of each evaluation label in the pool and in the selection, as paired horizontal bars."""
    if table.empty:
        return empty("This pool has no evaluation labels to judge the selection by.", title)
    table = table.iloc[::-1]
    names = [str(name) for name in table["label"]]

    def bars(name: str, share: str, count: str, colour: str) -> Figure:
        return {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": names,
            "x": numbers(100 * table[share]),
            "customdata": [[f"label:{name}", f"{int(n):,} samples"] for name, n in zip(names, table[count])],
            "text": [f"{100 * value:.1f} %" for value in table[share]],
            "textposition": "outside",
            "cliponaxis": False,
            "marker": {"color": colour, "line": {"width": 0}},
            "hovertemplate": f"%{{y}}: %{{x:.1f}} % of the {name}<br>%{{customdata[1]}}<extra></extra>",
        }

    top = 100 * float(max(table["share_pool"].max(), table["share_selected"].max()))
    return {
        "title": title,
        "note": "Planted for evaluation: the method does not use these labels. Click a bar to list the selected with that label.",
        "data": [
            bars("pool", "share_pool", "pool", POOL),
            bars("selection", "share_selected", "selected", SELECTED),
        ],
        "layout": {
            "barmode": "group",
            "bargap": 0.3,
            "xaxis": {"title": {"text": "share (%)"}, "range": [0, min(1.18 * top + 2, 118)]},
            "yaxis": {"type": "category", "automargin": True},
        },
        "legend": [{"label": "pool", "colour": POOL}, {"label": "selection", "colour": SELECTED}],
    }
