"""Event handlers of the Curate tab: (state, event data) -> new state.

Everything in `data` came from a browser and is checked. A function returns the record that it was given where
nothing changes, and nothing is drawn anew then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from backend import analysis, store
from backend.analysis import filters
from backend.errors import ConfigError, StudioError
from iterit_ui.components import checked_int
from iterit_ui.curate import draw, mark_events, settings_form
from iterit_ui.curate.sample_panel import EXTRAS
from iterit_ui.curate.state import CurateState, Value, selection_view
from iterit_ui.curate.words import FILTERS
from iterit_ui.samples import column_menu, filter_lookup, marks, sample_list
from iterit_ui.samples.sample_list import LARGE_FIRST
from iterit_ui.shared import messages
from iterit_ui.shared.selections import scores_choices, scores_key
from iterit_ui.shared.session import COLOURS, VIEW, get_pool
from iterit_ui.shared.settings import source_name, with_labels

LONGEST_NAME = 60  # of saved settings


def score_source(home: Path, pool_id: str, asked: str) -> Any:
    """The drop-down of a pool's scores."""
    choices = scores_choices(home, pool_id)
    return gr.Dropdown(
        choices=choices or [("not scored yet", "")],
        value=scores_key(home, pool_id, asked),
        interactive=len(choices) > 1,
    )


def on_refresh(home: Path, here: CurateState, data: Value) -> CurateState:
    """Marks, notes, saved settings or the map were changed elsewhere; or here, and then nothing is to be done."""
    revision = store.curation_revision(home, here.pool) if here.pool else 0
    return draw.normalised(home, here if revision == here.marked else replace(here, marked=revision))


# settings


def on_settings(name: str) -> Callable[[Path, CurateState, Value], CurateState]:
    """What an event of the panel does: set, weigh, reset, undo or redo."""

    def change(home: Path, here: CurateState, data: Value) -> CurateState:
        changed, past, problem = here.settings, here.past, ["", ""]
        after, steps = changed, past
        try:
            if name == "set":
                after = settings_form.set_to(home, here.pool, changed, data)
            elif name == "weigh":
                after = settings_form.weighed(home, here.pool, changed, data)
            elif name == "reset":
                given = data.get("name")
                after = (
                    {} if given is None else {key: value for key, value in changed.items() if key != given}
                )
            elif name == "undo":
                after, steps = settings_form.taken_back(past, changed)
            else:
                after, steps = settings_form.done_again(past, changed)
        except ConfigError as error:
            field = source_name(data.get("index")) if name == "weigh" else str(data.get("name", ""))
            problem = [field, messages.sentence(with_labels(str(error)))]
        if steps is past and after != changed:
            bound = "share" if name == "weigh" and "weight" not in data else ""
            steps = settings_form.stepped(
                past, changed, f"{data.get('name', '')}{bound}{data.get('index', '')}"
            )
        return replace(here, settings=after, past=steps, answered=_answer(data, problem))

    return change


def on_save(home: Path, here: CurateState, data: Value) -> CurateState:
    """Keep the current settings under a name."""
    name = " ".join(str(data.get("name", "")).split())[:LONGEST_NAME]
    if here.pool and name:
        key = scores_key(home, here.pool, here.scores)
        words = store.pool_words(home, here.pool)  # what is saved stays what it is if that is chosen anew
        kept = here.settings if words == "paper" else {"words": words, **here.settings}
        store.save_settings(home, here.pool, name, kept, scores=key, who=here.who)
        messages.info(f"Saved as {name}.")
    return replace(here, answered=_answer(data))


def on_forget(home: Path, here: CurateState, data: Value) -> CurateState:
    """Take saved settings off the list."""
    if here.pool:
        store.delete_settings(home, here.pool, str(data.get("name", "")), here.who)
    return replace(here, answered=_answer(data))


def on_recall(home: Path, here: CurateState, data: Value) -> CurateState:
    """Use saved settings, with the scores that they were saved for where those are still there."""
    answered = replace(here, answered=_answer(data))
    found = (
        [one for one in store.saved_settings(home, here.pool) if one.name == data.get("name")]
        if here.pool
        else []
    )
    if not found:
        return answered
    try:
        after = settings_form.differences(home, here.pool, {}, **{"words": "paper", **found[0].settings})
    except ConfigError as error:
        messages.warning(f"These settings no longer fit: {error}")
        return answered
    past = settings_form.stepped(here.past, here.settings, "")
    return replace(answered, settings=after, past=past, scores=found[0].scores or here.scores)


def on_compare(home: Path, here: CurateState, data: Value) -> CurateState:
    """Show or hide the comparison of saved settings."""
    return replace(here, compared=not here.compared, answered=_answer(data))


# the filter


def _filter(here: CurateState, other: Value, error: str = "") -> CurateState:
    """Another filter: all samples are listed while there is one, because most of what it keeps is not selected."""
    if other == here.filter:
        return here if error == here.error else replace(here, error=error)
    view = {**here.view, "page": 0}
    if other and not here.filter and view["which"] == VIEW["which"]:
        view = sample_list.on_list(view, "all", ranked=True)
    elif not other and view["which"] == "all":
        view = sample_list.on_list(view, VIEW["which"], ranked=True)
    return replace(here, filter=other, view=view, error=error)


def on_brush(name: str) -> Callable[[Path, CurateState, Value], CurateState]:
    """A range drawn over a chart's bars."""
    return lambda home, here, data: _filter(
        here, filter_lookup.ranged(here.filter, name, data.get("low"), data.get("high"))
    )


