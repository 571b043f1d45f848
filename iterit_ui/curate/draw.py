"""The Curate tab's state -> the values of its components."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any

import gradio as gr
import numpy as np

from backend import store
from backend.analysis import Earlier
from backend.analysis.unknown_language import RULE, unknown_languages
from backend.errors import StudioError
from iterit_ui.curate import charts, views
from iterit_ui.curate.job_status import edited_value
from iterit_ui.curate.named_settings import compared_value
from iterit_ui.curate.sample_panel import EXTRAS, shown_sample
from iterit_ui.curate.settings_form import PAST, settings_value
from iterit_ui.curate.state import CurateState, CurateView, Value, selection_of, selection_view
from iterit_ui.curate.words import (
    AHEAD,
    CHART,
    DEMO_NOTE,
    DEMO_TITLE,
    LANGUAGE,
    NO_POOL,
    NO_SCORES,
    SELECT_NOTHING,
)
from iterit_ui.samples import sample_values
from iterit_ui.samples.filter_lookup import bar_value, clusters_written
from iterit_ui.samples.hand_over import settings_value as export_value
from iterit_ui.samples.marks import toolbar_value
from iterit_ui.shared import messages, text
from iterit_ui.shared.selections import held_out_of, scores_key
from iterit_ui.shared.session import VIEW, epoch_of, get_pool, get_scores, is_demo, map_key, settings_of
from iterit_ui.shared.theme import counted, share

LISTS: dict[str, tuple[str, np.ndarray]] = {}  # list key -> pool, (m,) rows in the table's order
LISTS_KEPT = 32
LISTS_LOCK = Lock()


def normalised(home: Path, here: CurateState) -> CurateState:
    """Where a visitor is once the selection has been made: it is on screen then, as is the map that there is by now;
    another pool starts afresh."""
    if here.seen.get("pool", here.pool) != here.pool:
        here = replace(here, filter={}, view=dict(VIEW), past=dict(PAST), error="")
    if not here.pool:
        return here
    laid_out = f"{map_key(home, here.pool)} {clusters_written(home, here.pool)}"
    try:
        token = selection_of(home, here).token
    except StudioError:
        token = here.seen["now"]
    if token == here.seen["now"] and laid_out == here.seen.get("map"):
        return here
    before = here.seen["before"] if token == here.seen["now"] else here.seen["now"]
    return replace(here, seen={"now": token, "before": before, "pool": here.pool, "map": laid_out})


def all_values(home: Path, here: CurateState) -> list[Any]:
    """What follows from the settings at once: panel, note, cards, three charts, bar, map, table, sample, tools."""
    if not here.pool:
        return [None, {"tone": "empty", "title": NO_POOL}, *[None] * 7, {"empty": text.NO_SAMPLE}, None]
    try:
        at = selection_view(home, here)
    except StudioError as error:
        return [
            panel_value(home, here),
            *empty_values(home, here, str(error)),
            toolbar_value(home, here.pool),
        ]
    message: Value | None = None
    if not at.shown.scored:
        message = NO_SCORES
    elif is_demo(here.pool):
        message = {"tone": "info", "title": DEMO_TITLE, "text": DEMO_NOTE, "fold": True}
    ahead = epoch_of(here.settings)
    if at.shown.scored and ahead and at.shown.what.earlier is not None:
        message = ahead_value(ahead, at.shown.what.earlier)
    message = language_value(at) or message
    return [
        panel_value(home, here),
        message,
        views.cards_value(home, at.shown, at.previous),
        *charts.charts(at.shown, at.wanted, at.mask),
        bar_value(home, at.shown, at.wanted, at.mask, error=here.error or at.problem),
        map_of(home, here, at),
        table_of(home, at),
        sample_of(home, replace(here, asked=EXTRAS), at),
        toolbar_value(home, here.pool),
    ]


def language_value(at: CurateView) -> Value | None:
    """A warning where the scores say that the model may not know a language; None where they do not."""
    found = unknown_languages(at.shown.pool, at.shown.scores, at.shown.settings)
    if not found:
        return None
    first = found[0]
    more = "".join(f" Also: {one.title}." for one in found[1:3])
    return {
        "tone": "warn",
        "title": first.title,
        "text": LANGUAGE.format(others=share(first.others)) + more + " " + RULE,
        "action": {"key": f"writing:{first.name}", "label": f"List the {first.samples:,} samples"},
    }


def ahead_value(epoch: int, earlier: Earlier) -> Value:
    """What is said where a later epoch is looked ahead to."""
    title, words, again = AHEAD
    return {
        "tone": "info",
        "title": title.format(epoch),
        "text": words.format(counted(len(earlier), "sample")) if len(earlier) else again,
    }


def empty_values(home: Path, here: CurateState, problem: str) -> list[Any]:
    """The same, from note to sample, where the settings select nothing: what to do, and the pool as it is."""
    pool = get_pool(home, here.pool)
    scores = get_scores(home, here.pool, scores_key(home, here.pool, here.scores))
    scored = bool(np.isfinite(scores.complexity).any())
    strategy = settings_of(home, here.pool, here.settings).strategy
    message: Value = NO_SCORES
    if scored or strategy in ("diversity", "random", "random-each-epoch"):
        title, todo = SELECT_NOTHING
        message = {
            "tone": "warn",
            "title": title,
            "text": f"{problem[0].upper()}{problem[1:].rstrip('.')}. {todo}",
        }
    return [
        message,
        views.pool_cards(pool, scores),
        *charts.pool_charts(scores),
        None,
        charts.pool_map(home, pool, here.sample),
        views.pool_table(pool, scores, here.view, here.sample),
        plain_sample(home, here),
    ]


def filter_values(home: Path, here: CurateState) -> list[Any]:
    """What a filter changes: bar, three charts, map, table."""
    try:
        at = selection_view(home, here)
    except StudioError:
        return [gr.skip()] * 6
    return [
        bar_value(home, at.shown, at.wanted, at.mask, error=here.error or at.problem),
        *charts.charts(at.shown, at.wanted, at.mask),
        map_of(home, here, at),
        table_of(home, at),
    ]


def list_values(home: Path, here: CurateState) -> list[Any]:
    """The table."""
    try:
        return [table_of(home, selection_view(home, here))]
    except StudioError:
        scores = get_scores(home, here.pool, scores_key(home, here.pool, here.scores))
        return [views.pool_table(get_pool(home, here.pool), scores, here.view, here.sample)]


def map_values(home: Path, here: CurateState) -> list[Any]:
    """The map."""
    if not here.pool:
        return [None]
    try:
        return [map_of(home, here, selection_view(home, here))]
    except StudioError:
        return [charts.pool_map(home, get_pool(home, here.pool), here.sample)]


def open_sample_values(home: Path, here: CurateState) -> list[Any]:
    """The sample beside the table, the ring around its point on the map, its row in the table."""
    try:
        at = selection_view(home, here)
    except StudioError:
        return [plain_sample(home, here), *map_values(home, here), gr.skip()]
    return [sample_of(home, here, at), map_of(home, here, at), table_of(home, at)]


def panel_value(home: Path, here: CurateState) -> Any:
    """The settings."""
    seq, (name, why) = here.answered["seq"], here.answered["problem"]
    aside = held_out_of(home, here.pool, scores_key(home, here.pool, here.scores))
    return settings_value(
        home,
        here.pool,
        here.settings,
        here.past,
        held_out=0 if aside is None else int(aside.sum()),
        seq=seq,
        problem=(name, why),
    )


def sample_of(home: Path, here: CurateState, at: CurateView) -> Value:
    """The open sample, with its place in the list."""
    return shown_sample(home, at.shown, here.sample, here.asked, listed=at.listed)


def plain_sample(home: Path, here: CurateState) -> Value:
    """The open sample where nothing is selected."""
    pool = get_pool(home, here.pool)
    row = pool.row_of.get(here.sample)
    return {"empty": text.NO_SAMPLE} if row is None else sample_values.sample_value(pool, row)


def table_of(home: Path, at: CurateView) -> Value:
    """The table's page; its whole list is remembered for a while, for what is done to all of it."""
    key = list_key(at)
    with LISTS_LOCK:
        LISTS[key] = (at.shown.pool.id, at.listed.rows)
        while len(LISTS) > LISTS_KEPT:
            LISTS.pop(next(iter(LISTS)))
    return views.table_value(
        home,
        at.shown,
        at.listed,
        at.previous,
        at.mask,
        at.opened,
        list_key=key,
        conditions=at.wanted.get("own", {}),
    )


