"""Changes to an epoch's selection that somebody has begun in a review and not yet answered with."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.errors import RunError
from backend.store.files import write_json
from backend.store.paths import existing_run_folder


@dataclass(frozen=True)
class ReviewDraft:
    """What a review would answer, as far as somebody has come with it.

    changes : selection settings by name, as `answer_review` takes them.
    mark_pool : whether its pins and exclusions shall also be marked in the pool, for later runs.
    who, at : who changed it last, and when in seconds since 1970; "" and 0 where nobody has begun.
    """

    changes: dict[str, Any] = field(default_factory=dict)
    mark_pool: bool = False
    who: str = ""
    at: float = 0.0


def read_draft(home: Path, run_id: str, epoch: int) -> ReviewDraft:
    """The draft of an epoch's review; an empty one where nobody has begun.

    Raises
    ------
    RunError : no such run, or a file that cannot be read.
    """
    path = _path(home, run_id, epoch)
    try:
        return ReviewDraft(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return ReviewDraft()
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"{path} is not the draft of a review ({error})") from error


def save_draft(
    home: Path, run_id: str, epoch: int, changes: Mapping[str, Any], *, mark_pool: bool, who: str
) -> ReviewDraft:
    """Keep a draft beside the proposal, in place of the one before; a reload or another page goes on with it."""
    draft = ReviewDraft(dict(changes), mark_pool, who, time.time())
    write_json(_path(home, run_id, epoch), dataclasses.asdict(draft))
    return draft


def drop_draft(home: Path, run_id: str, epoch: int) -> None:
    """Forget a draft; nothing where there is none."""
    _path(home, run_id, epoch).unlink(missing_ok=True)


def _path(home: Path, run_id: str, epoch: int) -> Path:
    # beside the proposal's folder, which is written anew where a resumed run asks again
    return existing_run_folder(home, run_id) / "reviews" / f"{int(epoch)}.draft.json"
