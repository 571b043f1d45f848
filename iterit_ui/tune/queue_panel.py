"""The queue on the Tune tab: the runs that wait, in their order, and running the shown one again.

The builder lays out and wires; every callback below it is a plain function of ids. What the page's watcher notices
(see `tune/views.stamp`) draws it anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.analysis.queue_state import Queue, queue_of
from backend.errors import RunError, StudioError
from backend.jobs import run_launch
from backend.store import RunInfo
from iterit_ui.components.queue_view import queue_view
from iterit_ui.components.screen import when_shown
from iterit_ui.shared import messages
from iterit_ui.shared.session import DRAW, QUIET, Session, bound
from iterit_ui.shared.strategies import strategy_name
from iterit_ui.shared.theme import counted, moment

Value = dict[str, Any]

# one after another: each means the order that the one before has left
IN_TURN: dict[str, Any] = {**QUIET, "trigger_mode": "multiple", "concurrency_limit": 1}
ACTIONS = [
    {
        "key": "again",
        "label": "Run again",
        "hint": "Puts a new run with the same settings and samples at the end of the queue",
    },
    {
        "key": "copy",
        "label": "Copy and edit",
        "hint": "Puts its settings into the form on the left; nothing starts until you launch",
    },
]


def build(session: Session, load: gr.State) -> None:
    """Lay the panel out, in the column that is open, and wire it.

    load : set to "<run id>#<number>", another number each time, when somebody wants a run's settings in the form.
    """
    home = session.home
    panel = queue_view(elem_id="tune-queue")
    seen = gr.State("")
    see, watch, shown = bound(queue_values, home), [session.run, session.tab, seen], [panel, seen]
    when_shown("tune", "ready", "run", "tab", "queue")(see, watch, shown, **DRAW)

    def on_act(event: gr.EventData, run: str, load: str) -> Any:
        return act(home, run, load, event._data)

    def on_pick(event: gr.EventData, run: str) -> Any:
        return pick(home, run, event._data)

    panel.act(on_act, [session.run, load], [session.run, load], **IN_TURN).then(see, watch, shown, **DRAW)
    panel.pick(on_pick, session.run, session.run, **IN_TURN)


def queue_values(home: Path, run: str, tab: str, seen: str) -> tuple[Any, str]:
    """(the panel's value, what is seen now); the value is skipped where it is as it was `seen`."""
    if tab != "tune":
        return gr.skip(), seen
    value = panel_value(store.runs(home), run)
    now = mark_of(value)
    return (gr.skip() if now == seen else value), now


def mark_of(value: Value | None) -> str:
    """Another text once the panel shows something else."""
    return json.dumps(value)


def panel_value(infos: list[RunInfo], run: str) -> Value | None:
    """What the panel shows of these runs; None where nothing waits and no run is shown. See `queue_view`."""
    queue, chosen = queue_of(infos), _chosen(infos, run)
    if not queue.waiting and chosen is None:
        return None
    value: Value = {
        "title": "",
        "text": "",
        "held": "",
        "rows": [
            {
                "id": info.id,
                "name": info.name,
                "about": _about(info),
                "chosen": chosen is not None and info.id == chosen.id,
            }
            for info in queue.waiting
        ],
        "chosen": chosen and {"id": chosen.id, "name": chosen.name, "actions": ACTIONS},
    }
    if queue.waiting:
        value |= {
            "title": f"Queued: {counted(len(queue.waiting), 'run')}",
            "text": _next_words(queue),
            "held": _held_words(queue),
        }
    return value


def act(home: Path, run: str, load: str, data: Any) -> tuple[Any, Any]:
    """Do what a button says: (the run that is shown, load), skipped where it stays. A refusal is a message."""
    action = data.get("action") if isinstance(data, dict) else None
    asked = data.get("id") if isinstance(data, dict) else None
    info = next((info for info in store.runs(home) if info.id == asked), None)
    try:
        if info is None:
            raise RunError("Run not found: it may have been deleted")
        if action == "again":
            again = run_launch.run_again(home, info.id)
            messages.info(f"“{info.name}” is queued again as a new run with the same settings and samples.")
            return again, gr.skip()
        if action == "copy":
            # another number each time: a second copy of the same run must be a change, too
            number = load.rpartition("#")[2]
            return gr.skip(), f"{info.id}#{int(number) + 1 if number.isdecimal() else 1}"
        if action == "cancel":
            cancel(home, info)
        elif action in ("front", "up", "down"):
            move(home, info, action)
        else:
            raise RunError(
                f"The page asked for {action!r}; front, up, down, cancel, again and copy are known"
            )
    except StudioError as error:
        messages.warning(f"{error}.")
    return gr.skip(), gr.skip()


def move(home: Path, info: RunInfo, action: str) -> None:
    """Put a waiting run to the front, or one place up or down.

    Raises
    ------
    RunError : it no longer waits.
    """
    place = queue_of(store.runs(home)).place(info.id)
    if place is None:
        raise RunError(f"“{info.name}” has left the queue in the meantime; nothing was moved")
    store.move_in_queue(home, info.id, {"front": 0, "up": max(0, place - 1), "down": place + 1}[action])


def cancel(home: Path, info: RunInfo) -> None:
    """Take a waiting run out of the queue. One that has started in the meantime is left alone.

    Raises
    ------
    RunError : it no longer waits.
    """
    # not lifecycle.stop, which would stop a run that was started between the click and now
    note = "taken out of the queue"
    if not store.set_state(home, info.id, "stopped", expect=("queued",), note=note):
        now = store.run_info(home, info.id)
        if not now.active:
            raise RunError(f"“{info.name}” is no longer queued: it is {now.state}")
        raise RunError(f"“{info.name}” has started in the meantime; to stop it, choose it in the list below")
    messages.info(
        f"“{info.name}” is out of the queue. Nothing is lost: choose it below; “Resume” queues it again."
    )


def pick(home: Path, run: str, data: Any) -> str:
    """The waiting run whose name was clicked."""
    asked = data.get("id") if isinstance(data, dict) else None
    return next((info.id for info in store.runs(home) if info.id == asked), run)


def _chosen(infos: list[RunInfo], run: str) -> RunInfo | None:
    """The run that the page shows: the one that was asked for, else the newest."""
    return next((info for info in infos if info.id == run), infos[0] if infos and not run else None)


def _next_words(queue: Queue) -> str:
    """When the first of those that wait starts."""
    names = ", ".join(f"“{info.name}”" for info in queue.at_work if info.state != "waiting")
    if queue.reviews:
        return ""
    if names:
        return f"The first one starts when {names} {'has' if len(queue.at_work) == 1 else 'have'} ended."
    return "The first one starts in a moment."


def _held_words(queue: Queue) -> str:
    """Which reviews hold the queue; "" where none does."""
    if not queue.reviews:
        return ""
    names = ", ".join(f"“{info.name}”" for info in queue.reviews)
    wait, answer = ("waits", "it is") if len(queue.reviews) == 1 else ("wait", "they are")
    return f"{names} {wait} for a review: nothing in the queue starts until {answer} answered or stopped."


def _about(info: RunInfo) -> str:
    """A waiting run in a few words."""
    what = "resumes where it ended" if info.resume and info.attempt else ""
    beside = "starts in parallel" if info.allow_parallel else ""
    # not `queued`, which moves with its place
    parts = [strategy_name(info.strategy), info.pool_name, what, beside, f"launched {moment(info.created)}"]
    return " · ".join(part for part in parts if part)
