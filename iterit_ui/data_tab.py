"""The Data tab: choose a pool on the left, see on the right what was read from it and what could not be.

The first half builds, the second half are the callbacks: plain functions, values in, values out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from iterit_ui import data_views as views
from iterit_ui import samples, text
from iterit_ui.components import cards, chart, heading, note, sample_view, table, whole
from iterit_ui.data_sources import build_sources
from iterit_ui.session import DRAW, LIVE, QUIET, Session, bound, first_pool, get_pool


def build(session: Session) -> None:
    """The tab's components and what they do."""
    home = session.home
    with gr.Row(elem_classes="top"):
        heading("Data", text.LINE["data"], elem_id="data-heading")
        go = gr.Button("Next: curate this pool", variant="primary", elem_id="to-curate", elem_classes="next")
    view = gr.State(dict(views.VIEW))
    # the first screen comes with the page
    told, counted, places, sizes, _, page = opened_pool(home, first_pool())
    with gr.Row(elem_classes="columns"):
        with gr.Column(elem_classes=["side", "sheet", "sticky"]):
            build_sources(session)
        with gr.Column(elem_classes="wide"):
            message = note(told, elem_id="data-note")
            figures = cards(counted, elem_id="data-cards")
            with gr.Row(elem_classes=["charts", "two"]):
                sources = chart(places, height=190, elem_id="sources-chart")
                lengths = chart(sizes, height=190, elem_id="characters-chart")
            with gr.Row(elem_classes="columns"):
                with gr.Column(elem_classes="wide"):
                    listed = table(page, elem_id="data-table")
                with gr.Column(elem_classes=["aside", "sticky"]):
                    sample = sample_view({"empty": text.NO_DATA_SAMPLE}, elem_id="data-sample")

    def turn_page(state: dict[str, Any], event: gr.EventData) -> Any:
        return turned(state, event._data)

    def pick_row(pool_id: str, event: gr.EventData) -> Any:
        return picked_row(home, pool_id, event._data)

    session.pool.change(
        bound(opened_pool, home), session.pool, [message, figures, sources, lengths, view, listed], **DRAW
    )
    view.change(bound(listed_again, home), [session.pool, view, session.sample], listed, **DRAW)
    gr.on(
        [session.sample.change, session.pool.change],
        bound(opened_sample, home),
        [session.pool, session.sample],
        sample,
        **DRAW,
    )
    for event in (listed.turn, listed.filter, listed.sort):
        event(turn_page, view, view, **QUIET)
    listed.pick(pick_row, session.pool, session.sample, **LIVE)
    go.click(lambda: gr.Tabs(selected="curate"), None, session.tabs, **QUIET)


def opened_pool(home: Path, pool_id: str) -> list[Any]:
    """Note, cards, two charts, the table's view and its first page for another pool."""
    if not pool_id:
        return [{"tone": "empty", "title": text.NO_POOL_YET}, None, None, None, dict(views.VIEW), None]
    pool = get_pool(home, pool_id)
    found = views.findings(home, pool_id)
    view = dict(views.VIEW)
    return [
        views.rejected_note(pool), views.cards_value(pool, found), views.sources_chart(pool, found), views.lengths_chart(pool),
        view, views.table_value(home, pool, view, ""),
    ]  # fmt: skip


def listed_again(home: Path, pool_id: str, view: dict[str, Any], opened: str) -> Any:
    """The table after another page or list was asked for."""
    return views.table_value(home, get_pool(home, pool_id), view, opened) if pool_id else None


def opened_sample(home: Path, pool_id: str, opened: str) -> dict[str, Any]:
    """The sample beside the table."""
    row = get_pool(home, pool_id).row_of.get(opened) if pool_id else None
    return (
        {"empty": text.NO_DATA_SAMPLE} if row is None else samples.sample_value(get_pool(home, pool_id), row)
    )


def turned(view: dict[str, Any], data: dict[str, Any]) -> Any:
    """The table's view after one of its buttons: {page} or {key}."""
    if "page" in data:
        return {**view, "page": whole(data["page"], 0, 1_000_000)}
    if data.get("key") in views.FILTERS:
        return {**view, "which": data["key"], "page": 0}
    return gr.skip()


def picked_row(home: Path, pool_id: str, data: dict[str, Any]) -> Any:
    """The sample whose row was clicked; rejected rows are not samples."""
    return data.get("id") if pool_id and data.get("id") in get_pool(home, pool_id).row_of else gr.skip()
