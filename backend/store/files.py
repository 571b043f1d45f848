"""Files that a reader sees whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from backend.errors import DiskError, PoolError, StudioError, disk_full, is_full

# what reading a damaged file ends in: of one that is whole but not what it should be, anything but its values come out
DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    OverflowError,
    pa.ArrowException,
)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; what was written there takes `path`'s place at the end of the block.

    Two writers do not meet: each has a name of its own, and the later rename wins. After an error the old file
    stays and the temporary one is gone.
    """
    path = Path(path)
    with room_for(path):
        yield from _replacing(path)


def _replacing(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    # the ending is kept: writers such as numpy.savez choose by it, or add their own
    temporary = path.with_name(f".{path.stem}.{os.getpid()}-{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):  # it is not there, or its folder can only be read
            temporary.unlink()


@contextlib.contextmanager
def room_for(path: Path) -> Iterator[None]:
    """The block writes `path`: a disk that is full, or can only be read, becomes a sentence.

    Raises
    ------
    DiskError : there is no room, or nothing may be written there.
    """
    try:
        yield
    except DiskError:
        raise
    except Exception as error:
        if is_full(error):
            raise DiskError(disk_full(error, path)) from error
        if isinstance(error, IsADirectoryError):
            raise DiskError(f"{path} cannot be written: a folder stands in its place; remove it") from error
        if isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES):
            raise DiskError(f"{path} cannot be written: its folder can only be read") from error
        raise


@contextlib.contextmanager
def named(
    path: Path,
    *,
    error: type[StudioError] = PoolError,
    advice: str = "delete it to make it again",
) -> Iterator[None]:
    """The block reads `path`: damage becomes an error that names the file and says what to do; a missing file stays one.

    Raises
    ------
    StudioError : of the given kind.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except DAMAGE as found:
        why = str(found).splitlines()[0] if str(found) else type(found).__name__
        if isinstance(found, (KeyError, TypeError, IndexError, AttributeError)):
            why = f"it is not what it should be: {type(found).__name__}: {why}"
        raise error(f"{path} cannot be read ({why}); {advice}") from found


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place at the end of the block, with all that it holds."""
    path = Path(path)
    with room_for(path):
        yield from _replacing_folder(path)


def _replacing_folder(path: Path) -> Iterator[Path]:
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


def remove_folder(path: Path) -> None:
    """Remove a folder at once, so that no reader sees it half removed; does nothing if it does not exist."""
    shutil.rmtree(put_away(path), ignore_errors=True)


def put_away(path: Path) -> Path:
    """Rename a folder that is to be removed, so that it is gone at once for whoever reads; returns where it lies then."""
    gone = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.gone")
    with room_for(path), contextlib.suppress(FileNotFoundError):
        os.replace(path, gone)
    return gone


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, readable for a person, as a whole."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def append_line(path: Path, value: Any) -> None:
    """Append one JSON value as a line; a line that a dying writer left unfinished before is cut off first.

    One writer per file.
    """
    line = (json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n").encode()
    with room_for(path), open(path, "ab+") as file:
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
