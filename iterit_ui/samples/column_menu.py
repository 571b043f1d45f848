"""Columns that came with the data, in the tables of samples: which are shown, and what a filter asks of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.analysis import filters
from backend.analysis.own_filter import PREFIX, cleaned_own, is_range, own_text
from backend.data.limits import OWN_COLUMNS
from backend.findings import masked
from backend.records import Pool
from iterit_ui.shared import theme

FEW_VALUES = 12  # of a text column, which are offered one by one
HINT = "a column of the data, which the method does not read unless it is a factor of the gain"


def menu_value(
    pool: Pool, shown: Sequence[str], conditions: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """What a table's *Columns* offers; None where the data has no columns of its own.

    conditions : of the filter, see `own_filter`; None where the list has no filter, and then none is offered.
    """
    if not pool.own_columns:
        return None
    found = []
    for name, kind in pool.own_columns.items():
        one: dict[str, Any] = {"name": name, "kind": kind, "shown": name in shown}
        wanted = None if conditions is None else conditions.get(name)
        if kind == "number":
            values = pool.own(name)
            known = values[np.isfinite(values)]
            one["low"], one["high"] = (float(known.min()), float(known.max())) if len(known) else (None, None)
            one["from"], one["to"] = wanted if wanted is not None and is_range(wanted) else (None, None)
            one["note"] = _missing(int(len(values) - len(known)))
        else:
            counts = pool.own_counts(name)
            if len(counts) <= FEW_VALUES:
                one["values"] = [
                    {
                        "value": value,
                        "label": masked(value) or "(no value)",
                        "count": theme.number(count),
                        "on": isinstance(wanted, list) and value in wanted,
                    }
                    for value, count in counts.items()
                ]
            else:
                one["contains"] = wanted if isinstance(wanted, str) else ""
            one["note"] = (
                f"{theme.counted(len(counts) - ('' in counts), 'value')}{_missing(counts.get('', 0), '; ')}"
            )
        found.append(one)
    return {"columns": found, "filter": conditions is not None}


def _missing(count: int, before: str = "") -> str:
    return f"{before}{theme.counted(count, 'sample')} without a value" if count else ""


def column_heads(pool: Pool, shown: Sequence[str]) -> list[dict[str, Any]]:
    """The heads of the columns that are shown, as `components/table` takes them."""
    return [
        {
            "key": PREFIX + name,
            "label": name,
            "hint": HINT,
            "align": "right" if pool.own_columns[name] == "number" else "left",
            "width": "84px" if pool.own_columns[name] == "number" else "120px",
        }
        for name in shown
        if name in pool.own_columns
    ]


def cells(pool: Pool, shown: Sequence[str], row: int) -> dict[str, str]:
    """A row's values in these columns by the key of its cell; keys and passwords masked."""
    return {
        PREFIX + name: masked(own_text(pool.own(name)[row])) or "–"
        for name in shown
        if name in pool.own_columns
    }


def facts(pool: Pool, row: int) -> list[dict[str, str]]:
    """A sample's column values for its panel; missing values are left out."""
    told = {name: masked(own_text(pool.own(name)[row])) for name in pool.own_columns}
    return [{"label": name, "value": value, "hint": HINT} for name, value in told.items() if value]


def on_columns(view: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """The view after {columns: names} of those to show."""
    names = data.get("columns")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return view
    return {**view, "own": list(dict.fromkeys(names))[:OWN_COLUMNS]}


def narrowed(pool: Pool, wanted: filters.Filter, data: dict[str, Any]) -> filters.Filter:
    """The filter after {name, condition} of one column; a condition that is none takes it away."""
    name = data.get("name")
    if not isinstance(name, str) or name not in pool.own_columns:
        return wanted
    own = cleaned_own({name: data.get("condition")})
    rest = {key: value for key, value in wanted.get("own", {}).items() if key != name}
    together = {**rest, **own}
    other = filters.without(wanted, "own")
    return {**other, "own": together} if together else other
