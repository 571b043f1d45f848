"""The form of a run: one control for every setting, made from the settings' own descriptions.

Nothing is listed by hand but the order of the few that most people change; a setting added to RunConfig appears
here by itself, with its help, unit, default and where the default comes from.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

import gradio as gr

from backend.config import PRESETS, RunConfig, config_from
from backend.errors import ConfigError
from iterit_ui.curate_settings import STRATEGY_WORDS
from iterit_ui.forms import field_help

FIELDS = {f.name: f for f in dataclasses.fields(RunConfig)}
HINTS = get_type_hints(RunConfig)
# pool and model have controls of their own at the top of the form
OWN = ("pool", "model")
COMMON = (
    "strategy",
    "budget",
    "epochs",
    "learning_rate",
    "batch_size",
    "update_ratio",
    "decay",
    "held_out",
    "max_length",
)
GROUPS = {
    "selection": "Which samples are chosen",
    "training": "How the model is trained",
    "model": "How the model reads",
    "lora": "LoRA adapters",
    "running": "Processes, checkpoints and review",
    "data": "Data and name",
}


def advanced(group: str) -> list[str]:
    """Settings of a group that are not among the common ones, in the order of their description."""
    return [n for n, f in FIELDS.items() if f.metadata["group"] == group and n not in COMMON and n not in OWN]


def form_fields() -> list[str]:
    """Every setting of the form except pool and model, in the order of its controls."""
    return [*COMMON, *(name for group in GROUPS for name in advanced(group))]


def control(name: str, preset: str = "paper") -> gr.components.Component:
    """The control of one setting, holding its value in a preset."""
    label, info = described(name)
    options: dict[str, Any] = {"label": label, "info": info, "elem_id": f"tune-{name.replace('_', '-')}"}
    hint, value = HINTS[name], to_control(name, default(name, preset))
    if get_origin(hint) is Literal:
        return gr.Dropdown(choices=_choices(name), value=value, **options)
    if hint is bool:
        return gr.Checkbox(value=value, **options)
    if hint in (int, float):
        return gr.Number(
            value=value, precision=0 if hint is int else None, step=1 if hint is int else 0.01, **options
        )
    lines = 3 if get_origin(hint) in (tuple, dict) else 1
    return gr.Textbox(value=value, lines=lines, max_lines=8, placeholder=_placeholder(hint), **options)


def described(name: str) -> tuple[str, str]:
    """Label and help of a setting, with its unit, its default and where the default comes from."""
    meta, value = FIELDS[name].metadata, default(name)
    label = field_help(name)[0] if meta["unit"] not in name else name.replace("_", " ").capitalize()
    shown = {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value
    words = f"{shown:g}" if isinstance(shown, float) else str(shown) if shown not in ("", (), {}) else "none"
    source = meta["origin"].replace(" (", ", ").replace(")", "")
    origin = "" if source == "ours" else f" ({source})"
    text = meta["help"][0].upper() + meta["help"][1:]
    return label, f"{text}. Default: {words}{origin}."


def default(name: str, preset: str = "paper") -> Any:
    """A setting's value in a preset."""
    return PRESETS[preset].get(name, getattr(RunConfig(), name))


def to_control(name: str, value: Any) -> Any:
    """A setting as its control shows it: tuples and mappings as lines of text."""
    origin = get_origin(HINTS[name])
    if origin is tuple:
        return "\n".join(value)
    if origin is dict:
        return "\n".join(f"{key} = {item}" for key, item in value.items())
    return value


def from_control(name: str, value: Any) -> Any:
    """What a control holds as the setting's value.

    Raises
    ------
    ConfigError : a line of a mapping has no "=", or a number is missing.
    """
    origin = get_origin(HINTS[name])
    if origin is tuple:
        return tuple(part for part in (value or "").replace(",", "\n").split())
    if origin is dict:
        pairs = {}
        for line in (value or "").splitlines():
            if not line.strip():
                continue
            key, equals, item = line.rpartition("=")
            if not equals or not key.strip():
                raise ConfigError(f"{name}: {line.strip()!r} is not of the form name = value")
            pairs[key.strip()] = item.strip()
        return pairs
    if HINTS[name] in (int, float) and value is None:
        raise ConfigError(f"{name} is empty; a number is needed")
    if HINTS[name] is str:
        return (value or "").strip() if name != "response_suffix" else value or ""
    return value


def config_of(values: Sequence[Any], *, pool: Sequence[str], model: str, preset: str = "paper") -> RunConfig:
    """The checked configuration that the form describes.

    values : of the controls of `form_fields()`, in that order.
    """
    settings = {name: from_control(name, value) for name, value in zip(form_fields(), values, strict=True)}
    if not model.strip():
        raise ConfigError("model is empty; choose one from the list, or type a folder or a hub id")
    return config_from({**settings, "pool": tuple(pool), "model": model.strip()}, preset=preset)


def preset_values(preset: str, carried: Mapping[str, Any]) -> list[Any]:
    """What the controls show for a preset with the settings carried over from the Curate tab on top."""
    return [
        to_control(name, _typed(name, carried[name]) if name in carried else default(name, preset))
        for name in form_fields()
    ]


def _typed(name: str, value: Any) -> Any:
    return tuple(value) if get_origin(HINTS[name]) is tuple and not isinstance(value, str) else value


def _choices(name: str) -> list[Any]:
    if name == "strategy":
        return [(STRATEGY_WORDS.get(key, "Full: the whole pool"), key) for key in get_args(HINTS[name])]
    return list(get_args(HINTS[name]))


def _placeholder(hint: Any) -> str | None:
    if get_origin(hint) is dict:
        return "one a line: name = value"
    if get_origin(hint) is tuple:
        return "one a line"
    return None
