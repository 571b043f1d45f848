"""Files that a reader sees whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; what was written there takes `path`'s place at the end of the block.

    Two writers do not meet: each has a name of its own, and the later rename wins. After an error the old file
    stays and the temporary one is gone.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # the ending is kept: writers such as numpy.savez choose by it, or add their own
    temporary = path.with_name(f".{path.stem}.{os.getpid()}-{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place at the end of the block, with all that it holds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    mark = f"{os.getpid()}-{secrets.token_hex(4)}"
    temporary = path.with_name(f".{path.name}.{mark}.new")
    temporary.mkdir()
    try:
        yield temporary
        if path.exists():  # a folder cannot be renamed over one that holds something
            old = path.with_name(f".{path.name}.{mark}.old")
            os.replace(path, old)
            os.replace(temporary, path)
            shutil.rmtree(old)
        else:
            os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, readable for a person, as a whole."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def append_line(path: Path, value: Any) -> None:
    """Append one JSON value as a line; a line that a dying writer left unfinished before is cut off first.

    One writer per file.
    """
    line = (json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n").encode()
    with open(path, "ab+") as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            if file.read(1) != b"\n":
                file.truncate(_end_of_last_line(file, end))
        file.write(line)


def read_lines(path: Path) -> list[Any]:
    """The JSON values of a file, a line each; an unfinished last line is left out, no file is no lines."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines() if line.strip()]


def _end_of_last_line(file: Any, end: int, block: int = 65536) -> int:
    """Position after the last newline before `end`."""
    while end > 0:
        start = max(0, end - block)
        file.seek(start)
        at = file.read(end - start).rfind(b"\n")
        if at >= 0:
            return start + int(at) + 1
        end = start
    return 0
