"""The Curate tab's pictures of a selection: distributions, lengths, density, frontier and map, as the components' values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from backend import analysis
from backend.analysis import Histogram
from backend.analysis.unknown_language import unknown_languages
from backend.data.writing import UNKNOWN as UNKNOWN_WRITING
from backend.data.writing import writings
from backend.records import Pool, Scores, Status
from iterit_ui import plots
from iterit_ui.components import encode_bytes
from iterit_ui.curate.words import CHART, NO_MAP
from iterit_ui.samples.filter_lookup import get_clusters
from iterit_ui.shared import theme
from iterit_ui.shared.selections import SelectionView, full_order
from iterit_ui.shared.session import COLOURS, get_map, map_key

# the map's colours by code, and the code of each status
PALETTE = [theme.POOL, theme.CANDIDATE, theme.SELECTED, theme.PINNED, theme.REJECTED, theme.UNSCORABLE]
WORDS = ["not a candidate", "candidate", "selected", "pinned", "rejected or excluded", "unscorable"]
CODE = np.zeros(len(Status), dtype=np.uint8)
for _status in Status:
    CODE[_status] = PALETTE.index(theme.STATUS_COLOUR[_status])
UNKNOWN = 255  # the code of a sample without a value, on a continuous scale


def charts(shown: SelectionView, wanted: dict[str, Any], mask: np.ndarray | None) -> list[dict[str, Any]]:
    """Complexity, diversity and lengths of pool, candidates and selected; the filter's samples as a line over them."""
    made, n = shown.what.selection, shown.numbers
    hard = analysis.complexity_histogram(shown.scores, made, filtered=mask)
    new = analysis.diversity_histogram(shown.what.diversity, made, filtered=mask)
    long: Histogram = analysis.length_histogram(shown.scores, made, shown.baselines, filtered=mask)
    (hard_title, hard_note), (new_title, new_note), (long_title, long_note) = (
        CHART[key] for key in ("complexity", "diversity", "lengths")
    )
    known = {key: bool(np.isfinite(n[key]).any()) for key in ("complexity", "diversity", "tokens")}
    drawn = [
        plots.distribution(
            hard,
            title=hard_title,
            x_title="complexity",
            ceiling=shown.settings.max_complexity,
            note=hard_note,
            brush=wanted.get("complexity"),
            brushable=known["complexity"],
        ),
        plots.distribution(
            new,
            title=new_title,
            x_title="diversity before any pick",
            note=new_note,
            brush=wanted.get("diversity"),
            brushable=known["diversity"],
        ),
        plots.lengths(
            long, title=long_title, note=long_note, brush=wanted.get("tokens"), brushable=known["tokens"]
        ),
    ]
    return [{**one, "short": word} for one, word in zip(drawn, ("complexity", "diversity", "tokens"))]


def density(shown: SelectionView) -> dict[str, Any]:
    """Complexity x diversity of the candidates, with the selected on it."""
    title, note = CHART["density"]
    rows = analysis.candidate_rows(shown.what.selection)
    return plots.density(
        shown.numbers["complexity"],
        shown.numbers["diversity"],
        rows,
        shown.what.selection.rows,
        title=title,
        note=note,
    )


def frontier(home: Path, shown: SelectionView) -> dict[str, Any]:
    """Gain by rank and vocabulary covered by budget, the current budget marked."""
    title, note = CHART["frontier"]
    return plots.frontier(
        analysis.frontier(full_order(home, shown), shown.what.budget),
        budget=shown.what.budget,
        n=len(shown.pool),
        title=title,
        note=note + (" Without the bounds on sources' shares." if shown.settings.source_shares else ""),
    )


def pool_charts(scores: Scores) -> list[dict[str, Any]]:
    """The same charts where nothing is selected: the pool's own distributions where they are known."""
    (hard, hard_note), (new, _), (long, long_note) = (
        CHART[key] for key in ("complexity", "diversity", "lengths")
    )
    first = plots.distribution(
        analysis.complexity_histogram(scores), title=hard, x_title="complexity", note=hard_note
    )
    third = plots.lengths(analysis.length_histogram(scores, None, {}), title=long, note=long_note)
    return [first, {"title": new, "empty": "Shown once something can be selected."}, third]


def pool_map(home: Path, pool: Pool, sample: str) -> dict[str, Any]:
    """The map without a selection."""
    title, note = CHART["map"]
    key = map_key(home, pool.id)
    if not key:
        return {"title": title, "empty": NO_MAP}
    return {
        "key": key,
        "title": title,
        "note": note,
        "codes": encode_bytes(np.zeros(len(pool), dtype=np.uint8)),
        "palette": PALETTE,
        "top": [],
        "highlight": pool.row_of.get(sample),
        "legend": [{"label": "pool", "colour": theme.POOL, "value": theme.number(len(pool))}],
    }


