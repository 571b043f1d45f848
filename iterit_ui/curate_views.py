"""What the Curate tab shows of a selection: cards, charts, map and table, as the components' values."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

import numpy as np

from backend import analysis
from backend.analysis import Histogram
from backend.errors import StudioError
from backend.records import Pool, Scores, Selection, Status
from iterit_ui import plots, samples, text, theme
from iterit_ui.components import encode_bytes
from iterit_ui.selecting import Shown
from iterit_ui.session import get_map

# the map's colours by code, and the code of each status
PALETTE = [theme.POOL, theme.CANDIDATE, theme.SELECTED, theme.PINNED, theme.REJECTED, theme.UNSCORABLE]
WORDS = ["not a candidate", "candidate", "selected", "pinned", "rejected or excluded", "unscorable"]
CODE = np.zeros(len(Status), dtype=np.uint8)
for _status in Status:
    CODE[_status] = PALETTE.index(theme.STATUS_COLOUR[_status])

COLUMNS = ["rank", "gain", "complexity", "diversity", "tokens", "source", "response"]
SORTS = analysis.SORTS
VIEW: dict[str, Any] = {"which": "selected", "sort": "rank", "descending": False, "page": 0, "drawn": ""}


def cards_value(shown: Shown, previous: Selection | None) -> dict[str, Any]:
    """The selection in figures, and what changed since the last setting."""
    made = shown.what.selection
    told = analysis.selection_summary(shown.pool, shown.scores, made)
    moved = analysis.change(previous, made)
    sources = len(np.unique(shown.pool.source_codes[made.rows]))
    known = shown.scores.complexity[np.isfinite(shown.scores.complexity)]
    missing = shown.what.budget - len(made)
    picked = {
        "label": "Selected", "value": theme.number(len(made)), "unit": f"of {theme.number(len(shown.pool))}", "tone": "selected",
        "hint": f"{theme.share(told['share'])} of the pool" + (f"; {theme.number(missing)} fewer than the budget" if missing > 0 else ""),
    }  # fmt: skip
    tokens = {"label": "Response tokens", "value": theme.number(told["tokens"]),
              "hint": f"{theme.number(told['mean_tokens'])} a sample on average" if told["tokens"] else "known once the pool is scored"}  # fmt: skip
    hard = {"label": "Mean complexity", "value": theme.score(told["mean_complexity"]),
            "hint": f"whole pool {theme.score(float(known.mean()))}" if len(known) else "known once the pool is scored"}  # fmt: skip
    left = {"label": "Candidates", "value": theme.number(told["candidates"]), "tone": "candidate",
            "hint": f"{theme.number(told['rejected_complexity'])} too complex, {theme.number(told['unscorable'])} unscorable"}  # fmt: skip
    spread = {"label": "Sources", "value": theme.number(sources), "unit": f"of {len(shown.pool.sources)}",
              "hint": f"{theme.number(told['pinned'])} pinned, {theme.number(told['excluded'])} excluded"}  # fmt: skip
    if previous is None:
        change = {"label": "Last change", "value": "–", "hint": "change a setting"}
    else:
        change = {"label": "Last change", "value": theme.number(moved["kept"]), "unit": "kept",
                  "hint": f"{theme.number(moved['added'])} added, {theme.number(moved['dropped'])} dropped"}  # fmt: skip
    return {"cards": [picked, tokens, hard, left, spread, change]}


def complexity_chart(shown: Shown) -> dict[str, Any]:
    """Complexity of pool, candidates and selected, with the ceiling."""
    title, note = text.CHART["complexity"]
    found = analysis.complexity_histogram(shown.scores, shown.what.selection)
    return plots.distribution(
        found, title=title, x_title="complexity", ceiling=shown.settings.max_complexity, note=note
    )


def diversity_chart(shown: Shown) -> dict[str, Any]:
    """Diversity of candidates and selected."""
    title, note = text.CHART["diversity"]
    found = analysis.diversity_histogram(shown.what.diversity, shown.what.selection)
    return plots.distribution(found, title=title, x_title="diversity before any pick", note=note)


def lengths_chart(shown: Shown) -> dict[str, Any]:
    """Response lengths of the selected against pool, random and longest."""
    title, note = text.CHART["lengths"]
    rivals = analysis.baselines(shown.pool, shown.scores, shown.settings)
    rivals = {name: rows for name, rows in rivals.items() if name in ("random", "longest")}
    found: Histogram = analysis.length_histogram(shown.scores, shown.what.selection, rivals)
    return plots.lengths(found, title=title, note=note)


def pool_cards(pool: Pool, scores: Scores) -> dict[str, Any]:
    """The figures of a pool from which nothing is selected."""
    known = int(np.isfinite(scores.complexity).sum())
    return {
        "cards": [
            {"label": "Selected", "value": "0", "unit": f"of {theme.number(len(pool))}", "tone": "selected", "hint": "see the message above"},
            {"label": "Scored", "value": theme.number(known), "unit": f"of {theme.number(len(pool))}", "tone": "pool", "hint": "samples that a model has read"},
            {"label": "Sources", "value": theme.number(len(pool.sources))},
        ]
    }  # fmt: skip


def pool_charts(scores: Scores) -> list[dict[str, Any]]:
    """The three charts where nothing is selected: the pool's own distributions where they are known."""
    (hard, hard_note), (new, _), (long, long_note) = (
        text.CHART[key] for key in ("complexity", "diversity", "lengths")
    )
    first = plots.distribution(
        analysis.complexity_histogram(scores), title=hard, x_title="complexity", note=hard_note
    )
    third = plots.lengths(analysis.length_histogram(scores, None, {}), title=long, note=long_note)
    return [first, {"title": new, "empty": "Diversity is shown once something can be selected."}, third]


