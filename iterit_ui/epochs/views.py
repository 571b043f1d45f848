"""What the Epochs tab shows of one epoch: its figures, its map, and one sample over all epochs; tables in, plain dicts out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from backend import analysis
from backend.analysis.hardest import Hardest
from backend.records import Clusters, Selection
from iterit_ui.components import encode_bytes
from iterit_ui.epochs.lists import USUAL
from iterit_ui.shared.theme import (
    ADDED,
    CANDIDATE,
    DROPPED,
    KEPT,
    PINNED,
    POOL,
    REJECTED,
    UNSCORABLE,
    number,
    score,
    share,
)

Value = dict[str, Any]

MEMBER_COLOUR = {
    "not a candidate": POOL,
    "candidate": CANDIDATE,
    "kept": KEPT,
    "added": ADDED,
    "dropped": DROPPED,
    "pinned": PINNED,
    "rejected": REJECTED,
    "unscorable": UNSCORABLE,
    "held out": POOL,
}

ON_TOP = ("kept", "added", "dropped", "pinned")

FILTERS = {"selected": "All selected", "added": "Added", "kept": "Kept", "dropped": "Dropped"}

EMPTY_TABLE = {
    "selected": "Nothing was selected before this epoch.",
    "added": "Nothing was added: the selection is the same as in the epoch before.",
    "kept": "Nothing was kept from the epoch before.",
    "dropped": "Nothing was dropped.",
}


def cards(
    table: pd.DataFrame,
    epoch: int,
    *,
    pool_rows: int,
    newest: Hardest | None,
    listed: str,
    measured_on: str = "",
) -> Value:
    """The figures of one epoch, as buttons where they list samples.

    table : as `analysis.epoch_table` gives it, `epoch` among its rows. newest : the hardest against the epoch before,
    None at the first. listed : the key of what the table lists. measured_on : the held-out samples, in words.
    """
    row = table[table["epoch"] == epoch].iloc[0]
    earlier = table[table["epoch"] < epoch]
    before = earlier.iloc[-1] if len(earlier) else None
    selected = card(
        "Selected",
        number(row["selected"]),
        unit="samples",
        tone="selected",
        key="selected",
        hint=f"{share(row['selected'] / pool_rows if pool_rows else None)} of the pool; "
        f"{number(row['distinct'])} distinct so far",
    )
    if before is None:
        moved = [
            card("Kept", "–", hint="the first selection: nothing to keep yet", tone="selected"),
            card("Added", "–", hint="from the next epoch on"),
            card("Dropped", "–", hint="from the next epoch on"),
        ]
    else:
        moved = [
            card(
                "Kept",
                number(row["kept"]),
                hint=f"{share(row['overlap'])} of this selection",
                tone="selected",
                key="kept",
            ),
            card("Added", number(row["added"]), hint="not selected in the epoch before", key="added"),
            card(
                "Dropped", number(row["dropped"]), hint="selected in the epoch before, not now", key="dropped"
            ),
        ]
    rest = [
        hardest_card(newest),
        card(
            "Mean complexity",
            score(row["mean_complexity"]),
            hint="of the selected, when they were picked"
            if np.isfinite(row["mean_complexity"])
            else "this strategy needs no model: nothing was scored",
            delta=None if before is None else signed(row["mean_complexity"] - before["mean_complexity"], 3),
        ),
        card(
            "Held-out loss",
            score(row["held_out_after"]),
            hint=held_out_hint(row, measured_on),
            delta=signed(row["held_out_after"] - row["held_out_before"], 3),
        ),
    ]
    made = [selected, rest[-1], *moved, *rest[:-1]]
    return {
        "cards": [
            {
                **one,
                "on": bool(one["key"]) and one["key"] == listed and listed != USUAL,
                "lead": one in (selected, rest[-1]),
            }
            for one in made
        ],
        "legend": [
            {"label": label, "colour": colour}
            for label, colour in (("pool", POOL), ("candidates", CANDIDATE), ("selected", KEPT))
        ],
    }


def hardest_card(newest: Hardest | None) -> Value:
    """The share of the hardest that were not among the hardest one epoch ago."""
    label = "New among hardest"
    if newest is None:
        return card(label, "–", hint="from the next epoch on")
    if newest.reason:
        return card(label, "–", hint=newest.reason)
    return card(
        label,
        share(newest.share),
        key=f"hardest:{newest.epoch}:{newest.earlier}",
        hint=f"{number(len(newest.new_rows))} of the {number(newest.k)} hardest were not among them one epoch ago",
    )


def card(
    label: str,
    value: str,
    *,
    unit: str = "",
    hint: str = "",
    tone: str = "plain",
    delta: str | None = None,
    key: str = "",
) -> Value:
    """One figure of a row of cards; with a key it is a button."""
    return {
        "label": label,
        "value": value,
        "unit": unit,
        "hint": hint,
        "tone": tone,
        "delta": delta or "",
        "key": key,
    }


def signed(value: float, digits: int) -> str:
    """+0.012, −0.012, or nothing where it is not known."""
    if not np.isfinite(value):
        return ""
    return f"{'+' if value > 0 else '−' if value < 0 else '±'}{abs(value):.{digits}f}"


def held_out_hint(row: pd.Series, measured_on: str = "") -> str:
    """What the held-out loss of an epoch is measured on and compared with, and what was not measured."""
    where = f", on {measured_on}" if measured_on else ""
    before, after = row["held_out_before"], row["held_out_after"]
    if not np.isfinite(before) and not np.isfinite(after):
        return "not measured: this run holds nothing out, or has not got that far"
    if not np.isfinite(after):
        return f"after this epoch: not measured yet; before it {score(before)}{where}"
    return f"lower is better; before this epoch {score(before)}{where}"


def map_value(
    key: str,
    selection: Selection,
    previous: Selection | None,
    highlight: int | None,
    *,
    clusters: Clusters | None = None,
    marked: np.ndarray | None = None,
    drawn: int | None = None,
) -> Value:
    """The map's colours at one epoch; coordinates stay where they are.

    key : names the coordinates. marked : (n,) bool, what the table lists, the rest is faint; None for no such thing.
    drawn : how many samples are drawn around, None where that is not what is listed.
    """
    codes = analysis.membership(selection, previous)
    names = analysis.MEMBERSHIP
    counts = np.bincount(codes, minlength=len(names))
    shown = [name for i, name in enumerate(names) if counts[i]]
    words = {"kept": "kept" if previous is not None else "selected"}
    legend = [
        {
            "label": words.get(name, name),
            "colour": MEMBER_COLOUR[name],
            "value": number(counts[names.index(name)]),
            "hatched": name == "unscorable",
        }
        for name in (*[n for n in ON_TOP if n in shown], *[n for n in shown if n not in ON_TOP])
    ]
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
        "title": "Where in the pool is the selection?",
        "note": "Responses that use similar words lie close together. The points stay, only their colours change. "
        "Click a point to read it, draw around some to list them.",
        "codes": encode_bytes(codes),
        "palette": [MEMBER_COLOUR[name] for name in names],
        "top": [names.index(name) for name in ON_TOP],
        "dim": None if marked is None else encode_bytes(np.packbits(~marked, bitorder="little")),
        "above": None if marked is None else encode_bytes(np.packbits(marked, bitorder="little")),
        "labels": labels,
        "show_labels": False,
        "final": not key.endswith("first"),
        "highlight": highlight,
        "drawn": drawn,
        "legend": legend,
    }


def history_value(table: pd.DataFrame, epoch: int) -> Value:
    """One sample over the epochs, a row each; the shown epoch is marked."""
    rows = []
    item: Any
    for item in table.itertuples():
        known = np.isfinite(item.complexity)
        rows.append(
            {
                "epoch": f"epoch {item.epoch}",
                "status": {"text": item.status, "tone": "selected" if item.picked else "pool"},
                "rank": number(item.rank),
                "gain": score(item.gain),
                "complexity": score(item.complexity),
                "loss": score(item.loss),
                "scored": "anew" if item.rescored else "earlier" if known else "no",
            }
        )
    return {
        "title": "This sample over the epochs",
        "columns": [
            {"key": "epoch", "label": "Epoch", "width": "68px"},
            {"key": "status", "label": "Status", "kind": "badge"},
            {"key": "rank", "label": "Pick", "align": "right", "width": "46px"},
            {"key": "gain", "label": "Gain", "align": "right", "width": "58px", "minor": True},
            {"key": "complexity", "label": "Complexity", "align": "right", "width": "90px"},
            {
                "key": "loss",
                "label": "Loss",
                "hint": "of the response with its prompt",
                "align": "right",
                "width": "60px",
            },
            {
                "key": "scored",
                "label": "Scored",
                "hint": "anew before this epoch, at an earlier one, or not at all",
                "width": "60px",
            },
        ],
        "rows": rows,
        "ids": [str(e) for e in table["epoch"]],
        "page": 0,
        "pages": 1,
        "total": len(rows),
        "unit": "epochs",
        "selected": str(epoch),
    }
