"""What processes that were killed have left in a runs folder: unfinished files and folders, and those that were being removed.

.NAME.<process>-<eight digits>.ENDING     see `files`: written beside its place (any ending, .new for a folder), on its way out
                                          (.gone), or what a folder held until another took its place (.old)
<run id>/                                 a run that was never queued: its configuration, and no row in the database;
                                          an evaluation likewise, in its run's folder
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from backend.store import database
from backend.store.given_losses import FILE as GIVEN
from backend.store.paths import RUN_ID

_LOG = logging.getLogger(__name__)
DAY = 86_400.0  # seconds; no file takes so long to write
_MARK = re.compile(r"\.(?P<name>.+)\.\d+-[0-9a-f]{8}(?P<ending>\..+)?")
_PLACES = ("", "*", "*/epochs", "*/reviews", "*/evaluations/*", "pools/*", "pools/*/scores", "pools/*/rows", "scores/*")  # fmt: skip
_NOT_QUEUED = {"config.json", "pool.json", "edits.json", GIVEN, "evaluation.json"}


def remove_leftovers(home: Path, *, older: float = DAY) -> int:
    """Remove what was left more than `older` seconds ago, and bring back what stood where nothing stands now; returns how many.

    Nothing where the folder can only be read.
    """
    home = Path(home)
    if not home.is_dir() or database.is_read_only(home):
        return 0
    until = time.time() - older
    found = [path for path in dict.fromkeys(_left(home)) if _changed(path) < until]
    for path in found:
        mark = _MARK.fullmatch(path.name)
        place = path.with_name(mark["name"]) if mark and mark["ending"] == ".old" else None
        try:
            if place is not None and not place.exists():
                os.replace(path, place)  # its writer was ended between the two renames
            elif path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        except FileNotFoundError:  # somebody else was quicker
            continue
        except OSError as error:
            _LOG.warning("%s was left by a process that was ended and cannot be removed (%s)", path, error)
    return len(found)


def _left(home: Path) -> Iterator[Path]:
    for place in _PLACES:
        for folder in home.glob(place) if place else (home,):
            with contextlib.suppress(OSError):  # a file, or a folder that somebody else removes
                yield from [path for path in folder.iterdir() if _MARK.fullmatch(path.name)]
    asked = [*home.iterdir(), *home.glob("*/evaluations/*")]
    new = [path for path in asked if RUN_ID.fullmatch(path.name) and _is_new(path)]
    if not new:
        return
    with database.reading(home) as connection:
        if connection is None:  # without a database nobody knows which runs there are
            return
        known = {row["id"] for row in connection.execute("SELECT id FROM runs UNION SELECT id FROM jobs")}
    unlisted = [path for path in asked if RUN_ID.fullmatch(path.name) and path.name not in known]
    # where a run that has begun is in no list, the list was lost (`database_repair`), and with it those that were queued
    if all(path in new for path in unlisted):
        yield from unlisted


def _is_new(folder: Path) -> bool:
    """Whether the folder of a run or an evaluation holds nothing but what it is queued with."""
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= _NOT_QUEUED


def _changed(path: Path) -> float:
    """When a file, or the last one in a folder, was changed, or renamed."""
    times = [0.0]
    for one in (path, *path.rglob("*")):
        with contextlib.suppress(OSError):
            found = one.stat()
            times.append(max(found.st_mtime, found.st_ctime))
    return max(times)
