"""The view for showing to others: a full screen over the page, opened from the header, by a key or by a link."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from iterit_ui.components.base import component
from iterit_ui.present.run_report import report_file
from iterit_ui.present.stories import stories_value
from iterit_ui.samples.hand_over import wire_export
from iterit_ui.shared.session import EVENT, Session


def presenter(session: Session) -> gr.HTML:
    """Lay the view out, empty until it is opened, and wire it with its report; drawn by assets/web/present/present.js."""
    shown = component("present", events=("apply", "export"), elem_id="present", elem_classes="unseen")
    shown.apply(_drawn(session.home), session.states, shown, **EVENT)
    wire_export(shown, _reported(session.home), session.states)
    return shown


def _reported(home: Path) -> Any:
    def reported(_asked: Any, *states: Any) -> str:
        return report_file(home, *states)

    return reported


def _drawn(home: Path) -> Any:
    def drawn(*states: Any) -> dict[str, Any]:
        return stories_value(home, *states)

    return drawn
