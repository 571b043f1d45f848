"""The pictures of a report, by the story they belong to: the figures of the screens, on what is presented."""

from __future__ import annotations

from typing import Any

import numpy as np

from backend import analysis, store
from backend.analysis.comparison import measured_words
from backend.analysis.quadrants import quadrants
from backend.errors import StudioError
from backend.findings import masked
from backend.records import EpochRecord, Pool, Status
from iterit_ui import plots
from iterit_ui.plots.comparison_losses import final_losses
from iterit_ui.present import words
from iterit_ui.present.subject import Subject, Told, told_selection
from iterit_ui.shared.map_points import spread
from iterit_ui.shared.session import get_map
from iterit_ui.shared.strategies import STRATEGY_NAMES
from iterit_ui.shared.theme import STATUS_COLOUR, STATUS_LABEL, number

Figure = dict[str, Any]
MOST_POINTS = 4000  # of a map: what a browser draws and prints at once, and half a megabyte
PLAIN = {
    "pool": "all samples",
    "candidates": "candidates, from which it chose",
    "candidate": "candidate, but not chosen",
    "not a candidate": "not looked at again",
    "complexity too high": "too hard",
    "unscorable": "could not be judged",
    "held out": "kept aside",
    "outranked": "not chosen",
}
IN = (Status.SELECTED, Status.PINNED)
BEGINNING = 80  # characters of a question beside a point


def pictures(about: Subject) -> dict[str, list[Figure]]:
    """Figures by the key of their story; a story without any is left out, and so is a figure without data."""
    found: dict[str, list[Figure]] = {}
    for key, make in (("selection", _selection), ("epochs", _epochs), ("result", _result)):
        try:
            found[key] = [_in_plain_words(figure) for figure in make(about) if not figure.get("empty")]
        except StudioError:
            continue  # its story says why
    return {key: figures for key, figures in found.items() if figures}


def _in_plain_words(figure: Figure) -> Figure:
    """A figure whose legend and note a stakeholder reads."""
    legend = [{**item, "label": PLAIN.get(item["label"], item["label"])} for item in figure.get("legend", [])]
    return {**figure, "legend": legend, "note": figure.get("note", "").replace(" pool", " of all")}


def _selection(about: Subject) -> list[Figure]:
    told = told_selection(about)
    scores, made = told.scores, told.selection
    figures = []
    if np.isfinite(scores.complexity).any():
        figures.append(
            plots.distribution(
                analysis.complexity_histogram(scores, made),
                title="How hard is what was selected?",
                x_title="easy for the model → hard for the model",
                ceiling=told.settings.max_complexity,
                note="0: the question gives the answer away; 1: the question does not help the model with it",
            )
        )
    if (scores.response_tokens >= 0).any():
        lengths = plots.lengths(
            analysis.length_histogram(scores, made, {}),
            title="How long are the answers?",
            note="As shares of all samples and of the selected ones",
        )
        lengths["layout"]["xaxis"]["title"] = {"text": "length of the answer, in word pieces"}
        figures.append(lengths)
    place = _map(about, told)
    return figures if place is None else [*figures, place]


def _map(about: Subject, told: Told) -> Figure | None:
    """Where the selected samples lie among the others; of a large pool, points that are drawn at random."""
    pool = about.pool
    xy = get_map(about.home, pool.id)
    if xy is None or len(xy) != len(pool):
        return None
    xy = spread(xy)
    placed = np.isfinite(xy).all(axis=1)
    status = told.selection.status
    picked = np.zeros(len(pool), dtype=bool)
    picked[told.selection.rows] = True
    shown = [
        _thinned(
            np.flatnonzero(placed & part), MOST_POINTS // 2 if placed.sum() > MOST_POINTS else MOST_POINTS
        )
        for part in (~picked, picked)
    ]
    data, legend = [], []
    # what is selected in front of the others
    for code in sorted(np.unique(status[placed]).tolist(), key=lambda one: one in IN):
        rows = np.concatenate([part[status[part] == code] for part in shown])
        label, colour = STATUS_LABEL[Status(code)], STATUS_COLOUR[Status(code)]
        legend.append({"label": label, "colour": colour, "value": number(int((status == code).sum()))})
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": label,
                "x": np.round(xy[rows, 0].astype(float), 3).tolist(),
                "y": np.round(xy[rows, 1].astype(float), 3).tolist(),
                "text": [_asked(pool, int(row)) for row in rows],
                "marker": {"color": colour, "size": 5, "opacity": 0.75, "line": {"width": 0}},
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    drawn = sum(len(part) for part in shown)
    note = "Answers that use similar words lie close together."
    if drawn < placed.sum():
        note += f" {drawn:,} of {int(placed.sum()):,} points are drawn, {len(shown[1]):,} of them selected, to keep this file small."
    bare = {"visible": False}
    return {
        "title": "Where in the data is the selection?",
        "note": note,
        "data": data,
        "layout": {"xaxis": bare, "yaxis": bare, "margin": {"l": 4, "r": 4, "t": 4, "b": 4}},
        "legend": legend[::-1],
        "height": 520,
    }