def map_value(
    home: Path,
    shown: SelectionView,
    colour: str,
    mask: np.ndarray | None,
    sample: str,
    *,
    drawn: int | None = None,
) -> dict[str, Any]:
    """The map coloured by one of `session.COLOURS`; where there is none yet, what to do.

    mask : (n,) bool, what the filter keeps. drawn : how many samples are drawn around, None where that is no filter.
    """
    title, note = CHART["map"]
    key, xy = map_key(home, shown.pool.id), get_map(home, shown.pool.id)
    if not key or xy is None:
        return {"title": title, "empty": NO_MAP}
    clusters = get_clusters(home, shown.pool.id)
    nowhere = int(np.isnan(xy[:, 0]).sum())
    if nowhere:
        note += f" {theme.counted(nowhere, 'sample')} {'is' if nowhere == 1 else 'are'} too unusual to place on the map."
    unknown = unknown_languages(shown.pool, shown.scores, shown.settings)
    note += "".join(f" {one.title}." for one in unknown[:2])
    several = len(set(writings(shown.pool)) - {UNKNOWN_WRITING}) > 1
    modes = [
        {"key": name, "label": words}
        for name, words in COLOURS.items()
        if (name != "cluster" or clusters is not None) and (name != "writing" or several)
    ]
    if colour not in [mode["key"] for mode in modes]:
        colour = "status"
    labels = (
        []
        if clusters is None
        else [
            {"x": float(x), "y": float(y), "text": label, "cluster": code}
            for code, (label, (x, y)) in enumerate(zip(clusters.labels, clusters.xy))
        ]
    )
    return {
        "key": key,
        "title": title,
        "note": note,
        "final": not key.endswith("first"),
        "modes": modes,
        "mode": colour,
        "labels": labels,
        "show_labels": bool(labels),
        "dim": None if mask is None else encode_bytes(np.packbits(~mask, bitorder="little")),
        "highlight": shown.pool.row_of.get(sample),
        "drawn": drawn,
        **coloured(shown, colour, None if clusters is None else clusters.codes),
    }


def coloured(shown: SelectionView, colour: str, clusters: np.ndarray | None) -> dict[str, Any]:
    """Codes, palette or scale, and legend of the map in one of its colourings."""
    pool, made = shown.pool, shown.what.selection
    picked = np.zeros(len(pool), dtype=bool)
    picked[made.rows] = True
    if colour == "status":
        codes = CODE[made.status]
        return {
            "codes": encode_bytes(codes),
            "palette": PALETTE,
            "scale": None,
            "above": None,
            "top": [PALETTE.index(theme.SELECTED), PALETTE.index(theme.PINNED)],
            "legend": _legend(codes, PALETTE, WORDS),
            "legend_shared": True,
        }
    above = encode_bytes(np.packbits(picked, bitorder="little"))
    if colour in ("source", "cluster", "writing"):
        if colour == "source":
            codes = np.minimum(pool.source_codes, 200).astype(np.uint8)
            palette = [theme.source_colour(code) for code in range(int(codes.max(initial=0)) + 1)]
            words = list(pool.sources)
        elif colour == "writing":
            names, counts = np.unique(writings(pool).astype(str), return_counts=True)
            words = [name or "no letters" for name in names[np.argsort(-counts, kind="stable")]]
            place = {name: at for at, name in enumerate(words)}
            codes = np.array([place[name or "no letters"] for name in writings(pool)], dtype=np.uint8)
            palette = [theme.source_colour(code) for code in range(len(words))]
        else:
            # neighbours on the map get different colours of the palette; what is in no cluster is the pool's grey
            found = np.full(len(pool), -1) if clusters is None else clusters
            codes = np.where(found < 0, 0, 1 + found % len(theme.SOURCES)).astype(np.uint8)
            palette, words = [theme.POOL, *theme.SOURCES], ["in no cluster"]
        legend = _legend(codes, palette, words)
        return {
            "codes": encode_bytes(codes),
            "palette": palette,
            "scale": None,
            "top": [],
            "above": above,
            "legend": legend,
        }
    codes, low, high = scaled(shown.numbers[colour])
    scale = {"colours": list(theme.SEQUENTIAL), "low": low, "high": high, "unknown": UNKNOWN}
    return {
        "codes": encode_bytes(codes),
        "palette": [],
        "scale": scale,
        "top": [],
        "above": above,
        "legend": [],
    }


def scaled(values: np.ndarray) -> tuple[np.ndarray, str, str]:
    """(n,) uint8, 0 to 254 over the bulk of the values and 255 where unknown, and what the ends are called.

    A few values far out must not squeeze all others into one colour, so the scale ends two interquartile ranges
    beyond the quartiles; what lies beyond has the end's colour.
    """
    known = np.isfinite(values)
    codes = np.full(len(values), UNKNOWN, dtype=np.uint8)
    if not known.any():
        return codes, "–", "–"
    low, quarter, three, high = np.quantile(values[known], [0.01, 0.25, 0.75, 0.99])
    reach = 2 * (three - quarter)
    low, high = max(low, quarter - reach), min(high, three + reach)
    part = np.clip((values[known] - low) / max(high - low, 1e-12), 0, 1)
    codes[known] = np.rint(254 * part).astype(np.uint8)
    first, last = (f"{end:,.0f}" if abs(end) >= 100 else f"{end:.3g}" for end in (low, high))
    return codes, first, last


def _legend(codes: np.ndarray, palette: list[str], words: list[str]) -> list[dict[str, Any]]:
    counts = np.bincount(codes, minlength=len(words))
    return [
        {
            "label": word,
            "colour": palette[code],
            "value": theme.number(counts[code]),
            "hatched": palette[code] == theme.UNSCORABLE,
        }
        for code, word in enumerate(words[:12])
        if counts[code]
    ]
