"""The review gate on the Tune tab: what a waiting run would train on, and what a person makes of it.

Whatever is changed goes into the draft that lies beside the proposal, so a reload or another page shows the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.errors import StudioError
from iterit_ui.components import cards, chart, sample_view, settings_panel, table
from iterit_ui.components.run_view import gate
from iterit_ui.samples import sample_list
from iterit_ui.samples.sample_list import SampleList
from iterit_ui.shared import messages
from iterit_ui.shared.answer_order import Newest, all_numbered, next_number
from iterit_ui.shared.session import DRAW, QUIET, Session
from iterit_ui.tune.review import events as draft
from iterit_ui.tune.review import views as view
from iterit_ui.tune.review.lists import LISTS, SORTS, samples
from iterit_ui.tune.review.state import VIEW, Open, Value

NAMES = ("gate", "cards", "settings", "complexity", "lengths", "table", "sample")
# every event with its own data, one after another: each builds on the draft that the one before left
IN_TURN: dict[str, Any] = {
    **QUIET,
    "trigger_mode": "multiple",
    "concurrency_limit": 1,
    "concurrency_id": "review",
}
# of each page: an event may be asked while the answer to another is on its way, and so bring the view of before
NEWEST = Newest(VIEW)
LOOKS = ("filter", "turn", "sort", "pick")  # events of the table that change no draft


@dataclass(frozen=True)
class Screen:
    """The screen's components by name, the state that says what its table shows, and what is hidden without a review."""

    parts: dict[str, gr.HTML]
    view: gr.State
    body: gr.Column


def lay_out() -> Screen:
    """The screen, in the column that is open."""
    head = gate(None, elem_id="review-gate")
    with gr.Column(visible=False, elem_classes="wide", elem_id="review-body") as body:
        figures = cards(elem_id="review-cards")
        with gr.Row(elem_classes="columns"):
            with gr.Column(elem_classes=["sheet", "review-settings"]):
                settings = settings_panel(elem_id="review-settings")
            with gr.Column(elem_classes="wide"):
                complexity = chart(height=190, elem_id="review-complexity")
                lengths = chart(height=190, elem_id="review-lengths")
        with gr.Row(elem_classes="columns"):
            with gr.Column(elem_classes="wide"):
                listed = table(elem_id="review-table")
            with gr.Column(elem_classes=["aside", "sticky"]):
                sample = sample_view(elem_id="review-sample")
    parts = dict(zip(NAMES, (head, figures, settings, complexity, lengths, listed, sample), strict=True))
    return Screen(parts, gr.State(dict(VIEW)), body)


def wire(session: Session, screen: Screen) -> None:
    """What the events of the screen do."""
    home, parts = session.home, screen.parts
    inputs = [session.run, screen.view, session.who]
    outputs = [*parts.values(), screen.view, screen.body]
    for part, name, function in (
        ("settings", "set", draft.set_field),
        ("settings", "weigh", draft.weigh),
        ("settings", "reset", draft.reset),
        ("table", "act", ticked),
        ("sample", "pin", marking("pin")),
        ("sample", "exclude", marking("exclude")),
        ("sample", "unmark", marking("clear")),
        ("gate", "pool", pooled),
        ("gate", "act", answered),
    ):
        getattr(parts[part], name)(_sent(home, function, outputs), inputs, outputs, **IN_TURN)
    seen = [parts["table"], parts["sample"], screen.view]
    for name in LOOKS:
        getattr(parts["table"], name)(
            _turned(home, name, seen), inputs, seen, **DRAW | {"trigger_mode": "multiple"}
        )


def shown(home: Path, run: str, state: Value) -> list[Any]:
    """All of the screen as it is on disk now: the components in the order of NAMES, the view, and the body."""
    info = chosen(home, run)
    found = view.values(home, info, state)
    return [*(found[name] for name in NAMES), state, gr.Column(visible=found["table"] is not None)]


def chosen(home: Path, run: str) -> store.RunInfo | None:
    """The run that is shown: the one that was asked for, else the newest."""
    infos = store.runs(home)
    return next((info for info in infos if info.id == run), infos[0] if infos and not run else None)


