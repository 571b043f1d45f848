"""The Curate tab: settings on the left, the selection that follows from them on the right; no model runs here.

The first half builds, the second half are the callbacks: plain functions, values in, values out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from backend import store
from backend.errors import StudioError
from backend.records import Selection
from iterit_ui import curate_views as views
from iterit_ui import samples, text
from iterit_ui.components import cards, chart, heading, map_view, note, row_of_pick, sample_view, table, whole
from iterit_ui.components import rows_of_lasso as rows_of
from iterit_ui.curate_controls import build_controls, filled, wire_controls
from iterit_ui.curate_jobs import build_map_maker, build_scorer
from iterit_ui.selecting import scores_choices, scores_key, selected, selected_by
from iterit_ui.session import (
    DRAW,
    LIVE,
    QUIET,
    WHO,
    Session,
    bound,
    first_pool,
    get_marks,
    get_pool,
    get_scores,
    is_demo,
    map_functions,
    settings_of,
)


def build(session: Session) -> None:
    """The tab's components and what they do."""
    home = session.home
    with gr.Row(elem_classes="top"):
        heading("Curate", text.LINE["curate"], elem_id="curate-heading")
        tune = gr.Button(
            "Tune with these settings", variant="primary", elem_id="to-tune", elem_classes="next"
        )
    # keys of the selection on screen and of the one before it
    history = gr.State({"now": "", "before": ""})
    view = gr.State(dict(views.VIEW))
    # the first selection comes with the page
    first = rendered(home, first_pool(), "", {}, "", {"now": "", "before": ""}, dict(views.VIEW))[1:]
    marked = gr.State(0)  # counts pins and excludes, so that the selection follows
    with gr.Row(elem_classes="columns"):
        with gr.Column(elem_classes=["side", "sheet", "sticky"]):
            with gr.Row(elem_classes="pair"):
                gr.HTML("<h3 class='st-side-title first'>Settings</h3>", apply_default_css=False)
                reset = gr.Button(
                    "Reset", size="sm", elem_id="reset", elem_classes="quiet", scale=0, min_width=60
                )
            scores = gr.Dropdown([], label="Complexity from", info=text.CONTROL["scores"], filterable=False,
                                 elem_id="score-source", interactive=True)  # fmt: skip
            controls = build_controls()
        with gr.Column(elem_classes="wide"):
            message = note(first[0], elem_id="curate-note")
            build_scorer(session)
            figures = cards(first[1], elem_id="curate-cards")
            with gr.Row(elem_classes="charts"):
                complexity = chart(first[2], height=170, elem_id="complexity-chart")
                diversity = chart(first[3], height=170, elem_id="diversity-chart")
                lengths = chart(first[4], height=170, elem_id="lengths-chart")
            with gr.Row(elem_classes="columns"):
                with gr.Column(elem_classes="wide"):
                    world = map_view(
                        first[5], functions=map_functions(home), height=430, elem_id="curate-map"
                    )
                    mapped = build_map_maker(session)
                    listed = table(first[6], elem_id="curate-table")
                with gr.Column(elem_classes=["aside", "sticky"]):
                    sample = sample_view({"empty": text.NO_SAMPLE}, elem_id="curate-sample")

    what = [session.pool, session.scores, session.settings]
    wire_controls(session, controls, reset, LIVE)
    session.pool.change(bound(opened_pool, home), what, [scores, *controls.all], **DRAW)
    session.scores.change(bound(score_source, home), what[:2], scores, **DRAW)
    scores.input(lambda key: key or "", scores, session.scores, **LIVE)
    gr.on(
        [session.pool.change, session.scores.change, session.settings.change, marked.change, mapped.change],
        bound(rendered, home),
        [*what, session.sample, history, view],
        [history, message, figures, complexity, diversity, lengths, world, listed, sample],
        **DRAW,
    )
    view.change(bound(listed_again, home), [*what, session.sample, history, view], listed, **DRAW)
    session.sample.change(bound(opened_sample, home), [*what, session.sample], [sample, world], **DRAW)
    _wire_events(session, world, listed, sample, view, marked)
    tune.click(lambda: gr.Tabs(selected="tune"), None, session.tabs, **QUIET)


