"""Exporting picks from a screen: what its button offers, what a visitor asked for, and the file that they get."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import gradio as gr
import numpy as np

from backend import store
from backend.analysis.export_files import ExportOptions, export_picks
from backend.analysis.hub_push import check_push, push_folder
from backend.analysis.picks_export import (
    Picks,
    held_out_count,
    picks_of_rows,
    picks_of_run,
    picks_of_settings,
)
from backend.analysis.receipt import stored_or_made
from backend.analysis.score_sets import DEMO
from backend.data import demo
from backend.data.export import KINDS, FileKind
from backend.data.layouts import ExportFormat
from backend.errors import StudioError
from backend.records import Pool, Scores
from backend.store.imported_scores import import_path, is_imported
from backend.store.paths import epoch_folder
from iterit_ui.access.visitors import LOOKS
from iterit_ui.shared import messages
from iterit_ui.shared.download_folder import download_folder
from iterit_ui.shared.selections import SelectionView, model_of
from iterit_ui.shared.session import QUIET, epoch_of, get_pool
from iterit_ui.shared.theme import counted

Value = dict[str, Any]
ALL = "all"  # instead of an epoch's number
LISTED = "listed"  # the key of what a table lists
EXPORT_ACTION = {
    "key": "export",
    "label": "Export",
    "hint": "a file with these samples, in a format that trainers read",
    "tone": "plain",
}
# by what a page fetches the file itself, and says that the wait is over
FETCH = "(file) => studio.download(file)"
OVER = "() => studio.exported()"


@dataclass(frozen=True)
class Asked:
    """What a visitor wants. which : a key of the choices that were offered. folder : with all that a trainer needs.

    hub : the dataset of the Hugging Face hub that it is sent to as well; "" for none.
    """

    which: str
    options: ExportOptions
    folder: bool
    hub: str = ""


def asked_of(data: Any, choices: Collection[str]) -> Asked:
    """An exporter's event, checked.

    Raises
    ------
    StudioError : the page sent something else, or what it names is no longer there.
    """
    found = data if isinstance(data, dict) else {}
    which, format, ending = found.get("which"), found.get("format"), found.get("ending")
    if not isinstance(which, str) or which not in choices:
        raise StudioError("what you chose is no longer there; open the export again")
    if format not in get_args(ExportFormat) or ending not in KINDS:
        raise StudioError(f"the page asked for {format!r} as {ending!r}, which is not known")
    hub = found.get("hub") or ""
    if not isinstance(hub, str):
        raise StudioError("the dataset name that the page sent is not text")
    options = ExportOptions(
        cast(ExportFormat, format),
        cast(FileKind, ending),
        scores=found.get("scores") is True,
        held_out=found.get("heldOut") is True,
        recipe=found.get("recipe") is True,
        elsewhere=bool(hub),
    )
    return Asked(which, options, found.get("folder") is True, hub)


def settings_value(shown: SelectionView | None, problem: str = "") -> Value:
    """The button for what the settings select. problem : why they select nothing."""
    count = 0 if shown is None else len(shown.what.selection)
    aside = 0 if shown is None or shown.held_out is None else int(shown.held_out.sum())
    return button_value(
        count,
        [{"key": "", "label": "selected", "count": count, "group": "", "heldOut": aside}],
        "",
        off=problem or ("" if count else "These settings select nothing."),
    )


def run_choices(
    home: Path, run: str, *, epochs: Collection[int] | None = None, group: str = ""
) -> list[Value]:
    """What of a run can be exported: single epochs, and all of them together. epochs : only these; None for all."""
    there = store.epochs(home, run)
    aside = held_out_count(home, run) if there else 0
    found = [
        {
            "key": f"{run}/{epoch}",
            "label": f"Epoch {epoch}",
            "count": len(store.read_picks(home, run, epoch)),
            "group": group,
            "heldOut": aside,
        }
        for epoch in there
        if epochs is None or epoch in epochs
    ]
    if len(there) > 1:
        every = len(store.picks_of_all_epochs(home, run))
        label = "All epochs, each sample once"
        found.append(
            {"key": f"{run}/{ALL}", "label": label, "count": every, "group": group, "heldOut": aside}
        )
    return found


def button_value(count: int, choices: list[Value], chosen: str, *, off: str = "", label: str = "") -> Value:
    """What an exporter shows."""
    return {
        "label": label or f"Export {counted(count, 'pick')}",
        "off": off,
        "choices": choices,
        "chosen": chosen,
    }


def picks_of_view(home: Path, shown: SelectionView, changed: Value) -> Picks:
    """What the visitor's settings select, with how to repeat it. changed : their settings."""
    info = store.pool_info(home, shown.pool.id)
    run, _, epoch = shown.scores_key.rpartition("/")
    scores_files: tuple[str, ...] = ()
    if run:
        scores_files = (str(epoch_folder(home, run, int(epoch)) / "samples.parquet"),)
    elif is_imported(shown.scores_key):
        scores_files = (str(import_path(home, shown.scores_key)),)
    elif shown.scores_key == DEMO:
        scores_files = (str(demo.SCORES),)
    return picks_of_settings(
        shown.pool,
        shown.scores,
        shown.what.selection,
        shown.settings,
        inputs=info.inputs,
        mapping={} if info.about is None else info.about.mapping,
        scores_files=scores_files,
        model=model_of(home, shown.scores_key),
        ahead=epoch_of(changed),
        budget=None if shown.held_out is None else shown.what.budget,
        held_out=None if shown.held_out is None else np.flatnonzero(shown.held_out),
    )


