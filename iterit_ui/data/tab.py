"""The Data tab: choose a pool on the left, see on the right what was read from it, what is wrong with it, and do
something about that.

The builder lays out and wires; what is drawn and what events do are plain functions of `data/draw`, `data/events` and
the modules that they name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from iterit_ui.components import cards, chart, heading, keys, note, sample_view, status_line, table
from iterit_ui.components.base import component, of_pool
from iterit_ui.components.screen import when_shown
from iterit_ui.data import bulk_marks, draw, events
from iterit_ui.data import callbacks as answers
from iterit_ui.data import job_status as work
from iterit_ui.data import sample_panel as reading
from iterit_ui.data.evaluation_data import Field, build_field, wire_field
from iterit_ui.data.lists import VIEW
from iterit_ui.data.sources import build_preview, build_sources
from iterit_ui.data.words import LINE, NO_SAMPLE
from iterit_ui.samples.edit_response import functions as edit_functions
from iterit_ui.samples.hand_over import wire_export
from iterit_ui.samples.replace_all import preview_function
from iterit_ui.shared import cutting_hint, text
from iterit_ui.shared.launch import model_choices
from iterit_ui.shared.session import DRAW, QUIET, Session, bound, first_pool

# every event with its own data: "always_last" would send that of the one under way a second time
EVENT: dict[str, Any] = {**DRAW, "trigger_mode": "multiple"}
# the same in the queue, one after another: these set states that others wait for, and each builds on the one before
IN_TURN: dict[str, Any] = {**QUIET, "trigger_mode": "multiple", "concurrency_limit": 1}


@dataclass(frozen=True)
class Parts:
    """The tab's components, and the states that only it uses.

    view : what the table lists, see `data/lists`. did : {step, text} of the last change made here.
    asked : whether the text as a model reads it is shown. known : stamp of what has been computed about the pool.
    """

    message: gr.HTML
    words: gr.HTML
    figures: gr.HTML
    model: gr.Dropdown
    longest: gr.Number
    count: gr.Button
    evaluation: Field
    status: gr.HTML
    timer: gr.Timer
    sources: gr.HTML
    lengths: gr.HTML
    openings: gr.HTML
    finding: gr.HTML
    listed: gr.HTML
    sample: gr.HTML
    keyboard: gr.HTML
    view: gr.State
    did: gr.State
    asked: gr.State
    known: gr.State


def build(session: Session) -> None:
    """The tab's components and what they do."""
    with gr.Row(elem_classes="top"):
        heading("Data", LINE, elem_id="data-heading")
        go = gr.Button("Next: curate this pool", variant="primary", elem_id="to-curate", elem_classes="next")
    with gr.Row(elem_classes="columns"):
        with gr.Column(elem_classes=["side", "sheet", "sticky"]):
            chooser = build_sources(session)
        with gr.Column(elem_classes="wide"):
            build_preview(session, chooser)
            parts = _lay_out(session)
    _wire_drawing(session, parts)
    _wire_lists(session, parts)
    _wire_samples(session, parts)
    go.click(lambda: gr.Tabs(selected="curate"), None, session.tabs, **QUIET)