def _thinned(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the rows, the same ones every time."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, most, replace=False))


def _asked(pool: Pool, row: int) -> str:
    turns = pool.turns(row)
    asked = next((turn["content"] for turn in reversed(turns) if turn["role"] == "user"), "")
    return analysis.beginning(masked(asked), BEGINNING)


def _epochs(about: Subject) -> list[Figure]:
    if not about.run:
        return []
    records = [
        analysis.load_epoch(about.home, about.run, epoch) for epoch in store.epochs(about.home, about.run)
    ]
    return [*_changed(about, records), *_course(about, records)]


def _changed(about: Subject, records: list[EpochRecord]) -> list[Figure]:
    """What was hard before the first epoch against before the last one."""
    if len(records) < 2:
        return []
    ceiling = store.read_config(about.home, about.run).max_complexity
    found = quadrants(records[0], records[-1], ceiling=ceiling)
    if found.reason:
        return []
    values = np.concatenate([found.before, found.after])
    low, high = np.quantile(values, [0.005, 0.995])
    high = max(float(high), ceiling)
    room = 0.06 * (high - float(low)) + 0.001
    limits = (float(low) - room, high + room)
    note = "Each sample that was judged both times. Below the slanted line, it became easier for the model"
    figure = plots.then_and_now(found, limits, note=note)
    for name, epoch in (("xaxis", found.earlier), ("yaxis", found.epoch)):
        figure["layout"][name]["title"] = {"text": f"how hard before epoch {epoch}"}
    return [{**figure, "height": 460}]


def _course(about: Subject, records: list[EpochRecord]) -> list[Figure]:
    """The error on kept-aside samples before training and after each epoch."""
    table = analysis.epoch_table(records, store.read_metrics(about.home, about.run), about.pool)
    losses = [float(table["held_out_before"].iloc[0]), *map(float, table["held_out_after"])]
    labels = ["before", *(f"after epoch {record.epoch}" for record in records)]
    known = [(label, loss) for label, loss in zip(labels, losses) if np.isfinite(loss)]
    if len(known) < 2:
        return []
    low, high = min(loss for _, loss in known), max(loss for _, loss in known)
    room = 0.15 * (high - low) or 0.01
    return [
        {
            "title": f"The {words.ERROR}",
            "data": [
                {
                    "type": "scatter",
                    "mode": "lines+markers+text",
                    "x": [label for label, _ in known],
                    "y": [loss for _, loss in known],
                    "text": [f"{loss:.4f}" for _, loss in known],
                    "textposition": "top right",
                    "cliponaxis": False,
                    "line": {"color": "--loss", "width": 2.5},
                    "marker": {"color": "--loss", "size": 9},
                    "hovertemplate": "%{x}: %{y:.4f}<extra></extra>",
                }
            ],
            "layout": {
                "xaxis": {"type": "category", "showgrid": False},
                "yaxis": {"title": {"text": "error"}, "range": [low - room, high + room]},
                "margin": {"l": 60, "r": 50, "t": 30, "b": 38},
            },
        }
    ]


def _result(about: Subject) -> list[Figure]:
    """Each way of choosing with every try, mean and spread."""
    if not about.compared:
        return []
    found = analysis.compare(about.home, about.compared, names=STRATEGY_NAMES)
    figure = final_losses(
        analysis.summary_table(found),
        analysis.loss_points(found),
        [(arm.label, arm.strategy) for arm in found.arms],
        reference=found.reference,
    )
    if figure.get("empty"):
        return []
    alone = bool((analysis.summary_table(found)["n"] <= 1).all())
    on = measured_words(found).replace("held-out", "kept-aside")
    spread_words = (
        "Each was tried once: no spread is known."
        if alone
        else "A dot is one try, the upright line their mean, the bar one standard deviation to each side."
    )
    figure["layout"]["xaxis"]["title"] = {"text": "error after the last epoch (lower is better)"}
    return [{**figure, "title": "Which way of choosing ends lowest?", "note": f"On {on}. {spread_words}"}]
