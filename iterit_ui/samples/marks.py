"""What a visitor does to samples: pin, exclude, clear, note, undo, copy. Kept with the pool, with who and when.

A function that changes something returns the pool's curation revision, by which each page sees that; None where it
changed nothing, and the visitor is told why.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend import store
from backend.store import Change, Mark
from iterit_ui.shared import messages, theme
from iterit_ui.shared.session import get_pool

MARKS: dict[str, Mark | None] = {"pin": "pinned", "exclude": "excluded", "clear": None}
LONGEST_NOTE = 4000  # characters
LONGEST_NAME = 40


def chosen_ids(home: Path, pool_id: str, given: Any) -> list[str]:
    """The samples that an event names; those that are not in this pool are left out."""
    if not pool_id or not isinstance(given, list):
        return []
    row_of = get_pool(home, pool_id).row_of
    return [sample for sample in given if isinstance(sample, str) and sample in row_of]


def marked_as(home: Path, pool_id: str, ids: list[str], action: str, who: str) -> int | None:
    """The revision after samples were pinned, excluded or cleared; unchanged, with a word, where nothing changes."""
    if action not in MARKS or not ids:
        return None
    if not store.set_mark(home, pool_id, ids, MARKS[action], who):
        messages.info("They have this mark already." if MARKS[action] else "None of them has a mark.")
        return None
    return store.curation_revision(home, pool_id)


def noted(home: Path, pool_id: str, ids: list[str], words: Any, who: str) -> int | None:
    """The revision after a note was written to samples, or taken away where it is empty."""
    if not ids or not isinstance(words, str):
        return None
    if len(words) > LONGEST_NOTE:
        messages.warning(f"A note of {len(words):,} characters is too long; the limit is {LONGEST_NOTE:,}.")
        return None
    if not store.set_note(home, pool_id, ids, words.strip(), who):
        return None
    return store.curation_revision(home, pool_id)


def turned_back(home: Path, pool_id: str, who: str, *, again: bool = False) -> int | None:
    """The revision after the last change was taken back, or done again; says what that was."""
    if not pool_id:
        return None
    change = (store.redo if again else store.undo)(home, pool_id, who)
    if change is None:
        messages.info(f"There is nothing to {'do again' if again else 'undo'}.")
        return None
    messages.info(f"{'Done again' if again else 'Taken back'}: {change_words(change)}.")
    return store.curation_revision(home, pool_id)


def change_words(change: Change) -> str:
    """What was done, in a few words: "excluded 12 samples"."""
    many = theme.counted(len(change.samples), "sample")
    if change.kind == "edit":
        back = all(text is None for text in change.afters)
        return (
            f"took back the {'edit' if len(change.samples) == 1 else 'edits'} of {many}"
            if back
            else f"edited {many}"
        )
    if change.kind == "note":
        return f"note on {many}" if change.after else f"note removed from {many}"
    return f"{change.after} {many}" if change.after else f"cleared {many}"


def toolbar_value(home: Path, pool_id: str) -> dict[str, Any] | None:
    """How many samples people have marked, and the buttons that take changes back."""
    if not pool_id:
        return None
    marks = list(store.marks(home, pool_id).values())
    undo, redo = store.next_steps(home, pool_id)
    counts = [
        ("pinned", marks.count("pinned"), "pinned"),
        ("excluded", marks.count("excluded"), "rejected"),
        ("with a note", len(store.notes(home, pool_id)), "plain"),
        ("edited", len(store.edits(home, pool_id)), "plain"),
    ]
    actions: list[dict[str, Any]] = []
    for key, change, word in (("undo", undo, "Undo"), ("redo", redo, "Redo")):
        label = word if change is None else f"{word}: {change_words(change)}"
        hint = "" if change is None else f"by {change.who or 'somebody'}, {theme.moment(change.at)}"
        actions.append({"key": key, "label": label, "hint": hint, "disabled": change is None})
    actions.append(
        {
            "key": "replace",
            "label": "Find and replace",
            "hint": "in the responses of this list, or of the ticked ones",
            "clicks": "#curate-table [data-act=replace]",
        }
    )
    return {
        "left": [
            {"text": f"{theme.number(n)} {word}", "tone": tone, "key": key}
            for (word, n, tone), key in zip(counts, ("pinned", "excluded", "noted", "edited"))
            if n
        ]
        or [{"text": "Nothing is pinned, excluded or edited yet", "tone": "plain"}],
        "actions": actions,
    }


def name_of(given: Any) -> str:
    """A visitor's name as they typed it, on one line and not too long; "visitor" where there is none."""
    words = " ".join(str(given).split()) if isinstance(given, str) else ""
    return words[:LONGEST_NAME] or "visitor"
