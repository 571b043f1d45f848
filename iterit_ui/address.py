"""The address bar: a view of the studio as query parameters, and back.

Everything read here was typed or sent by somebody, so a value that does not fit is left out.
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

from backend.config import SelectionSettings, selection_settings
from backend.errors import ConfigError

TABS = ("data", "curate", "tune", "epochs")
ID = re.compile(r"[\w.\-]{1,120}(/\d{1,4})?")
# curation is stored with the pool, not in links
IN_LINKS = tuple(
    f.name for f in dataclasses.fields(SelectionSettings) if f.name not in ("pinned", "excluded")
)


def read(query: dict[str, str]) -> dict[str, Any]:
    """A view from query parameters: tab, pool, scores, run, epoch, sample, settings."""
    view: dict[str, Any] = {key: query.get(key, "") for key in ("pool", "scores", "run", "sample")}
    view = {key: value if ID.fullmatch(value) else "" for key, value in view.items()}
    view["tab"] = query["tab"] if query.get("tab") in TABS else "data"
    epoch = query.get("epoch", "")
    view["epoch"] = int(epoch) if epoch.isascii() and epoch.isdigit() and len(epoch) < 5 else 0
    view["settings"] = {}
    for name in IN_LINKS:
        if name not in query:
            continue
        try:
            value = json.loads(query[name])
        except ValueError:
            value = query[name]
        try:
            checked = selection_settings(SelectionSettings(), **{name: value})
        except ConfigError:
            continue
        view["settings"][name] = getattr(checked, name)
    return view


def written(
    *, tab: str, pool: str, scores: str, run: str, epoch: int, sample: str, settings: dict[str, Any]
) -> dict[str, str]:
    """Query parameters of a view, only what is not the default."""
    view = {
        "tab": tab,
        "pool": pool,
        "scores": scores,
        "run": run,
        "epoch": str(epoch) if epoch else "",
        "sample": sample,
    }
    for name, value in settings.items():
        if name in IN_LINKS:
            view[name] = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return {key: value for key, value in view.items() if value != ""}
