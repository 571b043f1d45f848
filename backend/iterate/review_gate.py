"""The review gate of a worker: it lets a run wait, and goes on with what somebody answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from backend import store
from backend.errors import RunError
from backend.records import EpochRecord, Progress

POLL_SECONDS = 0.3


def wait_for_review(
    home: Path,
    run_id: str,
    proposal: EpochRecord,
    refused: str,
    *,
    minutes: float,
    report: Callable[[Progress], None],
) -> Mapping[str, Any]:
    """Wait until somebody answers, and return the settings that were changed; none where the time runs out.

    refused : why the last answer was not possible; "" at first. After that nobody's patience ends the wait.
    minutes : how long to wait; 0 waits until there is an answer. A run that was resumed keeps its first deadline, and
        an answer that was given before.
    report : called while it waits; may raise `Stopped`.
    """
    if refused:
        store.ask_again(home, run_id, proposal.epoch, refused)
    else:
        until = time.time() + minutes * 60 if minutes else None
        store.ask_review(home, run_id, proposal, until=until)
    until, ends = None, 0.0
    while True:
        review = next(r for r in store.reviews(home, run_id) if r.epoch == proposal.epoch)
        if review.answered is not None:
            return review.changes
        if review.until is not None and review.until != until:
            # from here on by a clock that nobody sets; what was written before a resumption is by the other one
            until = review.until
            ends = time.monotonic() + min(until - time.time(), 60 * minutes)
        if review.until is not None and time.monotonic() >= ends:
            try:
                store.answer_review(home, run_id, proposal.epoch, {}, who=None)
            except RunError:  # somebody answered, or asked to stop, in the very last moment: look again
                report(Progress("review", proposal.epoch, 0, 0))
            continue
        report(Progress("review", proposal.epoch, 0, 0))
        time.sleep(POLL_SECONDS)
