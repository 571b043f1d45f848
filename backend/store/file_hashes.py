"""What files hold, as a hash: read once, and again when a file is not the one it was."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path

from backend.store.files import write_json

SETTLED_NS = 2_000_000_000  # a file may change twice within one tick of its clock, but not for so long

logger = logging.getLogger(__name__)


def content_hashes(known_in: Path, files: Sequence[Path]) -> dict[str, str]:
    """SHA-256 of the content of each file, by its name.

    Gigabytes are not read at every start: `known_in` remembers each file's hash for as long as its path, size, time of
    last change and inode stay what they were.

    known_in : a JSON file, made where it is missing. Two processes may use it at once; what one of them forgets for
        the other is worked out again.
    """
    before = _read(known_in)
    known = dict(before)
    found: dict[str, str] = {}
    for path in files:
        name = str(path.resolve())
        stat = path.stat()
        stamp = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
        entry = known.get(name)
        if entry is None or entry[:3] != stamp:
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            entry = [*stamp, digest]
            if time.time_ns() - stat.st_mtime_ns > SETTLED_NS:
                known[name] = entry
        found[str(path)] = str(entry[3])
    if known != before:
        write_json(known_in, known)
    return found


def _read(path: Path) -> dict[str, list[int | str]]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        logger.warning("%s cannot be read (%s): the files are hashed again", path, error)
        return {}
    return value if isinstance(value, dict) else {}
