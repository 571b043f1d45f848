"""The Tune tab: on the left a run is set up, on the right this and every other run is watched.

Both sides know of each other only through `session.run`.
"""

from __future__ import annotations

import gradio as gr

from iterit_ui import text, tune_queue, tune_run, tune_setup
from iterit_ui.components import heading
from iterit_ui.session import Session


def build(session: Session) -> None:
    """Lay the tab out."""
    heading(text.TAB["tune"], text.LINE["tune"], elem_id="tune-heading")
    load = gr.State("")  # the run whose configuration somebody wants in the form
    with gr.Row(elem_classes="columns"):
        with gr.Column(elem_classes=["side", "sheet", "sticky"]):
            tune_setup.build(session, load)
        with gr.Column(elem_classes="wide"):
            tune_queue.build(session, load)
            tune_run.build(session)
