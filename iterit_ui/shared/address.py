"""The address bar: a view of the studio as query parameters, and back.

Everything read here was typed or sent by somebody, so a value that does not fit is left out.
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

from backend import analysis
from backend.analysis import filters
from backend.analysis.own_filter import PREFIX
from backend.config import SelectionSettings, selection_settings
from backend.data.limits import OWN_COLUMNS, OWN_NAME
from backend.errors import ConfigError
from iterit_ui.shared.session import COLOURS, TABS, VIEW

NAMES = (
    "tab",
    "pool",
    "scores",
    "run",
    "epoch",
    "sample",
    "filter",
    "view",
    "colour",
    "settings",
    "comparison",
    "runs",
)
"""What an address holds, in the order of `Session.states`."""
ID = re.compile(r"[\w.\-]{1,120}(/\d{1,4})?")
RUN_IDS = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
MOST_RUNS = 60  # in an address, which browsers and proxies cut at a few thousand characters
# curation is stored with the pool, not in links
IN_LINKS = tuple(
    f.name for f in dataclasses.fields(SelectionSettings) if f.name not in ("pinned", "excluded")
)


def read(query: dict[str, str]) -> dict[str, Any]:
    """A view from query parameters: tab, pool, scores, run, epoch, sample, filter, view, colour, settings, comparison, runs."""
    view: dict[str, Any] = {key: query.get(key, "") for key in ("pool", "scores", "run", "sample")}
    view = {key: value if ID.fullmatch(value) else "" for key, value in view.items()}
    view["tab"] = query["tab"] if query.get("tab") in TABS else "data"
    epoch = query.get("epoch", "")
    view["epoch"] = int(epoch) if epoch.isascii() and epoch.isdigit() and len(epoch) < 5 else 0
    view["filter"] = filters.cleaned(_parsed(query.get("filter", "")))
    view["view"] = _view(query)
    view["colour"] = query["colour"] if query.get("colour") in COLOURS else "status"
    comparison = query.get("comparison", "")
    view["comparison"] = comparison if re.fullmatch(r"c" + RUN_IDS.pattern, comparison) else ""
    runs = [run for run in query.get("runs", "").split(",") if RUN_IDS.fullmatch(run)]
    view["runs"] = list(dict.fromkeys(runs))[:MOST_RUNS]
    view["settings"] = {}
    for name in IN_LINKS:
        if name not in query:
            continue
        try:
            value = _parsed(query[name])
            checked = selection_settings(SelectionSettings(), **{name: value})
        except ConfigError:
            continue
        view["settings"][name] = getattr(checked, name)
    ahead = query.get("ahead", "")
    if view["settings"].get("strategy") == "iterit-cumulative" and re.fullmatch(r"[1-9]|1\d|20", ahead):
        view["settings"]["ahead"] = int(ahead)
    return view


def written(
    *,
    tab: str,
    pool: str,
    scores: str,
    run: str,
    epoch: int,
    sample: str,
    filter: dict[str, Any],
    view: dict[str, Any],
    colour: str,
    settings: dict[str, Any],
    comparison: str,
    runs: list[str],
) -> dict[str, str]:
    """Query parameters of a view, only what is not the default."""
    order = ("-" if view["descending"] else "") + view["sort"]
    words = {
        "tab": tab,
        "pool": pool,
        "scores": scores,
        "run": run,
        "epoch": str(epoch) if epoch else "",
        "sample": sample,
        "list": "" if view["which"] == VIEW["which"] else view["which"],
        "sort": "" if order == VIEW["sort"] else order,
        "page": str(view["page"] + 1) if view["page"] else "",
        "columns": json.dumps(view["own"], ensure_ascii=False) if view.get("own") else "",
        "colour": "" if colour == "status" else colour,
        "filter": json.dumps(filter, ensure_ascii=False, separators=(",", ":")) if filter else "",
        "comparison": comparison,
        "runs": "" if comparison else ",".join(runs[:MOST_RUNS]),
    }
    for name, value in settings.items():
        if name in (*IN_LINKS, "ahead"):
            words[name] = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return {key: value for key, value in words.items() if value != ""}


def _view(query: dict[str, str]) -> dict[str, Any]:
    """List, order and page of the table."""
    view = dict(VIEW)
    if query.get("list") in analysis.WHICH:
        view["which"] = query["list"]
    sort = query.get("sort", "")
    columns = _parsed(query.get("columns", ""))
    if isinstance(columns, list) and columns and all(isinstance(name, str) for name in columns):
        view["own"] = [name for name in columns if len(name) <= OWN_NAME][:OWN_COLUMNS]
    shown = [PREFIX + name for name in view.get("own", ())]
    if sort.removeprefix("-") in (*analysis.SORTS, *shown):
        view |= {"sort": sort.removeprefix("-"), "descending": sort.startswith("-")}
    page = query.get("page", "")
    if page.isascii() and page.isdigit() and 0 < len(page) < 7:
        view["page"] = max(0, int(page) - 1)
    return view


def _parsed(text: str) -> Any:
    """JSON, or the text itself where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