def picks_of_list(home: Path, pool: Pool, rows: np.ndarray, scores: Scores | None = None) -> Picks:
    """Samples that a visitor ticked, or all of a list."""
    info = store.pool_info(home, pool.id)
    mapping = {} if info.about is None else info.about.mapping
    return picks_of_rows(pool, rows, inputs=info.inputs, mapping=mapping, scores=scores)


def picks_of_key(home: Path, key: str) -> Picks:
    """The picks behind a key of `run_choices`."""
    run, _, epoch = key.rpartition("/")
    return picks_of_run(home, run, store.ALL_EPOCHS if epoch == ALL else int(epoch))


def exported_file(home: Path, picks: Picks, asked: Asked, who: str = "", noun: str = "picks") -> str:
    """A file to download: the samples, or a zip where more comes with them; a run remembers that it was exported,
    unless whoever did only looks.

    Raises
    ------
    StudioError : nothing was picked, or it cannot be read or written.
    """
    name = re.sub(r"[^\w.-]+", "-", picks.pool.name).strip("-.")[:60] or "pool"
    words = f"-{store.export_words(picks.epoch).replace(' ', '-')}" if picks.run else ""
    stem = f"{name}{words}-{len(picks)}-{noun}"
    if asked.hub:
        _check_send(asked)
        stem = asked.hub.rpartition("/")[2] if asked.folder else stem
    scratch = download_folder("export")
    # a folder has no ending, so its name has no dot
    out = scratch / (stem.replace(".", "-") if asked.folder else f"{stem}.{asked.options.kind}")
    made = export_picks(out, picks, asked.options)
    if asked.hub:
        _send(home, picks, asked, who, out if asked.folder else None)
    if len(made.files) > 1:
        out = scratch / f"{out.name if asked.folder else stem}.zip"
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in made.files:
                archive.write(path, path.relative_to(scratch))
    for note in made.notes:
        messages.info(note)
    if picks.run and not LOOKS.get():
        store.note_export(
            home, picks.run, picks.epoch, rows=len(picks), file=f"{out.name} (downloaded)", who=who
        )
    return str(out)


def _check_send(asked: Asked) -> None:
    """Raise a StudioError if the visitor may only look, or if nothing can be sent; see `hub_push.check_push`."""
    if LOOKS.get():
        raise StudioError("you may look here, but not send anything to the hub")
    check_push(asked.hub)


def _send(home: Path, picks: Picks, asked: Asked, who: str, folder: Path | None) -> None:
    """Send the samples to the hub as a folder for training, which only its owner can read, and say where it is.

    folder : where that is written already; None to write it.

    Raises
    ------
    StudioError : see `hub_push.push_folder`.
    """
    if folder is None:
        folder = download_folder("hub") / asked.hub.rpartition("/")[2].replace(".", "-")
        export_picks(folder, picks, asked.options)
    address = push_folder(folder, asked.hub)
    messages.info(f"Sent to {address}, where only its owner can read it.")
    if picks.run:
        store.note_export(
            home, picks.run, picks.epoch, rows=len(picks), file=f"{asked.hub} on the hub", who=who
        )


def listed_file(
    home: Path, pool_id: str, ids: list[str], data: Any, who: str, scores: Scores | None = None
) -> str:
    """A file of the samples of a list, to download. data : the event that brought the answer of the sheet.

    Raises
    ------
    StudioError : the page sent something else, or nothing can be written.
    """
    asked = asked_of(data.get("export") if isinstance(data, dict) else None, [""])
    pool = get_pool(home, pool_id)
    rows = np.array([pool.row_of[i] for i in ids], dtype=np.int64)
    return exported_file(home, picks_of_list(home, pool, rows, scores), asked, who, noun="samples")


def receipt_file(home: Path, run: str) -> str:
    """A run's receipt, to download.

    Raises
    ------
    StudioError : no such run, or nothing is selected yet.
    """
    out = download_folder("receipt") / f"{run}-receipt.json"
    store.write_json(out, stored_or_made(home, run))
    return str(out)


def wire_receipt(button: gr.Button, make: Callable[[str], str], run: gr.State) -> None:
    """Have the page download what `make` writes of the run."""
    file = gr.DownloadButton("Download", elem_id=f"{button.elem_id}-file", elem_classes="unseen")

    def written(run: str) -> str:
        try:
            return make(run)
        except StudioError as error:
            raise gr.Error(messages.sentence(str(error))) from error

    button.click(written, run, file, **QUIET).success(None, file, None, js=FETCH, **QUIET)


def wire_export(button: gr.HTML, make: Callable[..., str], inputs: list[Any]) -> None:
    """Have the answer of an exporter, or of a table's sheet, made into a file that the page downloads.

    make : (what the page sent, values of `inputs`) -> the file; a StudioError is told to the visitor.
    """
    file = gr.DownloadButton("Download", elem_id=f"{button.elem_id}-file", elem_classes="unseen")

    def export(event: gr.EventData, *values: Any) -> str:
        try:
            return make(event._data, *values)
        except StudioError as error:
            raise gr.Error(messages.sentence(str(error))) from error

    made = button.export(export, inputs, file, **QUIET)
    made.success(None, file, None, js=FETCH, **QUIET)
    made.success(None, None, None, js=OVER, **QUIET)
    made.failure(
        None, None, None, js=OVER, **QUIET
    )  # Gradio calls what follows with `then` only where nothing failed
