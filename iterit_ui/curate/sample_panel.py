"""The sample panel of the Curate tab: why it was picked or not, what would change that, and what a model makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend import analysis, diversity, store
from backend.config import PRESETS, RunConfig
from backend.errors import StudioError
from backend.models_on_demand import client
from backend.models_on_demand.asked_models import base_model
from backend.models_on_demand.questions import AskedModel
from backend.records import Status
from iterit_ui.samples import sample_values
from iterit_ui.samples.edit_response import edit_value
from iterit_ui.samples.sample_list import SampleList
from iterit_ui.shared import text, theme
from iterit_ui.shared.selections import TFIDF, SelectionView, full_order, get_vocabulary
from iterit_ui.shared.session import beginning, get_counts, get_marks

EXTRAS: dict[str, Any] = {"sample": "", "reach": "", "reading": "", "losses": ""}
REACH_SECONDS = 4.0
REACH_LABEL = {
    "budget": "from a budget of",
    "complexity_weight": "at a complexity weight of",
    "diversity_weight": "at a diversity weight of",
    "source_weight": "at a weight of its source of",
}


@dataclass(frozen=True)
class Reader:
    """The model whose reading is shown, and how it reads. note : what a person should know about it."""

    asked: AskedModel
    note: str


def shown_sample(
    home: Path, shown: SelectionView, opened: str, extras: dict[str, Any], *, listed: SampleList
) -> dict[str, Any]:
    """A sample under the current settings, with what can be done about it.

    extras : what was asked for about this sample: "" not, "busy" is being worked out, "done" show it.
    listed : what the table lists, for the sample's place in it.
    """
    row = shown.pool.row_of.get(opened)
    if row is None:
        return {"empty": text.NO_SAMPLE}
    undo, _ = store.next_steps(home, shown.pool.id)
    noted = store.notes(home, shown.pool.id).get(opened)
    mark = get_marks(home, shown.pool.id).get(opened)
    value = sample_values.sample_value(
        shown.pool,
        row,
        scores=shown.scores,
        selection=shown.what.selection,
        diversity=shown.what.diversity,
        settings=shown.settings,
        tfidf=tfidf_of(home, shown),
        excluded_by=store.marked_by(home, shown.pool.id).get(opened, ("", 0.0))[0],
        earlier=shown.what.earlier,
        mark=mark,
        can_mark=True,
        can_undo=undo is not None,
    )
    value["edit"] = edit_value(home, shown.pool, opened)
    value["note"] = None if noted is None else {"text": noted.text, "who": noted.who, "at": noted.at}
    value["neighbours"] = neighbours_of(home, shown, row)
    value["history"] = history_of(home, shown, row)
    value["position"] = listed.position(opened)
    asked = extras if extras.get("sample") == opened else {**EXTRAS, "sample": opened}
    value["reach"] = reach_of(home, shown, row) if asked["reach"] else None
    reader = reader_of(home, shown)
    value["reading"] = read_of(home, shown, row, reader, asked["reading"])
    value["losses"] = losses_of(home, shown, row, reader, asked["losses"])
    return value


def tfidf_of(home: Path, shown: SelectionView) -> diversity.Tfidf:
    """The weighed n-grams of the selection's candidates; kept from the selection itself."""
    made = shown.what.selection
    rows = analysis.candidate_rows(made)
    if shown.what.earlier is not None:  # the idf is over these, too
        rows = np.union1d(rows, shown.what.earlier.rows)
    counts = get_counts(home, shown.pool.id, shown.settings.words)
    return TFIDF.get(shown.pool.id, shown.settings, rows, lambda: diversity.tfidf(counts, rows))


def neighbours_of(home: Path, shown: SelectionView, row: int) -> list[dict[str, Any]]:
    """The responses that read most like this one."""
    found = analysis.neighbours(get_vocabulary(home, shown.pool.id, shown.settings.words), row, k=6)
    made = shown.what.selection
    return [
        {
            "id": str(shown.pool.ids[one.row]),
            "label": theme.STATUS_LABEL[Status(int(made.status[one.row]))]
            + (f", and {theme.counted(one.copies, 'copy', 'copies')}" if one.copies else ""),
            "share": float(one.cosine),
            "text": beginning(shown.pool.response(one.row), 120),
        }
        for one in found
    ]


