"""Settings of a selection that somebody gave a name, to come back to or to send to a colleague."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.errors import ConfigError, PoolError
from backend.store import database
from backend.store.curation import raise_revision
from backend.store.paths import root_of

LONGEST_NAME = 80


@dataclass(frozen=True)
class SavedSettings:
    """Settings under a name; `scores` says on which scores they were looked at, `at` is in seconds since 1970."""

    name: str
    settings: dict[str, Any]
    scores: str
    who: str
    at: float


def save_settings(
    home: Path, pool_id: str, name: str, settings: Mapping[str, Any], *, scores: str, who: str = ""
) -> None:
    """Keep settings under a name, in place of what the pool has under that name.

    Raises
    ------
    PoolError : no name, a longer one than `LONGEST_NAME` characters, or one of several lines.
    ConfigError : a setting's value is none that JSON knows.
    """
    pool_id = root_of(home, pool_id)
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise PoolError(f"name is {name!r}; 1 to {LONGEST_NAME} characters on one line are needed")
    try:
        text = json.dumps(dict(settings), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"the settings cannot be saved: {error}") from error
    with database.writing(home) as connection:
        connection.execute(
            "INSERT OR REPLACE INTO saved_settings (pool, name, settings, scores, who, at) VALUES (?, ?, ?, ?, ?, ?)",
            (pool_id, name, text, scores, who, time.time()),
        )
        raise_revision(connection, pool_id)


def saved_settings(home: Path, pool_id: str) -> list[SavedSettings]:
    """What has been saved for a pool, newest first."""
    pool_id = root_of(home, pool_id)
    with database.reading(home) as connection:
        if connection is None:
            return []
        rows = connection.execute(
            "SELECT name, settings, scores, who, at FROM saved_settings WHERE pool = ?"
            " AND deleted IS NULL ORDER BY at DESC, rowid DESC",
            (pool_id,),
        ).fetchall()
    return [
        SavedSettings(name, json.loads(settings), scores, who, at) for name, settings, scores, who, at in rows
    ]


def delete_settings(home: Path, pool_id: str, name: str, who: str = "") -> None:
    """Take settings off the list by their name; nothing happens where there are none of that name.

    The database keeps them, with who deleted them and when, until the name is used again.
    """
    pool_id = root_of(home, pool_id)
    with database.writing(home) as connection:
        deleted = connection.execute(
            "UPDATE saved_settings SET deleted = ?, deleted_by = ? WHERE pool = ? AND name = ? AND deleted IS NULL",
            (time.time(), who, pool_id, name.strip()),
        )
        if deleted.rowcount:
            raise_revision(connection, pool_id)
