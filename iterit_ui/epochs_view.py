"""What the Epochs tab shows of one epoch, as values for its components: tables in, plain dicts out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from backend import analysis
from backend.analysis.alluvial import KINDS, Alluvial
from backend.analysis.hardest import Hardest
from backend.analysis.quadrants import Quadrants
from backend.records import Clusters, Selection
from iterit_ui import plots
from iterit_ui.components import encode_bytes
from iterit_ui.epochs_lists import OF_EPOCH, USUAL
from iterit_ui.theme import (
    ADDED,
    CANDIDATE,
    DROPPED,
    KEPT,
    PINNED,
    POOL,
    REJECTED,
    UNSCORABLE,
    counted,
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


def cards(table: pd.DataFrame, epoch: int, *, pool_rows: int, newest: Hardest | None, listed: str) -> Value:
    """The figures of one epoch, as buttons where they list samples.

    table : as `analysis.epoch_table` gives it, `epoch` among its rows. newest : the hardest against the epoch before,
    None at the first. listed : the key of what the table lists.
    """
    row = table[table["epoch"] == epoch].iloc[0]
    earlier = table[table["epoch"] < epoch]
    before = earlier.iloc[-1] if len(earlier) else None
    selected = card(
        "Selected", number(row["selected"]), unit="samples", tone="selected", key="selected",
        hint=f"{share(row['selected'] / pool_rows if pool_rows else None)} of the pool; "
        f"{number(row['distinct'])} distinct so far",
    )  # fmt: skip
    if before is None:
        moved = [
            card("Kept", "–", hint="the first selection: nothing to keep yet", tone="selected"),
            card("Added", "–", hint="from the next epoch on"),
            card("Dropped", "–", hint="from the next epoch on"),
        ]
    else:
        moved = [
            card("Kept", number(row["kept"]), hint=f"{share(row['overlap'])} of this selection", tone="selected", key="kept"),
            card("Added", number(row["added"]), hint="not selected in the epoch before", key="added"),
            card("Dropped", number(row["dropped"]), hint="selected in the epoch before, not now", key="dropped"),
        ]  # fmt: skip
    rest = [
        hardest_card(newest),
        card(
            "Mean complexity", score(row["mean_complexity"]),
            hint="of the selected, when they were picked"
            if np.isfinite(row["mean_complexity"])
            else "this strategy needs no model: nothing was scored",
            delta=None if before is None else signed(row["mean_complexity"] - before["mean_complexity"], 3),
        ),
        card(
            "Held-out loss", score(row["held_out_after"]), hint=held_out_hint(row),
            delta=signed(row["held_out_after"] - row["held_out_before"], 3),
        ),
    ]  # fmt: skip
    made = [selected, *moved, *rest]
    return {
        "cards": [
            {**one, "on": bool(one["key"]) and one["key"] == listed and listed != USUAL} for one in made
        ]
    }


def hardest_card(newest: Hardest | None) -> Value:
    """The share of the hardest that were not among the hardest one epoch ago."""
    label = "New among hardest"
    if newest is None:
        return card(label, "–", hint="from the next epoch on")
    if newest.reason:
        return card(label, "–", hint=newest.reason)
    return card(
        label, share(newest.share), key=f"hardest:{newest.epoch}:{newest.earlier}",
        hint=f"{number(len(newest.new_rows))} of the {number(newest.k)} hardest were not among them one epoch ago",
    )  # fmt: skip


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
        "label": label, "value": value, "unit": unit, "hint": hint, "tone": tone, "delta": delta or "", "key": key,
    }  # fmt: skip


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
    labels = [] if clusters is None else [
        {"x": float(x), "y": float(y), "text": label, "cluster": code}
        for code, (label, (x, y)) in enumerate(zip(clusters.labels, clusters.xy))
    ]  # fmt: skip
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


FLOW_LEGEND = [
    {"label": "kept", "colour": KEPT},
    {"label": "new, never selected before", "colour": ADDED},
    {"label": "came back", "colour": ADDED, "hatched": True},
    {"label": "dropped", "colour": DROPPED},
    {"label": "stayed away", "colour": POOL},
]
FLOW_NOTE = (
    "A column is an epoch's selection, and below it what earlier epochs had selected and this one did not. Heights are "
    "samples. Click a band or a column to list its samples, an epoch's name to show it."
)


def flow_value(flow: Alluvial, epoch: int, listed: str) -> Value:
    """Who stays, comes, goes and comes back, for `alluvial`. listed : the key of what the table lists."""
    said = {
        "kept": "kept from epoch {0} to epoch {1}",
        "new": "selected for the first time in epoch {1}",
        "back": "came back in epoch {1}: selected earlier, but not in epoch {0}",
        "dropped": "selected in epoch {0}, not in epoch {1}",
        "away": "selected before epoch {0}, neither in epoch {0} nor in epoch {1}",
    }
    columns = []
    for column in flow.columns:
        words = {
            "selected": f"{counted(len(column.selected), 'sample')} selected for epoch {column.epoch}",
            "gone": f"{counted(len(column.gone), 'sample')} selected before, not for epoch {column.epoch}",
        }
        columns.append(
            {
                "epoch": column.epoch,
                "selected": len(column.selected),
                "gone": len(column.gone),
                "keys": {
                    side: {"key": f"column:{column.epoch}:{side}", "words": words[side]} for side in words
                },
            }
        )
    kinds = {band.kind for band in flow.bands}
    return {
        "title": "Who stays, who comes, who goes?",
        "note": FLOW_NOTE,
        "legend": [item for item, kind in zip(FLOW_LEGEND, KINDS, strict=True) if kind in kinds],
        "epoch": epoch,
        "on": listed if listed.startswith(("flow:", "column:")) else "",
        "columns": columns,
        "bands": [
            {
                "start": band.start,
                "end": band.end,
                "kind": band.kind,
                "count": len(band.rows),
                "key": f"flow:{band.start}:{band.kind}",
                "words": f"{counted(len(band.rows), 'sample')} {said[band.kind].format(band.start, band.end)}",
            }
            for band in flow.bands
        ],
    }


def quadrant_note(found: Quadrants, *, whole: bool) -> str:
    """What the areas mean, and of which samples."""
    among = "" if whole else (
        ". Not a random part of the pool: after epoch 0 only the most promising are scored anew"
    )  # fmt: skip
    return (
        f"Of the {number(len(found))} samples scored before both epochs. Hard: complexity of {found.line:.3f} or more, their "
        f"median before epoch {found.earlier}, so half of them were hard then; learned ones are below it now. Rejected: "
        f"{found.ceiling:g} or more now, whatever it was. Below the dashed line complexity fell{among}."
    )


def quadrant_choices(found: Quadrants) -> list[Value]:
    """The areas as buttons."""
    hint = {
        "learned": "hard then, below the line now",
        "still hard": "hard then and now",
        "got harder": "below the line then, hard now",
        "rejected": "now so complex that the prompt does not help: cannot be selected",
        "easy both times": "below the line then and now",
    }
    return [
        {"key": f"quadrant:{name}", "label": name, "count": number(count), "colour": plots.QUADRANT_COLOUR[name],
         "share": share(count / len(found)), "hint": hint[name], "disabled": not count}
        for name, count in found.counts().items()
    ]  # fmt: skip


def hardest_note(found: Hardest) -> str:
    """What is compared, for the epoch that is shown."""
    part = "the whole pool was scored" if found.whole_pool else "only part of the pool was scored anew"
    return (
        f"Hardest: the {number(found.k)} most complex (as many as are selected) of the {number(found.compared)} samples "
        f"scored before both epochs with a complexity below the ceiling both times; {part}. The marks say what an order "
        "by chance would give"
    )


def hardest_choices(found: list[Hardest]) -> list[Value]:
    """The shown epoch's bars as buttons."""
    return [
        {"key": f"hardest:{one.epoch}:{one.earlier}", "label": f"new at epoch {one.epoch}, since epoch {one.earlier}",
         "count": number(len(one.new_rows)), "share": share(one.share), "colour": "",
         "hint": f"among the {one.k:,} hardest before epoch {one.epoch}, not among those before epoch {one.earlier}",
         "disabled": not len(one.new_rows)}
        for one in found if not one.reason
    ]  # fmt: skip


