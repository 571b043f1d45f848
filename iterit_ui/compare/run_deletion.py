"""Deleting and erasing runs: what is lost is said first, and an exported selection is asked about on its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from backend import analysis, store
from backend.errors import StudioError
from backend.jobs import lifecycle
from backend.store import ACTIVE, RunInfo
from iterit_ui.shared import messages
from iterit_ui.shared.theme import counted, moment, number

Value = dict[str, Any]


def question(home: Path, pending: Value) -> tuple[Any, Any, Any]:
    """(the box, its words, the button) that ask before runs are deleted or erased."""
    if not pending:
        return gr.Column(visible=False), None, gr.skip()
    infos = _pending(home, pending)
    if pending["what"] == "erase":
        return gr.Column(visible=True), _erase_words(home, infos), gr.Button("Erase for good")
    free = [info for info in infos if info.state not in (*ACTIVE, "queued")]
    if pending["sure"]:
        exported = [info for info in free if store.exports(home, info.id)]
        return gr.Column(visible=True), _only_record(home, exported), gr.Button("Delete the only record")
    return (
        gr.Column(visible=True),
        _delete_words(home, infos, free),
        gr.Button("Delete", interactive=bool(free)),
    )


def _delete_words(home: Path, infos: Sequence[RunInfo], free: Sequence[RunInfo]) -> Value:
    busy = [info for info in infos if info not in free]
    lines = []
    for info in free[:12]:
        held = analysis.holding(home, info)
        exported = (
            f"; its selection was exported {counted(len(held.exports), 'time')}" if held.exports else ""
        )
        lines.append(f"{info.name}: {held.words}{exported}")
    if len(free) > 12:
        lines.append(f"and {len(free) - 12} more")
    lines += [
        f"{info.name} is {info.state} and cannot be deleted: stop it on the Tune tab first" for info in busy
    ]
    return {
        "tone": "warn",
        "title": f"Delete {counted(len(free), 'run')}?" if free else "None of these can be deleted",
        "text": "They leave every list and comparison, and can be restored from “Deleted” until they are erased."
        if free
        else "",
        "steps": lines,
    }


def _only_record(home: Path, infos: Sequence[RunInfo]) -> Value:
    lines = []
    for info in infos:
        for export in store.exports(home, info.id):
            who = f" by {export.who}" if export.who else ""
            lines.append(
                f"{info.name}: {store.export_words(export.epoch)}, {number(export.rows)} samples, to {Path(export.file).name}{who}, {moment(export.at)}"
            )
    return {
        "tone": "error",
        "title": f"The selection of {counted(len(infos), 'run')} was exported",
        "text": "Someone may be training on it. The run is the only record of which samples these were and why; deleting it loses that record.",
        "steps": lines,
    }


def _erase_words(home: Path, infos: Sequence[RunInfo]) -> Value:
    lines = []
    for info in infos[:12]:
        exported = len(store.exports(home, info.id))
        lines.append(
            f"{info.name}"
            + (
                f": exported {counted(exported, 'time')}; there is no other record of which samples these were"
                if exported
                else ""
            )
        )
    return {
        "tone": "error",
        "title": f"Erase {counted(len(infos), 'run')} for good?",
        "text": "Model, selections, metrics and log are erased from the disk. This cannot be undone.",
        "steps": [*lines, *([f"and {len(infos) - 12} more"] if len(infos) > 12 else [])],
    }


def confirmed(home: Path, pending: Value, who: str, did: int) -> tuple[Any, Any]:
    """(what is asked next, what was done): delete or erase, after a second word for runs that were exported."""
    if not pending:
        return gr.skip(), gr.skip()
    infos = _pending(home, pending)
    try:
        if pending["what"] == "erase":
            for info in infos:
                store.erase_run(home, info.id)
            messages.info(f"{counted(len(infos), 'run')} erased.")
            return {}, did + 1
        lifecycle.refresh(home)
        free = [info for info in infos if info.state not in (*ACTIVE, "queued")]
        exported = [info for info in free if store.exports(home, info.id)]
        plain = free if pending["sure"] else [info for info in free if info not in exported]
        for info in plain:
            store.delete_run(home, info.id, who=who)
    except StudioError as error:
        messages.warning(f"{error}.")
        return {}, did + 1
    if plain:
        messages.info(f"{counted(len(plain), 'run')} deleted. Restore them from “Deleted” above the table.")
    if exported and not pending["sure"]:
        return {"what": "delete", "ids": [info.id for info in exported], "sure": True}, did + 1
    return {}, did + 1


def _pending(home: Path, pending: Value) -> list[RunInfo]:
    """The runs that are asked about, as far as they are still there."""
    infos = store.runs(home, deleted=pending["what"] == "erase")
    return [info for info in infos if info.id in pending["ids"]]
