"""What the Curate tab shows of a selection: cards and table, as the components' values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from backend import analysis, store
from backend.analysis.quota_words import share_notes
from backend.records import EDITED, Pool, Scores, Selection, Status
from iterit_ui.curate.words import ACTIONS, FILTERS
from iterit_ui.samples import sample_values
from iterit_ui.samples.column_menu import menu_value
from iterit_ui.samples.sample_list import SampleList
from iterit_ui.shared import theme
from iterit_ui.shared.selections import SelectionView, get_vocabulary, model_of
from iterit_ui.shared.session import get_marks
from iterit_ui.shared.theme import duration

COLUMNS = ["rank", "gain", "complexity", "diversity", "tokens", "source", "response"]


def cards_value(home: Path, shown: SelectionView, previous: Selection | None) -> dict[str, Any]:
    """The selection in figures, and what changed since the last setting."""
    made = shown.what.selection
    told = analysis.selection_summary(shown.pool, shown.scores, made)
    moved = analysis.change(previous, made)
    known = shown.scores.complexity[np.isfinite(shown.scores.complexity)]
    missing = shown.what.budget - len(made)
    picked = {
        "label": "Selected",
        "value": theme.number(len(made)),
        "unit": f"of {theme.number(len(shown.pool))}",
        "tone": "selected",
        "lead": True,
        "hint": f"{theme.share(told['share'])} of the pool"
        + (f"; {theme.number(missing)} fewer than the budget" if missing > 0 else "")
        + "".join(f"; {note}" for note in share_notes(shown.pool, made, shown.settings))
        + (
            f"; {theme.counted(int(told['no_value'] or 0), 'sample')} without a value in {shown.settings.factor_column} left out"
            if told["no_value"]
            else ""
        ),
    }
    tokens = {
        "label": "Response tokens",
        "value": theme.number(told["tokens"]),
        "hint": f"{theme.number(told['mean_tokens'])} a sample on average"
        if told["tokens"]
        else "known once the pool is scored",
    }
    hard = {
        "label": "Mean complexity",
        "value": theme.score(told["mean_complexity"]),
        "hint": f"whole pool {theme.score(float(known.mean()))}"
        if len(known)
        else "known once the pool is scored",
    }
    if previous is None:
        change = {"label": "Last change", "value": "–", "hint": "change a setting"}
    else:
        change = {
            "label": "Last change",
            "value": theme.number(moved["kept"]),
            "unit": f"kept, {theme.number(moved['added'])} new",
            "key": "added",
            "hint": f"{theme.number(moved['added'])} added, {theme.number(moved['dropped'])} dropped",
        }
    return {
        "cards": [
            picked,
            vocabulary_card(home, shown),
            tokens,
            time_card(home, shown, told["tokens"]),
            hard,
            sources_card(shown),
            change,
        ],
        "legend": legend(made, shown.scores),
    }


def legend(made: Selection, scores: Scores) -> list[dict[str, Any]]:
    """What the colours of the charts and of the map mean, with how many there are; the same for all of them."""
    counts = {
        key: len(analysis.filter_rows(made, key))
        for key in ("candidates", "selected", "rejected", "unscorable")
    }
    counts["pool"] = len(made.status)
    counts["pinned"] = int((made.status == Status.PINNED).sum())
    # what was edited can be scored, and is not yet
    counts["edited"] = int(((made.status == Status.UNSCORABLE) & (scores.reason == EDITED)).sum())
    counts["unscorable"] -= counts["edited"]
    parts = [
        ("pool", "pool", theme.POOL),
        ("candidates", "candidates", theme.CANDIDATE),
        ("selected", "selected", theme.SELECTED),
        ("pinned", "of them pinned", theme.PINNED),
        ("rejected", "rejected", theme.REJECTED),
        ("edited", "edited, not scored anew", theme.UNSCORABLE),
        ("unscorable", "unscorable", theme.UNSCORABLE),
    ]
    return [
        {
            "label": label,
            "colour": colour,
            "value": theme.number(counts[key]),
            "hatched": colour == theme.UNSCORABLE,
        }
        for key, label, colour in parts
        if counts[key]
    ]


def time_card(home: Path, shown: SelectionView, tokens: float | None) -> dict[str, Any]:
    """How long an epoch of training on the selection may take."""
    label = "Training time"
    if tokens is None:
        return {"label": label, "value": "unknown", "hint": "known once the pool is scored"}
    model = model_of(home, shown.scores_key)
    estimate = analysis.training_time(home, model, response_tokens=tokens, pool_id=shown.pool.id)
    if not np.isfinite(estimate.seconds):
        return {"label": label, "value": "unknown", "hint": estimate.source}
    return {"label": label, "value": duration(estimate.seconds), "hint": f"an epoch; {estimate.source}"}


def vocabulary_card(home: Path, shown: SelectionView) -> dict[str, Any]:
    """How much of the pool's phrases the selection holds."""
    share = analysis.covered_share(
        get_vocabulary(home, shown.pool.id, shown.settings.words), shown.what.selection.rows
    )
    return {
        "label": "Wording covered",
        "value": theme.share(share),
        "bar": share,
        "tone": "selected",
        "lead": True,
        "hint": "how much of the pool's wording (words and phrases, rare ones counting more) the selected samples hold",
    }