def _wire_events(
    session: Session, world: gr.HTML, listed: gr.HTML, sample: gr.HTML, view: gr.State, marked: gr.State
) -> None:
    """Clicks on map, table and sample; what they send comes from a browser and is checked."""
    home = session.home

    def turn_page(state: dict[str, Any], event: gr.EventData) -> Any:
        return turned(state, event._data)

    def pick_point(pool_id: str, event: gr.EventData) -> Any:
        return picked_point(home, pool_id, event._data)

    def pick_row(pool_id: str, event: gr.EventData) -> Any:
        return picked_row(home, pool_id, event._data)

    def draw(pool_id: str, state: dict[str, Any], event: gr.EventData) -> Any:
        return drawn(home, pool_id, state, event._data)

    def clear(state: dict[str, Any]) -> Any:
        return {**views.VIEW} if state["which"] == "drawn" else gr.skip()

    def mark(kind: Any) -> Any:
        def act(pool_id: str, count: int, event: gr.EventData) -> Any:
            return marked_as(home, pool_id, event._data, kind, count)

        return act

    for event in (listed.turn, listed.sort, listed.filter):
        event(turn_page, view, view, **QUIET)
    listed.pick(pick_row, session.pool, session.sample, **LIVE)
    world.pick(pick_point, session.pool, session.sample, **LIVE)
    world.lasso(draw, [session.pool, view], view, **LIVE)
    world.clear(clear, view, view, **QUIET)
    count = [session.pool, marked]
    sample.pin(mark("pinned"), count, marked, **QUIET)
    sample.exclude(mark("excluded"), count, marked, **QUIET)
    sample.unmark(mark(None), count, marked, **QUIET)
    sample.undo(bound(undone, home), count, marked, **QUIET)


def opened_pool(home: Path, pool_id: str, asked: str, changed: dict[str, Any]) -> list[Any]:
    """The controls for another pool."""
    return [score_source(home, pool_id, asked), *filled(home, pool_id, changed)]


def score_source(home: Path, pool_id: str, asked: str) -> Any:
    """The drop-down of a pool's scores."""
    choices = scores_choices(home, pool_id)
    return gr.Dropdown(
        choices=choices or [("not scored yet", "")],
        value=scores_key(home, pool_id, asked),
        interactive=len(choices) > 1,
    )


def rendered(
    home: Path,
    pool_id: str,
    asked: str,
    changed: dict[str, Any],
    opened: str,
    seen: dict[str, str],
    view: dict[str, Any],
) -> list[Any]:
    """Everything that follows from the settings: history, note, cards, three charts, map, table, sample."""
    if not pool_id:
        return [gr.skip(), {"tone": "empty", "title": text.NO_POOL}, *[None] * 6, {"empty": text.NO_SAMPLE}]
    try:
        shown = selected(home, pool_id, scores_key(home, pool_id, asked), changed)
    except StudioError as error:
        return without_selection(home, pool_id, asked, changed, opened, view, str(error))
    key = f"{pool_id}|{shown.scores_key}|{shown.key}"
    if key != seen["now"]:
        seen = {"now": key, "before": seen["now"]}
    previous = before(home, pool_id, seen)
    message = None
    if not shown.scored:
        message = text.NO_SCORES
    elif is_demo(pool_id):
        message = {"tone": "info", "text": text.DEMO_NOTE}
    return [
        seen, message, views.cards_value(shown, previous),
        views.complexity_chart(shown), views.diversity_chart(shown), views.lengths_chart(shown),
        views.map_value(home, shown, opened), views.table_value(shown, view, previous, opened), sample_shown(home, shown, opened),
    ]  # fmt: skip


def without_selection(
    home: Path,
    pool_id: str,
    asked: str,
    changed: dict[str, Any],
    opened: str,
    view: dict[str, Any],
    problem: str,
) -> list[Any]:
    """The same components where the settings select nothing: what to do, and the pool as it is."""
    pool, scores = get_pool(home, pool_id), get_scores(home, pool_id, scores_key(home, pool_id, asked))
    scored = bool(np.isfinite(scores.complexity).any())
    strategy = settings_of(home, pool_id, changed).strategy
    message = text.NO_SCORES
    if scored or strategy in ("diversity", "random", "random-each-epoch"):
        title, todo = text.SELECT_NOTHING
        message = {"tone": "warn", "title": title, "text": f"{problem[0].upper()}{problem[1:].rstrip('.')}. {todo}"}  # fmt: skip
    row = pool.row_of.get(opened)
    return [
        gr.skip(), message, views.pool_cards(pool, scores), *views.pool_charts(scores),
        views.pool_map(home, pool, opened), views.pool_table(pool, scores, view, opened),
        {"empty": text.NO_SAMPLE} if row is None else samples.sample_value(pool, row),
    ]  # fmt: skip


def before(home: Path, pool_id: str, seen: dict[str, str]) -> Selection | None:
    """The selection that was on screen before this one, None where it was of another pool."""
    pool, _, rest = seen["before"].partition("|")
    scores, _, key = rest.partition("|")
    return selected_by(home, pool, scores, key).what.selection if pool == pool_id else None


