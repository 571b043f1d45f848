"""What a form shows about a setting, from the setting's own description."""

from __future__ import annotations

import dataclasses

from backend.config import RunConfig

FIELDS = {f.name: f for f in dataclasses.fields(RunConfig)}


def field_help(name: str) -> tuple[str, str]:
    """Label and help of a setting, with its unit and where its default comes from."""
    meta = FIELDS[name].metadata
    unit = f" ({meta['unit']})" if meta["unit"] else ""
    origin = "" if meta["origin"] == "ours" else f" Default: {meta['origin']}."
    text = meta["help"][0].upper() + meta["help"][1:]
    return name.replace("_", " ").capitalize() + unit, f"{text}.{origin}"