def sources_card(shown: SelectionView) -> dict[str, Any]:
    """Where the selected come from."""
    pool, made = shown.pool, shown.what.selection
    counts = np.bincount(pool.source_codes[made.rows], minlength=len(pool.sources))
    order = np.argsort(-counts, kind="stable")
    parts = [
        {
            "label": f"{pool.sources[code]}: {theme.number(counts[code])}, {theme.share(counts[code] / max(len(made), 1))}",
            "colour": theme.source_colour(int(code)),
            "share": float(counts[code] / max(len(made), 1)),
        }
        for code in order
        if counts[code]
    ]
    first = pool.sources[order[0]] if len(order) and counts[order[0]] else ""
    hint = (
        f"{theme.share(counts[order[0]] / max(len(made), 1))} from {first}"
        if first
        else "nothing is selected"
    )
    return {
        "label": "Sources",
        "value": theme.number((counts > 0).sum()),
        "unit": f"of {len(pool.sources)}",
        "parts": parts,
        "hint": hint,
    }


def pool_cards(pool: Pool, scores: Scores) -> dict[str, Any]:
    """The figures of a pool from which nothing is selected."""
    known = int(np.isfinite(scores.complexity).sum())
    return {
        "cards": [
            {
                "label": "Selected",
                "value": "0",
                "unit": f"of {theme.number(len(pool))}",
                "tone": "selected",
                "hint": "see the message above",
            },
            {
                "label": "Scored",
                "value": theme.number(known),
                "unit": f"of {theme.number(len(pool))}",
                "tone": "pool",
                "hint": "samples that a model has read",
            },
            {"label": "Sources", "value": theme.number(len(pool.sources))},
        ]
    }


def pool_table(pool: Pool, scores: Scores, view: dict[str, Any], sample: str) -> dict[str, Any]:
    """The samples of a pool without a selection."""
    found = SampleList(pool, np.arange(len(pool)), {"page": view["page"]})
    columns = ["complexity", "tokens", "source", "response"]
    return sample_values.table_value(
        found, scores, None, columns=columns, opened=sample, title="Samples of the pool"
    )


def listed_rows(
    shown: SelectionView, which: str, previous: Selection | None, mask: np.ndarray | None
) -> np.ndarray:
    """(m,) int64: the rows of one list that the filter keeps."""
    rows = analysis.filter_rows(shown.what.selection, which, previous)
    return rows if mask is None else rows[mask[rows]]


def table_value(
    home: Path,
    shown: SelectionView,
    found: SampleList,
    previous: Selection | None,
    mask: np.ndarray | None,
    sample: str,
    *,
    list_key: str = "",
    conditions: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """One page of the samples of one list, as far as the filter keeps them; its view as `session.VIEW`.

    list_key : names the whole list, for what is done to all of it. conditions : of the filter, on the data's own columns.
    """
    made, which = shown.what.selection, found.view["which"]
    lists = {key: listed_rows(shown, key, previous, mask) for key in FILTERS}
    if previous is None:
        lists["added"] = lists["dropped"] = np.empty(0, dtype=np.int64)
    shown_lists = [
        {"key": key, "label": label, "count": theme.number(len(lists[key]))}
        for key, label in FILTERS.items()
        if len(lists[key]) or key in ("selected", "all", which)
    ]
    value = sample_values.table_value(
        found,
        shown.scores,
        made,
        columns=columns_of(which),
        diversity=shown.what.diversity,
        opened=sample,
        title="Samples",
        filters=shown_lists,
        filter=which,
        selectable=True,
        actions=ACTIONS,
        list_key=list_key,
        empty="No samples in this list with the current settings and filter.",
    )
    value["own"] = menu_value(shown.pool, found.view.get("own", ()), conditions)
    value["marks"] = sample_values.row_marks(
        value["ids"], get_marks(home, shown.pool.id), store.notes(home, shown.pool.id), shown.pool.edits
    )
    return value


def columns_of(which: str) -> list[str]:
    """Columns of a list: picks have rank and gain, the others a status."""
    if which in ("selected", "added", "kept"):
        return COLUMNS
    if which == "all":
        return ["rank", "complexity", "diversity", "tokens", "source", "status", "response"]
    return ["complexity", "diversity", "tokens", "source", "status", "response"]
