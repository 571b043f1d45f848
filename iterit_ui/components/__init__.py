"""The few components of our own; each is a function that makes a `gr.HTML` with a constant template.

Data goes in as the component's value (a plain JSON dict) and is written with `textContent` only. Every component
sets `data-rev` on its root after it has drawn a value.
"""

from iterit_ui.components.base import encode_bytes, row_of_pick, rows_of_lasso, whole
from iterit_ui.components.chart import chart
from iterit_ui.components.map_view import map_view
from iterit_ui.components.panels import cards, heading, note, status_line
from iterit_ui.components.sample_view import sample_view
from iterit_ui.components.table import table

__all__ = [
    "cards",
    "chart",
    "encode_bytes",
    "heading",
    "map_view",
    "note",
    "row_of_pick",
    "rows_of_lasso",
    "sample_view",
    "status_line",
    "table",
    "whole",
]
