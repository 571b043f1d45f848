"""The left side of the Tune tab: set up a run and launch it.

Nothing runs in the page: a launch starts a process of its own. The form lives in the browser (see `components.run_form`);
here is what it asks and what it is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.errors import ConfigError, StudioError
from iterit_ui.components.run_form import run_form
from iterit_ui.components.screen import when_shown
from iterit_ui.shared.launch import (
    accelerate_files,
    model_choices,
    pool_choices,
    pool_inputs,
    pool_mapping,
    start,
)
from iterit_ui.shared.session import EVENT, QUIET, VIEW, Session, bound, first_pool, get_pool, settings_of
from iterit_ui.shared.settings import FIELDS, label
from iterit_ui.tune import pilot_panel
from iterit_ui.tune.form_check import verdict
from iterit_ui.tune.form_config import Draft, config_of, load_run, load_text, read_draft, worded
from iterit_ui.tune.form_fields import FormValue, schema, to_form
from iterit_ui.tune.token_count import count

MOST_RUNS = 200  # that may be loaded from the list; older ones by their config.json


def build(session: Session, load: gr.State) -> None:
    """Lay the left side out, in the column that is open, and wire it.

    load : "<run id>#<anything>" whenever somebody wants a run's configuration in the form.
    """
    home, data, models = session.home, session.data_roots, session.model_roots
    form = run_form(functions=questions(home, data, models), elem_id="tune-form")
    said = gr.State({})
    look = [session.pool, session.settings, said]

    # Curate sets its states without telling anybody: the form asks for them (`look`) whenever it is opened
    filled = when_shown("tune", "ready", "pool", "settings", "run", "marked")
    gr.on([filled, said.change], bound(shown, home, data, models), look, form, **QUIET)
    load.change(bound(loaded_run, home, models), load, said, **QUIET)

    # Gradio finds `event` by its annotation
    def look_again(pool: str, settings: dict[str, Any], said: dict[str, Any], event: gr.EventData) -> Any:
        return {**shown(home, data, models, pool, settings, said), "seen": seq_of(event._data)}

    def launch(pool: str, settings: dict[str, Any], event: gr.EventData) -> Any:
        return launched(home, data, models, event._data, pool, settings)

    def choose(pool: str, event: gr.EventData) -> Any:
        return chosen_pool(home, pool, event._data)

    def try_first(pool: str, settings: dict[str, Any], who: str, event: gr.EventData) -> Any:
        return piloted(home, data, models, event._data, pool, settings, who)

    def compare(event: gr.EventData) -> Any:
        return opened(home, event._data)

    form.look(look_again, look, form, **EVENT)
    form.launch(launch, look[:2], [session.run, said], concurrency_limit=1, **QUIET)
    form.try_first(try_first, [*look[:2], session.who], said, concurrency_limit=1, **QUIET)
    form.compare(compare, None, [session.comparison, session.chosen, session.tabs], **QUIET)
    form.pool(choose, session.pool, [session.pool, session.filter, session.view], **QUIET)


# ---------------------------------------------------------------- what the form is told


def shown(
    home: Path,
    data: Sequence[Path],
    models: Sequence[Path],
    pool: str,
    settings: dict[str, Any],
    said: dict[str, Any],
) -> dict[str, Any]:
    """The form's value; see `components.run_form`."""
    return {
        "schema": schema(),
        "pools": [list(choice) for choice in pool_choices(home)],
        "models": [list(choice) for choice in model_choices(models)],
        "files": {"accelerate_config": accelerate_files([*data, *models])},
        "runs": [[f"{info.name} · {info.pool_name}", info.id] for info in store.runs(home)[:MOST_RUNS]],
        "demo": first_pool(),
        "pool": pool,
        "carried": carried(home, pool, settings),
        "filled": said.get("filled"),
        "note": said.get("note"),
        "pilot": pilot_panel.panel(),
        "piloted": said.get("pilot"),
    }


def carried(home: Path, pool: str, settings: dict[str, Any]) -> dict[str, FormValue]:
    """What was set on the Curate tab, and the pool's pins and excludes, as the form holds them."""
    found: dict[str, Any] = dict(settings)
    if pool:
        try:
            complete = settings_of(home, pool, {})
            if complete.words != "paper":
                found.setdefault("words", complete.words)
            found |= {name: ids for name in ("pinned", "excluded") if (ids := getattr(complete, name))}
        except StudioError:  # a link to a pool that was not found: the form says so itself
            return {}
    return {name: to_form(name, value) for name, value in found.items() if name in FIELDS}


def loaded_run(home: Path, models: Sequence[Path], load: str) -> dict[str, Any]:
    """A run's configuration to be filled in once, or a note on why not."""
    run = load.partition("#")[0]
    if not run:
        return {}
    try:
        return {"filled": {"key": load, **load_run(home, models, run)}}
    except StudioError as error:
        return {"note": note("error", "Not loaded", str(error))}


# ---------------------------------------------------------------- what the form asks


