"""What a terminal shows: progress on stderr, tables and data on stdout."""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

STAGES = {
    "load": "reading",
    "score": "scoring",
    "select": "selecting",
    "review": "waiting for a review",
    "train": "training",
    "evaluate": "measuring held-out loss",
    "map": "laying out the map",
    "save": "saving the model",
}


def take_every_character() -> None:
    """Let stdout and stderr write "?" for what their encoding lacks, as that of a redirected Windows terminal does: samples hold
    every script, and no command should end for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not what a test or a notebook puts in its place
            stream.reconfigure(errors="replace")


def say(text: str) -> None:
    """A line for the person at the terminal, on stderr."""
    print(text, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """JSON on stdout; what is not a number there is null. In an encoding that lacks characters these are escaped."""
    whole = codecs.lookup(sys.stdout.encoding or "utf-8").name.startswith("utf")
    print(json.dumps(without_nan(value), indent=2, ensure_ascii=not whole))


def without_nan(value: Any) -> Any:
    """Plain JSON values: NumPy numbers as numbers, NaN and infinity as null."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(item) for item in value]
    return value


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: Sequence[str] = ()
) -> None:
    """A table on stdout; numbers are right-aligned, the columns named in `left` are not."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="left" if name in left else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    # names and errors are data: nothing in them is markup
    console = Console(highlight=False, markup=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = 200  # a pipe has no width; wrapping a table for it would only break it
    console.print(table)


class Bar:
    """A progress bar on stderr whose task may change; silent where stderr is not a terminal."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: Any = None
        self._what = ""

    def show(self, what: str, done: int, total: int, unit: str = "") -> None:
        """Show how far `what` is; total 0 where that is not known."""
        if self._task is None or what != self._what:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._task, self._what = self._progress.add_task(what, total=None, unit=unit), what
        self._progress.update(self._task, completed=done, total=total or None)


@contextlib.contextmanager
def progress_bar() -> Iterator[Bar]:
    """A progress bar that vanishes at the end of the block."""
    bar = Bar()
    if not bar._progress.console.is_terminal:
        yield bar
        return
    with bar._progress:
        yield bar


def number(value: float | None, digits: int = 3) -> str:
    """A number for a table; a dash where it is not known."""
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:,.{digits}f}" if digits else f"{value:,.0f}"


def share(value: float | None) -> str:
    """A share as percent; a dash where it is not known."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.0%}"


def duration(seconds: float | None) -> str:
    """Seconds as words: 8 s, 3 min 05 s, 2 h 10 min; a dash where it is not known."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def moment(at: float | None) -> str:
    """A time of this machine's clock: 2025-11-22 17:44:55."""
    return "-" if at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