def pool_map(home: Path, pool: Pool, sample: str) -> dict[str, Any]:
    """The map without a selection."""
    title, note = text.CHART["map"]
    if get_map(home, pool.id) is None:
        return {"title": title, "empty": text.NO_MAP}
    return {
        "key": pool.id, "title": title, "note": note, "codes": encode_bytes(np.zeros(len(pool), dtype=np.uint8)),
        "palette": PALETTE, "top": [], "highlight": pool.row_of.get(sample),
        "legend": [{"label": "pool", "colour": theme.POOL, "value": theme.number(len(pool))}],
    }  # fmt: skip


def pool_table(pool: Pool, scores: Scores, view: dict[str, Any], sample: str) -> dict[str, Any]:
    """The samples of a pool without a selection."""
    page = analysis.sample_rows(pool, scores, None, sort="row", page=view["page"])
    columns = ["complexity", "tokens", "source", "response"]
    return samples.table_value(pool, page, None, columns=columns, opened=sample, title="Samples of the pool")


def map_value(home: Path, shown: Shown, sample: str) -> dict[str, Any]:
    """The map in the statuses' colours; where there is none, what to do."""
    title, note = text.CHART["map"]
    xy = get_map(home, shown.pool.id)
    if xy is None:
        return {"title": title, "empty": text.NO_MAP}
    codes = CODE[shown.what.selection.status]
    counts = np.bincount(codes, minlength=len(PALETTE))
    nowhere = int(np.isnan(xy[:, 0]).sum())
    if nowhere:
        note += f" {theme.counted(nowhere, 'sample')} without a frequent word {'is' if nowhere == 1 else 'are'} not on it."
    return {
        "key": shown.pool.id,
        "title": title,
        "note": note,
        "codes": encode_bytes(codes),
        "palette": PALETTE,
        "top": [PALETTE.index(theme.SELECTED), PALETTE.index(theme.PINNED)],
        "highlight": shown.pool.row_of.get(sample),
        "legend": [
            {"label": WORDS[code], "colour": PALETTE[code], "value": theme.number(counts[code]), "hatched": PALETTE[code] == theme.UNSCORABLE}
            for code in range(len(PALETTE)) if counts[code]
        ],
    }  # fmt: skip


def table_value(
    shown: Shown, view: dict[str, Any], previous: Selection | None, sample: str
) -> dict[str, Any]:
    """One page of the samples of one kind; `view` as VIEW."""
    made = shown.what.selection
    counts = {which: len(analysis.filter_rows(made, which, previous)) for which in text.FILTERS}
    if previous is None:
        counts["added"] = counts["dropped"] = 0
    filters = [{"key": key, "label": label, "count": theme.number(counts[key])} for key, label in text.FILTERS.items()
               if counts[key] or key in ("selected", view["which"])]  # fmt: skip
    if view["which"] == "drawn":
        rows = drawn_rows(view["drawn"], len(shown.pool))
        filters.append({"key": "drawn", "label": "Drawn on the map", "count": theme.number(len(rows))})
    else:
        rows = analysis.filter_rows(made, view["which"], previous)
    page = analysis.sample_rows(
        shown.pool, shown.scores, made, rows, diversity=shown.what.diversity, sort=view["sort"],
        descending=view["descending"], page=view["page"],
    )  # fmt: skip
    return samples.table_value(
        shown.pool, page, made, columns=columns_of(view["which"]), sort=view["sort"], descending=view["descending"], opened=sample,
        title="Samples", filters=filters, filter=view["which"],
        empty="No sample is in this list with the present settings.",
    )  # fmt: skip


def columns_of(which: str) -> list[str]:
    """Columns of a list: picks have rank and gain, the others a status."""
    if which in ("selected", "added"):
        return COLUMNS
    if which == "all" or which == "drawn":
        return ["rank", "complexity", "diversity", "tokens", "source", "status", "response"]
    return ["complexity", "diversity", "tokens", "source", "status", "response"]


def drawn_rows(bits: str, n: int) -> np.ndarray:
    """(m,) int64: rows of a bit set, base64, as the map sends it."""
    try:
        raw = base64.b64decode(bits, validate=True)
    except (binascii.Error, ValueError) as error:
        raise StudioError("the drawn selection cannot be read") from error
    if len(raw) != -(-n // 8):
        raise StudioError("the drawn selection belongs to another pool")
    return np.flatnonzero(np.unpackbits(np.frombuffer(raw, "u1"), bitorder="little", count=n))
