"""What find and replace would change, as pieces of text before and after, for a page or a terminal to show."""

from __future__ import annotations

from typing import Any

from backend.data.find_replace import ReplacePlan
from backend.findings import masked
from backend.records import Pool

AROUND = 60  # characters before and after a place
LONGEST = 240  # characters of what was found, or of what replaces it

Pieces = tuple[str, str, str]
HIDDEN: Pieces = ("", "", "(not shown: the response holds a key or a password)")


def replace_preview(pool: Pool, plan: ReplacePlan, limit: int) -> list[dict[str, Any]]:
    """The first samples that change: {id, row, places, before, after}, the last two of the first place as
    [text before it, the place, text after it].

    pool : that the plan was made for. A response that holds something which is shown masked elsewhere is not shown.
    """
    lines = []
    for sample, new in list(plan.changes.items())[:limit]:
        row = pool.row_of[sample]
        old = pool.response(row)
        begin, end, new_begin, new_end = plan.places[sample][0]
        hidden = masked(old) != old or masked(new) != new
        lines.append(
            {
                "id": sample,
                "row": row,
                "places": len(plan.places[sample]),
                "before": list(HIDDEN if hidden else pieces(old, begin, end)),
                "after": list(HIDDEN if hidden else pieces(new, new_begin, new_end)),
            }
        )
    return lines


def pieces(text: str, begin: int, end: int) -> Pieces:
    """A place in a text, with what stands around it."""
    before = text[max(0, begin - AROUND) : begin]
    after = text[end : end + AROUND]
    place = text[begin:end] if end - begin <= LONGEST else f"{text[begin : begin + LONGEST]}…"
    return (
        f"…{before}" if begin > AROUND else before,
        place,
        f"{after}…" if end + AROUND < len(text) else after,
    )
