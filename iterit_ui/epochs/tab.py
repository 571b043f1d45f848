"""The Epochs tab: step through a run's epochs and see who came, stayed and went, and what training changed.

The builder lays out and wires. `epochs/events` says where an event leads, `epochs/draw` what is drawn there, and an
event is answered in one go without the queue, as on the Curate tab. What somebody looks at (run, epoch, list, page,
open sample) stays when a new epoch appears on the disk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from iterit_ui.components import (
    bench,
    cards,
    chart,
    exporter,
    heading,
    keys,
    map_view,
    note,
    report_button,
    sample_view,
    table,
)
from iterit_ui.components.epochs_view import alluvial, chooser, player
from iterit_ui.components.screen import when_shown
from iterit_ui.epochs import draw, events
from iterit_ui.epochs.run_choices import on_disk
from iterit_ui.epochs.state import EpochsState
from iterit_ui.epochs.words import BENCH, LINE
from iterit_ui.samples.hand_over import wire_export, wire_receipt
from iterit_ui.shared import address, text
from iterit_ui.shared.answer_order import Turns
from iterit_ui.shared.map_functions import map_functions
from iterit_ui.shared.session import DRAW, QUIET, Session, bound
from iterit_ui.shared.turn_answer import turn_answer

__all__ = ["build", "on_disk"]

Change = Callable[[Path, EpochsState, dict[str, Any]], EpochsState]
NAMES = [f.name for f in fields(EpochsState)]
SHARED = ("run", "epoch", "sample")  # of the session, and so in the address
OWN = NAMES[len(SHARED) :]
# every event with its own data: "always_last" would send that of the one under way a second time
EVENT: dict[str, Any] = {**DRAW, "trigger_mode": "multiple"}
KEYS = {"actions": ["step", "table", "escape", "help"]}
RUN_CHOICE = "epochs-run"
TURNS = Turns()


@dataclass(frozen=True)
class Parts:
    """The tab's components by the names of `draw.DRAWN`, its keyboard, and the states that only it uses."""

    by_name: dict[str, Any]
    keyboard: gr.HTML
    own: list[gr.State]

    def __getitem__(self, name: str) -> Any:
        return self.by_name[name]

    @property
    def everything(self) -> list[Any]:
        """In the order of `draw.all_values`."""
        return [self.by_name[name] for name in draw.DRAWN]


def build(session: Session) -> None:
    """The tab's components and what they do."""
    heading(text.TAB["epochs"], LINE, elem_id="epochs-heading")
    parts = _lay_out(session)
    _wire_arrival(session, parts)
    _wire_events(session, parts)
    wire_export(parts["export"], _exported(session), [session.who, *_states(session, parts)])
    wire_receipt(parts["receipt"], bound(events.on_receipt, session.home), session.run)


def _lay_out(session: Session) -> Parts:
    made: dict[str, Any] = {}
    with gr.Row(elem_classes="epochs-bar"):
        made["choice"] = gr.Dropdown(
            [], show_label=False, container=False, elem_id=RUN_CHOICE, interactive=True, filterable=False
        )
        made["player"] = player(elem_id="epochs-player")
        report_button(elem_id="epochs-report")
        made["export"] = exporter(elem_id="epochs-export")
        made["receipt"] = gr.Button(
            "Receipt", scale=0, min_width=96, size="md", visible=False, elem_id="epochs-receipt"
        )
    made["message"] = note({"tone": "info", "text": "Reading the runs…"}, elem_id="epochs-note")
    with gr.Column(visible=False, elem_classes="wide") as made["body"]:
        with gr.Row(elem_classes=["bench", "glance"], elem_id="epochs-bench"):
            with gr.Row(elem_classes="bench-top"):
                made["figures"] = cards(elem_id="epochs-cards")
            with gr.Column(elem_classes="bench-flow"):
                made["flow"] = alluvial(height=230, elem_id="epochs-flow")
            with gr.Column(elem_classes="bench-views"):
                made["world"] = map_view(
                    functions=map_functions(session.home), height=520, elem_id="epochs-map"
                )
            with gr.Column(elem_classes=["bench-bars", "dense"]):
                for name in ("complexity", "diversity", "lengths"):
                    made[name] = chart(height=165, elem_id=f"epochs-{name}")
            bench(BENCH, elem_id="epochs-panels")
        with gr.Row(elem_classes="epochs-why"):
            made["moved"] = chooser(height=300, elem_id="epochs-moved")
            made["cohorts"] = chooser(height=300, elem_id="epochs-cohorts")
            made["hardest"] = chooser(height=260, elem_id="epochs-hardest")
            with gr.Column(visible=False) as made["labelled"]:
                made["labels"] = chart(height=260, elem_id="epochs-labels")
        with gr.Row(elem_classes="columns"):
            with gr.Column(elem_classes="wide"):
                made["listed"] = table(elem_id="epochs-table")
            with gr.Column(elem_classes=["aside", "sticky"]):
                made["sample"] = sample_view(elem_id="epochs-sample")
                made["history"] = table(elem_id="epochs-history")
    start = EpochsState()
    own = [gr.State(getattr(start, name)) for name in OWN]
    return Parts(made, keys(KEYS, elem_id="epochs-keys"), own)


def _here(session: Session, values: tuple[Any, ...]) -> tuple[dict[str, Any], EpochsState]:
    """What the address holds, and where the visitor is, from the values of `_states`."""
    count = len(session.states)
    held = dict(zip(address.NAMES, values[:count], strict=True))
    own = dict(zip(OWN, values[count:], strict=True))
    return held, EpochsState(**{name: held[name] for name in SHARED}, **own)


