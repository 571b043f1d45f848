"""What the screen of the review gate shows: what an epoch would train on, with a draft's changes, against the one before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from backend import analysis, store
from backend.analysis import Reviewed
from backend.config import budget_of
from backend.errors import StudioError
from backend.records import Status
from backend.store import Review, ReviewDraft, RunInfo
from iterit_ui import plots, text, theme
from iterit_ui.components.table import PAGE_SIZE
from iterit_ui.curate_settings import SHAPES
from iterit_ui.samples import sample_value

Value = dict[str, Any]
VIEW: Value = {"which": "came", "sort": "", "descending": False, "page": 0, "sample": "", "seq": 0}
FIELDS = (
    "budget", "decay", "complexity_weight", "diversity_weight", "max_complexity", "min_response_tokens",
    "max_response_tokens",
)  # fmt: skip
LISTS = {
    "came": "Came",
    "stayed": "Stayed",
    "went": "Went",
    "by_hand": "By hand",
    "pinned": "Pinned",
    "excluded": "Excluded",
    "candidates": "Not picked",
}
TONES = {"came": "candidate", "stayed": "selected", "went": "rejected"}
COLUMNS: list[Value] = [
    {"key": "what", "label": "Moved", "hint": "against the epoch before", "kind": "badge", "width": "96px"},
    {"key": "rank", "label": "Pick", "align": "right", "width": "56px", "sort": True},
    {"key": "complexity", "label": "Complexity", "align": "right", "width": "96px", "sort": True},
    {"key": "before", "label": "Before", "align": "right", "width": "76px", "minor": True, "sort": True,
     "hint": "complexity at the epoch before"},
    {"key": "tokens", "label": "Tokens", "align": "right", "width": "74px", "minor": True, "sort": True},
    {"key": "prompt", "label": "Prompt begins"},
    {"key": "response", "label": "Response begins"},
]  # fmt: skip
ACTIONS = [
    {"key": "pin", "label": "Pin", "hint": "in this epoch's selection, first", "tone": "pinned"},
    {"key": "exclude", "label": "Exclude", "hint": "not in this epoch's selection", "tone": "rejected"},
    {"key": "clear", "label": "Clear", "hint": "as the run's settings have it", "tone": "plain"},
    {"key": "copy", "label": "Copy ids", "hint": "", "tone": "plain"},
]


@dataclass(frozen=True)
class Open:
    """An open review, its draft, and what that selects; `problem` says why the draft cannot be, then it is shown unchanged."""

    info: RunInfo
    review: Review
    draft: ReviewDraft
    shown: Reviewed
    problem: str = ""


def opened(home: Path, info: RunInfo) -> Open | None:
    """The review that a run waits for; None where it waits for none.

    Raises
    ------
    StudioError : what it waits with cannot be read.
    """
    review = store.open_review(home, info.id) if info.state == "waiting" else None
    if review is None:
        return None
    draft = store.read_draft(home, info.id, review.epoch)
    try:
        return Open(info, review, draft, selection(home, info.id, review.epoch, draft.changes))
    except StudioError as error:
        return Open(info, review, draft, selection(home, info.id, review.epoch, {}), str(error))


def selection(home: Path, run: str, epoch: int, changes: Value) -> Reviewed:
    """What the epoch would train on with these changes; the last few are kept."""
    meta = store.run_folder(home, run) / "reviews" / str(epoch) / "meta.json"
    written = meta.stat().st_mtime_ns if meta.exists() else 0
    return _selection(home, run, epoch, written, json.dumps(changes, sort_keys=True))


@lru_cache(maxsize=8)
def _selection(home: Path, run: str, epoch: int, written: int, changes: str) -> Reviewed:
    return analysis.review_selection(home, run, epoch, json.loads(changes))


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
        "sample": sample(here, view["sample"]),
    }


def gate(here: Open) -> Value:
    """Head of the screen: what is asked, until when, what was changed by hand, and the answers."""
    epoch, changes = here.review.epoch, change_words(here)
    own = here.shown.by_hand()
    moved = here.shown.moved()
    asked = "" if here.shown.previous is None else (
        f" Against epoch {epoch - 1}, {len(moved['came']):,} came, {len(moved['stayed']):,} stayed and {len(moved['went']):,} went."
    )  # fmt: skip
    effect = ""
    if changes and not here.problem:
        effect = (
            f"{len(own['in']):,} samples come in and {len(own['out']):,} go out because of these changes."
        )
    return {
        "title": f"Epoch {epoch} waits for you: this is what it would train on",
        "text": f"{len(here.shown.selection):,} samples are selected. Nothing is trained before this is answered{' or the time is up' if here.review.until else ''}.{asked}",
        "until": here.review.until,
        "by_itself": "Then the run goes on with what it proposed; changes below are used only when you press the button.",
        "changes": changes,
        "effect": effect,
        "who": f"last changed by {here.draft.who}, {theme.moment(here.draft.at)}" if changes else "",
        "problem": here.problem,
        "pool": here.draft.mark_pool if marks_of(here) != ((), ()) else None,
        "actions": [
            {"key": "accept", "label": "Let it go on with these changes" if changes else "Let it go on", "primary": True,
             "disabled": bool(here.problem)},
            *([{"key": "unchanged", "label": "Go on unchanged", "hint": "with what the run proposed"},
               {"key": "discard", "label": "Discard changes", "hint": "start again from what the run proposed"}] if changes else []),
        ],
    }  # fmt: skip


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
        else:
            was = here.shown.config.budget if name == "budget" else getattr(here.shown.config, name)
            label = SHAPES[name][1].lower()
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


def marks_of(here: Open) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids that the draft pins and excludes beyond the run's own settings."""
    config, changes = here.shown.config, here.draft.changes
    pinned = tuple(i for i in changes.get("pinned", ()) if i not in config.pinned)
    return pinned, tuple(i for i in changes.get("excluded", ()) if i not in config.excluded)


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
            card("Selected", theme.number(len(shown.selection)), f"of at most {shown.most:,}", "selected"),
            card("Came", theme.number(len(moved["came"])) if before else "–", said or "not in the epoch before", "candidate"),
            card("Stayed", theme.number(len(moved["stayed"])) if before else "–", said or "in both", "selected"),
            card("Went", theme.number(len(moved["went"])) if before else "–", said or "only in the epoch before", "rejected"),
            card("By hand", f"+{len(own['in']):,} −{len(own['out']):,}", "against what the run proposed"),
            card("Mean complexity", theme.score(mean(now, "complexity")),
                 said or f"{theme.score(mean(before, 'complexity'))} in the epoch before"),
            card("Mean length", theme.number(mean(now, "response_tokens")),
                 said or f"{theme.number(mean(before, 'response_tokens'))} in the epoch before", unit="tokens"),
        ]
    }  # fmt: skip


