"""A table of one page of rows from the server, drawn by assets/web/table.js."""

from __future__ import annotations

from typing import Any

import gradio as gr

from iterit_ui.components.base import component

PAGE_SIZE = 50


def table(value: dict[str, Any] | None = None, **options: Any) -> gr.HTML:
    """A table; events `pick` {id, index}, `turn` {page}, `sort` {column}, `filter` {key}.

    value : {columns: [{key, label, hint, align, kind, width, sort}], rows: [{key: text or {text, tone, colour,
        share}}], ids, page, pages, total, unit, selected, sort: {column, descending}, filters: [{key, label, count}],
        filter, title, note, empty}.
        kind is text, number, bar, badge or source; numbers arrive as text.
    """
    return component("table", value, events=("pick", "turn", "sort", "filter"), **options)
