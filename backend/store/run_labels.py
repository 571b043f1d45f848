"""What people write about a run: its name, tags and notes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from backend.errors import RunError
from backend.store import database
from backend.store.paths import run_folder

LONGEST_NAME, LONGEST_TAG, LONGEST_NOTES, MOST_TAGS = 120, 40, 4000, 20


def label_run(
    home: Path,
    run_id: str,
    *,
    name: str | None = None,
    tags: Sequence[str] | None = None,
    notes: str | None = None,
) -> None:
    """Give a run another name, other tags or other notes; what is None stays.

    Tags are trimmed, and each is kept once, in the order given. The run's config.json keeps the name it was started
    with.

    Raises
    ------
    RunError : no such run, an empty name, or a text that is too long or of several lines (notes may have several).
    """
    run_folder(home, run_id)
    values: dict[str, str] = {}
    if name is not None:
        values["name"] = line("name", name, LONGEST_NAME)
    if tags is not None:
        found = list(dict.fromkeys(line("tag", tag, LONGEST_TAG) for tag in tags))
        if len(found) > MOST_TAGS:
            raise RunError(f"{len(found)} tags were given; at most {MOST_TAGS} are kept")
        values["tags"] = json.dumps(found, ensure_ascii=False)
    if notes is not None:
        if len(notes) > LONGEST_NOTES:
            raise RunError(f"notes have {len(notes):,} characters; at most {LONGEST_NOTES:,} are kept")
        values["notes"] = notes.strip()
    if not values:
        return
    columns = ", ".join(f"{column} = ?" for column in values)
    with database.writing(home) as connection:
        if not connection.execute(
            f"UPDATE runs SET {columns} WHERE id = ?", (*values.values(), run_id)
        ).rowcount:
            raise RunError(f"run {run_id} not found in {home}")


def line(what: str, text: str, longest: int) -> str:
    """A text that was trimmed, or a RunError where it is empty, too long or of several lines."""
    text = text.strip()
    if not text or len(text) > longest or not text.isprintable():
        raise RunError(f"{what} is {text!r}; 1 to {longest} characters on one line are needed")
    return text
