"""The field of the Data tab that takes a file of evaluation data to compare the pool with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from iterit_ui.components.screen import when_shown
from iterit_ui.data import job_status as work
from iterit_ui.data.sources import allowed_roots, choices_under
from iterit_ui.data.words import AGAINST
from iterit_ui.shared.session import DRAW, QUIET, Session, bound


@dataclass(frozen=True)
class Field:
    """A list of the files in the data folders, a button that uploads another, and one that compares."""

    files: gr.Dropdown
    upload: gr.UploadButton
    compare: gr.Button


def build_field(session: Session) -> Field:
    """The components, in a line of their own."""
    with gr.Row(elem_classes=["scorer", "counter"], elem_id="evaluation-data"):
        files = gr.Dropdown(
            choices(session.data_roots),
            value=None,
            label=AGAINST[0],
            info=AGAINST[1],
            interactive=True,
            scale=3,
            min_width=200,
            elem_id="evaluation-file",
        )
        compare = gr.Button("Compare", scale=0, min_width=110, elem_id="compare-evaluation")
        upload = gr.UploadButton(
            "Upload and compare", scale=0, min_width=190, type="filepath", elem_id="upload-evaluation"
        )
    return Field(files, upload, compare)


def wire_field(session: Session, field: Field, working: list[Any]) -> None:
    """A comparison runs in the background. working : the components that show its status and follow it."""
    start = bound(work.compared, session.home, allowed_roots(session.data_roots))
    field.compare.click(start, [session.pool, field.files], working, **QUIET)
    field.upload.upload(start, [session.pool, field.upload], working, **QUIET)

    # what lies in the folders may have changed since the app was started
    def offer() -> gr.Dropdown:
        return gr.Dropdown(choices=choices(session.data_roots))

    when_shown("data", "ready")(offer, None, field.files, **DRAW)


def choices(roots: tuple[Path, ...]) -> list[tuple[str, str]]:
    """(label, path) of the files and folders that may hold evaluation data: all but the embedded pool."""
    return [(label, path) for label, path in choices_under(roots) if path != "demo"]
