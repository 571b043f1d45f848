"""All runs as a table: searched, sorted, renamed, tagged and annotated in place, chosen, deleted and restored."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from backend import analysis, store
from backend.analysis.held_out_words import words_or_none
from backend.errors import RunError, StudioError, without_folders
from backend.store import RunInfo
from iterit_ui.compare.export_panel import on_export, opened_export
from iterit_ui.compare.run_deletion import confirmed, question
from iterit_ui.components import act_of, checked_int, exporter, note, table, toolbar
from iterit_ui.samples.hand_over import wire_export
from iterit_ui.shared import messages
from iterit_ui.shared.session import DRAW, QUIET, Session, bound
from iterit_ui.shared.strategies import strategy_name
from iterit_ui.shared.theme import counted, moment, number, score

Value = dict[str, Any]
EVENT: dict[str, Any] = {**DRAW, "trigger_mode": "multiple"}
IN_TURN: dict[str, Any] = {**QUIET, "trigger_mode": "multiple", "concurrency_limit": 1}
ROWS = 20
ASKED: dict[str, Any] = {"which": "here", "words": "", "sort": "made", "descending": True, "page": 0}
SORTS = ("name", "state", "strategy", "pool", "model", "loss", "made")
TONES = {"running": "candidate", "waiting": "candidate", "done": "pinned", "failed": "rejected"}
ACTIONS = {
    "here": [
        {"key": "compare", "label": "Compare", "hint": "compare only these runs", "tone": "plain"},
        {"key": "add", "label": "Add to the comparison", "hint": "next to the runs being compared", "tone": "plain"},
        {"key": "delete", "label": "Delete…", "hint": "asks first; they can be restored", "tone": "rejected"},
    ],
    "deleted": [
        {"key": "restore", "label": "Restore", "hint": "back to the list of runs", "tone": "pinned"},
        {"key": "erase", "label": "Erase for good…", "hint": "asks first; this cannot be undone", "tone": "rejected"},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """The table's components and states. did : counts what was changed here, so that others follow."""

    listed: gr.HTML
    opened: gr.State
    asked: gr.State
    pending: gr.State
    did: gr.State


def build_runs(session: Session, seen: gr.State) -> Parts:
    """Lay the table out and wire it. seen : changes with the disk; the table is drawn anew then."""
    home = session.home
    with gr.Column(elem_id="compare-runs-box", elem_classes="wide"):
        damage = note(None, elem_id="compare-damage")
        listed = table(elem_id="compare-runs")
        with gr.Row(elem_classes="row-tight"):
            bar = toolbar(elem_id="compare-open")
            export = exporter(elem_id="compare-run-export")
        with gr.Column(visible=False, elem_classes="sheet", elem_id="compare-confirm") as confirm:
            words = note(None, elem_id="compare-confirm-note")
            with gr.Row(elem_classes="row-tight"):
                yes = gr.Button("Delete", variant="stop", elem_id="compare-yes", scale=0, min_width=180)
                no = gr.Button("Keep", elem_id="compare-no", scale=0, min_width=110)
    asked, opened = gr.State(dict(ASKED)), gr.State("")
    pending, did = gr.State({}), gr.State(0)
    parts = Parts(listed, opened, asked, pending, did)

    gr.on(
        [seen.change, did.change, asked.change, opened.change],
        bound(runs_value, home),
        [session.tab, asked, opened],
        [listed, bar, damage],
        **DRAW,
    )
    gr.on([seen.change, opened.change], bound(opened_export, home), opened, export, **DRAW)
    wire_export(export, bound(on_export, home), [session.who])
    gr.on([pending.change], bound(question, home), pending, [confirm, words, yes], **DRAW)
    for name in ("search", "sort", "turn", "filter"):
        getattr(listed, name)(_sent(bound(asking, name)), asked, asked, **IN_TURN)
    listed.pick(_sent(bound(picked, home)), opened, opened, **IN_TURN)
    listed.edit(_sent(bound(edited, home)), did, did, **IN_TURN)
    listed.act(
        _sent(bound(acted, home)),
        [asked, session.comparison, session.chosen, did],
        [session.comparison, session.chosen, pending, did],
        **IN_TURN,
    )
    yes.click(bound(confirmed, home), [pending, session.who, did], [pending, did], **QUIET)
    no.click(dict, None, pending, **QUIET)
    bar.act(_sent(bound(opening, home)), opened, [session.run, session.epoch, session.tabs], **IN_TURN)
    return parts