def history_of(home: Path, shown: SelectionView, row: int) -> list[dict[str, Any]]:
    """The sample over the epochs of the run whose scores are shown; nothing where they are of no run."""
    run_id = shown.scores_key.rpartition("/")[0]
    if not run_id:
        return []
    records = [analysis.load_epoch(home, run_id, epoch) for epoch in store.epochs(home, run_id)]
    if len(records) < 2:
        return []
    told = analysis.history(records, row).to_dict("records")
    return [
        {
            "epoch": one["epoch"],
            "status": one["status"],
            "tone": theme.STATUS_TONE[Status(int(record.selection.status[row]))],
            "rank": theme.number(one["rank"]),
            "complexity": theme.score(one["complexity"]),
        }
        for one, record in zip(told, records)
    ]


def reach_of(home: Path, shown: SelectionView, row: int) -> list[dict[str, Any]]:
    """From which budget or weight on the sample would be picked, each changed alone."""
    found = analysis.reach(
        shown.pool,
        get_counts(home, shown.pool.id, shown.settings.words),
        shown.scores,
        shown.settings,
        row,
        cache=TFIDF,
        order=full_order(home, shown),
        held_out=shown.held_out,
        rows=shown.what.among,
        earlier=shown.times,
        seconds=REACH_SECONDS,
    )
    rows = []
    for name, label in REACH_LABEL.items():
        value = getattr(found, name)
        if name == "budget" and value is not None:
            words = f"{theme.counted(value, 'sample')} ({theme.share(value / len(shown.pool))} of the pool)"
        else:
            words = "not found" if value is None else f"{value:g}"
        rows.append({"label": label, "value": words, "hint": found.notes.get(name, "")})
    return rows


def reader_of(home: Path, shown: SelectionView) -> Reader:
    """The model whose scores are shown; the embedded one for a pool that no model has read."""
    run_id, _, epoch = shown.scores_key.rpartition("/")
    if not run_id:
        preset = PRESETS["demo"]
        demo = base_model("demo", max_length=preset["max_length"], system_prompt=preset["system_prompt"])
        return Reader(demo, "embedded demo model")
    config: RunConfig = store.read_config(home, run_id)
    note = (
        Path(config.model).name if epoch == "0" else f"{Path(config.model).name}, untouched by the training"
    )
    asked = base_model(
        config.model,
        max_length=config.max_length,
        system_prompt=config.system_prompt,
        precision=config.precision,
    )
    return Reader(asked, note)


def read_of(home: Path, shown: SelectionView, row: int, reader: Reader, state: str) -> dict[str, Any] | None:
    """The exact text that the model is given; None until it is asked for."""
    if state != "done":
        return {"state": "busy"} if state else None
    try:
        told = client.show(home, shown.pool.id, row, reader.asked)
    except StudioError as error:
        return {"state": "failed", "error": str(error)}
    return {
        "state": "done",
        "text": [{"kind": part.kind, "text": part.text} for part in told.segments],
        "tokens": told.tokens,
        "response_tokens": told.response_tokens,
        "cut_tokens": told.whole_tokens - told.tokens,
        "max_length": told.max_length,
        "model": reader.note,
        "error": told.reason,
        "notes": list(told.notes),
    }


def losses_of(
    home: Path, shown: SelectionView, row: int, reader: Reader, state: str
) -> dict[str, Any] | None:
    """The loss of each token of the response, with and without its prompt; None until it is asked for."""
    if state != "done":
        return {"state": "busy"} if state else None
    try:
        told = client.losses(home, shown.pool.id, row, reader.asked)
    except StudioError as error:
        return {"state": "failed", "error": str(error)}
    if not told.pieces:
        return {"state": "failed", "error": f"There is no token to score: {told.reason}."}
    return {
        "state": "done",
        "pieces": told.pieces,
        "conditioned": _known(told.conditioned),
        "alone": _known(told.alone),
        "tokens": told.tokens.tolist(),
        "model": reader.note,
    }


def _known(values: np.ndarray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
