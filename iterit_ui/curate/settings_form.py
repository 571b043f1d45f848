"""The settings of a selection as the Curate tab's panel shows them, and what its events do to them.

A visitor's settings are kept as their differences from the pool's defaults; what was changed can be taken back.
"""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from backend import store
from backend.config import SelectionSettings, selection_settings
from backend.errors import ConfigError
from backend.records import Pool
from backend.selection import column_factor
from iterit_ui.shared import settings, theme
from iterit_ui.shared.session import defaults_of, get_pool, settings_of
from iterit_ui.shared.strategies import STRATEGIES, without_effect

PLAIN = SelectionSettings()
GROUPS = (
    (
        "",
        (
            "strategy",
            "ahead",
            "budget",
            "update_ratio",
            "decay",
            "complexity_weight",
            "diversity_weight",
            "earlier_samples",
            "words",
        ),
    ),
    ("Column of the data", ("factor_column", "factor_weight")),
    ("Limits", ("max_complexity", "min_response_tokens", "max_response_tokens", "seed")),
)
PAST: dict[str, Any] = {"undo": [], "redo": [], "field": "", "at": 0.0}
FARTHEST = 20
COLUMN = ("factor_column", "factor_weight")  # offered where the data has columns with numbers
REMEMBERING = ("ahead", "earlier_samples")  # read by the strategy that remembers earlier epochs alone
LOOK_AHEAD = {
    "name": "ahead",
    "label": "Look ahead to epoch",
    "help": "What this epoch would take if training did not change the scores; a run scores the best anew before it.",
    "kind": "slider",
    "unit": "",
    "min": 0,
    "max": FARTHEST,
    "step": 1,
    "words": {"0": "the first"},
}
MOST_STEPS = 100
SAME_DRAG = 1.5  # seconds within which changes of one field are one step


def settings_value(
    home: Path,
    pool_id: str,
    changed: dict[str, Any],
    past: dict[str, Any],
    *,
    held_out: int = 0,
    seq: int = 0,
    problem: tuple[str, str] = ("", ""),
) -> dict[str, Any] | None:
    """The panel for a pool and what was changed.

    held_out : samples that no selection may have; the budget is a share of the others.
    seq : number of the last event that was handled. problem : a field and why its new value was not taken.
    """
    if not pool_id:
        return None
    pool = get_pool(home, pool_id)
    start = starting_values(home, pool_id)
    values = {**start, **changed}
    return {
        "groups": [
            {
                "title": title,
                "open": not title or any(name in changed for name in names),
                "fields": [
                    _field(pool, name, values, start, problem[1] if name == problem[0] else "")
                    for name in names
                    if name not in REMEMBERING or values["strategy"] == "iterit-cumulative"
                ],
            }
            for title, names in GROUPS
            if names != COLUMN or values["factor_column"] or "number" in pool.own_columns.values()
        ],
        "sources": settings.panel_sources(
            pool,
            source_counts(home, pool_id),
            values["source_weights"],
            values["source_shares"],
            problem,
        ),
        "total": len(pool) - held_out,
        "pool": pool_id,
        "can_undo": bool(past["undo"]),
        "can_redo": bool(past["redo"]),
        "saved": [
            {"name": one.name, "hint": f"{one.who}, {theme.moment(one.at)}"}
            for one in store.saved_settings(home, pool_id)
        ],
        "seq": seq,
    }


def _field(
    pool: Pool, name: str, values: dict[str, Any], start: dict[str, Any], problem: str
) -> dict[str, Any]:
    if name == "ahead":
        return {**LOOK_AHEAD, "value": values[name], "default": 0, "message": problem, "off": ""}
    others = {"options": settings.options(name, STRATEGIES)} if name == "strategy" else {}
    if name == "factor_column":
        others = {"options": settings.column_choices(pool, values[name])}
    off = without_effect(name, values["strategy"])
    if name == "factor_weight" and not values["factor_column"]:
        off = "No column is chosen."
    return settings.panel_field(name, values[name], start[name], message=problem, off=off, **others)


def starting_values(home: Path, pool_id: str) -> dict[str, Any]:
    """Every selection setting of a pool before anybody changed one."""
    return {
        **{name: getattr(PLAIN, name) for name in PLAIN.__dataclass_fields__},
        "ahead": 0,
        **defaults_of(home, pool_id),
    }


def differences(home: Path, pool_id: str, changed: dict[str, Any], **values: Any) -> dict[str, Any]:
    """`changed` with new values, without what is the pool's default; checked.

    Raises
    ------
    ConfigError : a value is out of its range or contradicts another.
    """
    start = starting_values(home, pool_id)
    merged = {**changed, **values}
    ahead = merged.pop("ahead", 0)
    if not (isinstance(ahead, (int, float)) and 0 <= ahead <= FARTHEST):
        raise ConfigError(f"the epoch to look ahead to is {ahead!r}; allowed: 0 to {FARTHEST}")
    checked = selection_settings(SelectionSettings(), **{**defaults_of(home, pool_id), **merged})
    found = {name: getattr(checked, name) for name in merged if getattr(checked, name) != start[name]}
    return {**found, "ahead": int(ahead)} if ahead and checked.strategy == "iterit-cumulative" else found


