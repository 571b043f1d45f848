"""The Tune tab: on the left a run is set up, on the right this and every other run is watched.

Both sides know of each other only through `session.run`.
"""

from __future__ import annotations

import gradio as gr

from iterit_ui.components import heading, note
from iterit_ui.shared import text
from iterit_ui.shared.session import Session
from iterit_ui.tune import queue_panel, run_panel, setup_panel
from iterit_ui.tune.words import LINE, WHICH_STRATEGY


def build(session: Session) -> None:
    """Lay the tab out."""
    heading(text.TAB["tune"], LINE, elem_id="tune-heading")
    note(WHICH_STRATEGY, elem_id="tune-strategy")
    load = gr.State("")  # the run whose configuration somebody wants in the form
    with gr.Row(elem_classes="columns"):
        with gr.Column(elem_classes=["side", "sheet", "sticky"]):
            setup_panel.build(session, load)
        with gr.Column(elem_classes="wide"):
            queue_panel.build(session, load)
            run_panel.build(session)
