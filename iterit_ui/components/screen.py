"""Lets the screens that are hidden do no work; runs assets/web/page/screen.js."""

from __future__ import annotations

from typing import Any

import gradio as gr

from iterit_ui.components.base import component


def announce(**states: gr.State) -> None:
    """Tell the page whenever one of these states changes, by its name; no event reaches the server for that."""
    for name, state in states.items():
        told = f"() => {{ ((window.studio ??= {{}}).told ??= []).push('{name}'); window.studio.tell?.(); }}"
        state.change(
            None, None, None, js=told, api_visibility="private", show_progress="hidden", show_progress_on=[]
        )


def when_shown(tab: str, *states: str, unless: tuple[str, ...] = ()) -> Any:
    """An event for what a screen draws: when its tab is opened first, and when one of `states` changes.

    While the tab is hidden it waits, and comes once for all that has changed. Call it inside the tab.

    tab : the tab's id, "" for what is always in sight. states : names as `announce` has them, and "watch" or "queue" for what was
        changed by another page or a worker (`watching`).
    unless : names of states whose change another event answers, which draws this, too; then, and when the tab is opened
        first, this one does not come.

    Its data: {after: names of what has changed, all of them when the tab is opened first}.
    """
    value = {"tab": tab, "after": list(states), "unless": list(unless)}
    # one of the events that `gr.HTML` has by itself: `gr.on` takes no other
    return component("screen", value, events=("apply",), elem_classes="unseen").apply
