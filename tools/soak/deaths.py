"""A process that does one thing to a folder and dies right before its Nth touch of it, as `kill -9` would have it die.

Counted are what Python tells of files (`sys.addaudithook`: opened for writing, renamed, removed, made), what is written into an
open one, a table of Arrow's that is begun or ended, and each statement that SQLite runs and that is no question. What lies in
a buffer is lost, as it is where a process is killed; what was written is there, as it is where the machine goes on.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

DIED = 9
NOW = 1_700_000_000.0  # of every such process, so that what it writes can be compared
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
MOVES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink")
INTO_A_FILE = ("write", "writelines", "truncate", "sendfile", "__exit__", "close")
OF_A_TABLE = ("write_table", "write", "close")
QUESTIONS = ("select", "pragma synchronous", "pragma foreign_keys", "--")


@dataclass(frozen=True)
class Told:
    """What came of such a process.

    died : whether it was ended at a point. points : how many it came to. last : the point at which it died, in words.
    trace : the traceback that it ended in; "" where it ended in none.
    """

    died: bool
    points: int
    last: str
    trace: str


def do_and_die(do: Callable[..., None], arguments: tuple[Any, ...], place: Path, number: int) -> Told:
    """Let a process do something below a folder, and end it right before point `number`; 0 lets it get through."""
    context = multiprocessing.get_context("forkserver")
    # each process is a copy of one that has read all code
    context.set_forkserver_preload([__name__, "tools.soak.write_operations"])
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(do, arguments, str(place), number, there))
    process.start()
    there.close()
    try:
        told = json.loads(here.recv())
    except EOFError:
        told = {"points": 0, "last": "", "trace": "it ended before it could tell anything"}
    process.join()
    here.close()
    return Told(process.exitcode == DIED, **told)


def _child(
    do: Callable[..., None], arguments: tuple[Any, ...], place: str, number: int, connection: Any
) -> None:
    points = _Points(place, number, connection)
    time.time = lambda: NOW
    trace = ""
    try:
        points.begin()
        do(*arguments)
    except Exception:  # noqa: BLE001 - what this program looks for
        trace = traceback.format_exc()
    points.end(trace)


class _Points:
    """Counts what touches a folder, and ends the process at one of them."""

    def __init__(self, place: str, number: int, connection: Any) -> None:
        self.place, self.number, self.connection = os.path.realpath(place), number, connection
        self.count, self.active, self.database, self.statement = 0, False, "", ""
        self.written: Counter[str] = Counter()
        self.opened: list[sqlite3.Connection] = []

    def begin(self) -> None:
        self.active = True
        sys.addaudithook(self._audit)
        sys.setprofile(self._profile)

    def end(self, trace: str) -> None:
        sys.setprofile(None)
        self.active = False
        self._tell("", trace)
        os._exit(1 if trace else 0)

    def _tell(self, last: str, trace: str) -> None:
        self.connection.send(json.dumps({"points": self.count, "last": last, "trace": trace}))

    def _point(self, words: str) -> None:
        self.count += 1
        if self.count == self.number:
            self.active = False
            sys.setprofile(None)
            self._tell(words, "")
            os._exit(DIED)

    def _inside(self, path: Any) -> bool:
        if isinstance(path, int):  # a file that was opened by its number, where the system says which it is
            try:
                path = os.readlink(f"/proc/self/fd/{path}")
            except OSError:
                return False
        if not isinstance(path, (str, bytes, os.PathLike)):
            return False
        return os.path.abspath(os.fsdecode(path)).startswith(self.place + os.sep)

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.active:
            return
        if event == "open":
            path, _, flags = args
            if flags is not None and flags & WRITES and self._inside(path):
                self._point(f"open {_name(path)}")
        elif event in MOVES:
            # a whole folder is removed by names within it
            within = event in ("os.remove", "os.rmdir") and args[-1] != -1
            if within or self._inside(args[0]):
                self._point(f"{event.removeprefix('os.')} {_name(args[0])}")
        elif event == "sqlite3.connect":
            self.database = os.path.basename(os.fsdecode(args[0])) if self._inside(args[0]) else ""
        elif event == "sqlite3.connect/handle" and self.database:
            self.opened.append(args[0])  # it can be told only once its making is over

    def _statement(self, text: str) -> None:
        begun = " ".join(text.split()[:4])
        # of many rows put into one table the first is enough
        if self.active and not text.lstrip().lower().startswith(QUESTIONS) and begun != self.statement:
            self.statement = begun
            self._point(f"SQLite: {begun}")

    def _profile(self, frame: FrameType, event: str, of: Any) -> None:
        if not self.active:
            return
        if (
            event == "c_call"
            and self.opened
            and isinstance(getattr(of, "__self__", None), sqlite3.Connection)
        ):
            for connection in self.opened:
                connection.set_trace_callback(self._statement)
            self.opened.clear()
        if event == "c_call" and getattr(of, "__name__", "") in INTO_A_FILE:
            file = of.__self__
            path = getattr(file, "name", None)
            if of.__name__ == "sendfile":
                self._point("sendfile")
            elif path is not None and getattr(file, "mode", "r") not in ("r", "rb") and self._inside(path):
                name = f"{of.__name__} {_name(path)}"
                self.written[name] += 1
                if self.written[name] <= 2:
                    self._point(name)
        elif (
            event == "call"
            and frame.f_code.co_name in OF_A_TABLE
            and frame.f_code.co_filename.endswith(os.path.join("pyarrow", "parquet", "core.py"))
        ):
            self._point(f"Arrow: {frame.f_code.co_name}")


def _name(path: Any) -> str:
    """A file's name without its folder; of one that has only a number, that."""
    return str(path) if isinstance(path, int) else os.path.basename(os.fsdecode(path))
