"""One sample of the Data tab: the conversation, its marks and note, and the text exactly as a model reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.errors import StudioError
from backend.findings import masked
from backend.models_on_demand import client
from backend.models_on_demand.asked_models import base_model
from iterit_ui.data import lists
from iterit_ui.data.job_status import limits_of
from iterit_ui.data.words import NO_SAMPLE
from iterit_ui.samples import marks, sample_values
from iterit_ui.samples.edit_response import edit_value
from iterit_ui.shared.launch import model_choices
from iterit_ui.shared.session import content_id, get_pool

Roots = tuple[Path, ...]


def sample_value(
    home: Path, pool_id: str, opened: str, view: dict[str, Any], *, asked: bool, read: dict[str, Any] | None
) -> dict[str, Any]:
    """The sample beside the table, with its place in the list that the view shows.

    asked : whether the text as the model reads it is wanted. read : that text; None while it is being made.
    """
    row = get_pool(home, pool_id).row_of.get(opened) if pool_id else None
    if row is None:
        return {"empty": NO_SAMPLE}
    pool = get_pool(home, pool_id)
    last = store.next_steps(home, pool_id)[0]
    mark = lists.MARKS.get(int(lists.mark_codes(home, pool_id)[row]))
    value = sample_values.sample_value(pool, row, mark=mark, can_mark=True, can_undo=last is not None)
    if mark == "excluded":
        value["badges"].append({"label": "excluded", "tone": "rejected"})
    value["edit"] = edit_value(home, pool, opened)
    note = store.notes(home, pool_id).get(opened)
    value["note"] = None if note is None else {"text": note.text, "who": note.who, "at": note.at}
    value["reading"] = (read or {"state": "busy"}) if asked else None
    if last is not None:
        value["undo_hint"] = f"take back: {marks.change_words(last)}"
    value["position"] = lists.samples(home, pool_id, view).position(opened)
    return value


def opened(
    home: Path,
    pool_id: str,
    sample: str,
    view: dict[str, Any],
    asked: bool,
    model: str,
    longest: float | None,
) -> dict[str, Any]:
    """A sample as soon as it is clicked; where its text as read is wanted, that follows."""
    return sample_value(home, pool_id, sample, view, asked=asked, read=None)


def followed(
    home: Path,
    roots: Roots,
    pool_id: str,
    sample: str,
    view: dict[str, Any],
    asked: bool,
    model: str,
    longest: float | None,
) -> Any:
    """The sample with its text as the model reads it, where that is wanted; waits for the reader."""
    return again(home, roots, pool_id, sample, view, asked, model, longest) if asked else gr.skip()


def again(
    home: Path,
    roots: Roots,
    pool_id: str,
    sample: str,
    view: dict[str, Any],
    asked: bool,
    model: str,
    longest: float | None,
) -> dict[str, Any]:
    """The sample with all that is shown of it, after something about it has changed."""
    row = get_pool(home, pool_id).row_of.get(sample) if pool_id and asked else None
    read = None if row is None else as_read(home, roots, pool_id, row, model, longest)
    return sample_value(home, pool_id, sample, view, asked=asked, read=read)


def as_read(
    home: Path, roots: Roots, pool_id: str, row: int, model: str, longest: float | None
) -> dict[str, Any]:
    """A sample exactly as the model reads it, for the sample panel; why not where it cannot be read."""
    if model not in [value for _, value in model_choices(roots)]:
        return {"state": "failed", "error": f"model {model} is not one of those offered here"}
    most, system_prompt = limits_of(model)
    most = int(longest) if longest and longest >= 8 else most
    try:
        found = client.show(
            home,
            content_id(home, pool_id),
            row,
            base_model(model, max_length=most, system_prompt=system_prompt),
        )
    except StudioError as error:
        return {"state": "failed", "error": str(error)}
    return {
        "state": "done",
        "text": [{"kind": part.kind, "text": masked(part.text)} for part in found.segments],
        "tokens": found.tokens,
        "response_tokens": found.response_tokens,
        "cut_tokens": found.whole_tokens - found.tokens,
        "max_length": found.max_length,
        "model": Path(model).name,
        "error": found.reason,
        "notes": list(found.notes),
    }
