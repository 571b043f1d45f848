"""The review gate: a run waits after scoring, and somebody approves what it would select."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.errors import RunError
from backend.records import EpochRecord
from backend.store import database
from backend.store.epoch_records import read_record, write_record
from backend.store.jobs import note_event
from backend.store.paths import existing_run_folder, run_folder


@dataclass(frozen=True)
class Review:
    """One wait of a run for a person.

    asked, until, answered : seconds since 1970; `until` is when it continues without an answer (None: it waits),
        `answered` None while it waits.
    who : who answered; None where nobody did in time, or nobody has yet.
    changes : selection settings that were changed by hand for this epoch alone, by name; empty for none.
    """

    run: str
    epoch: int
    asked: float
    until: float | None
    answered: float | None
    who: str | None
    changes: dict[str, Any]


def ask_review(home: Path, run_id: str, proposal: EpochRecord, *, until: float | None) -> None:
    """Let a running run wait for a review of what it would select; its worker asks.

    A review that was asked for before stays as it is: with its answer, where it has one, for a run that was resumed,
    else with its old end of patience.
    """
    write_record(home, run_id, proposal, proposal_folder(home, run_id, proposal.epoch))
    now = time.time()
    with database.writing(home) as connection:
        connection.execute(
            "INSERT INTO reviews (run, epoch, asked, until) VALUES (?, ?, ?, ?) ON CONFLICT (run, epoch) DO NOTHING",
            (run_id, proposal.epoch, now, until),
        )
        answered = connection.execute(
            "SELECT answered FROM reviews WHERE run = ? AND epoch = ?", (run_id, proposal.epoch)
        ).fetchone()[0]
        if answered is not None:
            return
        connection.execute("UPDATE jobs SET state = 'waiting' WHERE id = ? AND state = 'running'", (run_id,))
        text = f"epoch {proposal.epoch}: waiting for a review of {len(proposal.selection):,} samples"
        note_event(connection, run_id, "waiting", text)


def answer_review(
    home: Path, run_id: str, epoch: int, changes: Mapping[str, Any], *, who: str | None
) -> None:
    """Let a waiting run go on, with these selection settings changed for this epoch.

    who : who answers; None where the time ran out.

    Raises
    ------
    RunError : the run does not wait for a review of this epoch (any more).
    """
    run_folder(home, run_id)
    text = json.dumps(dict(changes), ensure_ascii=False, allow_nan=False)
    with database.writing(home) as connection:
        row = connection.execute("SELECT state FROM jobs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise RunError(f"run {run_id} not found in {home}")
        answered = 0
        if row["state"] == "waiting":
            answered = connection.execute(
                "UPDATE reviews SET answered = ?, who = ?, changes = ? WHERE run = ? AND epoch = ? AND answered IS NULL",
                (time.time(), who, text, run_id, epoch),
            ).rowcount
        if not answered:
            raise RunError(
                f"run {run_id} does not wait for a review of epoch {epoch} (it is {row['state']}); somebody else may have "
                "answered, or its time has run out"
            )
        connection.execute("UPDATE jobs SET state = 'running' WHERE id = ?", (run_id,))
        named = ", ".join(_named(name, value) for name, value in changes.items()) or "nothing changed"
        by = f"reviewed by {who}" if who is not None else "nobody answered in time"
        note_event(connection, run_id, "reviewed", f"epoch {epoch}: {by}, {named}")


def ask_again(home: Path, run_id: str, epoch: int, reason: str) -> None:
    """Let a run wait once more, because what was answered is not possible."""
    run_folder(home, run_id)
    with database.writing(home) as connection:
        connection.execute(
            "UPDATE reviews SET answered = NULL, who = NULL, changes = '{}', until = NULL WHERE run = ? AND epoch = ?",
            (run_id, epoch),
        )
        connection.execute("UPDATE jobs SET state = 'waiting' WHERE id = ? AND state = 'running'", (run_id,))
        note_event(connection, run_id, "waiting", f"epoch {epoch}: asked again, because {reason}")


def reviews(home: Path, run_id: str) -> list[Review]:
    """A run's reviews by epoch."""
    run_folder(home, run_id)
    with database.reading(home) as connection:
        if connection is None:
            return []
        rows = connection.execute("SELECT * FROM reviews WHERE run = ? ORDER BY epoch", (run_id,)).fetchall()
    return [
        Review(
            r["run"], r["epoch"], r["asked"], r["until"], r["answered"], r["who"], json.loads(r["changes"])
        )
        for r in rows
    ]


def open_review(home: Path, run_id: str) -> Review | None:
    """The review that a run waits for, or None where it waits for none."""
    return next((review for review in reviews(home, run_id) if review.answered is None), None)


def read_proposal(home: Path, run_id: str, epoch: int) -> EpochRecord:
    """What a run would select, as it was when it began to wait.

    Raises
    ------
    RunError : it did not wait before this epoch.
    """
    return read_record(home, run_id, epoch, proposal_folder(home, run_id, epoch))


def proposal_folder(home: Path, run_id: str, epoch: int) -> Path:
    """Where what a run would select lies while it waits."""
    return existing_run_folder(home, run_id) / "reviews" / str(int(epoch))


def _named(name: str, value: Any) -> str:
    """A changed setting in words; long lists by their length."""
    if isinstance(value, (list, tuple)):
        return f"{name}: {len(value):,} samples"
    return f"{name} = {value}"