def set_to(home: Path, pool_id: str, changed: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Settings after `set` {name, value}, as the page sent it; value None is the default.

    Raises
    ------
    ConfigError : no such setting, a value of the wrong kind, out of range, or in contradiction to another.
    """
    name, value = data.get("name"), data.get("value")
    if name not in (*settings.SHAPES, "ahead") or not pool_id:
        raise ConfigError(
            f"the page sent {name!r}; settings that it may change: {', '.join(settings.SHAPES)}, ahead"
        )
    if value is None:
        return {key: item for key, item in changed.items() if key != name}
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ConfigError(f"{name} is {value!r}; expected a number or a choice")
    if name == "budget":
        value = checked_budget(value, len(get_pool(home, pool_id)))
    merged = {**starting_values(home, pool_id), **changed, name: value}
    shortest, longest = merged["min_response_tokens"], merged["max_response_tokens"]
    if name.endswith("tokens") and longest and shortest > longest:
        raise ConfigError(
            f"the shortest response ({shortest:,} tokens) is above the longest ({longest:,}); change the other first"
        )
    found = differences(home, pool_id, changed, **{name: value})
    if name in COLUMN:  # what cannot be a factor is said here
        column_factor(get_pool(home, pool_id), settings_of(home, pool_id, found))
    return found


def checked_budget(value: Any, n: int) -> float:
    """A budget from the panel, a share of n samples up to 1 or else a number: two samples at least, all at most.

    Raises
    ------
    ConfigError : it is no number, or it is not among these.
    """
    try:
        budget = float(value)
    except ValueError:
        raise ConfigError(f"the budget is {value!r}; expected a number") from None
    least = min(2 / max(n, 2), 1.0)
    # a budget of 1 is the whole pool, as a share
    if not (least * (1 - 1e-9) <= budget <= max(n, 2)) or 1 < budget < 2:
        raise ConfigError(
            f"the budget is {budget:g}; allowed: 2 to {n:,} samples, or {100 * least:.3g} % to 100 % of the pool"
        )
    return float(int(budget)) if budget > 1 else budget


def weighed(home: Path, pool_id: str, changed: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Settings after `weigh` {index, weight} or {index, least, most}: another weight of one source, or other bounds.

    Raises
    ------
    ConfigError : no such source, no weight, or bounds that cannot be.
    """
    pool = get_pool(home, pool_id)
    if "weight" not in data:
        shares = settings.with_bounds(changed.get("source_shares", {}), pool.sources, data)
        return differences(home, pool_id, changed, source_shares=shares)
    index, weight = data.get("index"), data.get("weight")
    if type(index) is not int or not 0 <= index < len(pool.sources):
        raise ConfigError(f"the page sent source {index!r}; the pool has {len(pool.sources)}")
    if isinstance(weight, bool) or not isinstance(weight, (int, float)):
        raise ConfigError(f"the weight of {pool.sources[index]} is {weight!r}; expected a number")
    weights = {**changed.get("source_weights", {}), pool.sources[index]: round(float(weight), 3)}
    return differences(
        home, pool_id, changed, source_weights={name: w for name, w in weights.items() if w != 1.0}
    )


def stepped(
    past: dict[str, Any], before: dict[str, Any], field_name: str, now: float | None = None
) -> dict[str, Any]:
    """What can be taken back after `before` was changed; a drag of one slider is one step."""
    now = time.time() if now is None else now
    undo = past["undo"]
    if not (undo and field_name and field_name == past["field"] and 0 <= now - past["at"] < SAME_DRAG):
        undo = [*undo, before][-MOST_STEPS:]
    return {"undo": undo, "redo": [], "field": field_name, "at": now}


def taken_back(past: dict[str, Any], changed: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings before the last step, and what can be taken back and done again then."""
    if not past["undo"]:
        return changed, past
    return past["undo"][-1], {**PAST, "undo": past["undo"][:-1], "redo": [*past["redo"], changed]}


def done_again(past: dict[str, Any], changed: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings after the step that was taken back last."""
    if not past["redo"]:
        return changed, past
    return past["redo"][-1], {**PAST, "undo": [*past["undo"], changed], "redo": past["redo"][:-1]}


@lru_cache(maxsize=8)
def source_counts(home: Path, pool_id: str) -> tuple[int, ...]:
    """Samples by source, in the order of `Pool.sources`."""
    pool = get_pool(home, pool_id)
    return tuple(np.bincount(pool.source_codes, minlength=len(pool.sources)).tolist())
