"""What the screen of the review gate shows: what an epoch would train on, with a draft's changes, against the one before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from backend import analysis
from backend.analysis.quota_words import share_notes
from backend.config import budget_of
from backend.errors import StudioError
from backend.records import Status
from backend.selection import leaves_out
from backend.store import RunInfo
from iterit_ui import plots
from iterit_ui.shared import theme
from iterit_ui.shared.settings import column_choices, panel_field, panel_sources
from iterit_ui.shared.settings import label as label_of
from iterit_ui.tune.review.lists import sample, table
from iterit_ui.tune.review.state import Open, Value, marks_of, opened

FIELDS = (
    "budget",
    "decay",
    "complexity_weight",
    "diversity_weight",
    "factor_column",
    "factor_weight",
    "max_complexity",
    "min_response_tokens",
    "max_response_tokens",
)


def values(home: Path, info: RunInfo | None, view: Value) -> dict[str, Any]:
    """Values of the screen's components by name: gate, cards, settings, complexity, lengths, table, sample."""
    nothing = dict.fromkeys(("gate", "cards", "settings", "complexity", "lengths", "table", "sample"))
    if info is None or info.state != "waiting":
        return nothing
    try:
        here = opened(home, info)
    except StudioError as error:
        return nothing | {
            "gate": {"title": "This review cannot be shown", "problem": str(error), "actions": []}
        }
    if here is None:
        return nothing
    return {
        "gate": gate(here),
        "cards": cards(here),
        "settings": settings(here, view["seq"]),
        "complexity": complexity(here),
        "lengths": lengths(here),
        "table": table(here, view),
        "sample": sample(home, here, view["sample"]),
    }


def gate(here: Open) -> Value:
    """Head of the screen: what is asked, until when, what was changed by hand, and the answers."""
    epoch, changes = here.review.epoch, change_words(here)
    own = here.shown.by_hand()
    moved = here.shown.moved()
    asked = (
        ""
        if here.shown.previous is None
        else (
            f" Against epoch {epoch - 1}, {len(moved['came']):,} came, {len(moved['stayed']):,} stayed and {len(moved['went']):,} went."
        )
    )
    earlier = here.shown.earlier
    if earlier is not None and len(earlier):
        asked += f" Earlier epochs hold {theme.counted(len(set(earlier.rows.tolist())), 'sample')}"
        asked += "; none of them is selected again." if leaves_out(here.shown.settings) else "."
    effect = ""
    if changes and not here.problem:
        come, go = len(own["in"]), len(own["out"])
        effect = (
            f"{theme.counted(come, 'sample')} {'comes' if come == 1 else 'come'} in, {go:,} {'goes' if go == 1 else 'go'} "
            "out because of these changes."
        )
    return {
        "title": f"Epoch {epoch} waits for you: this is what it would train on",
        "text": f"{len(here.shown.selection):,} samples are selected. Training waits for your approval{' or the time is up' if here.review.until else ''}.{asked}",
        "until": here.review.until,
        "by_itself": "Then the run trains on what it proposed; your changes below apply only if you press the button.",
        "changes": changes,
        "effect": effect,
        "who": f"last changed by {here.draft.who}, {theme.moment(here.draft.at)}" if changes else "",
        "problem": here.problem,
        "pool": here.draft.mark_pool if marks_of(here) != ((), ()) else None,
        "actions": [
            {
                "key": "accept",
                "label": "Approve these changes and train" if changes else "Approve and train",
                "primary": True,
                "disabled": bool(here.problem),
            },
            *(
                [
                    {"key": "unchanged", "label": "Go on unchanged", "hint": "with what the run proposed"},
                    {
                        "key": "discard",
                        "label": "Discard changes",
                        "hint": "start again from what the run proposed",
                    },
                ]
                if changes
                else []
            ),
        ],
    }


def change_words(here: Open) -> list[str]:
    """What the draft changes, a sentence each."""
    words = []
    for name, value in here.draft.changes.items():
        if name == "pinned":
            new = marks_of(here)[0]
            words.append(f"{theme.counted(len(new), 'sample')} pinned" if new else "pins changed")
        elif name == "excluded":
            new = marks_of(here)[1]
            words.append(f"{theme.counted(len(new), 'sample')} excluded" if new else "exclusions changed")
        elif name == "source_weights":
            words.append("source weights: " + (", ".join(f"{k} {v:g}" for k, v in value.items()) or "all 1"))
        elif name == "source_shares":
            words.append("source shares: " + (", ".join(f"{k} {v}" for k, v in value.items()) or "no bounds"))
        elif name == "factor_column":
            words.append(
                f"column as a factor: {value or 'none'} (the run's: {here.shown.config.factor_column or 'none'})"
            )
        else:
            was = here.shown.config.budget if name == "budget" else getattr(here.shown.config, name)
            label = label_of(name).lower()
            shown = f"{value:,.0f} samples" if name == "budget" and value > 1 else f"{value:g}"
            before = (
                f"{was:,.0f} samples"
                if name == "budget" and was > 1
                else theme.share(was)
                if name == "budget"
                else f"{was:g}"
            )
            words.append(f"{label}: {shown} (the run's: {before})")
    return words


