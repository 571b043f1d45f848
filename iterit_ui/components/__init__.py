"""The few components of our own; each is a function that makes a `gr.HTML` with a constant template.

Data goes in as the component's value (a plain JSON dict) and is written with `textContent` only. Every component
sets `data-rev` on its root after it has drawn a value.
"""

from iterit_ui.components.base import checked_int, encode_bytes, row_of_pick, rows_of_lasso
from iterit_ui.components.bench import bench
from iterit_ui.components.chart import chart
from iterit_ui.components.exporter import exporter, report_button
from iterit_ui.components.filter_bar import filter_bar
from iterit_ui.components.keys import keys
from iterit_ui.components.map_view import map_view
from iterit_ui.components.panels import cards, heading, note, status_line, toolbar
from iterit_ui.components.sample_view import sample_view
from iterit_ui.components.settings_panel import settings_panel
from iterit_ui.components.table import PAGE_SIZE, Act, act_of, table
from iterit_ui.components.watcher import watcher

__all__ = [
    "PAGE_SIZE",
    "Act",
    "act_of",
    "bench",
    "cards",
    "chart",
    "checked_int",
    "encode_bytes",
    "exporter",
    "filter_bar",
    "heading",
    "keys",
    "map_view",
    "note",
    "report_button",
    "row_of_pick",
    "rows_of_lasso",
    "sample_view",
    "settings_panel",
    "status_line",
    "table",
    "toolbar",
    "watcher",
]
