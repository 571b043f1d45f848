"""What the events of the review's screen do: they change the draft that lies beside the proposal, or answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend import store
from backend.errors import ConfigError, RunError, StudioError
from backend.selection import column_factor, review_settings
from iterit_ui.components.base import checked_int
from iterit_ui.shared.settings import with_bounds
from iterit_ui.tune.review import views as view
from iterit_ui.tune.review.state import Open, Value, marks_of, opened, selection
from iterit_ui.tune.review.views import FIELDS


def open_review(home: Path, run: str) -> Open:
    """The review that the shown run waits for.

    Raises
    ------
    RunError : it does not wait (any more), and what has become of it.
    """
    info = store.run_info(home, run)
    here = opened(home, info)
    if here is None:
        last = next((r for r in reversed(store.reviews(home, run)) if r.answered is not None), None)
        answered = f"; epoch {last.epoch} was answered by {last.who or 'nobody in time'}" if last else ""
        raise RunError(f"this run no longer waits for a review: it is {info.state}{answered}")
    return here


def changed(home: Path, here: Open, who: str, **values: Any) -> None:
    """Put values into the draft; one that is the run's own leaves it.

    Raises
    ------
    ConfigError : a value that is none of its setting, or contradicts another.
    """
    config = here.shown.config
    changes = {**here.draft.changes, **values}
    checked = review_settings(config, changes)
    kept: dict[str, Any] = {}
    for name in changes:
        value = getattr(checked, name)
        same = (
            set(value) == set(getattr(config, name))
            if isinstance(value, tuple)
            else value == getattr(config, name)
        )
        if not same:
            kept[name] = list(value) if isinstance(value, tuple) else value
    store.save_draft(home, here.info.id, here.review.epoch, kept, mark_pool=here.draft.mark_pool, who=who)


def without(home: Path, here: Open, who: str, names: Sequence[str]) -> None:
    """Take these settings out of the draft."""
    kept = {name: value for name, value in here.draft.changes.items() if name not in names}
    store.save_draft(home, here.info.id, here.review.epoch, kept, mark_pool=here.draft.mark_pool, who=who)


def set_field(home: Path, here: Open, who: str, data: Value) -> None:
    """After `set` {name, value} of the settings; value None is the run's own."""
    name, value = data.get("name"), data.get("value")
    if name not in FIELDS:
        raise ConfigError(f"the page sent {name!r}; a review may change: {', '.join(FIELDS)}")
    if value is None:
        return without(home, here, who, [name])
    if name == "factor_column" and isinstance(value, str):
        column_factor(
            here.shown.pool, review_settings(here.shown.config, {**here.draft.changes, name: value})
        )
        return changed(home, here, who, factor_column=value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(f"{name} is {value!r}; expected a number")
    if name == "budget":
        value = float(min(max(int(value), 2), here.shown.most))
        start = len(here.shown.proposal.selection)
        if value == start and here.review.epoch:
            return without(home, here, who, ["budget"])
    changed(home, here, who, **{name: value})


def weigh(home: Path, here: Open, who: str, data: Value) -> None:
    """After `weigh` {index, weight} or {index, least, most}: another weight of one source, or other bounds on its share."""
    sources = here.shown.pool.sources
    if "weight" not in data:
        shares = here.draft.changes.get("source_shares", here.shown.config.source_shares)
        return changed(home, here, who, source_shares=with_bounds(shares, sources, data))
    index, weight = checked_int(data.get("index"), 0, len(sources) - 1), data.get("weight")
    if isinstance(weight, bool) or not isinstance(weight, (int, float)):
        raise ConfigError(f"the weight of {sources[index]} is {weight!r}; expected a number")
    weights = {**here.draft.changes.get("source_weights", here.shown.config.source_weights)}
    weights[sources[index]] = round(float(weight), 3)
    changed(home, here, who, source_weights={name: w for name, w in weights.items() if w != 1.0})


def reset(home: Path, here: Open, who: str, data: Value) -> None:
    """After `reset` {name}: one setting, or all of the panel, as the run has them."""
    name = data.get("name")
    without(home, here, who, [name] if name else [*FIELDS, "source_weights", "source_shares"])


def mark(home: Path, here: Open, who: str, ids: Sequence[str], action: str) -> None:
    """Pin or exclude samples for this epoch, or leave them as the run's settings have them."""
    known = here.shown.pool.row_of
    ids = [i for i in ids if i in known]
    if not ids or action not in ("pin", "exclude", "clear"):
        raise StudioError("no sample of this pool is ticked")
    config, settings = here.shown.config, here.shown.settings
    pinned = [i for i in here.draft.changes.get("pinned", settings.pinned) if i not in ids]
    excluded = [i for i in here.draft.changes.get("excluded", settings.excluded) if i not in ids]
    if action == "clear":
        pinned += [i for i in ids if i in config.pinned]
        excluded += [i for i in ids if i in config.excluded]
    else:
        (pinned if action == "pin" else excluded).extend(ids)
    changed(home, here, who, pinned=pinned, excluded=excluded)


def mark_pool(home: Path, here: Open, who: str, on: bool) -> None:
    """Whether pins and exclusions shall also be marked in the pool when the run goes on."""
    draft = dataclasses.replace(here.draft, mark_pool=on)
    store.save_draft(home, here.info.id, here.review.epoch, draft.changes, mark_pool=on, who=who)


def answer(home: Path, here: Open, who: str, *, unchanged: bool = False) -> str:
    """Let the run go on, and say with what.

    Raises
    ------
    RunError : somebody else has answered, its time has run out, or it was stopped.
    ConfigError : the draft selects nothing, or contradicts itself.
    """
    changes = {} if unchanged else here.draft.changes
    selection(
        home, here.info.id, here.review.epoch, changes
    )  # what cannot be is said here and not by the worker
    store.answer_review(home, here.info.id, here.review.epoch, changes, who=who)
    words = "as it was proposed" if not changes else "with " + "; ".join(view.change_words(here))
    if changes and here.draft.mark_pool:
        for ids, kind in zip(marks_of(here), ("pinned", "excluded"), strict=True):
            if ids:
                store.set_mark(home, here.info.pool_id, list(ids), kind, who)  # type: ignore[arg-type]
    store.drop_draft(home, here.info.id, here.review.epoch)
    return f"Epoch {here.review.epoch} goes on {words}."
