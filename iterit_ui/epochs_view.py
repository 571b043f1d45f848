"""What the Epochs tab shows of one epoch, as values for its components: tables in, plain dicts out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from backend import analysis
from backend.records import Selection
from iterit_ui.components import encode_bytes
from iterit_ui.theme import (
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
    "added": "Nothing came in: the selection is the one of the epoch before.",
    "kept": "Nothing stayed from the epoch before.",
    "dropped": "Nothing was dropped.",
}


def cards(table: pd.DataFrame, epoch: int, *, pool_rows: int) -> Value:
    """The figures of one epoch. table : as `analysis.epoch_table` gives it, `epoch` among its rows."""
    row = table[table["epoch"] == epoch].iloc[0]
    earlier = table[table["epoch"] < epoch]
    before = earlier.iloc[-1] if len(earlier) else None
    first = before is None
    made = [
        card(
            "Selected",
            number(row["selected"]),
            unit="samples",
            hint=f"{share(row['selected'] / pool_rows if pool_rows else None)} of the pool; "
            f"{number(row['distinct'])} distinct so far",
            tone="selected",
        ),
        card(
            "Kept",
            "–" if first else number(row["kept"]),
            hint="the first selection: nothing to keep yet"
            if first
            else f"{share(row['overlap'])} of this selection",
            tone="selected",
        ),
        card(
            "Added",
            "–" if first else number(row["added"]),
            hint="from the next epoch on" if first else "not selected in the epoch before",
        ),
        card(
            "Dropped",
            "–" if first else number(row["dropped"]),
            hint="from the next epoch on" if first else "selected in the epoch before, not now",
        ),
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
            hint=held_out_hint(row),
            delta=signed(row["held_out_after"] - row["held_out_before"], 3),
        ),
    ]
    return {"cards": made}


def card(
    label: str, value: str, *, unit: str = "", hint: str = "", tone: str = "plain", delta: str | None = None
) -> Value:
    """One figure of a row of cards."""
    return {"label": label, "value": value, "unit": unit, "hint": hint, "tone": tone, "delta": delta or ""}


def signed(value: float, digits: int) -> str:
    """+0.012, −0.012, or nothing where it is not known."""
    if not np.isfinite(value):
        return ""
    return f"{'+' if value > 0 else '−' if value < 0 else '±'}{abs(value):.{digits}f}"


def held_out_hint(row: pd.Series) -> str:
    """What the held-out loss of an epoch is compared with, and what was not measured."""
    before, after = row["held_out_before"], row["held_out_after"]
    if not np.isfinite(before) and not np.isfinite(after):
        return "not measured: this run holds nothing out, or has not come so far"
    if not np.isfinite(after):
        return f"after this epoch: not measured yet; before it {score(before)} nats per token"
    return f"nats per token after this epoch; before it {score(before)}"


def map_value(pool_id: str, selection: Selection, previous: Selection | None, highlight: int | None) -> Value:
    """The map's colours at one epoch; coordinates stay where they are."""
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
    return {
        "key": pool_id,
        "title": "Where in the pool is the selection?",
        "note": "Responses that use similar words lie close together. The points stay, only their colours change.",
        "codes": encode_bytes(codes),
        "palette": [MEMBER_COLOUR[name] for name in names],
        "top": [names.index(name) for name in ON_TOP],
        "highlight": highlight,
        "legend": legend,
    }


def history_value(table: pd.DataFrame, epoch: int) -> Value:
    """One sample over the epochs, a row each; the shown epoch is marked."""
    rows = []
    for item in table.itertuples():
        known = np.isfinite(item.complexity)
        rows.append(
            {
                "epoch": f"epoch {item.epoch}",
                "status": {"text": item.status, "tone": "selected" if item.picked else "pool"},
                "rank": number(item.rank),
                "gain": score(item.gain),
                "complexity": score(item.complexity),
                "scored": "anew" if item.rescored else "earlier" if known else "no",
            }
        )
    return {
        "title": "This sample over the epochs",
        "columns": [
            {"key": "epoch", "label": "Epoch", "width": "72px"},
            {"key": "status", "label": "Status", "kind": "badge"},
            {"key": "rank", "label": "Pick", "align": "right", "width": "52px"},
            {"key": "gain", "label": "Gain", "align": "right", "width": "68px"},
            {"key": "complexity", "label": "Complexity", "align": "right", "width": "110px"},
            {
                "key": "scored",
                "label": "Scored",
                "hint": "anew before this epoch, at an earlier one, or not at all",
                "width": "72px",
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


# what these select before epoch 0 stands for the whole run
SELECT_ONCE = ("iterit-static", "superfiltering", "diversity", "longest", "random", "full")


def strategy_note(strategy: str, table: pd.DataFrame) -> str:
    """One honest sentence on what this strategy's epochs can and cannot show."""
    total, last = int(table["selected"].sum()), table.iloc[-1]
    if strategy == "full":
        return "“full” trains on the whole pool in every epoch; there is nothing to select."
    if strategy in SELECT_ONCE:
        return f"“{strategy}” selects once and keeps it, so nothing comes or goes after epoch 0."
    if strategy == "random-each-epoch":
        return "“random-each-epoch” draws anew before every epoch: what comes and goes is chance, not a judgement."
    if len(table) < 2:
        return ""
    return (
        f"Over {len(table)} epochs the model was given {number(last['distinct'])} distinct samples in {number(total)} "
        "places. A strategy that keeps its first selection sees fewer distinct samples for the same number of steps; "
        "part of any difference between the two is that, and not better choice."
    )


def epoch_words(
    epochs: Sequence[int], epoch: int, planned: int, *, strategy: str = "iterit", trains: bool = True
) -> str:
    """Which epoch this is, and what that means."""
    if epoch == 0:
        needs_model = strategy in ("iterit", "iterit-static", "complexity", "superfiltering")
        what = f"chosen {'with the untouched model' if needs_model else 'without a model'}"
        what += ", trained on first" if trains else "; this run only scores, nothing is trained"
    elif strategy in SELECT_ONCE:
        what = "trained on the selection of epoch 0 again"
    elif strategy == "random-each-epoch":
        what = f"drawn again after {epoch} epoch{'s' if epoch > 1 else ''} of training"
    else:
        what = f"chosen again after {epoch} epoch{'s' if epoch > 1 else ''} of training"
    left = max(planned, 1) - len(epochs)
    more = f". {left} more epoch{'s' if left > 1 else ''} to come" if left > 0 else ""
    return f"Epoch {epoch}: {what}{more}."
