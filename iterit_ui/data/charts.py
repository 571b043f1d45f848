"""The Data tab's charts: where samples come from, how long their responses are, and how they begin."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from backend import analysis
from iterit_ui.data.words import CHART, OPENINGS
from iterit_ui.shared import pool_health as health
from iterit_ui.shared import theme
from iterit_ui.shared.session import get_pool


@lru_cache(maxsize=8)
def sources_chart(home: Path, pool_id: str, limit: int = 12) -> dict[str, Any]:
    """Samples by source, the largest first; a bar's `custom` is the source's name."""
    pool = get_pool(home, pool_id)
    order = np.argsort(-np.bincount(pool.source_codes, minlength=len(pool.sources)), kind="stable")
    counts = np.bincount(pool.source_codes, minlength=len(pool.sources))[order]
    names = [pool.sources[code] for code in order[:limit]]
    values, colours = counts[:limit].tolist(), [theme.source_colour(int(code)) for code in order[:limit]]
    custom = list(names)
    if len(order) > limit:
        names.append(f"{len(order) - limit:,} more")
        values.append(int(counts[limit:].sum()))
        colours.append(theme.POOL)
        custom.append("")
    # positions, not names, on the axis: two names that read alike stay two bars
    places = list(range(len(names)))
    return {
        "title": CHART["sources"][0],
        "note": CHART["sources"][1],
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": values,
                "y": places,
                "marker": {"color": colours},
                "customdata": custom,
                "text": [theme.number(count) for count in values],
                "textposition": "outside",
                "cliponaxis": False,
                "hovertemplate": "%{x:,} samples<extra></extra>",
            }
        ],
        "layout": {
            "bargap": 0.3,
            "margin": {"l": 8, "r": 52, "t": 4, "b": 26},
            "xaxis": {"rangemode": "tozero", "nticks": 4, "tickangle": 0},
            "yaxis": {
                "autorange": "reversed",
                "tickvals": places,
                "ticktext": [short(name) for name in names],
                "showgrid": False,
            },
        },
    }


def lengths_chart(home: Path, pool_id: str) -> dict[str, Any]:
    """Response lengths, in tokens where they have been counted, else in characters."""
    return _lengths_chart(home, pool_id, health.stamp(home, pool_id, health.FILES["too_long"]))


@lru_cache(maxsize=8)
def _lengths_chart(home: Path, pool_id: str, at: health.Stamp) -> dict[str, Any]:
    pool, lengths = get_pool(home, pool_id), health.lengths_of(home, pool_id)
    title, note = CHART["lengths"]
    unit = "characters"
    if lengths is not None:
        unit, note = (
            "tokens",
            f"In tokens, as {Path(lengths.model).name} counts them, cut at {lengths.limit:,}.",
        )
        values = lengths.response_tokens.astype(np.float64)
    else:
        values = pc.utf8_length(pool.responses()).to_numpy().astype(np.float64)
    if not len(values):
        return {"title": title, "empty": "No sample."}
    edges = analysis.length_edges(values.astype(np.int64))
    counts = np.histogram(values, edges)[0]
    beyond = int((values > edges[-1]).sum())
    middle, width = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    return {
        "title": title,
        "note": note + (f" {theme.counted(beyond, 'sample')} beyond the right edge." if beyond else ""),
        "data": [
            {
                "type": "bar",
                "x": middle.tolist(),
                "y": counts.tolist(),
                "width": width.tolist(),
                "marker": {"color": theme.POOL},
                "hovertemplate": f"about %{{x:,.0f}} {unit}<br>%{{y:,}} samples<extra></extra>",
            }
        ],
        "layout": {"xaxis": {"title": unit}, "yaxis": {"title": "samples", "rangemode": "tozero"}},
    }


def openings_value(home: Path, pool_id: str, view: dict[str, Any]) -> dict[str, Any]:
    """How responses begin most often; each beginning lists its samples."""
    found = health.openings(home, pool_id)
    title, note = OPENINGS
    most = max((one.count for one in found), default=1)
    return {
        "title": title,
        "note": note,
        "on": view["which"],
        "empty": "No two responses begin the same way.",
        "items": [
            {
                "key": f"opening:{one.text}",
                "label": one.text,
                "count": theme.number(one.count),
                "share": one.count / most,
                "tone": "rejected" if one.refusal else "plain",
                "tag": "refusal" if one.refusal else "",
            }
            for one in found
        ],
    }


def short(name: str, length: int = 22) -> str:
    """A source's name, cut for an axis."""
    return name if len(name) <= length else name[: length - 1] + "…"
