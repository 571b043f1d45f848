"""A run's log by the line, however long it is: where each line begins is found once and kept, and grows with the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np

from backend.errors import RunError
from backend.store.paths import log_path

KEPT = 4  # logs whose lines are known at a time
BLOCK = 1 << 24  # bytes looked through at a time
LONGEST = 4000  # characters of a line that are given; a longer one ends in "…"
MOST_FOUND = 20_000  # lines that a search names


@dataclass(frozen=True)
class Found:
    """Lines of a log that hold some words: their numbers from 0, the first `MOST_FOUND`, and how many there are."""

    lines: np.ndarray
    count: int


@dataclass
class _Lines:
    """What is known of a log file.

    starts : (m,) int64, where each whole line begins. moments : (m,) int32, the time of day in seconds that a line
        begins with ("14:03:59 ..."), -1 where it begins with none. end : bytes looked through, the end of a line.
    """

    inode: int = 0
    starts: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    moments: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    end: int = 0


_known: dict[Path, _Lines] = {}
_lock = Lock()


def log_stamp(home: Path, run_id: str) -> tuple[int, int]:
    """(size in bytes, time of the last change in nanoseconds) of a run's log; (0, 0) where there is none."""
    try:
        found = log_path(home, run_id).stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def log_moments(home: Path, run_id: str) -> np.ndarray:
    """(m,) int32: the time of day in seconds that each line of a run's log begins with, -1 where it has none."""
    return _lines(log_path(home, run_id)).moments


def log_lines(home: Path, run_id: str, start: int, count: int) -> list[str]:
    """`count` lines of a run's log from line `start` on, fewer at its end; an unfinished last line is left out."""
    path = log_path(home, run_id)
    known = _lines(path)
    start, stop = max(start, 0), min(start + count, len(known.starts))
    if start >= stop:
        return []
    begin = int(known.starts[start])
    end = int(known.starts[stop]) if stop < len(known.starts) else known.end
    with open(path, "rb") as file:
        file.seek(begin)
        data = file.read(end - begin)
    return [_shown(line) for line in data[:-1].split(b"\n")]


def find_in_log(home: Path, run_id: str, words: str) -> Found:
    """The lines of a run's log that hold these words, whatever their case (in the Latin alphabet)."""
    path = log_path(home, run_id)
    known = _lines(path)
    wanted = words.encode().lower()
    if not wanted or not known.end:
        return Found(np.empty(0, dtype=np.int64), 0)
    lines: list[np.ndarray] = []
    with open(path, "rb") as file:
        at = 0
        while at < len(known.starts):
            # whole lines at a time, so that nothing is missed between two blocks
            begin = int(known.starts[at])
            to = int(np.searchsorted(known.starts, begin + BLOCK, side="left"))
            end = int(known.starts[to]) if to < len(known.starts) else known.end
            file.seek(begin)
            data = file.read(end - begin).lower()
            places = _places(data, wanted)
            lines.append(
                np.unique(np.searchsorted(known.starts[at:to], places + begin, side="right") - 1 + at)
            )
            at = to
    found = np.concatenate(lines)
    return Found(found[:MOST_FOUND], len(found))


def _places(data: bytes, wanted: bytes) -> np.ndarray:
    """Where `wanted` stands in `data`, at most once a line."""
    found = []
    at = data.find(wanted)
    while at >= 0:
        found.append(at)
        next_line = data.find(b"\n", at)
        at = data.find(wanted, next_line) if next_line >= 0 else -1
    return np.array(found, dtype=np.int64)


def _lines(path: Path) -> _Lines:
    """What is known of a log, with what was printed since it was looked at last."""
    with _lock:
        known = _known.pop(path, _Lines())
        try:
            file = open(path, "rb")  # noqa: SIM115
        except FileNotFoundError:
            return _Lines()
        except OSError as error:
            raise RunError(f"{path} cannot be read ({error.strerror or error})") from error
        with file:
            stat = path.stat()
            if stat.st_ino != known.inode or stat.st_size < known.end:
                known = _Lines(inode=stat.st_ino)  # another file, or one that was emptied
            file.seek(known.end)
            rest = b""  # a line that is being written, or goes on in the next block
            while data := file.read(BLOCK):
                last = data.rfind(b"\n") + 1
                if last:
                    known = _grown(known, rest + data[:last])
                rest = data[last:] if last else rest + data
        _known[path] = known
        while len(_known) > KEPT:
            _known.pop(next(iter(_known)))
        return known


def _grown(known: _Lines, data: bytes) -> _Lines:
    """`known` with the whole lines of `data`, which stand at its end."""
    text = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1])
    moments = _moments(text, starts, ends - starts)
    return _Lines(
        known.inode,
        np.concatenate([known.starts, starts + known.end]),
        np.concatenate([known.moments, moments]),
        known.end + len(data),
    )


def _moments(text: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(k,) int32: seconds of the day where a line begins with HH:MM:SS, else -1."""
    moments = np.full(len(starts), -1, dtype=np.int32)
    long = np.flatnonzero(lengths >= 8)
    if not len(long):
        return moments
    head = text[starts[long][:, None] + np.arange(8)].astype(np.int32)
    digits = head[:, [0, 1, 3, 4, 6, 7]] - ord("0")
    fits = ((digits >= 0) & (digits <= 9)).all(axis=1) & (head[:, 2] == ord(":")) & (head[:, 5] == ord(":"))
    seconds = digits @ np.array([36000, 3600, 600, 60, 10, 1], dtype=np.int32)
    moments[long[fits]] = seconds[fits]
    return moments


def _shown(line: bytes) -> str:
    """A line as a terminal would leave it: what a progress bar has written over is gone."""
    text = line.rstrip(b"\r").rsplit(b"\r", 1)[-1].decode("utf-8", errors="replace")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
