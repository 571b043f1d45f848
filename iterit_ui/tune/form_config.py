"""What the form holds as a configuration, and a configuration as what the form holds.

The page sends the whole form with every question, so nothing of it is kept here; and as everything it sends was typed
by somebody, all of it is looked at before it is used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend import store
from backend.config import PRESETS, RunConfig, config_from, to_json, typed_value
from backend.errors import ConfigError, StudioError
from backend.preflight.checks import Problem
from iterit_ui.shared.launch import allowed_model, pool_choices
from iterit_ui.shared.session import is_demo
from iterit_ui.shared.settings import FIELDS, label
from iterit_ui.tune.form_fields import FormValue, default, form_fields, from_form, to_form

LONGEST_TEXT = 2_000_000  # characters of a configuration that is loaded; ids of pinned samples may be many
NAMES = re.compile(r"\b[a-z]+(?:_[a-z]+)*\b")


@dataclass(frozen=True)
class Draft:
    """What the form holds.

    pool : a pool's id, "" for none. values : by setting, as `tune/form_fields.to_form` writes them.
    parallel : start in parallel with other runs. parent : the run that this one was made from, "" for none.
    """

    pool: str
    model: str
    preset: str
    values: dict[str, FormValue]
    parallel: bool = False
    parent: str = ""


def read_draft(data: Any) -> Draft:
    """The form as the page sent it.

    Raises
    ------
    ConfigError : the page sent something else; a setting that it leaves out has its preset's value.
    """
    if not isinstance(data, dict):
        raise ConfigError(f"the page sent a {type(data).__name__}; expected the form")
    words = {key: data.get(key) or "" for key in ("pool", "model", "preset", "parent")}
    for key, value in words.items():
        if not isinstance(value, str) or len(value) > 4096:
            raise ConfigError(f"the page sent a {key} that is not a short string")
    preset = words["preset"] or "paper"
    if preset not in PRESETS:
        raise ConfigError(f"preset {preset!r} is unknown (known: {', '.join(PRESETS)})")
    given = data.get("values")
    if not isinstance(given, dict):
        raise ConfigError("the page sent no settings")
    unknown = sorted(str(name) for name in given if name not in FIELDS)
    if unknown:
        raise ConfigError(f"the page sent the setting {unknown[0]!r}, which is unknown")
    values: dict[str, FormValue] = {}
    embedded = not words["pool"] or is_demo(words["pool"])
    for name in form_fields():
        value = given.get(name, to_form(name, default(name, preset, embedded=embedded)))
        if not isinstance(value, (str, bool)):
            raise ConfigError(f"the page sent {name} as a {type(value).__name__}; expected text")
        values[name] = value
    return Draft(
        pool=words["pool"],
        model=words["model"],
        preset=preset,
        values=values,
        parallel=data.get("parallel") is True,
        parent=words["parent"],
    )


def settings_of(draft: Draft) -> tuple[dict[str, Any], list[Problem]]:
    """(the settings that can be read, what is wrong with single ones)."""
    settings: dict[str, Any] = {}
    problems = []
    for name, value in draft.values.items():
        try:
            settings[name] = from_form(name, value)
            if settings[name] != getattr(PLAIN, name):
                config_from({name: settings[name]})
        except ConfigError as error:
            if fields_named(str(error)) in (
                [name],
                [],
            ):  # else it contradicts a default that may be changed here, too
                problems.append(Problem(name, worded(str(error)), True))
    return settings, problems


def config_of(
    draft: Draft, inputs: Sequence[str], model: str, mapping: Mapping[str, str] | None = None
) -> RunConfig:
    """The checked configuration that the form describes, on the files `inputs` and the model.

    mapping : how the pool's files were read; it takes the place of what the form says about that.

    Raises
    ------
    ConfigError : a setting cannot be read, is out of its range, or contradicts another.
    """
    settings = {name: from_form(name, value) for name, value in draft.values.items()}
    if mapping:
        settings["mapping"] = dict(mapping)
    return config_from({**settings, "pool": tuple(inputs), "model": model}, preset=draft.preset)


def fields_named(words: str) -> list[str]:
    """The settings that an error of the configuration is about, in order; they stand before its first colon."""
    about = re.split(r"[:;(]\s", words, maxsplit=1)[0].replace("(", " ")
    return list(dict.fromkeys(word for word in NAMES.findall(about) if word in FIELDS))


def worded(words: str) -> str:
    """An error for a person: settings by the names that the form gives them, as a sentence."""
    found = re.sub(
        r"\b[a-z]+(?:_[a-z]+)+\b", lambda m: f"“{label(m[0])}”" if m[0] in FIELDS else m[0], words.strip()
    )
    found = found[0].upper() + found[1:] if found else found
    return found if found.endswith((".", "!", "?")) else f"{found}."


def config_text(config: RunConfig) -> str:
    """The configuration as the text of a config.json."""
    return json.dumps(to_json(config), indent=2, ensure_ascii=False) + "\n"


def closest_preset(values: Mapping[str, FormValue]) -> str:
    """The preset from which these form values differ least."""
    return min(PRESETS, key=lambda name: sum(v != to_form(n, default(n, name)) for n, v in values.items()))


# ---------------------------------------------------------------- loading


def load_run(home: Path, roots: Sequence[Path], run: str) -> dict[str, Any]:
    """The form for the configuration of a run of this folder; see `loaded`.

    Raises
    ------
    StudioError : no such run, or its configuration cannot be read.
    """
    info = store.run_info(home, run)
    found = loaded(
        home,
        roots,
        to_json(store.read_config(home, run)),
        pool=store.root_of(home, store.read_run_pool(home, run).id),
    )
    return {**found, "parent": run, "title": f"The settings of {info.name}"}


def load_text(home: Path, roots: Sequence[Path], words: str, name: str = "") -> dict[str, Any]:
    """The form for a configuration that somebody pasted or chose as a file; see `loaded`.

    Raises
    ------
    ConfigError : it is no JSON object, or far too long.
    """
    called = name or "what was pasted"
    if len(words) > LONGEST_TEXT:
        raise ConfigError(
            f"{called} has {len(words):,} characters; a configuration has {LONGEST_TEXT:,} at most"
        )
    try:
        values = json.loads(words)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{called} is not JSON ({error}); expected a config.json") from error
    if not isinstance(values, dict):
        raise ConfigError(
            f"{called} holds a {type(values).__name__}; expected an object with settings by name"
        )
    if isinstance(values.get("config"), dict) and not set(values) & set(FIELDS):
        values = values["config"]  # what carries a configuration along, such as a receipt
    if not set(values) & set(FIELDS):
        raise ConfigError(
            f"{called} holds no setting of a run; it has {', '.join(map(repr, values)) or 'nothing'}"
        )
    return {
        **loaded(home, roots, values),
        "parent": "",
        "title": f"The settings of {name or 'the pasted text'}",
    }


def loaded(home: Path, roots: Sequence[Path], values: Mapping[str, Any], *, pool: str = "") -> dict[str, Any]:
    """What to fill the form with, and what could not be taken.

    Returns {values: those of the form by setting, preset: the closest or "" where only a few settings are given,
    pool, model: "" where they are not given or not here, said: what was left out and why}.

    pool : the pool's id where it is known.
    """
    taken: dict[str, FormValue] = {}
    said: list[str] = []
    for name, value in values.items():
        if name not in FIELDS:
            said.append(f"“{str(name)[:60]}” is no setting of this version; it was left out.")
        elif name in form_fields():
            try:
                taken[name] = to_form(name, _alone(name, value))
            except ConfigError as error:
                said.append(f"{worded(str(error))} The form keeps what it had.")
    chosen, why = _pool_here(home, pool, values.get("pool"), values.get("mapping"))
    said += why
    model, why = _model_here(roots, values.get("model"))
    said += why
    whole = len(taken) > len(form_fields()) // 2
    return {
        "values": taken,
        "preset": closest_preset(taken) if whole else "",
        "pool": chosen,
        "model": model,
        "said": said,
    }


def _alone(name: str, value: Any) -> Any:
    """A setting's value, by itself in order; that it contradicts another shows in the form.

    Raises
    ------
    ConfigError : it is of the wrong kind or out of its range.
    """
    found = typed_value(name, value)
    try:
        config_from({name: found})
    except ConfigError as error:
        if fields_named(str(error)) in ([name], []):
            raise
    return found


def _pool_here(home: Path, pool: str, inputs: Any, mapping: Any) -> tuple[str, list[str]]:
    here = [value for _, value in pool_choices(home)]
    if pool in here:
        return pool, []
    if not inputs and not pool:
        return "", []
    named = [inputs] if isinstance(inputs, str) else [str(item) for item in inputs or ()]
    if named == ["demo"] and here and pool_choices(home)[0][0].startswith("demo"):
        return here[0], []
    found = [info for info in store.list_pools(home) if list(info.inputs) == named and info.id in here]
    # the same files may have been read in several ways
    found.sort(key=lambda info: (info.about.mapping if info.about else {}) != (mapping or {}))
    if found:
        return found[0].id, []
    words = ", ".join(named)[:300] or pool
    return "", [
        f"Its pool ({words}) was not found: load it on the Data tab. The chosen pool stays until then."
    ]


def _model_here(roots: Sequence[Path], model: Any) -> tuple[str, list[str]]:
    if not model:
        return "", []
    try:
        return allowed_model(str(model), roots), []
    except StudioError as error:
        return "", [f"Its model was left out: {error}. The chosen model stays."]


PLAIN = RunConfig()