def settings(here: Open, seq: int) -> Value:
    """The settings that may be changed for this epoch alone."""
    shown, draft = here.shown, here.draft
    fields = []
    for name in FIELDS:
        kind, label, low, high, step = SHAPES[name]
        start = float(getattr(shown.config, name))
        value = float(draft.changes.get(name, start))
        help_text = text.CONTROL[name]
        if name == "budget":
            kind, low, high, step = "slider", 2, max(shown.most, 2), 1
            start = (
                float(len(shown.proposal.selection)) if here.review.epoch else float(_in_samples(here, start))
            )
            value = float(_in_samples(here, value)) if "budget" in draft.changes else start
            help_text = f"Samples to train on. At most {shown.most:,}: " + (
                "the training steps were laid out for epoch 0's selection."
                if here.review.epoch
                else "what is not held out."
            )
        field: Value = {
            "name": name, "label": label, "kind": kind, "value": value, "default": start, "help": help_text,
            "min": low, "max": high, "step": step, "message": "", "off": "",
            "unit": "samples" if name == "budget" else "tokens" if name.endswith("tokens") else "",
        }  # fmt: skip
        if name == "max_response_tokens":
            field["words"] = {"0": "no limit"}
        fields.append(field)
    weights = draft.changes.get("source_weights", shown.config.source_weights)
    counts = np.bincount(shown.pool.source_codes, minlength=len(shown.pool.sources))
    return {
        "title": "For this epoch alone",
        "groups": [{"title": "", "open": True, "fields": fields[:4]}, {"title": "Limits", "open": False, "fields": fields[4:]}],
        "sources": {
            "title": "Source weights",
            "help": text.CONTROL["source_weights"],
            "items": [
                {"name": name, "colour": theme.source_colour(code), "count": theme.number(int(counts[code])),
                 "weight": float(weights.get(name, 1.0))}
                for code, name in enumerate(shown.pool.sources)
            ],
        },
        "total": shown.most,
        "can_undo": False,
        "can_redo": False,
        "saved": None,
        "seq": seq,
    }  # fmt: skip


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
        title="How hard is what was selected?",
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


