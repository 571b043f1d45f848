"""The settings as a page of documentation: `python -m backend.config.settings_table > docs/settings.md`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

from backend.config import PRESET_HELP, PRESETS, STRATEGY_HELP, RunConfig

_GROUPS = {
    "data": "Data",
    "model": "Model and scoring",
    "selection": "Selection",
    "training": "Training",
    "lora": "LoRA adapters",
    "running": "Processes, checkpoints and review",
}


def markdown() -> str:
    """Every setting by group, with default, unit, allowed values and where the default comes from."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "Every setting of a run. The command line writes them with dashes (`--learning-rate`), `config.json` with"
    yield "underscores. Made from `backend/config/` by `python -m backend.config.settings_table > docs/settings.md`."
    hints = get_type_hints(RunConfig)
    for group, title in _GROUPS.items():
        yield from ("", f"## {title}", "")
        yield "| setting | default | allowed | meaning | default from |"
        yield "|---|---|---|---|---|"
        for f in dataclasses.fields(RunConfig):
            if f.metadata["group"] == group:
                unit = f" ({f.metadata['unit']})" if f.metadata["unit"] else ""
                meaning = f.metadata["help"].replace("|", "\\|")
                yield (
                    f"| `{f.name}` | {_default(f)} | {_allowed(f, hints[f.name])} "
                    f"| {meaning}{unit} | {f.metadata['origin']} |"
                )
    yield from ("", "## Strategies", "", "| strategy | is |", "|---|---|")
    yield from (f"| `{name}` | {text} |" for name, text in STRATEGY_HELP.items())
    yield from ("", "## Presets", "", "| preset | is | differs from the defaults in |", "|---|---|---|")
    for name, text in PRESET_HELP.items():
        changes = ", ".join(f"`{key} = {value!r}`" for key, value in PRESETS[name].items()) or "nothing"
        yield f"| `{name}` | {text} | {changes} |"


def _default(f: dataclasses.Field[Any]) -> str:
    value = f.default if f.default is not dataclasses.MISSING else {}
    if value in ("", (), {}):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _allowed(f: dataclasses.Field[Any], hint: Any) -> str:
    if get_origin(hint) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(hint))
    if get_origin(hint) is tuple:
        return "list of text"
    if get_origin(hint) is dict:
        return "names with values"
    low, high = f.metadata["low"], f.metadata["high"]
    kind = {bool: "true, false", int: "whole number", float: "number", str: "text"}[hint]
    if low is not None and high is not None:
        return f"{kind}, {low:g} to {high:g}"
    return f"{kind}, {low:g} or more" if low is not None else kind


if __name__ == "__main__":
    print(markdown(), end="")
