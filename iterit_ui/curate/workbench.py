"""What the Curate tab is made of, and where on the screen it stands."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from iterit_ui.components import (
    bench,
    cards,
    chart,
    exporter,
    filter_bar,
    heading,
    keys,
    map_view,
    note,
    sample_view,
    settings_panel,
    table,
    toolbar,
)
from iterit_ui.curate import mark_events
from iterit_ui.curate.job_status import build_map_maker, build_scorer
from iterit_ui.curate.score_import import build_import
from iterit_ui.curate.state import CurateState
from iterit_ui.curate.words import BENCH, LINE
from iterit_ui.samples.edit_response import functions as edit_functions
from iterit_ui.samples.replace_all import preview_function
from iterit_ui.shared import text
from iterit_ui.shared.map_functions import map_functions
from iterit_ui.shared.session import Session

NAMES = [f.name for f in fields(CurateState)]


@dataclass(frozen=True)
class Parts:
    """The tab's components; `states` are the fields of `CurateState`, in order. trade_offs : drawn after the rest, by `draw.trade_offs`."""

    panel: gr.HTML
    source: gr.Dropdown
    message: gr.HTML
    words: gr.HTML
    figures: gr.HTML
    charts: tuple[gr.HTML, ...]
    trade_offs: tuple[gr.HTML, ...]
    bar: gr.HTML
    world: gr.HTML
    listed: gr.HTML
    sample: gr.HTML
    tools: gr.HTML
    saved: gr.HTML
    keyboard: gr.HTML
    states: list[gr.State]

    @property
    def everything(self) -> list[Any]:
        """Outputs of `curate/draw.all_values`, in its order."""
        return [
            self.panel,
            self.message,
            self.figures,
            *self.charts,
            self.bar,
            self.world,
            self.listed,
            self.sample,
            self.tools,
        ]

    @property
    def filtered(self) -> list[Any]:
        """Outputs of `curate/draw.filter_values`, in its order."""
        return [self.bar, *self.charts, self.world, self.listed]


def lay_out(session: Session) -> tuple[Parts, gr.HTML, gr.Button]:
    """The components, with the buttons for exporting and for going to Tune; empty until the tab is opened.

    Settings at the left, figures on top, the open sample at the right, and between them what was selected.
    """
    home = session.home
    with gr.Row(elem_classes="bench", elem_id="curate-bench"):
        with gr.Column(elem_classes=["bench-side", "side"]), gr.Column(elem_classes="sheet"):
            source = gr.Dropdown(
                [],
                label="Complexity from",
                info=text.SCORES,
                filterable=False,
                elem_id="score-source",
                interactive=True,
            )
            build_import(session)
            panel = settings_panel(None, elem_id="settings")
        with gr.Row(elem_classes="bench-top"):
            heading("Curate", LINE, elem_id="curate-heading")
            figures = cards(None, elem_id="curate-cards")
            keyboard = keys(elem_id="curate-keys")
            with gr.Column(elem_classes="bench-acts"):
                export = exporter(elem_id="curate-export")
                tune = gr.Button(
                    "Tune with these settings", variant="primary", elem_id="to-tune", elem_classes="next"
                )
        with gr.Column(elem_classes="bench-main"):
            with gr.Column(elem_classes="bench-notes"):
                message = note(text.OPENING, elem_id="curate-note")
                words = note(None, elem_id="curate-words")
                edited = build_scorer(session)
                saved = table(None, elem_id="saved-settings", elem_classes="st-gone-empty")
            bar = filter_bar(None, elem_id="curate-filter")
            with gr.Row(elem_classes="bench-picture"):
                with gr.Column(elem_classes="bench-views"):
                    world = map_view(None, functions=map_functions(home), height=430, elem_id="curate-map")
                    trade_offs = tuple(
                        chart(None, height=300, elem_id=f"{name}-chart") for name in ("density", "frontier")
                    )
                    build_map_maker(session)
                with gr.Column(elem_classes=["bench-bars", "dense"]):
                    names = ("complexity", "diversity", "lengths")
                    charts = tuple(chart(None, height=165, elem_id=f"{name}-chart") for name in names)
            with gr.Column(elem_classes="bench-list"):
                tools = toolbar(None, elem_id="curate-tools")
                listed = table(
                    None,
                    functions=[
                        mark_events.ids_of_list(home),
                        preview_function(home, mark_events.list_of_key(home)),
                    ],
                    elem_id="curate-table",
                )
        with gr.Column(elem_classes=["bench-aside", "aside"]):
            sample = sample_view(
                {"empty": text.NO_SAMPLE}, functions=edit_functions(home), elem_id="curate-sample"
            )
        bench(BENCH, elem_id="curate-panels")
    start = CurateState()
    own = [gr.State(getattr(start, name)) for name in NAMES[len(session.states) : -3]]
    parts = Parts(
        panel,
        source,
        message,
        words,
        figures,
        charts,
        (*trade_offs, export, edited),
        bar,
        world,
        listed,
        sample,
        tools,
        saved,
        keyboard,
        [*session.states, *own, session.who, session.marked, gr.State(start.turn)],
    )
    return parts, export, tune
