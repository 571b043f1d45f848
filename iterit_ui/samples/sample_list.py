"""A list of samples as Data, Curate, Epochs and the review show one: its order, its pages, the open sample's place in it.

What a visitor looks at is a view, a small dict: `which` list, `page` from 0, and where the table can be sorted `sort` and
`descending`; a screen may keep more in it. Events make another view of a view. A screen looks up the rows that its view
means, and everything about places and pages is asked of the `SampleList` of them.

Event data came from a browser and is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.analysis.own_filter import PREFIX
from backend.records import Pool
from iterit_ui.components.base import checked_int, row_of_pick, rows_of_lasso
from iterit_ui.components.table import PAGE_SIZE, Act, act_of
from iterit_ui.samples.column_menu import on_columns

View = dict[str, Any]

LARGE_FIRST = ("gain", "complexity", "diversity", "tokens")  # numbers that are better when large
MOST_PAGE = 10**6
MOST_STEP = 1000


@dataclass(frozen=True)
class SampleList:
    """Samples in the order of a table.

    rows : (m,) int64 rows of the pool. view : its `page` is shown, the last one where that is beyond the end.
    """

    pool: Pool
    rows: np.ndarray
    view: View

    @property
    def part(self) -> slice:
        """The places of the page that is shown."""
        return paged(len(self.rows), self.view["page"])[0]

    @property
    def page_rows(self) -> np.ndarray:
        """(k,) int64: the rows of the page that is shown."""
        return self.rows[self.part]

    def ids(self) -> list[str]:
        """The ids of all pages."""
        return [str(sample) for sample in self.pool.ids[self.rows]]

    def page_value(self, opened: str) -> dict[str, Any]:
        """What a table's value says of the page: ids, page, pages, total, size, order, and the open sample."""
        order = (
            {"column": self.view["sort"], "descending": self.view["descending"]}
            if self.view.get("sort")
            else None
        )
        return {
            **paged(len(self.rows), self.view["page"])[1],
            "ids": [str(sample) for sample in self.pool.ids[self.page_rows]],
            "selected": opened,
            "sort": order,
            "unit": "samples",
        }

    def place_of(self, sample: str) -> int | None:
        """Where a sample stands, from 0; None where it is not in the list."""
        places = np.flatnonzero(self.rows == self.pool.row_of.get(sample, -1))
        return int(places[0]) if len(places) else None

    def position(self, sample: str) -> dict[str, int | None]:
        """The same for the sample's panel: {at, of}, from 1."""
        place = self.place_of(sample)
        return {"at": None if place is None else place + 1, "of": len(self.rows)}

    def on_step(self, opened: str, data: dict[str, Any]) -> tuple[str, View] | None:
        """The sample {by} places after the open one, the first or last at an end, and the view with its page.

        From outside the list the first step goes to the page that is shown. None where there is nowhere to go.
        """
        by = checked_int(data.get("by"), -MOST_STEP, MOST_STEP)
        if not by or not len(self.rows):
            return None
        place = self.place_of(opened)
        place = self.view["page"] * PAGE_SIZE if place is None else place + by
        place = min(max(place, 0), len(self.rows) - 1)
        return str(self.pool.ids[self.rows[place]]), {**self.view, "page": place // PAGE_SIZE}


def paged(total: int, page: int) -> tuple[slice, dict[str, int]]:
    """The places of a page of `total` rows, and what a table's value says of it; beyond the end it is the last page."""
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(page, 0), pages - 1)
    part = slice(page * PAGE_SIZE, (page + 1) * PAGE_SIZE)
    return part, {"page": page, "pages": pages, "total": total, "size": PAGE_SIZE}


def on_table(
    view: View,
    data: dict[str, Any],
    sorts: Collection[str] = (),
    *,
    downward: Collection[str] = LARGE_FIRST,
) -> View:
    """The view after a table's {page}, {column} or {columns}; a column once more sorts the other way round.

    sorts : columns that can be sorted by. downward : those that start with the largest.
    """
    if "page" in data:
        return {**view, "page": checked_int(data["page"], 0, MOST_PAGE)}
    if "columns" in data:
        return on_columns(view, data)
    column = data.get("column")
    own = isinstance(column, str) and column.removeprefix(PREFIX) in view.get("own", ())
    if column not in sorts and not own:
        return view
    down = not view["descending"] if view["sort"] == column else column in downward
    return {**view, "sort": column, "descending": down, "page": 0}


def on_list(view: View, which: str, *, ranked: bool) -> View:
    """The view with another list, from its first page. ranked : in the order of picks, others the most complex first."""
    return {
        **view,
        "which": which,
        "sort": "rank" if ranked else "complexity",
        "descending": not ranked,
        "page": 0,
    }


def on_tick(
    data: dict[str, Any], actions: Collection[str], pool: Pool, listed: Callable[[], SampleList]
) -> tuple[list[str], Act]:
    """The samples that a table's `act` means, and the act.

    listed : the whole list, asked for where all of it is meant.

    Raises
    ------
    StudioError : the page sent something else, or nothing is ticked.
    """
    act = act_of(data, actions, known=pool.row_of, limit=len(pool))
    return listed().ids() if act.all else list(act.ids), act


def on_point(pool: Pool, data: dict[str, Any]) -> str | None:
    """The sample whose point was clicked; None on the map of another pool."""
    return str(pool.ids[row_of_pick(data, len(pool))]) if _on_map_of(pool, data) else None


def on_lasso(pool: Pool, data: dict[str, Any]) -> np.ndarray | None:
    """(m,) int64: the rows drawn around; None on the map of another pool."""
    return rows_of_lasso(data, len(pool)) if _on_map_of(pool, data) else None


def _on_map_of(pool: Pool, data: dict[str, Any]) -> bool:
    return str(data.get("key", "")).partition("/")[0] == pool.root