def listed_again(
    home: Path,
    pool_id: str,
    asked: str,
    changed: dict[str, Any],
    opened: str,
    seen: dict[str, str],
    view: dict[str, Any],
) -> Any:
    """The table after another page, order or list was asked for."""
    if not pool_id:
        return None
    try:
        shown = selected(home, pool_id, scores_key(home, pool_id, asked), changed)
    except StudioError:
        pool = get_pool(home, pool_id)
        return views.pool_table(
            pool, get_scores(home, pool_id, scores_key(home, pool_id, asked)), view, opened
        )
    return views.table_value(shown, view, before(home, pool_id, seen), opened)


def opened_sample(home: Path, pool_id: str, asked: str, changed: dict[str, Any], opened: str) -> list[Any]:
    """The sample beside the table, and the ring around its point on the map."""
    if not pool_id:
        return [{"empty": text.NO_SAMPLE}, gr.skip()]
    try:
        shown = selected(home, pool_id, scores_key(home, pool_id, asked), changed)
    except StudioError:
        pool = get_pool(home, pool_id)
        row = pool.row_of.get(opened)
        return [
            {"empty": text.NO_SAMPLE} if row is None else samples.sample_value(pool, row),
            views.pool_map(home, pool, opened),
        ]
    return [sample_shown(home, shown, opened), views.map_value(home, shown, opened)]


def sample_shown(home: Path, shown: Any, opened: str) -> dict[str, Any]:
    """A sample under the present settings, with what can be done about it."""
    row = shown.pool.row_of.get(opened)
    if row is None:
        return {"empty": text.NO_SAMPLE}
    can_undo = any(change.undone is None for change in store.mark_history(home, shown.pool.id))
    return samples.sample_value(
        shown.pool, row, scores=shown.scores, selection=shown.what.selection, diversity=shown.what.diversity,
        settings=shown.settings, mark=get_marks(home, shown.pool.id).get(opened), can_mark=True, can_undo=can_undo,
    )  # fmt: skip


def turned(view: dict[str, Any], data: dict[str, Any]) -> Any:
    """The table's view after one of its buttons: {page}, {column} or {key}."""
    if "page" in data:
        return {**view, "page": whole(data["page"], 0, 1_000_000)}
    if data.get("column") in views.SORTS:
        column = data["column"]
        down = not view["descending"] if view["sort"] == column else column not in ("rank", "source")
        return {**view, "sort": column, "descending": down, "page": 0}
    if data.get("key") in (*text.FILTERS, "drawn"):
        if data["key"] == "drawn" and not view["drawn"]:
            return gr.skip()
        ranked = data["key"] in ("selected", "added", "all")
        sort = {"sort": "rank", "descending": False} if ranked else {"sort": "complexity", "descending": True}
        return {**view, **sort, "which": data["key"], "page": 0}
    return gr.skip()


def picked_row(home: Path, pool_id: str, data: dict[str, Any]) -> Any:
    """The sample whose row of a table was clicked."""
    return data.get("id") if pool_id and data.get("id") in get_pool(home, pool_id).row_of else gr.skip()


def picked_point(home: Path, pool_id: str, data: dict[str, Any]) -> Any:
    """The sample whose point on the map was clicked."""
    if data.get("key") != pool_id or not pool_id:
        return gr.skip()
    pool = get_pool(home, pool_id)
    return str(pool.ids[row_of_pick(data, len(pool))])


def drawn(home: Path, pool_id: str, view: dict[str, Any], data: dict[str, Any]) -> Any:
    """The table's view after samples were drawn around on the map."""
    if data.get("key") != pool_id or not pool_id:
        return gr.skip()
    rows_of(data, len(get_pool(home, pool_id)))
    return {**view, "which": "drawn", "drawn": data["bits"], "page": 0, "sort": "rank", "descending": False}


def marked_as(home: Path, pool_id: str, data: dict[str, Any], kind: Any, count: int) -> Any:
    """One more than `count` once the sample is marked."""
    sample = data.get("id")
    if not pool_id or sample not in get_pool(home, pool_id).row_of:
        return gr.skip()
    store.set_mark(home, pool_id, [sample], kind, WHO)
    return count + 1


def undone(home: Path, pool_id: str, count: int) -> Any:
    """One more than `count` once the last mark is taken back."""
    if not pool_id or store.undo(home, pool_id) is None:
        gr.Info("There is nothing to undo.")
        return gr.skip()
    return count + 1
