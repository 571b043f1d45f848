"""Finding runs by words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from backend.store import RunInfo

WORDS = re.compile(r'"([^"]+)"|([^\s"]+)')


def matching_runs(
    infos: Sequence[RunInfo], words: str = "", *, tags: Sequence[str] = (), comparison: str = ""
) -> list[RunInfo]:
    """The runs in which every word occurs, in their order; case does not matter.

    words : parts (or, between double quotes, a phrase) of name, tags, notes, strategy, state, model, pool, id or the day it was made (2025-11-22).
    tags : a run must have all of these, whole. comparison : the id of the one it must belong to, "" for any.
    """
    wanted = [phrase or word for phrase, word in WORDS.findall(words.casefold())]
    labels = {tag.strip().casefold() for tag in tags if tag.strip()}
    found = []
    for info in infos:
        day = datetime.fromtimestamp(info.created).strftime("%Y-%m-%d")
        text = "\n".join(
            [info.name, *info.tags, info.notes, info.strategy, info.state, info.model, info.pool_name, info.pool_id, info.id, day]
        ).casefold()  # fmt: skip
        has = {tag.casefold() for tag in info.tags}
        if (
            all(word in text for word in wanted)
            and labels <= has
            and (not comparison or info.comparison == comparison)
        ):
            found.append(info)
    return found