def on_brush_removed(name: str) -> Callable[[Path, CurateState, Value], CurateState]:
    """A range, or what was drawn on the map, taken away."""
    return lambda home, here, data: _filter(here, filters.without(here.filter, name))


def on_cell(home: Path, here: CurateState, data: Value) -> CurateState:
    """A cell of complexity x diversity."""
    custom = data.get("custom")
    if not isinstance(custom, list) or len(custom) < 4:
        return here
    ranges = filters.cleaned({"complexity": custom[:2], "diversity": custom[2:4]})
    return _filter(here, {**here.filter, **ranges})


def on_lasso(home: Path, here: CurateState, data: Value) -> CurateState:
    """Samples inside your outline."""
    rows = sample_list.on_lasso(get_pool(home, here.pool), data) if here.pool else None
    if rows is None:
        return here
    if not len(rows):
        return _filter(here, filters.without(here.filter, "rows"))
    return _filter(here, {**here.filter, "rows": store.save_rows(home, here.pool, rows)})


def on_cluster(home: Path, here: CurateState, data: Value) -> CurateState:
    """A cluster's label; another click takes it out again."""
    clusters = filter_lookup.get_clusters(home, here.pool) if here.pool else None
    if clusters is None:
        return here
    code = checked_int(data.get("cluster"), 0, len(clusters.labels) - 1)
    chosen = set(here.filter.get("cluster", [])) ^ {code}
    other = {**here.filter, "cluster": sorted(chosen)} if chosen else filters.without(here.filter, "cluster")
    return _filter(here, other)


def on_narrow(home: Path, here: CurateState, data: Value) -> CurateState:
    """A condition on one of the data's own columns, or none any more."""
    if not here.pool:
        return here
    return _filter(here, column_menu.narrowed(get_pool(home, here.pool), here.filter, data))


def on_message(home: Path, here: CurateState, data: Value) -> CurateState:
    """The button of a warning about a language lists its samples."""
    kind, _, name = str(data.get("key", "")).partition(":")
    if kind != "writing" or not name:
        return here
    return _filter(here, {**here.filter, **filters.cleaned({"writing": [name]})})


def on_search(home: Path, here: CurateState, data: Value) -> CurateState:
    """Other words to search for, and what is wrong with them."""
    if not here.pool:
        return here
    return _filter(here, *filter_lookup.searched(home, here.pool, here.filter, data.get("text")))


def on_chip_removed(home: Path, here: CurateState, data: Value) -> CurateState:
    """A part of the filter taken away by its chip."""
    return _filter(here, filters.without(here.filter, str(data.get("key", ""))))


def on_chips_cleared(home: Path, here: CurateState, data: Value) -> CurateState:
    """Every part of the filter taken away."""
    return _filter(here, {})


def on_tool(home: Path, here: CurateState, data: Value) -> CurateState:
    """The counts of marked, noted and edited samples are buttons that list those; undo and redo take changes back."""
    key = data.get("key")
    if key in ("undo", "redo"):
        return mark_events.on_undo(key == "redo")(home, here, data)
    parts: dict[str, Value] = {
        "pinned": {"marked": "pinned"},
        "excluded": {"marked": "excluded"},
        "noted": {"noted": True},
        "edited": {"edited": True},
    }
    return _filter(here, {**here.filter, **parts[key]}) if key in parts else here


def on_colour(home: Path, here: CurateState, data: Value) -> CurateState:
    """What the map is coloured by."""
    return replace(here, colour=data["key"]) if data.get("key") in COLOURS else here


# the table


def on_table(home: Path, here: CurateState, data: Value) -> CurateState:
    """The table after one of its buttons: {page}, {column} or {key}."""
    if data.get("key") in FILTERS:
        ranked = data["key"] in ("selected", "added", "kept", "all")
        return replace(here, view=sample_list.on_list(here.view, data["key"], ranked=ranked))
    view = sample_list.on_table(here.view, data, analysis.SORTS, downward=(*LARGE_FIRST, "status"))
    return replace(here, view=view)


def on_row(home: Path, here: CurateState, data: Value) -> CurateState:
    """The sample that a row, a neighbour or a pick names."""
    found = marks.chosen_ids(home, here.pool, [data.get("id")])
    return replace(here, sample=found[0], asked=dict(EXTRAS)) if found else here


def on_point(home: Path, here: CurateState, data: Value) -> CurateState:
    """The sample whose point on the map was clicked."""
    found = sample_list.on_point(get_pool(home, here.pool), data) if here.pool else None
    return replace(here, sample=found, asked=dict(EXTRAS)) if found else here


def on_step(home: Path, here: CurateState, data: Value) -> CurateState:
    """The sample before or after the open one in the table's list, and the page that it is on."""
    if not here.pool:
        return here
    try:
        at = selection_view(home, here)
    except StudioError:
        return here
    there = at.listed.on_step(here.sample, data)
    return here if there is None else replace(here, sample=there[0], view=there[1], asked=dict(EXTRAS))


def _answer(data: Value, problem: list[str] | None = None) -> Value:
    """That an event of the panel was handled, by its number."""
    seq = data.get("seq")
    number = int(seq) if isinstance(seq, (int, float)) and not isinstance(seq, bool) else 0
    return {"seq": number, "problem": problem or ["", ""]}
