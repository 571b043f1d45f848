"""Counts of how a pool's rows were read, for the sentence that reports them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from backend.records import RowsRead

# what differs between rows that are left out for the same reason
_OWN = (
    (re.compile(r" \((?:known|found): .*\)$", re.DOTALL), ""),
    (re.compile(r"^line \d+(?:, column \d+)?: "), ""),
    (re.compile(r'("[^"]*") (turn|entry) \d+\b:?'), r"a \2 of \1"),
    (re.compile(r"\b(line|column) \d+\b"), r"a \1"),
    (re.compile(r"\ba number \(.*?\)"), "a number"),
    (re.compile(r"\((Unterminated|Expecting|Extra|Invalid)[^)]*\)"), r"(\1 ...)"),
)
_MOST_KINDS = 1000


class Account:
    """Takes the rows of a pool as they are read."""

    def __init__(self) -> None:
        self._rows = self._chosen = self._bad = 0
        self._reasons: Counter[str] = Counter()
        self._notes: dict[str, None] = {}

    def add(self, samples: int, *, chosen: int = 0, bad: int = 0) -> None:
        """Rows that became samples."""
        self._rows += samples
        self._chosen += chosen
        self._bad += bad

    def left_out(self, reason: str) -> None:
        """A row that did not."""
        self._rows += 1
        kind = kind_of_reason(reason)
        if kind not in self._reasons and len(self._reasons) >= _MOST_KINDS:
            kind = "it cannot be read"
        self._reasons[kind] += 1

    def note(self, sentence: str) -> None:
        """Something else that was left aside."""
        self._notes[sentence] = None

    def told(self, mapping: Mapping[str, str]) -> RowsRead:
        """What was done to all of them."""
        reasons = tuple(self._reasons.most_common())
        return RowsRead(self._rows, reasons, self._chosen, self._bad, dict(mapping), tuple(self._notes))


def kind_of_reason(reason: str) -> str:
    """A reason without what only one row has, fit to follow "because"."""
    for pattern, instead in _OWN:
        reason = pattern.sub(instead, reason)
    if reason.startswith(("is ", "holds ", "cannot ")):
        reason = f"it {reason}"
    return reason if len(reason) <= 200 else f"{reason[:199]}…"
