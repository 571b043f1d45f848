"""Find and replace over the samples of a table: the preview that its dialog asks for, and the change itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from backend import analysis, store
from backend.data.find_replace import ReplacePlan, plan_replacements
from backend.errors import StudioError
from backend.records import Pool
from iterit_ui.shared import messages, theme
from iterit_ui.shared.session import get_pool

SHOWN = 20  # samples of a preview
ACTION = {
    "key": "replace",
    "label": "Find and replace",
    "hint": "in the responses of these samples, previewed first",
    "tone": "plain",
}

# a table's list key -> the pool and the ids of the whole list; StudioError where that is no longer on screen
Listed = Callable[[str], tuple[str, list[str]]]


def preview_function(home: Path, listed: Listed) -> Callable[[list[Any]], dict[str, Any]]:
    """`preview` for a table: [list key, ids or None for the whole list, {find, replacement, regex, case}] -> {pool, samples,
    places, refused, shown} or {error}."""

    def preview(asked: list[Any]) -> dict[str, Any]:
        try:
            pool_id, whole = listed(str(asked[0]))
            ids = whole if asked[1] is None else [str(sample) for sample in asked[1]]
            pool = get_pool(home, store.root_of(home, pool_id))
            plan = _plan(pool, ids, asked[2])
        except (StudioError, ValueError, IndexError, TypeError) as error:
            return {"error": messages.sentence(str(error))}
        first = next(iter(plan.refused.values()), "")
        return {
            "pool": pool.id,
            "samples": len(plan.changes),
            "places": plan.count,
            "listed": len(ids),
            "refused": f"{theme.counted(len(plan.refused), 'sample')} would change and {'stays' if len(plan.refused) == 1 else 'stay'} as {'it is' if len(plan.refused) == 1 else 'they are'}: {first}."
            if plan.refused
            else "",
            "shown": analysis.replace_preview(pool, plan, SHOWN),
        }

    return preview


def replaced(home: Path, pool_id: str, ids: list[str], text: str, who: str) -> int | None:
    """The revision after find and replace; None where nothing changes, and the visitor is told why.

    text : JSON of {find, replacement, regex, case, pool}; pool is the id that the preview named.
    """
    try:
        asked = json.loads(text)
        pool = get_pool(home, pool_id)
        if not isinstance(asked, dict) or asked.get("pool") != pool.id:
            raise StudioError("responses were edited since the preview; look at it again, then apply")
        plan = _plan(pool, ids, asked)
        if not store.set_responses(home, pool_id, dict(plan.changes), who):
            return None
    except (StudioError, ValueError) as error:
        messages.warning(messages.sentence(str(error)))
        return None
    messages.info(
        f"Replaced {theme.counted(plan.count, 'place')} in {theme.counted(len(plan.changes), 'sample')}. Undo takes it back."
    )
    return store.curation_revision(home, pool_id)


def _plan(pool: Pool, ids: list[str], asked: Any) -> ReplacePlan:
    """What is asked for, checked: it came from a browser."""
    if not isinstance(asked, dict):
        raise StudioError("the page sent no text to find")
    find, replacement = asked.get("find"), asked.get("replacement")
    if not isinstance(find, str) or not isinstance(replacement, str):
        raise StudioError("the page sent no text to find")
    rows = np.array([pool.row_of[sample] for sample in ids if sample in pool.row_of], dtype=np.int64)
    if not len(rows):
        raise StudioError("the list is empty")
    return plan_replacements(
        pool,
        rows,
        find,
        replacement,
        regex=asked.get("regex") is True,
        case=asked.get("case") is not False,
    )
