"""A visitor corrects the response of a sample: what the panel shows of it, and what its buttons do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend import store
from backend.data.response_edits import refusal
from backend.errors import StudioError
from backend.findings import masked
from backend.records import Pool
from iterit_ui.shared import messages
from iterit_ui.shared.session import exact_pool, get_pool


def edit_value(home: Path, pool: Pool, sample: str) -> dict[str, Any]:
    """The sample's edit for `sample_view`: {pool, edited}; `edited` is None, or {who, at, original} with keys masked."""
    held = store.edits(home, pool.root).get(sample) if sample in pool.edits else None
    if held is None:
        return {"pool": pool.root, "edited": None}
    before = exact_pool(home, pool.root)
    original = masked(before.response(before.row_of[sample]))
    return {"pool": pool.root, "edited": {"who": held.who, "at": held.at, "original": original}}


def functions(home: Path) -> list[Callable[[list[Any]], dict[str, Any]]]:
    """`response` and `check` for a `sample_view` in which responses can be edited."""

    def response(asked: list[Any]) -> dict[str, Any]:
        """The response as it is, for a text area: [pool, id] -> {text, hides} or {error}."""
        try:
            pool, sample = _named(home, asked)
            (found,) = pool.conversations([pool.row_of[sample]])  # type: ignore[arg-type]
            reason = refusal(found, found.response or "-")
            if reason:
                return {"error": messages.sentence(reason)}
            return {"text": found.response, "hides": masked(found.response) != found.response}
        except (StudioError, ValueError, IndexError) as error:
            return {"error": messages.sentence(str(error))}

    def check(asked: list[Any]) -> dict[str, Any]:
        """Whether a text can be the response: [pool, id, text] -> {error}, "" where it can."""
        try:
            pool, sample = _named(home, asked)
            (found,) = pool.conversations([pool.row_of[sample]])  # type: ignore[arg-type]
            reason = refusal(found, str(asked[2]))
            return {"error": messages.sentence(reason) if reason else ""}
        except (StudioError, ValueError, IndexError) as error:
            return {"error": messages.sentence(str(error))}

    return [response, check]


def edited(home: Path, pool_id: str, ids: list[str], text: Any, who: str) -> int | None:
    """The revision after a sample's response was edited, or its edit taken back (text None); None where nothing changes,
    and the visitor is told why."""
    if len(ids) != 1 or not (text is None or isinstance(text, str)):
        return None
    pool = get_pool(home, pool_id)
    if isinstance(text, str):
        text = as_typed(pool.response(pool.row_of[ids[0]]), text)
    try:
        changed = store.set_responses(home, pool_id, {ids[0]: text}, who)
    except StudioError as error:
        messages.warning(messages.sentence(str(error)))
        return None
    if not changed:
        messages.info("The response is the same as before.")
        return None
    return store.curation_revision(home, pool_id)


def as_typed(before: str, typed: str) -> str:
    """What somebody typed, with the line ends that the response had: a text area makes all of them plain."""
    plain = typed.replace("\r\n", "\n").replace("\r", "\n")
    if before.replace("\r\n", "\n").replace("\r", "\n") == plain:
        return before
    return plain.replace("\n", "\r\n") if "\r\n" in before else plain


def _named(home: Path, asked: list[Any]) -> tuple[Pool, str]:
    """The pool and the sample that a page names."""
    pool, sample = get_pool(home, str(asked[0])), str(asked[1])
    if sample not in pool.row_of:
        raise StudioError(f"sample {sample!r} is not in this pool")
    return pool, sample
