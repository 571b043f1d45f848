"""A run's log on the page: what its worker printed, with what happened to it in between, fetched by the row."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from backend import store
from backend.errors import StudioError
from backend.store import Event

Value = dict[str, Any]
MOST_ROWS, LONGEST_WORDS = 1000, 200
HALF_DAY, DAY = 43200, 86400


def log_value(home: Path, run: str) -> Value:
    """What the page must know of a log to ask for its rows."""
    events, lines = store.events(home, run), len(store.log_moments(home, run))
    return {
        "run": run,
        "total": lines + len(events),
        "stamp": f"{store.log_stamp(home, run)} {len(events)}",
        "waiting": "Nothing has happened yet.",
    }


def log_functions(home: Path) -> list[Callable[[list[Any]], Value]]:
    """`rows` and `find` of the log; what the page asks for is checked."""

    def rows(asked: list[Any]) -> Value:
        try:
            run, start, count = str(asked[0]), int(asked[1]), int(asked[2])
            return {"rows": log_rows(home, run, max(start, 0), min(max(count, 0), MOST_ROWS))}
        except (StudioError, ValueError, TypeError, IndexError) as error:
            return {"error": str(error)}

    def find(asked: list[Any]) -> Value:
        try:
            found = find_rows(home, str(asked[0]), str(asked[1])[:LONGEST_WORDS])
        except (StudioError, ValueError, TypeError, IndexError) as error:
            return {"error": str(error)}
        return {"count": found[1], "rows": found[0].tolist()}

    return [rows, find]


def log_rows(home: Path, run: str, start: int, count: int) -> list[Value]:
    """Some rows of a log: its lines, and between them what happened, each with its kind ("" for a line)."""
    events = store.events(home, run)
    places = places_of(events, store.log_moments(home, run))
    first = start - int((places < start).sum())
    lines = iter(store.log_lines(home, run, first, count))
    at = {int(place): event for place, event in zip(places, events, strict=True)}
    found = []
    for row in range(start, start + count):
        if row in at:
            found.append({"text": event_text(at[row]), "kind": at[row].kind})
        elif (line := next(lines, None)) is not None:
            found.append({"text": line, "kind": ""})
        elif row > (int(places[-1]) if len(places) else -1):
            break
    return found


def find_rows(home: Path, run: str, words: str) -> tuple[np.ndarray, int]:
    """(rows of a log that hold these words, ascending; how many there are)."""
    events = store.events(home, run)
    places = places_of(events, store.log_moments(home, run))
    found = store.find_in_log(home, run, words)
    # the k-th event stands before line places[k] - k
    rows = found.lines + np.searchsorted(places - np.arange(len(places)), found.lines, side="right")
    own = [
        place
        for place, event in zip(places.tolist(), events)
        if words and words.lower() in event_text(event).lower()
    ]
    return np.sort(np.concatenate([rows, np.array(own, dtype=np.int64)])), found.count + len(own)


def places_of(events: list[Event], moments: np.ndarray) -> np.ndarray:
    """(e,) int64: the row of each event among the lines. moments : see `store.log_moments`.

    Lines carry the time of day only: one that is much earlier than the line before it is of the next day.
    """
    if not events:
        return np.empty(0, dtype=np.int64)
    begun = time.localtime(events[0].at)
    midnight = events[0].at - (begun.tm_hour * 3600 + begun.tm_min * 60 + begun.tm_sec)
    known = np.flatnonzero(moments >= 0)
    times = np.full(len(moments), -np.inf)
    if len(known):
        told = moments[known].astype(np.float64)
        days = np.cumsum(np.diff(told, prepend=told[0]) < -HALF_DAY)
        times[known] = told + DAY * days + midnight
        times = np.maximum.accumulate(times)
    lines = np.searchsorted(times, [np.floor(event.at) for event in events], side="right")
    return np.maximum.accumulate(lines) + np.arange(len(events))


def event_text(event: Event) -> str:
    """An event as a line."""
    return f"{time.strftime('%H:%M:%S', time.localtime(event.at))}  {event.text}"