def newest(
    page: str, run: str, state: Value, change: Callable[[Value], Value] = lambda view: view
) -> tuple[Value, int]:
    """What the page's table lists after `change`, and the number of the answer that is drawn of it.

    state : what the page sent, for one that nothing is known of. A page that shows another run lists what it does at first.
    """
    if NEWEST.read(page, run, state) is None:
        NEWEST.opened(page, run)
    return NEWEST.change(page, run, state, change) or (dict(VIEW), next_number())


def apply(home: Path, run: str, who: str, data: Value, function: Callable[..., Any]) -> None:
    """Do what an event asks for; a refusal is said as a message and changes nothing."""
    info = chosen(home, run)
    try:
        if info is not None and (told := function(home, draft.open_review(home, info.id), who, data)):
            messages.info(told)
    except StudioError as error:
        messages.warning(str(error))


def marking(action: str) -> Callable[..., None]:
    """What a button of the sample does."""

    def mark(home: Path, here: Open, who: str, data: Value) -> None:
        draft.mark(home, here, who, [str(data.get("id", ""))], action)

    return mark


def ticked(home: Path, here: Open, who: str, data: Value) -> None:
    """What is done to the ticked rows of the table."""

    def listed() -> SampleList:
        which = str(data.get("list_key", "")).rpartition("/")[2]
        if which not in LISTS:
            raise StudioError("the page sent a list that is not known; tick the rows again")
        return samples(here, {**VIEW, "which": which})

    ids, act = sample_list.on_tick(data, ("pin", "exclude", "clear"), here.shown.pool, listed)
    draft.mark(home, here, who, ids, act.action)


def pooled(home: Path, here: Open, who: str, data: Value) -> None:
    """Whether marks go to the pool, too."""
    draft.mark_pool(home, here, who, data.get("on") is True)


def answered(home: Path, here: Open, who: str, data: Value) -> str | None:
    """An answer, or the draft thrown away."""
    key = data.get("key")
    if key == "discard":
        store.drop_draft(home, here.info.id, here.review.epoch)
        return None
    if key not in ("accept", "unchanged"):
        raise StudioError(f"the page sent {key!r}; accept, unchanged and discard are known")
    return draft.answer(home, here, who, unchanged=key == "unchanged")


def answered_view(state: Value, data: Value) -> Value:
    """The view with the number of the event that the settings wait for, where `data` brings one."""
    seq = data.get("seq")
    counted = isinstance(seq, int) and not isinstance(seq, bool)
    return {**state, "seq": max(seq, state["seq"])} if counted else state


def looked_view(name: str, state: Value, data: Value) -> Value:
    """The view after a list, a sort order, a page or a row was chosen."""
    if name == "filter" and data.get("key") in LISTS:
        state = {**state, "which": data["key"], "page": 0}
    elif name in ("turn", "sort"):
        state = sample_list.on_table(state, data, SORTS, downward=())
    elif name == "pick" and isinstance(data.get("id"), str):
        state = {**state, "sample": data["id"]}
    return state


def _sent(home: Path, function: Callable[..., Any], outputs: list[Any]) -> Callable[..., Any]:
    def call(event: gr.EventData, run: str, state: Value, who: str, request: gr.Request) -> list[Any]:
        data = event._data if isinstance(event._data, dict) else {}
        apply(home, run, who, data, function)
        # the number comes after the change: what was drawn of the draft before it has a smaller one
        known, number = newest(
            request.session_hash or "", run, state, lambda before: answered_view(before, data)
        )
        return all_numbered(outputs, shown(home, run, known), number)

    return call


def _turned(home: Path, name: str, outputs: list[Any]) -> Callable[..., Any]:
    def call(event: gr.EventData, run: str, state: Value, who: str, request: gr.Request) -> list[Any]:
        data = event._data if isinstance(event._data, dict) else {}
        known, number = newest(
            request.session_hash or "", run, state, lambda before: looked_view(name, before, data)
        )
        found = view.values(home, chosen(home, run), known)
        return all_numbered(outputs, [found["table"], found["sample"], known], number)

    return call
