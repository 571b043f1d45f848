"""One sample in full: the conversation, why it was picked or not, its scores, and what a model makes of it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from iterit_ui.components.base import component

EVENTS = ("pin", "exclude", "unmark", "undo", "note", "open", "read", "losses", "reach", "step", "edit")


def sample_view(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """A sample, drawn by assets/web/components/sample.js; events `pin`, `exclude`, `unmark`, `undo`, `read`, `losses`, `reach`
    {id}, `note` {id, text}, `edit` {id, text: None to take the edit back}, `open` {id}, `step` {by: 1 or -1}.

    value : {empty: text}, or
        {id, title, badges: [{label, tone}], turns: [{role, content}], response, actions, undo_hint,
        position: {at, of} (at None: not in the list), why: [sentence], terms: [{term, part}], terms_title,
        covered: [{term, part, left, pick, id}], covered_title, facts: [{label, value, hint, bar, words}],
        edit: {pool, edited: None or {who, at, original}}, note, reach, neighbours: [{id, label, share, text}], history: [{epoch, status, tone, rank, complexity}],
        reading, losses}.
        A fact with `bar`, its place in the pool in [0, 1], stands among the scores with `words` beside it. `part`
        is an n-gram's part of the diversity, `left` the share of it that the picks have left, `pick` and `id` the
        pick that took it first.
        With `edit` the response can be edited; the functions `response` and `check` of `edit_response` are needed then.
        What is asked for only when somebody wants it is left out where it cannot be had, None where it can, and then
        note : {text, who, at (seconds since 1970, or text)},
        reach : [{label, value, hint}],
        reading : {state: busy, done or failed, error, text: [{kind: prompt, response, mark or cut, text}], tokens,
            response_tokens, cut_tokens, max_length, model},
        losses : {state, error, pieces: [text], conditioned: [nats or None], alone: [nats or None]}.
    """
    return component("sample", value, events=EVENTS, **options)
