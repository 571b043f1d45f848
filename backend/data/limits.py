"""How much a file from outside may hold: bounds that no pool worth training on meets, so that nothing takes all memory.

A file of any size can be read, in pieces; what is bounded is what has to be in memory in one piece.
"""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from backend.errors import ConfigError

LINE_BYTES = 64 << 20  # of a line of JSON lines or CSV, and characters of an element of a JSON array
FIELD_CHARS = 64 << 20  # of one text of a row
NESTING = 200  # levels of lists and objects within each other
# what a compressed file may unpack to: this much whatever its size, and beyond it so many times its own bytes
UNPACKED_FREE = 512 << 20
UNPACKED_RATIO = 200
KEPT_REJECTIONS = 10_000  # rows of a pool that are listed with their reason; the others are counted
REASON_CHARS = 500
NAMED_COLUMNS = 40  # that a message lists
PREVIEW_SECONDS = 120.0  # for the first rows of a file
SHOWN_CHARS = 4_000  # of a text in a preview
SHOWN_ITEMS = 200  # of a list or an object in a preview
# of columns that a file's reading does not use
OWN_COLUMNS = 24
OWN_CHARS = 120  # of a text in one
OWN_NAME = 100  # characters of a column's name

MEMORY = "ITERIT_READER_MEMORY"  # environment: GB that reading files may take
_SHARE = 0.5  # of the machine's memory, where that is not set
_CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory() -> int:
    """Bytes that the process which reads files may take, and a pool read by it.

    Raises
    ------
    ConfigError : the environment variable holds no number of GB.
    """
    said = os.environ.get(MEMORY, "").strip()
    if not said:
        return int(_machine_bytes() * _SHARE)
    try:
        size = float(said)
    except ValueError:
        size = 0.0
    if not 0.25 <= size < 1e6:
        raise ConfigError(f"{MEMORY}={said}: expected a number of GB, at least 0.25 (for example 8)")
    return int(size * 1e9)


def in_words(size: int) -> str:
    """A size for a person: "64 MiB", "512 bytes"."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size:,} bytes"


def shortened(text: str, most: int = REASON_CHARS) -> str:
    """A text with no more than `most` characters, and three dots where more follow."""
    return text if len(text) <= most else f"{text[:most]} ..."


def names(columns: list[str] | tuple[str, ...]) -> str:
    """Columns for a message, the first of them where there are many."""
    shown = ", ".join(shortened(name, 100) for name in columns[:NAMED_COLUMNS])
    more = len(columns) - NAMED_COLUMNS
    return f"{shown} and {more:,} more" if more > 0 else shown


def _machine_bytes() -> int:
    """The machine's memory, or as much of it as this container may use."""
    total = int(psutil.virtual_memory().total)
    for file in _CGROUPS:
        try:
            said = file.read_text(encoding="ascii").strip()
        except OSError:
            continue  # not Linux, or another version of control groups
        if said.isdecimal():
            total = min(total, int(said))
    return total
