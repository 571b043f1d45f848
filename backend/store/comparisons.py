"""Comparisons: runs that somebody put side by side, under a name."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from backend.errors import RunError
from backend.store import database
from backend.store.paths import run_folder
from backend.store.run_labels import LONGEST_NOTES, line

COMPARISON_ID = re.compile(r"c\d{8}-\d{6}-[0-9a-f]{6}")
LONGEST_NAME = 120
ComparisonKind = Literal["strategies", "pilot", "sensitivity", "budget"]


@dataclass(frozen=True)
class ComparisonInfo:
    """A named set of runs; `created` in seconds since 1970.

    runs : their ids, in the order in which they were made. kind : what they were made for: strategies side by side, a
    pilot of a long run, the sensitivity to settings, or a search for the smallest budget. plan : what whoever made them
    has to remember, by name; {} where nothing.
    """

    id: str
    name: str
    notes: str
    who: str
    created: float
    runs: tuple[str, ...]
    kind: ComparisonKind = "strategies"
    plan: dict[str, Any] = field(default_factory=dict)


def create_comparison(
    home: Path,
    name: str,
    *,
    notes: str = "",
    who: str = "",
    kind: ComparisonKind = "strategies",
    plan: Mapping[str, Any] | None = None,
) -> str:
    """Make a comparison without runs, and return its id (c20251122-174455-3fa9c1).

    kind, plan : see `ComparisonInfo`; the plan is stored as JSON.

    Raises
    ------
    RunError : an empty name, or texts that are too long.
    """
    name = line("name", name, LONGEST_NAME)
    if len(notes) > LONGEST_NOTES:
        raise RunError(f"notes have {len(notes):,} characters; at most {LONGEST_NOTES:,} are kept")
    made = f"c{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
    with database.writing(home) as connection:
        connection.execute(
            "INSERT INTO comparisons (id, name, notes, who, created, kind, plan) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (made, name, notes.strip(), who, time.time(), kind, json.dumps(dict(plan or {}))),
        )
    return made


def comparisons(home: Path) -> list[ComparisonInfo]:
    """The comparisons, newest first, with those of their runs that were not deleted."""
    with database.reading(home) as connection:
        if connection is None:
            return []
        rows = connection.execute(
            "SELECT id, name, notes, who, created, kind, plan FROM comparisons WHERE deleted IS NULL"
            " ORDER BY created DESC, id DESC"
        ).fetchall()
        members = connection.execute(
            "SELECT comparison, id FROM runs JOIN jobs USING (id) WHERE comparison IS NOT NULL AND deleted IS NULL"
            " ORDER BY created, id"
        ).fetchall()
    runs: dict[str, list[str]] = {}
    for member in members:
        runs.setdefault(member["comparison"], []).append(member["id"])
    return [
        ComparisonInfo(**{**dict(row), "plan": json.loads(row["plan"])}, runs=tuple(runs.get(row["id"], ())))
        for row in rows
    ]


def comparison_info(home: Path, comparison: str) -> ComparisonInfo:
    """One comparison.

    Raises
    ------
    RunError : there is none with this id.
    """
    found = [info for info in comparisons(home) if info.id == comparison]
    if not found:
        raise RunError(f"comparison {comparison!r} not found in {home}")
    return found[0]


def change_plan(home: Path, comparison: str, plan: Mapping[str, Any]) -> None:
    """Replace what a comparison has to remember.

    Raises
    ------
    RunError : there is none with this id.
    """
    with database.writing(home) as connection:
        if not connection.execute(
            "UPDATE comparisons SET plan = ? WHERE id = ? AND deleted IS NULL",
            (json.dumps(dict(plan)), comparison),
        ).rowcount:
            raise RunError(f"comparison {comparison!r} not found in {home}")


def add_to_comparison(home: Path, comparison: str, run_ids: Sequence[str]) -> None:
    """Put runs into a comparison; one that is in another moves.

    Raises
    ------
    RunError : no such comparison or run; then none is moved.
    """
    _put(home, comparison, run_ids, comparison)


def remove_from_comparison(home: Path, comparison: str, run_ids: Sequence[str]) -> None:
    """Take runs out of a comparison; the runs themselves stay.

    Raises
    ------
    RunError : no such comparison, or a run is not in it.
    """
    inside = comparison_info(home, comparison).runs
    for run_id in run_ids:
        if run_id not in inside:
            raise RunError(f"run {run_id} is not in the comparison {comparison}")
    _put(home, comparison, run_ids, None)


def delete_comparison(home: Path, comparison: str) -> None:
    """Take a comparison off the list; its runs stay, and belong to none.

    Raises
    ------
    RunError : there is none with this id.
    """
    with database.writing(home) as connection:
        if not connection.execute(
            "UPDATE comparisons SET deleted = ? WHERE id = ? AND deleted IS NULL", (time.time(), comparison)
        ).rowcount:
            raise RunError(f"comparison {comparison!r} not found in {home}")
        connection.execute("UPDATE runs SET comparison = NULL WHERE comparison = ?", (comparison,))


def _put(home: Path, comparison: str, run_ids: Sequence[str], value: str | None) -> None:
    with database.writing(home) as connection:
        if not connection.execute(
            "SELECT 1 FROM comparisons WHERE id = ? AND deleted IS NULL", (comparison,)
        ).fetchone():
            raise RunError(f"comparison {comparison!r} not found in {home}")
        for run_id in run_ids:
            run_folder(home, run_id)
            if not connection.execute(
                "UPDATE runs SET comparison = ? WHERE id = ? AND deleted IS NULL", (value, run_id)
            ).rowcount:
                raise RunError(f"run {run_id} not found in {home}")