def rows_of(here: Open, which: str) -> np.ndarray:
    """(m,) int64: rows of one of `LISTS`."""
    shown = here.shown
    if which in analysis.MOVES:
        return shown.moved()[which]
    if which == "by_hand":
        return np.concatenate(list(shown.by_hand().values()))
    if which == "candidates":
        return np.setdiff1d(analysis.candidate_rows(shown.selection), shown.selection.rows)
    ids = shown.settings.pinned if which == "pinned" else shown.settings.excluded
    return np.array([shown.pool.row_of[i] for i in ids if i in shown.pool.row_of], dtype=np.int64)


def ordered(here: Open, view: Value) -> np.ndarray:
    """The rows of the view's list in its order."""
    rows = rows_of(here, view["which"])
    keys = _numbers(here)
    if view["sort"] not in keys:
        return rows
    values = keys[view["sort"]][rows]
    return rows[np.argsort(-values if view["descending"] else values, kind="stable")]  # NaN comes last


def _numbers(here: Open) -> dict[str, np.ndarray]:
    shown, n = here.shown, len(here.shown.pool)
    rank, before = np.full(n, np.nan), np.full(n, np.nan)
    rank[shown.selection.rows] = np.arange(1, len(shown.selection) + 1)
    if shown.previous is not None:
        before = shown.previous.scores.complexity.astype(float)
    tokens = shown.record.scores.response_tokens
    return {
        "rank": rank,
        "complexity": shown.record.scores.complexity.astype(float),
        "before": before,
        "tokens": np.where(tokens >= 0, tokens, np.nan).astype(float),
    }


def table(here: Open, view: Value) -> Value:
    """One page of the samples of a list."""
    shown = here.shown
    rows = ordered(here, view)
    pages = max(1, -(-len(rows) // PAGE_SIZE))
    page = min(view["page"], pages - 1)
    part = rows[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    numbers, moved = _numbers(here), shown.moved()
    what = {int(row): name for name in analysis.MOVES for row in moved[name].tolist()}
    ids = [str(shown.pool.ids[row]) for row in part]
    pinned, excluded = set(shown.settings.pinned), set(shown.settings.excluded)
    lines = []
    for row in part.tolist():
        turns = shown.pool.turns(row)
        asked = next((turn["content"] for turn in reversed(turns) if turn["role"] == "user"), "")
        move = what.get(row, "not picked")
        if shown.previous is None and move == "came":
            move = "selected"
        lines.append(
            {
                "what": {
                    "text": move,
                    "tone": TONES.get(move, "selected" if move == "selected" else "plain"),
                },
                **{key: theme.number(numbers[key][row]) for key in ("rank", "tokens")},
                **{key: theme.score(numbers[key][row]) for key in ("complexity", "before")},
                "prompt": analysis.beginning(asked) or "(none)",
                "response": analysis.beginning(shown.pool.response(row)) or "(empty)",
            }
        )
    return {
        "title": "Samples of this epoch",
        "columns": COLUMNS,
        "rows": lines,
        "ids": ids,
        "page": page, "pages": pages, "total": len(rows), "size": PAGE_SIZE, "unit": "samples",
        "selected": view["sample"] or None,
        "sort": {"column": view["sort"], "descending": view["descending"]} if view["sort"] else None,
        "filters": [
            {"key": key, "label": "Selected" if key == "came" and shown.previous is None else label,
             "count": theme.number(len(rows_of(here, key)))}
            for key, label in LISTS.items()
            if shown.previous is not None or key not in ("stayed", "went")
        ],
        "filter": view["which"],
        "selectable": True,
        "actions": ACTIONS,
        "marks": {i: ["pinned"] if i in pinned else ["excluded"] for i in ids if i in pinned or i in excluded},
        "list_key": f"{here.info.id}/{here.review.epoch}/{view['which']}",
        "empty": "No sample here.",
    }  # fmt: skip


def sample(here: Open, sample_id: str) -> Value:
    """One sample in full, with what can be done about it for this epoch."""
    shown = here.shown
    row = shown.pool.row_of.get(sample_id)
    if row is None:
        return {"empty": "Click a row to read the whole sample, and to pin or exclude it for this epoch."}
    value = sample_value(
        shown.pool, row, scores=shown.record.scores, selection=shown.selection,
        diversity=shown.record.diversity, settings=shown.settings,
    )  # fmt: skip
    marked = sample_id in shown.settings.pinned or sample_id in shown.settings.excluded
    return value | {"actions": ["unmark"] if marked else ["pin", "exclude"]}