def questions(
    home: Path, data: Sequence[Path], models: Sequence[Path]
) -> list[Callable[[Any], dict[str, Any]]]:
    """`verdict`, `load`, `count` and `pilot` for the form; an answer is never an exception."""

    def say(form: Any) -> dict[str, Any]:
        try:
            return verdict(home, data, models, form)
        except StudioError as error:
            return {"error": worded(str(error))}

    def load(what: Any) -> dict[str, Any]:
        try:
            if not isinstance(what, dict):
                raise ConfigError("the page asked for no configuration")
            if isinstance(what.get("run"), str):
                return load_run(home, models, what["run"])
            return load_text(home, models, str(what.get("text") or ""), str(what.get("name") or "")[:200])
        except StudioError as error:
            return {"error": worded(str(error))}

    def counted(asked: Any) -> dict[str, Any]:
        return count(home, data, models, asked)

    def piloted(asked: Any) -> dict[str, Any]:
        return pilot_panel.answer(home, data, models, asked)

    say.__name__, counted.__name__, piloted.__name__ = "verdict", "count", "pilot"
    return [say, load, counted, piloted]


def launched(
    home: Path,
    data: Sequence[Path],
    models: Sequence[Path],
    form: Any,
    pool: str,
    settings: dict[str, Any],
) -> tuple[Any, dict[str, Any]]:
    """Start the run that the form describes: (its id, what to say).

    pool, settings : the session's, which the form must have heard of: what it sends as `carried` is what it was told last.
    """
    try:
        draft = read_draft(form)
        late = not_arrived(home, draft, form.get("carried"), pool, settings)
        if late:
            return gr.skip(), {"note": note("warn", "Not launched", late)}
        get_pool(home, draft.pool)
        if not draft.model.strip():
            raise ConfigError("no model is chosen; take one from the list, or type a hub id (owner/name)")
        config = config_of(
            draft, pool_inputs(home, draft.pool), draft.model.strip(), pool_mapping(home, draft.pool)
        )
        run = start(
            home,
            config,
            draft.pool,
            data_roots=data,
            model_roots=models,
            allow_parallel=draft.parallel,
            parent=draft.parent,
        )
    except StudioError as error:
        return gr.skip(), {"note": note("error", "Not launched", worded(str(error)))}
    info = store.run_info(home, run)
    title = f"{info.name} {'is queued' if info.state == 'queued' else 'was launched'}"
    return run, {
        "note": note("good", title, "It continues if you close this page; progress is on the right.")
    }


def piloted(
    home: Path,
    data: Sequence[Path],
    models: Sequence[Path],
    asked: Any,
    pool: str,
    settings: dict[str, Any],
    who: str,
) -> dict[str, Any]:
    """Queue the pilot that the form and its panel ask for: what to say there. pool, settings : as in `launched`."""
    try:
        sent = asked if isinstance(asked, dict) else {}
        draft = read_draft(sent.get("form"))
        late = not_arrived(home, draft, sent.get("carried"), pool, settings)
        if late:
            return {"pilot": note("warn", "Not queued", late)}
        title, line = pilot_panel.queue(home, data, models, draft, sent.get("pilot"), who)
    except StudioError as error:
        return {"pilot": note("error", "Not queued", worded(str(error)))}
    return {"pilot": note("good", title, line)}


def opened(home: Path, data: Any) -> list[Any]:
    """(comparison, chosen runs, tabs): a pilot on the Compare tab; nothing changes where it is none of this folder."""
    asked = data.get("comparison") if isinstance(data, dict) else None
    if asked not in [info.id for info in store.comparisons(home)]:
        return [gr.skip()] * 3
    return [asked, [], gr.Tabs(selected="compare")]


def seq_of(data: Any) -> int | None:
    """The number that the page gave its question; None where it sent something else."""
    seq = data.get("seq") if isinstance(data, dict) else None
    return seq if isinstance(seq, int) else None


def not_arrived(home: Path, draft: Draft, told: Any, pool: str, settings: dict[str, Any]) -> str:
    """What changed on Data or Curate since the form was last filled in; "" if nothing did.

    told : what the form was told last, as `carried` gives it. pool, settings : the session's now.
    """
    again = "They have been filled in now. Check the form, then launch again."
    if not isinstance(told, dict):
        return f"The settings of the Curate tab had not reached this form yet. {again}"
    if draft.pool != pool:
        return "Another pool was chosen after this form was filled in. Check the form, then launch again."
    now = carried(home, pool, settings)
    late = [name for name in sorted({*now, *told}) if now.get(name) != told.get(name)]
    if not late:
        return ""
    names = ", ".join(f"“{label(name)}”" if name in FIELDS else name for name in late)
    return f"Settings on the Curate tab changed after this form was filled in: {names}. {again}"


def chosen_pool(home: Path, pool: str, data: Any) -> list[Any]:
    """The pool that was chosen in the form, with no filter and the first list; nothing changes where it is none of
    the list, or the one that is open."""
    asked = data.get("pool") if isinstance(data, dict) else None
    if asked == pool or asked not in [value for _, value in pool_choices(home)]:
        return [gr.skip()] * 3
    return [asked, {}, dict(VIEW)]


def note(tone: str, title: str, line: str) -> dict[str, Any]:
    """Something to say once, above the launch."""
    return {"key": str(time.time_ns()), "tone": tone, "title": title, "lines": [line]}
