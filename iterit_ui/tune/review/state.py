"""An open review: what the run waits with, its draft, and what that selects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend import analysis, store
from backend.analysis import Reviewed
from backend.errors import StudioError
from backend.store import Review, ReviewDraft, RunInfo
from backend.store.shelf import keep_last

Value = dict[str, Any]

VIEW: Value = {"which": "came", "sort": "", "descending": False, "page": 0, "sample": "", "seq": 0}


@dataclass(frozen=True)
class Open:
    """An open review, its draft, and what that selects; `problem` says why the draft cannot be, then it is shown unchanged."""

    info: RunInfo
    review: Review
    draft: ReviewDraft
    shown: Reviewed
    problem: str = ""


def opened(home: Path, info: RunInfo) -> Open | None:
    """The review that a run waits for; None where it waits for none.

    Raises
    ------
    StudioError : what it waits with cannot be read.
    """
    review = store.open_review(home, info.id) if info.state == "waiting" else None
    if review is None:
        return None
    draft = store.read_draft(home, info.id, review.epoch)
    try:
        return Open(info, review, draft, selection(home, info.id, review.epoch, draft.changes))
    except StudioError as error:
        return Open(info, review, draft, selection(home, info.id, review.epoch, {}), str(error))


def selection(home: Path, run: str, epoch: int, changes: Value) -> Reviewed:
    """What the epoch would train on with these changes; the last few are kept."""
    meta = store.run_folder(home, run) / "reviews" / str(epoch) / "meta.json"
    written = meta.stat().st_mtime_ns if meta.exists() else 0
    return _selection(home, run, epoch, written, json.dumps(changes, sort_keys=True))


@keep_last(8)
def _selection(home: Path, run: str, epoch: int, written: int, changes: str) -> Reviewed:
    return analysis.review_selection(home, run, epoch, json.loads(changes))


def marks_of(here: Open) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids that the draft pins and excludes beyond the run's own settings."""
    config, changes = here.shown.config, here.draft.changes
    pinned = tuple(i for i in changes.get("pinned", ()) if i not in config.pinned)
    return pinned, tuple(i for i in changes.get("excluded", ()) if i not in config.excluded)