def cohort_note(epoch: int, *, first: bool, scored_once: bool, whole: bool) -> str:
    """What the marks are."""
    if first:
        return (
            "Mean loss of the response, of the selected and of the rest, before any training. From the next epoch on "
            "there are those that were kept, added and dropped."
        )
    if scored_once:
        return "This strategy scores the pool once, so what training changed is not known sample by sample."
    part = (
        "" if whole else " Only the most promising are scored anew, so compare lengths of lines, not heights."
    )
    return (
        f"Cohorts as epoch {epoch} makes them. Filled: mean loss before an epoch of the members scored anew then; hollow: "
        f"the very same samples before epoch 0.{part}"
    )


def cohort_choices(table: pd.DataFrame, epoch: int, first: bool) -> list[Value]:
    """The cohorts as buttons, with what is known before the epoch that is shown."""
    made = []
    for row in table[table["epoch"] == epoch].itertuples():
        label = "selected" if first and row.cohort == "kept" else row.cohort
        if first:
            known = score(row.loss)
            hint = f"{row.scored:,} of {row.members:,} have a loss, {known} nats per token on average"
        else:
            known = f"{row.scored:,} rescored" + (f", {signed(row.change, 3)}" if row.scored else "")
            hint = (
                f"{row.scored:,} of {row.members:,} were scored before both epoch 0 and epoch {epoch}: "
                f"{score(row.loss_first)}, then {score(row.loss)} nats per token"
                if row.scored
                else f"none of {row.members:,} was scored anew before epoch {epoch}"
            )
        made.append(
            {"key": row.cohort if row.cohort in OF_EPOCH and not first else f"cohort:{row.cohort}", "label": label, "count": number(row.members), "share": known,
             "colour": plots.COHORT_COLOUR[row.cohort], "hint": hint}
        )  # fmt: skip
    return made


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
                "hint": "of the response with its prompt, nats per token",
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
