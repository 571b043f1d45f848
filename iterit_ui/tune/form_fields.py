"""The form of a run: what the page needs to know of every setting, made from the settings' own descriptions.

Nothing is listed by hand but the order of the few that most people change; a setting added to RunConfig appears
here by itself, with its help, unit, default and where the default comes from. In the form a value is a text (a tuple
or a mapping has a line for each item), or true or false.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal, get_args, get_origin

from backend.config import PRESET_HELP, PRESETS, TRACKERS, RunConfig, preset_values
from backend.errors import ConfigError
from iterit_ui.shared.settings import FIELDS, HINTS, help_of, label, options
from iterit_ui.tune.words import GROUP, PRESET

# pool and model have controls of their own at the top of the form
OWN = ("pool", "model")
COMMON = (
    "name",
    "strategy",
    "budget",
    "epochs",
    "learning_rate",
    "batch_size",
    "max_length",
    "held_out",
    "review",
)
GROUPS = ("selection", "training", "lora", "model", "running", "data")
# text fields that deserve more than one line although they hold one text
LONG = ("system_prompt",)
FormValue = str | bool
OTHER_POOL = ("another",)  # stands for any that is not the embedded one


def advanced(group: str) -> list[str]:
    """Settings of a group that are not among the common ones, in the order of their description."""
    return [n for n, f in FIELDS.items() if f.metadata["group"] == group and n not in COMMON and n not in OWN]


def form_fields() -> list[str]:
    """Every setting of the form except pool and model, in the order in which it stands there."""
    return [*COMMON, *(name for group in GROUPS for name in advanced(group))]


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """Everything about the form that never changes: {groups, fields by name, presets}."""
    groups = [{"key": "common", "title": "", "help": "", "fields": list(COMMON)}]
    groups += [{"key": key, **GROUP[key], "fields": advanced(key)} for key in GROUPS]
    presets = [
        {
            "name": name,
            "label": PRESET.get(name, name.replace("-", " ").capitalize()),
            "help": f"{PRESET_HELP[name][0].upper()}{PRESET_HELP[name][1:]}.",
            "values": {field: to_form(field, default(field, name)) for field in form_fields()},
            # what it sets otherwise for a pool that is not the embedded one
            "elsewhere": {
                field: to_form(field, value)
                for field, value in preset_values(name, OTHER_POOL).items()
                if value != default(field, name)
            },
        }
        for name in PRESETS
    ]
    return {
        "groups": groups,
        "fields": {name: described(name) for name in form_fields()},
        "presets": presets,
    }


def described(name: str) -> dict[str, Any]:
    """One control: {name, label, unit, help, kind, options, placeholder}.

    kind : choice, switch, decimal, text, lines, or several (of the options).
    """
    hint, meta = HINTS[name], FIELDS[name].metadata
    shown: dict[str, Any] = {
        "name": name,
        "label": label(name),
        "unit": meta["unit"],
        "help": f"{help_of(name)} {_default_words(name)}",
        "kind": _kind(name),
    }
    if get_origin(hint) is Literal:
        shown["options"] = options(name)
    elif name == "report_to":
        shown["options"] = options(name, TRACKERS)
    if name == "factor_column":
        shown["placeholder"] = "a column's name"
    if get_origin(hint) is dict:
        value = "low-high" if name == "source_shares" else "value"
        shown["placeholder"] = f"one per line: name = {value}"
    elif get_origin(hint) is tuple:
        shown["placeholder"] = "one per line"
    return shown


def default(name: str, preset: str = "paper", *, embedded: bool = True) -> Any:
    """A setting's value in a preset. embedded : for the embedded pool, or another one."""
    values = preset_values(preset, None if embedded else OTHER_POOL)
    return values.get(name, getattr(RunConfig(), name))


def to_form(name: str, value: Any) -> FormValue:
    """A setting's value as the form holds it."""
    origin = get_origin(HINTS[name])
    if origin is tuple:
        return "\n".join(value)
    if origin is dict:
        return "\n".join(f"{key} = {_number(item)}" for key, item in value.items())
    if isinstance(value, bool):
        return value
    return _number(value)


def from_form(name: str, value: Any) -> Any:
    """What the form holds as the setting's value.

    Raises
    ------
    ConfigError : it is none: a text where a number is needed, or a line of a mapping without "=".
    """
    origin, hint = get_origin(HINTS[name]), HINTS[name]
    if hint is bool:
        if not isinstance(value, bool):
            raise ConfigError(f"{name} is {value!r}; expected true or false")
        return value
    if not isinstance(value, str):
        raise ConfigError(f"{name} is {value!r}; expected text")
    if origin is tuple:
        return tuple(part for part in value.replace(",", "\n").split() if part)
    if origin is dict:
        return _pairs(name, value)
    if hint in (int, float):
        return _parsed_number(name, value, whole=hint is int)
    return value if name == "response_suffix" else value.strip()


def _pairs(name: str, value: str) -> dict[str, Any]:
    kind, pairs = get_args(HINTS[name])[1], {}
    for line in value.splitlines():
        if not line.strip():
            continue
        key, equals, item = line.rpartition("=")
        if not equals or not key.strip():
            raise ConfigError(f"{name}: {line.strip()!r} is not of the form name = value")
        try:
            pairs[key.strip()] = kind(item.strip())
        except ValueError as error:
            raise ConfigError(
                f"{name}: {item.strip()!r} is not a number, which {key.strip()!r} needs"
            ) from error
    return pairs


def _parsed_number(name: str, value: str, *, whole: bool) -> int | float:
    if not value.strip():
        raise ConfigError(f"{name} is empty; expected a number")
    try:
        number = float(value.strip())
    except ValueError as error:
        comma = ", with a point and not a comma before its decimals" if "," in value else ""
        raise ConfigError(f"{name} is {value.strip()!r}; expected a number{comma}") from error
    if not whole:
        return number
    if number != number or number in (float("inf"), float("-inf")) or number != int(number):
        raise ConfigError(f"{name} is {value.strip()!r}; expected a whole number")
    return int(number)


def _kind(name: str) -> str:
    hint = HINTS[name]
    origin = get_origin(hint)
    if origin is Literal:
        return "choice"
    if name == "report_to":
        return "several"
    if origin in (tuple, dict) or name in LONG:
        return "lines"
    return {bool: "switch", int: "decimal", float: "decimal"}.get(hint, "text")


def _default_words(name: str) -> str:
    """ "Default: 0.05 (paper)."."""
    value = default(name)
    shown = {True: "on", False: "off"}[value] if isinstance(value, bool) else to_form(name, value) or "none"
    source = FIELDS[name].metadata["origin"].replace(" (", ", ").replace(")", "")
    return f"Default: {shown}{'' if source == 'ours' else f' ({source})'}."


def _number(value: Any) -> str:
    """A number as a person writes it: 3 for 3.0, 2e-05 as it is."""
    return f"{value:.12g}" if isinstance(value, float) else str(value)