def cards(here: Open) -> Value:
    """The selection in figures, beside the epoch before."""
    shown = here.shown
    moved, own = shown.moved(), shown.by_hand()
    now, before = shown.record, shown.previous

    def card(label: str, value: str, hint: str, tone: str = "plain", unit: str = "") -> Value:
        return {"label": label, "value": value, "hint": hint, "tone": tone, "unit": unit}

    def mean(record: Any, of: str) -> float:
        found = np.asarray(getattr(record.scores, of))[record.selection.rows].astype(float)
        return analysis.mean_known(found if of == "complexity" else np.where(found >= 0, found, np.nan))

    said = "the first selection" if before is None else ""
    return {
        "cards": [
            card(
                "Selected",
                theme.number(len(shown.selection)),
                "; ".join(
                    [
                        f"of at most {shown.most:,}",
                        *share_notes(shown.pool, shown.selection, shown.settings),
                    ]
                ),
                "selected",
            ),
            card(
                "Came",
                theme.number(len(moved["came"])) if before else "–",
                said or "not in the epoch before",
                "candidate",
            ),
            card(
                "Stayed", theme.number(len(moved["stayed"])) if before else "–", said or "in both", "selected"
            ),
            card(
                "Went",
                theme.number(len(moved["went"])) if before else "–",
                said or "only in the epoch before",
                "rejected",
            ),
            card("By hand", f"+{len(own['in']):,} −{len(own['out']):,}", "against what the run proposed"),
            card(
                "Mean complexity",
                theme.score(mean(now, "complexity")),
                said or f"{theme.score(mean(before, 'complexity'))} in the epoch before",
            ),
            card(
                "Mean length",
                theme.number(mean(now, "response_tokens")),
                said or f"{theme.number(mean(before, 'response_tokens'))} in the epoch before",
                unit="tokens",
            ),
        ]
    }


def settings(here: Open, seq: int) -> Value:
    """The settings that may be changed for this epoch alone."""
    shown, draft = here.shown, here.draft
    fields = []
    for name in FIELDS:
        if name in ("factor_column", "factor_weight") and "number" not in shown.pool.own_columns.values():
            continue
        if name == "factor_column":
            was, now = shown.config.factor_column, draft.changes.get(name, shown.config.factor_column)
            fields.append(panel_field(name, now, was, options=column_choices(shown.pool, now)))
            continue
        start = float(getattr(shown.config, name))
        value = float(draft.changes.get(name, start))
        others: Value = {}
        if name == "budget":
            start = (
                float(len(shown.proposal.selection)) if here.review.epoch else float(_in_samples(here, start))
            )
            value = float(_in_samples(here, value)) if "budget" in draft.changes else start
            others = {"kind": "slider", "min": 2, "max": max(shown.most, 2), "step": 1, "unit": "samples"}
            others["help"] = f"Samples to train on. At most {shown.most:,}: " + (
                "the number of training steps was fixed by epoch 0's selection."
                if here.review.epoch
                else "what is not held out."
            )
        fields.append(panel_field(name, value, start, **others))
    weights = draft.changes.get("source_weights", shown.config.source_weights)
    shares = draft.changes.get("source_shares", shown.config.source_shares)
    counts = np.bincount(shown.pool.source_codes, minlength=len(shown.pool.sources)).tolist()
    return {
        "title": "For this epoch alone",
        "groups": [
            {"title": "", "open": True, "fields": fields[:-3]},
            {"title": "Limits", "open": False, "fields": fields[-3:]},
        ],
        "sources": panel_sources(shown.pool, counts, weights, shares),
        "total": shown.most,
        "can_undo": False,
        "can_redo": False,
        "saved": None,
        "seq": seq,
    }


def _in_samples(here: Open, budget: float) -> int:
    eligible = int((here.shown.proposal.selection.status != Status.HELD_OUT).sum())
    return budget_of(budget, eligible)


def complexity(here: Open) -> Value:
    """Complexity of this selection and of the one before, over the same bins."""
    shown = here.shown
    series = {"selected": shown.record.scores.complexity[shown.selection.rows]}
    if shown.previous is not None:
        series["epoch before"] = shown.previous.scores.complexity[shown.previous.selection.rows]
    everything = np.concatenate(list(series.values()))
    return plots.against(
        analysis.histogram(series, analysis.complexity_edges(everything)),
        title="How hard is the selection?",
        x_title="complexity, as known when it was selected",
    )


def lengths(here: Open) -> Value:
    """Response lengths of this selection and of the one before."""
    shown = here.shown

    def known(record: Any) -> np.ndarray:
        found = record.scores.response_tokens[record.selection.rows].astype(float)
        return np.where(found >= 0, found, np.nan)

    series = {"selected": known(shown.record)}
    if shown.previous is not None:
        series["epoch before"] = known(shown.previous)
    tokens = shown.record.scores.response_tokens
    return plots.against(
        analysis.histogram(series, analysis.length_edges(tokens)),
        title="How long are the responses?",
        x_title="response length (tokens)",
    )