def map_of(home: Path, here: CurateState, at: CurateView) -> Value:
    """The map."""
    drawn = len(store.load_rows(home, here.pool, at.wanted["rows"])) if "rows" in at.wanted else None
    return charts.map_value(home, at.shown, here.colour, at.mask, at.opened, drawn=drawn)


def list_key(at: CurateView) -> str:
    """Names the whole list on screen; short, because it goes to the page."""
    words = repr((at.shown.token, sorted(at.wanted.items(), key=str), at.view["which"]))
    return blake2b(words.encode(), digest_size=12).hexdigest()


def trade_offs(home: Path, pool: str, scores: str, settings: Value) -> list[Any]:
    """Worth a moment's wait: two pictures, complexity x diversity and what a larger budget buys; the export's button; the
    note on what was edited since it was scored."""
    if not pool:
        return [None, None, None, None]
    edited = edited_value(home, pool, scores)
    try:
        shown = selection_of(home, CurateState(pool=pool, scores=scores, settings=settings))
    except StudioError as error:
        later = "Shown once something can be selected."
        pictures = [{"title": CHART[name][0], "empty": later} for name in ("density", "frontier")]
        return [*pictures, export_value(None, messages.sentence(str(error))), edited]
    return [charts.density(shown), charts.frontier(home, shown), export_value(shown), edited]


def compared(home: Path, pool: str, scores: str, settings: Value, on: bool) -> Any:
    """Saved settings beside the present ones; nothing while they are not compared."""
    return compared_value(home, pool, scores_key(home, pool, scores), settings) if pool and on else None


def asked_for(home: Path, name: str, here: CurateState) -> Iterator[tuple[CurateState, Any]]:
    """The sample with something that takes a while: first that it is being worked out, then the answer."""
    part = "reading" if name == "read" else name
    if not here.pool or here.sample not in get_pool(home, here.pool).row_of:
        return
    try:
        at = selection_view(home, here)
    except StudioError as error:
        messages.warning(str(error))
        return
    known = here.asked if here.asked.get("sample") == here.sample else {**EXTRAS, "sample": here.sample}
    if part != "reach":  # that one's button says itself that it works
        busy = replace(here, asked={**known, part: "busy"})
        yield here, sample_of(home, busy, at)
    done = replace(here, asked={**known, part: "done"})
    yield done, sample_of(home, done, at)