def _sent(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with what a component's event brings as its last argument; it comes from a browser."""

    def call(event: gr.EventData, *states: Any) -> Any:
        return function(*states, event._data if isinstance(event._data, dict) else {})

    return call


# ---------------------------------------------------------------- what is shown


def runs_value(home: Path, tab: str, asked: Value, opened: str) -> tuple[Any, Any, Any]:
    """(the table, the line about the run that was clicked, what is damaged)."""
    if tab != "compare":
        return gr.skip(), gr.skip(), gr.skip()
    return table_value(home, asked, opened), bar_value(home, opened), damage_value(home)


def damage_value(home: Path) -> Value | None:
    """Which files of runs cannot be read, and which runs have a folder and are not in the list; None where there is neither."""
    found, lost = store.damaged_runs(home), store.unlisted_runs(home)
    titles = [f"{counted(len(found), 'file')} of runs cannot be read"] if found else []
    if lost:
        titles.append(f"{counted(len(lost), 'run')} missing from the list")
    steps = [*found, *(f"{run} has a folder here; the command repair lists it again" for run in lost)]
    return {"tone": "error", "title": "; ".join(titles), "steps": steps} if steps else None


def listing(home: Path, asked: Value) -> list[RunInfo]:
    """The runs of the list that is asked for, in its order."""
    infos = store.runs(home, deleted=asked["which"] == "deleted")
    found = analysis.matching_runs(infos, asked["words"])
    keys: dict[str, Callable[[RunInfo], Any]] = {
        "name": lambda info: info.name.casefold(),
        "state": lambda info: info.state,
        "strategy": lambda info: strategy_name(info.strategy).lower(),
        "pool": lambda info: info.pool_name.casefold(),
        "model": lambda info: info.model.casefold(),
        "made": lambda info: (info.created, info.id),
        "loss": lambda info: last_loss(home, info),
    }
    key = keys[asked["sort"]]
    known = [info for info in found if not (asked["sort"] == "loss" and math.isnan(key(info)))]
    # what was not measured stays last, whichever way round
    return sorted(known, key=key, reverse=asked["descending"]) + [info for info in found if info not in known]


def table_value(home: Path, asked: Value, opened: str) -> Value:
    """One page of the runs."""
    infos = listing(home, asked)
    deleted = asked["which"] == "deleted"
    count = len(store.runs(home, deleted=True))
    pages = max(1, -(-len(infos) // ROWS))
    page = min(asked["page"], pages - 1)
    part = infos[page * ROWS : (page + 1) * ROWS]
    names = {info.id: info.name for info in store.comparisons(home)}
    writes = {} if deleted else {"kind": "edit"}
    return {
        "title": "All runs",
        "note": "Tick runs and press Compare. Click a name, tag or note to edit it, or elsewhere in a row to open the run.",
        "columns": [
            {"key": "name", "label": "Run", "sort": True, "width": "210px", "longest": 120, **writes},
            {"key": "state", "label": "State", "kind": "badge", "sort": True, "width": "92px"},
            {"key": "strategy", "label": "Strategy", "sort": True, "width": "184px"},
            {"key": "pool", "label": "Pool · samples", "sort": True, "width": "120px"},
            {"key": "model", "label": "Model", "sort": True, "width": "90px", "minor": True},
            {
                "key": "loss",
                "label": "Held-out loss",
                "sort": True,
                "align": "right",
                "width": "116px",
                "hint": "the latest value; only losses on the same samples can be compared",
            },
            {
                "key": "measured",
                "label": "Measured on",
                "width": "150px",
                "minor": True,
                "hint": "which samples the held-out loss is measured on",
            },
            {"key": "comparison", "label": "Comparison", "width": "120px", "minor": True},
            {
                "key": "tags",
                "label": "Tags",
                "placeholder": "add tags",
                "hint": "separated by commas",
                "longest": 400,
                **writes,
            },
            {"key": "notes", "label": "Notes", "placeholder": "add a note", "longest": 2000, **writes},
            {"key": "made", "label": "Made", "sort": True, "align": "right", "width": "116px"},
        ],
        "rows": [
            {
                "name": info.name,
                "state": {"text": info.state, "tone": TONES.get(info.state, "plain")},
                "strategy": strategy_name(info.strategy),
                "pool": f"{info.pool_name} · {number(info.pool_rows)}",
                "model": Path(info.model).name or info.model,
                "loss": loss_cell(home, info),
                "measured": words_or_none(home, info.id),
                "comparison": names.get(info.comparison or "", ""),
                "tags": ", ".join(info.tags),
                "notes": " ".join(info.notes.split()),
                "made": moment(info.created),
            }
            for info in part
        ],
        "ids": [info.id for info in part],
        "page": page,
        "pages": pages,
        "total": len(infos),
        "unit": "runs",
        "selected": opened or None,
        "sort": {"column": asked["sort"], "descending": asked["descending"]},
        "search": {"text": asked["words"], "placeholder": 'words, or "a phrase"'},
        "filters": [
            {"key": "here", "label": "Runs", "count": number(len(store.runs(home)))},
            {"key": "deleted", "label": "Deleted", "count": number(count)},
        ],
        "filter": asked["which"],
        "selectable": True,
        "actions": ACTIONS[asked["which"]],
        "list_key": f"{asked['which']} {asked['words']}",
        "toolbar_note": "Deleted runs can be restored until they are erased."
        if deleted
        else "Tick runs to compare or delete them; shift-click ticks a range.",
        "empty": _empty(asked),
    }


def _empty(asked: Value) -> str:
    if asked["words"]:
        return "No runs match."
    if asked["which"] == "deleted":
        return "Nothing is deleted."
    return "No runs yet. Start a comparison on the left, or launch a run on the Tune tab."


def bar_value(home: Path, opened: str) -> Value | None:
    """The line about the run that was clicked, and where it can be opened."""
    info = next((info for info in store.runs(home) if info.id == opened), None)
    if info is None:
        return None
    epochs = store.epochs(home, info.id)
    return {
        "left": [
            {"text": info.name, "tone": "plain", "hint": info.id},
            {"text": f"{info.state} · {info.id}", "tone": "plain"},
            *([{"text": without_folders(info.error), "tone": "rejected"}] if info.error else []),
        ],
        "actions": [
            {"key": "tune", "label": "Open in Tune", "hint": "its progress, losses and log"},
            {
                "key": "epochs",
                "label": "Open in Epochs",
                "hint": "what it selected" if epochs else "it has no selection yet",
                "disabled": not epochs,
            },
        ],
    }


def loss_cell(home: Path, info: RunInfo) -> Value:
    """The held-out loss that a run measured last, and what it was measured on."""
    loss = last_loss(home, info)
    if math.isnan(loss):
        return {"text": score(loss, 4)}
    words = words_or_none(home, info.id)
    return {"text": score(loss, 4), "title": f"on {words}" if words else ""}


def last_loss(home: Path, info: RunInfo) -> float:
    """The held-out loss that a run measured last; NaN where it has measured none, was deleted, or its metrics are damaged,
    which `damage_value` names."""
    path = store.run_folder(home, info.id) / "metrics.jsonl"
    try:
        return _last_loss(home, info.id, path.stat().st_mtime_ns) if path.exists() else math.nan
    except RunError:
        return math.nan


@lru_cache(maxsize=2048)
def _last_loss(home: Path, run: str, written: int) -> float:
    losses = [m.held_out for m in store.read_metrics(home, run) if m.held_out is not None]
    return losses[-1] if losses else math.nan


# ---------------------------------------------------------------- what was asked for


def asking(name: str, asked: Value, data: Value) -> Value:
    """Another list, order, page or search."""
    if name == "filter":
        which = data.get("key")
        return {**ASKED, "which": which, "words": asked["words"]} if which in ACTIONS else asked
    if name == "search":
        words = data.get("text")
        return {**asked, "words": words[:200], "page": 0} if isinstance(words, str) else asked
    if name == "turn":
        return {**asked, "page": checked_int(data.get("page"), 0, 10**6)}
    column = data.get("column")
    if column not in SORTS:
        return asked
    falling = not asked["descending"] if column == asked["sort"] else column == "made"
    return {**asked, "sort": column, "descending": falling, "page": 0}


def picked(home: Path, opened: str, data: Value) -> str:
    """The run of the row that was clicked; clicked again, none."""
    run = data.get("id")
    return run if run != opened and run in [info.id for info in store.runs(home)] else ""


def edited(home: Path, did: int, data: Value) -> int:
    """Write a name, tags or notes into the run; what does not do is said, and the cell shows what is stored."""
    run, column, text = data.get("id"), data.get("column"), data.get("text")
    try:
        if not isinstance(run, str) or not isinstance(text, str) or column not in ("name", "tags", "notes"):
            raise StudioError("the page sent a change that cannot be read")
        if column == "name":
            store.label_run(home, run, name=text)
        elif column == "tags":
            store.label_run(
                home, run, tags=[tag for tag in (part.strip() for part in text.split(",")) if tag]
            )
        else:
            store.label_run(home, run, notes=text)
    except StudioError as error:
        messages.warning(f"Not changed: {error}.")
    return did + 1


def acted(
    home: Path, asked: Value, comparison: str, chosen: list[str], did: int, data: Value
) -> tuple[Any, Any, Any, Any]:
    """(the comparison, the chosen runs, what is asked before it is done, what was done) after something was done to
    ticked rows."""
    still = (gr.skip(), gr.skip(), gr.skip(), gr.skip())
    try:
        known = [info.id for info in listing(home, asked)]
        act = act_of(
            data, [action["key"] for action in ACTIONS[asked["which"]]], known=known, limit=analysis.MOST_RUNS
        )
        ids = known if act.all else [run for run in known if run in act.ids]
        if act.action == "compare":
            return "", _first(ids), {}, gr.skip()
        if act.action == "add":
            if comparison:
                store.add_to_comparison(home, comparison, ids)
                return gr.skip(), gr.skip(), {}, did + 1
            return "", _first(list(dict.fromkeys([*chosen, *ids]))), {}, gr.skip()
        if act.action == "restore":
            for run in ids:
                store.restore_run(home, run)
            messages.info(f"{counted(len(ids), 'run')} restored.")
            return gr.skip(), gr.skip(), {}, did + 1
        return gr.skip(), gr.skip(), {"what": act.action, "ids": ids, "sure": False}, gr.skip()
    except StudioError as error:
        messages.warning(f"{error}.")
        return still


def _first(ids: list[str]) -> list[str]:
    if len(ids) > analysis.MOST_RUNS:
        messages.warning(
            f"At most {analysis.MOST_RUNS} runs can be compared at once; the first of these are shown."
        )
    return ids[: analysis.MOST_RUNS]


def opening(home: Path, opened: str, data: Value) -> tuple[Any, Any, Any]:
    """(run, epoch, tab): the run that was clicked, on another tab."""
    if opened not in [info.id for info in store.runs(home)] or data.get("key") not in ("tune", "epochs"):
        return gr.skip(), gr.skip(), gr.skip()
    epochs = store.epochs(home, opened)
    return opened, (epochs[-1] if epochs else 0), gr.Tabs(selected=data["key"])