def _lay_out(session: Session) -> Parts:
    home, pool_id = session.home, first_pool()
    # it comes with the page
    first = {
        name: of_pool(pool_id, value, text.OPENING if name == "message" else None)
        for name, value in draw.first_screen(home, pool_id).items()
    }
    message = note(first["message"], elem_id="data-note")
    words = note(of_pool(pool_id, cutting_hint.note_value(home, pool_id)), elem_id="data-words")
    figures = cards(first["cards"], elem_id="data-cards")
    evaluation = build_field(session)
    status = status_line(None, elem_id="data-status")
    timer = gr.Timer(1.0, active=False)
    finding = component("finding", None, events=("do", "threshold", "undo"), elem_id="finding")
    with gr.Row(elem_classes="columns"):
        with gr.Column(elem_classes="wide"):
            listed = table(
                first["table"],
                functions=[
                    bulk_marks.ids_of_list(home),
                    preview_function(home, bulk_marks.list_of_key(home)),
                ],
                elem_id="data-table",
            )
        with gr.Column(elem_classes=["aside", "sticky"]):
            sample = sample_view({"empty": NO_SAMPLE}, functions=edit_functions(home), elem_id="data-sample")
    with gr.Row(elem_classes=["scorer", "counter"], elem_id="token-counter"):
        model = gr.Dropdown(
            model_choices(session.model_roots),
            value="demo",
            label="Model for lengths and for the text as read",
            interactive=True,
            scale=3,
            min_width=200,
            elem_id="length-model",
        )
        longest = gr.Number(
            value=work.limits_of("demo")[0],
            label="Token limit",
            precision=0,
            minimum=8,
            step=1,
            scale=1,
            min_width=110,
            elem_id="length-limit",
        )
        count = gr.Button("Count tokens", scale=0, min_width=130, elem_id="count-tokens")
    with gr.Row(elem_classes="charts"):
        sources = chart(first["sources"], height=190, elem_id="sources-chart")
        lengths = chart(first["lengths"], height=190, elem_id="characters-chart")
        openings = component("ranking", first["openings"], events=("pick",), elem_id="openings")
    keyboard = keys(elem_id="data-keys")
    return Parts(
        message,
        words,
        figures,
        model,
        longest,
        count,
        evaluation,
        status,
        timer,
        sources,
        lengths,
        openings,
        finding,
        listed,
        sample,
        keyboard,
        view=gr.State(dict(VIEW)),
        did=gr.State(dict(bulk_marks.NOTHING_DONE)),
        asked=gr.State(False),
        known=gr.State(""),
    )


def _wire_drawing(session: Session, parts: Parts) -> None:
    """What is drawn when which state changes."""
    home, pool = session.home, session.pool
    look = [pool, parts.view, session.sample, parts.did]
    heads = [parts.figures, parts.openings, parts.lengths]
    turned = answers.numbered_call(bound(draw.page_values, home), sample=2)
    # two callbacks: the rows are there before the findings have been counted
    when_shown("data", "pool")(
        answers.opened(bound(draw.opened_pool, home), kept=4),
        pool,
        [parts.view, parts.did, parts.message, parts.sources, parts.finding, parts.listed],
        **DRAW,
    )
    when_shown("data", "pool")(answers.opened(bound(draw.heads, home)), pool, heads, **DRAW)
    when_shown("data", "pool", "marked", "tab")(
        bound(cutting_hint.note_value, home), pool, parts.words, **DRAW
    )
    known = [parts.status, parts.timer, parts.known]
    chosen = parts.words.act(
        answers.sent(bound(cutting_hint.on_choice, home)),
        [pool, session.settings],
        [session.marked, session.settings],
        **IN_TURN,
    )
    chosen.then(bound(cutting_hint.note_value, home), pool, parts.words, **QUIET)
    chosen.then(bound(work.followed, home), [pool, parts.known], known, **QUIET)
    # what was chosen on Curate has been looked for since; an edited pool is looked through anew
    when_shown("data", "tab", "marked", unless=("pool",))(
        bound(work.followed, home), [pool, parts.known], known, **QUIET
    )
    when_shown("data", "pool")(bound(work.begun, home), pool, known, **QUIET)
    parts.timer.tick(
        bound(work.followed, home), [pool, parts.known], [parts.status, parts.timer, parts.known], **QUIET
    )
    parts.view.change(turned, look, [parts.finding, parts.listed], **DRAW)  # a step to another page
    parts.known.change(turned, look, [parts.finding, parts.listed], **DRAW)
    parts.known.change(answers.numbered_call(bound(draw.heads, home)), [pool, parts.view], heads, **DRAW)
    # the Curate tab marks and opens samples without telling anybody: what it did shows when this tab is opened again
    again_shown = when_shown("data", "marked", "sample", "tab", "watch", unless=("pool",))
    again_shown(turned, look, [parts.finding, parts.listed], **DRAW)
    read = [pool, session.sample, parts.view, parts.asked, parts.model, parts.longest]
    full = answers.numbered_call(bound(reading.followed, home, session.model_roots), view=2, sample=1)
    again = answers.numbered_call(bound(reading.again, home, session.model_roots), view=2, sample=1)
    opened = when_shown("data", "sample", "pool", "tab")(
        answers.numbered_call(bound(reading.opened, home), view=2, sample=1), read, parts.sample, **DRAW
    )
    opened.then(full, read, parts.sample, **QUIET)
    parts.asked.change(full, read, parts.sample, **QUIET)
    # a run may have scored the pool in the meantime; what was excluded changes what is left
    when_shown("data", "marked", "tab", "watch", unless=("pool",))(
        answers.numbered_call(bound(draw.pressed, home)),
        [pool, parts.view],
        [parts.figures, parts.openings],
        **DRAW,
    )
    when_shown("data", "marked", "watch", unless=("sample", "pool", "tab"))(again, read, parts.sample, **DRAW)
    parts.model.input(lambda name: work.limits_of(name)[0], parts.model, parts.longest, **QUIET)
    gr.on([parts.model.input, parts.longest.submit], full, read, parts.sample, **QUIET)


