"""Command-line options made from the configuration's fields, so that both say the same."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from backend.config import PRESET_HELP, PRESETS, STRATEGY_HELP, RunConfig
from backend.errors import ConfigError, PoolError

_FIELDS = {f.name: f for f in dataclasses.fields(RunConfig)}
_HINTS = get_type_hints(RunConfig)
_PANELS = {
    "data": "Data",
    "model": "Model and scoring",
    "selection": "Selection",
    "training": "Training",
    "lora": "LoRA adapters",
    "running": "Processes, checkpoints and review",
}
# one value at a time, so the singular reads better
_ALSO = {
    "pinned": "--pin",
    "excluded": "--exclude",
    "source_weights": "--source-weight",
    "source_shares": "--source-share",
}
_SAMPLES = ("pinned", "excluded")  # which may be many

RunsDir = Annotated[
    Path, typer.Option("--runs-dir", envvar="ITERIT_RUNS_DIR", help="Folder of runs and stored pools.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for a program to read.")]
Ahead = Annotated[
    int,
    typer.Option(
        "--ahead",
        min=0,
        max=50,
        help="With iterit-cumulative: what this later epoch would take if training did not change the scores.",
    ),
]
ScoresFiles = Annotated[
    list[str],
    typer.Option(
        "--scores",
        metavar="FILE",
        help='File that score wrote, or a JSON list of {"row": ..., "complexity": ...}. For shards a pattern in quotes '
        "('part-*.parquet'), or this option once for each: they are read where together they are all of the pool.",
    ),
]
PoolArgument = Annotated[
    list[str],
    typer.Argument(metavar="POOL", help="Files, folders, a hub dataset id (owner/name), or 'demo'."),
]
Preset = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="|".join(PRESETS),
        help="Base for the other settings: "
        + "; ".join(f"{name}: {text}" for name, text in PRESET_HELP.items())
        + ". [default: demo where pool and model are both 'demo', else paper]",
    ),
]


def with_settings(names: Iterable[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command an option for each of these settings; it gets those that were given as `settings`.

    The command has a parameter `settings: dict[str, Any]`, which takes the options' place in its signature.
    """
    chosen = list(names)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def wrapper(**given: Any) -> Any:
            values = {name: given.pop(name) for name in chosen}
            return command(
                **given,
                settings={name: _parsed(name, value) for name, value in values.items() if value is not None},
            )

        kept = inspect.signature(command, eval_str=True).parameters.values()
        parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in kept if p.name != "settings"]
        parameters += [_option(name) for name in chosen]
        wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
        return wrapper

    return decorate


def ids_of(values: list[str], name: str = "") -> list[str]:
    """Sample ids as they were named, each once; @FILE stands for the ids in a file, one per line.

    name : which list of a recipe (`export --recipe`) is meant, where FILE is one.
    """
    ids: list[str] = []
    for value in values:
        if not value.startswith("@"):
            ids.append(value)
            continue
        try:
            text = Path(value[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PoolError(f"{value[1:]} cannot be read ({error})") from error
        ids += _of_recipe(value[1:], text, name) if name and value.endswith(".json") else text.splitlines()
    return list(dict.fromkeys(word.strip() for word in ids if word.strip()))


def _of_recipe(path: str, text: str, name: str) -> list[str]:
    try:
        found = json.loads(text)[name]
    except (ValueError, KeyError, TypeError) as error:
        raise PoolError(f'{path}: expected a recipe with a list "{name}"') from error
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise PoolError(f'{path}: "{name}" is not a list of sample ids')
    return found


def option_name(name: str) -> str:
    """How a setting is written on the command line."""
    return "--" + name.replace("_", "-")


def _option(name: str) -> inspect.Parameter:
    """An option for one setting; None where it is not given, so that the preset decides."""
    hint, meta = _HINTS[name], _FIELDS[name].metadata
    spelled = option_name(name)
    names = (spelled, _ALSO[name]) if name in _ALSO else (spelled,)
    annotation: Any = hint | None
    metavar = None
    if get_origin(hint) is tuple or get_origin(hint) is dict:
        annotation = list[str] | None
        metavar = "ID" if get_origin(hint) is tuple else "NAME=VALUE"
    if name == "source_shares":
        metavar = "NAME=LOW-HIGH"
    elif hint is bool:
        names = (f"{spelled}/--no-{spelled.removeprefix('--')}",)
    if name == "held_out":
        metavar = "SHARE|FILE"
    info = typer.Option(
        *names, help=_help(name), metavar=metavar, show_default=False, rich_help_panel=_PANELS[meta["group"]]
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[annotation, info]
    )


def _help(name: str) -> str:
    """Meaning, unit, default and where the default comes from."""
    f = _FIELDS[name]
    default = f.default if f.default is not dataclasses.MISSING else ""
    shown = (
        {"": "none", (): "none", True: "yes", False: "no"}.get(default, default)
        if _plain(default)
        else default
    )
    notes = [f"unit: {f.metadata['unit']}"] if f.metadata["unit"] else []
    notes += [f"default: {shown}", f"from: {f.metadata['origin']}"]
    text = f.metadata["help"]
    if name == "strategy":
        text += ". " + "; ".join(f"{key}: {words}" for key, words in STRATEGY_HELP.items())
    if get_origin(_HINTS[name]) in (tuple, dict):
        text += "; may be repeated"
    if name in _SAMPLES:
        text += "; @FILE: one id per line, or a recipe. `marks POOL --json` lists what was pinned and excluded before"
    return f"{text[0].upper()}{text[1:]}. [{'; '.join(notes)}]"


def _pair(name: str, item: str) -> tuple[str, str, str]:
    """NAME=VALUE in its parts; a mapping's name may be a path, which may hold the sign itself."""
    if name == "mapping":
        from backend.data.mapping import is_key

        for at, letter in enumerate(item):
            if letter == "=" and is_key(item[:at].rpartition(":")[2]):
                return item[:at], "=", item[at + 1 :]
    return item.partition("=")


def _plain(value: Any) -> bool:
    return isinstance(value, (str, tuple, bool))


def _parsed(name: str, value: Any) -> Any:
    """An option's value as the configuration takes it."""
    if name in _SAMPLES:
        return ids_of(value, name)
    if get_origin(_HINTS[name]) is not dict:
        return value
    kind = get_args(_HINTS[name])[1]
    pairs = {}
    for item in value:
        key, equals, text = _pair(name, item)
        if not equals or not key:
            raise ConfigError(f"{option_name(name)} {item!r}: expected NAME=VALUE")
        try:
            pairs[key] = kind(text)
        except ValueError as error:
            raise ConfigError(f"{option_name(name)} {item!r}: {text!r} is not a number") from error
    return pairs