def _exported(session: Session) -> Callable[..., str]:
    """What makes the file of an export."""

    def file(data: Any, who: str, *values: Any) -> str:
        return events.on_export(session.home, _here(session, values)[1], data, who)

    return file


def _states(session: Session, parts: Parts) -> list[Any]:
    return [*session.states, *parts.own]


def _kept(session: Session, parts: Parts) -> list[Any]:
    """The states that the tab sets, in the order of `Here`."""
    return [*(getattr(session, name) for name in SHARED), *parts.own]


def _written(held: dict[str, Any], there: EpochsState) -> dict[str, str]:
    """The address of where a visitor is."""
    return address.written(**{**held, **{name: getattr(there, name) for name in SHARED}})


def _wire_arrival(session: Session, parts: Parts) -> None:
    """The page was opened on this tab, another tab has chosen a run, or a worker has selected for another epoch."""
    home, states = session.home, _states(session, parts)
    outputs = [*_kept(session, parts), *parts.everything, session.bar]

    def arrive(request: gr.Request, *values: Any) -> list[Any]:
        held, read = _here(session, values)
        if held["tab"] != "epochs":
            return [gr.skip()] * len(outputs)
        return in_turn(
            home, request, held, read, partial(draw.normalised, home), draw.all_values, parts.everything
        )

    def again(request: gr.Request, *values: Any) -> list[Any]:
        held, here = _here(session, values)
        if held["tab"] != "epochs" or draw.normalised(home, here) == here:
            return [gr.skip()] * len(outputs)
        return arrive(request, *values)

    moments = ("ready", "tab", "run", "epoch")
    when_shown("epochs", *moments)(arrive, states, outputs, **DRAW)
    when_shown("epochs", "watch", unless=moments)(again, states, outputs, **DRAW)

    # in the queue, so that the other tabs are told of the run
    def choose(run: str) -> tuple[str, int]:
        return run or "", 0

    parts["choice"].input(choose, parts["choice"], [session.run, session.epoch], **QUIET)


def _on(
    session: Session,
    parts: Parts,
    trigger: Any,
    change: Change,
    drawn: Callable[[Path, EpochsState], list[Any]] = draw.all_values,
    components: list[Any] | None = None,
    *,
    always: bool = False,
) -> None:
    """An event of the page: where it leads, what is drawn there, and the address of that; answered in one go.

    always : draw also where nothing changes.
    """
    shown = parts.everything if components is None else components
    outputs = [*_kept(session, parts), *shown, session.bar]

    def call(event: gr.EventData, request: gr.Request, *values: Any) -> list[Any]:
        held, read = _here(session, values)
        data = event._data if isinstance(event._data, dict) else {}

        def there(here: EpochsState) -> EpochsState:
            return change(session.home, here, data)

        made = in_turn(session.home, request, held, read, there, drawn, shown, always=always)
        return made or [gr.skip()] * len(outputs)

    trigger(call, _states(session, parts), outputs, **EVENT)


def in_turn(
    home: Path,
    request: gr.Request,
    held: dict[str, Any],
    read: EpochsState,
    change: Callable[[EpochsState], EpochsState],
    drawn: Callable[[Path, EpochsState], list[Any]],
    components: list[Any],
    *,
    always: bool = True,
) -> list[Any]:
    """What a callback answers: the states, the components and the address; nothing where nothing changes.

    held, read : what the address holds and the tab's states as the callback was given them; what others of the page have
        changed since is added. always : answer also where nothing changes.
    """

    def values(there: EpochsState) -> list[Any]:
        made = drawn(home, there)
        if components[0].elem_id == RUN_CHOICE and (there.run, there.seen) == (read.run, read.seen):
            # else an answer that comes late would undo what is being chosen
            made[0] = gr.skip()
        return made

    return turn_answer(
        home,
        TURNS,
        request.session_hash or "",
        read,
        change,
        values,
        components,
        partial(_written, held),
        always=always,
    )


def _wire_events(session: Session, parts: Parts) -> None:
    """Stepping through epochs, what lists samples, the table, and opening samples."""

    def on(trigger: Any, change: Change, **options: Any) -> None:
        _on(session, parts, trigger, change, **options)

    on(parts["player"].go, events.on_go, always=True)
    on(parts["player"].reset, events.on_back)
    on(parts["flow"].epoch, events.on_jump)
    for trigger in (
        parts["flow"].pick,
        parts["figures"].pick,
        parts["moved"].choice,
        parts["hardest"].choice,
        parts["cohorts"].choice,
    ):
        on(trigger, events.on_choice)
    for name in ("moved", "hardest", "cohorts", "labels"):
        on(parts[name].pick, events.on_click)
    on(parts["moved"].against, events.on_compare)
    on(parts["world"].lasso, events.on_lasso)
    on(parts["world"].clear, events.on_lasso_removed)
    on(parts["world"].cluster, events.on_cluster)
    on(parts["world"].mode, events.on_colour, drawn=draw.map_values, components=[parts["world"]])
    on(parts["listed"].filter, events.on_list)

    page = [parts[name] for name in ("listed", "sample", "history")]
    for trigger in (parts["listed"].turn, parts["listed"].sort, parts["listed"].columns):
        on(trigger, events.on_table, drawn=draw.page_values, components=page)
    sample = [parts[name] for name in ("world", "listed", "sample", "history")]
    for trigger, change in (
        (parts["listed"].pick, events.on_row),
        (parts["sample"].open, events.on_row),
        (parts["world"].pick, events.on_point),
        (parts["sample"].step, events.on_step),
        (parts.keyboard.step, events.on_step),
    ):
        on(trigger, change, drawn=draw.sample_change, components=sample)