def _wire_lists(session: Session, parts: Parts) -> None:
    """Cards, charts and the table choose what is listed; the head of the list does something about it."""
    home, view = session.home, parts.view
    look = [session.pool, view, session.sample, parts.did]
    page, lists = [view, parts.finding, parts.listed], [parts.figures, parts.openings]
    # a new list is drawn in the answer to the click: to wait for the view to change would be one more way there and back
    for event, function in (
        (parts.figures.pick, events.picked_card),
        (parts.openings.pick, events.picked_opening),
        (parts.sources.pick, bound(events.picked_source, home)),
        (parts.finding.threshold, events.moved_threshold),
        (parts.listed.filter, events.on_table),
        (parts.listed.search, events.searched),
        (parts.listed.chip, events.chip_removed),
        (parts.listed.chips_clear, events.chips_cleared),
    ):
        event(answers.listed(home, function), look, [*page, *lists], **EVENT)
    parts.listed.turn(answers.listed(home, events.on_table, cards=False), look, page, **EVENT)
    parts.listed.pick(
        answers.picked(home),
        [session.pool, view, session.sample, parts.asked],
        [session.sample, parts.sample],
        **IN_TURN,
    )
    changed = [session.marked, parts.did]
    parts.listed.act(
        answers.looked(bound(bulk_marks.table_act, home)),
        [session.pool, view, session.who],
        changed,
        **IN_TURN,
    )
    wire_export(parts.listed, bound(bulk_marks.exported, home), [session.pool, view, session.who])
    parts.finding.do(
        answers.looked(bound(bulk_marks.acted, home)),
        [session.pool, view, session.sample, session.who],
        changed,
        **IN_TURN,
    )
    working = [parts.status, parts.timer]
    counting = [session.pool, parts.model, parts.longest]
    parts.finding.do(answers.sent(bound(work.asked, home, session.model_roots)), counting, working, **QUIET)
    wire_field(session, parts.evaluation, working)
    parts.count.click(bound(work.counted, home, session.model_roots), counting, working, **QUIET)


def _wire_samples(session: Session, parts: Parts) -> None:
    """Marks, notes, what a model reads, and the keys for that."""
    home, who = session.home, [session.pool, session.who]
    changed = [session.marked, parts.did]
    for name, action in (("pin", "pin"), ("exclude", "exclude"), ("unmark", "clear")):
        getattr(parts.sample, name)(answers.sent(bound(events.marked, home, action)), who, changed, **IN_TURN)
    parts.sample.edit(answers.sent(bound(events.edited, home)), who, changed, **IN_TURN)
    parts.sample.note(answers.sent(bound(events.noted, home)), who, changed, **IN_TURN)
    parts.keyboard.mark(answers.marked(home), [*who, parts.view, session.sample], changed, **IN_TURN)
    for part in (parts.sample, parts.finding, parts.keyboard):
        part.undo(bound(bulk_marks.taken_back, home), who, changed, **IN_TURN)
    parts.keyboard.redo(bound(bulk_marks.done_again, home), who, changed, **IN_TURN)
    parts.sample.read(lambda: True, None, parts.asked, **QUIET)
    for part in (parts.sample, parts.keyboard):
        part.step(
            answers.on_step(home),
            [session.pool, parts.view, session.sample],
            [session.sample, parts.view],
            **IN_TURN,
        )
