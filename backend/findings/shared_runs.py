"""Runs of words that samples share with evaluation data: the test for contamination of Brown et al. 2020 (GPT-3, appendix C)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backend.findings.texts import words_of

RUN = 13  # words
# a run in more of the pool's different samples than this is a set phrase or a template: the bound that GPT-3's authors used
COMMON = 10
CHUNK = 4096  # samples whose words are numbered at once


@dataclass(frozen=True)
class SharedRun:
    """Words that a sample has in common with an evaluation row. other : that row. words : in lower case, at least 13."""

    other: int
    words: tuple[str, ...]


def shared_runs(
    texts: Sequence[str],
    others: Sequence[str],
    *,
    copies: np.ndarray | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> tuple[dict[int, SharedRun], np.ndarray]:
    """The texts that have a run of 13 words, compared in lower case and without punctuation, in common with another text.

    A run that more than ten of the texts have, copies counted once, is a set phrase or the template of a task, and counts for none.

    texts, others : the pool's and the evaluation's texts.
    copies : (n,) bool, the texts that are a copy of an earlier one; None for none.
    on_progress : called with texts done; may raise to stop.

    Returns
    -------
    found : by row the other text that shares most of its different runs, the first among equals, and the longest stretch of
        the row's words whose every run stands in that other text, the first among equals.
    common : (k,) int64, rows that share runs, but only those that are too common to count.
    """
    numbers, table = _numbered(others)
    rows, starts, runs = _matches(texts, numbers, table, on_progress)
    counted = runs if copies is None else runs[~copies[rows]]
    counted_rows = rows if copies is None else rows[~copies[rows]]
    frequent = np.bincount(_distinct(counted_rows, counted)[1], minlength=table.count) > COMMON
    kept = ~frequent[runs]
    common = np.setdiff1d(rows, rows[kept]).astype(np.int64)
    rows, starts, runs = rows[kept], starts[kept], runs[kept]
    found: dict[int, SharedRun] = {}
    ends = np.append(np.flatnonzero(np.diff(rows)) + 1, len(rows)).tolist() if len(rows) else []
    for begin, end in zip([0, *ends], ends, strict=False):
        row = int(rows[begin])
        other = _most_shared(runs[begin:end], table)
        with_other = np.array([other in table.rows_of(run) for run in runs[begin:end].tolist()])
        first, many = _longest_stretch(starts[begin:end][with_other])
        found[row] = SharedRun(other, tuple(words_of(texts[row])[first : first + many + RUN - 1]))
    return found, common


@dataclass(frozen=True)
class _Runs:
    """The different runs of the other texts.

    marks : (r,) uint64 hashes, ascending. spelt : (r, 13) int32, the numbers of their words.
    holders, offsets : rows that have run i are holders[offsets[i] : offsets[i + 1]], ascending.
    """

    marks: np.ndarray
    spelt: np.ndarray
    holders: np.ndarray
    offsets: np.ndarray

    @property
    def count(self) -> int:
        return len(self.marks)

    def rows_of(self, run: int) -> list[int]:
        return self.holders[self.offsets[run] : self.offsets[run + 1]].tolist()


def _numbered(others: Sequence[str]) -> tuple[dict[str, int], _Runs]:
    """A number for each word of the other texts, and the table of their runs."""
    numbers: dict[str, int] = {}
    spelt = [[numbers.setdefault(word, len(numbers)) for word in words_of(text)] for text in others]
    words, row, _ = _laid_out(spelt)
    marks, at = _marks(words)
    marks, first, which = np.unique(marks, return_index=True, return_inverse=True)
    pairs = _distinct(which, row[at])
    offsets = np.concatenate([[0], np.cumsum(np.bincount(pairs[0], minlength=len(marks)))]).astype(np.int64)
    places = at[first][:, None] + np.arange(RUN)
    return numbers, _Runs(marks, words[places], pairs[1], offsets)


def _matches(
    texts: Sequence[str], numbers: dict[str, int], table: _Runs, on_progress: Callable[[int], None] | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the texts have runs of the table: row, number of the run's first word in it, and the run."""
    found = [np.zeros((3, 0), dtype=np.int64)]
    for begin in range(0, len(texts), CHUNK):
        if on_progress is not None:
            on_progress(begin)
        if not table.count:
            break
        part = [[numbers.get(word, -1) for word in words_of(text)] for text in texts[begin : begin + CHUNK]]
        words, row, place = _laid_out(part)
        marks, at = _marks(words)
        run = np.minimum(np.searchsorted(table.marks, marks), table.count - 1)
        same = table.marks[run] == marks
        at, run = at[same], run[same]
        # two different runs may have one hash
        same = (words[at[:, None] + np.arange(RUN)] == table.spelt[run]).all(axis=1)
        at, run = at[same], run[same]
        found.append(np.stack([row[at] + begin, place[at], run]))
    rows, starts, runs = np.concatenate(found, axis=1)
    return rows, starts, runs


def _distinct(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(2, k) int64: the different pairs, ascending."""
    pairs = np.stack([a, b]).astype(np.int64)
    return np.unique(pairs, axis=1) if pairs.size else pairs


def _laid_out(spelt: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All words one behind the other with a -1 behind each text; and the text and the place in it of each word."""
    counts = np.array([len(words) + 1 for words in spelt], dtype=np.int64)
    words = np.fromiter(
        (number for text in spelt for number in (*text, -1)), dtype=np.int32, count=int(counts.sum())
    )
    row = np.repeat(np.arange(len(spelt), dtype=np.int64), counts)
    place = np.arange(len(words), dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)
    return words, row, place


def _marks(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A hash of every run of known words, and where it begins."""
    windows = len(words) - RUN + 1
    if windows <= 0:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
    unknown = np.concatenate([[0], np.cumsum(words < 0)])
    at = np.flatnonzero(unknown[RUN:] == unknown[:-RUN]).astype(np.int64)
    marks = np.zeros(len(at), dtype=np.uint64)
    for k in range(RUN):
        marks = (marks ^ words[at + k].astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        marks ^= marks >> np.uint64(29)
    return marks, at


def _most_shared(runs: np.ndarray, table: _Runs) -> int:
    """The row that has most of these different runs, the first among equals."""
    holders = [table.holders[table.offsets[run] : table.offsets[run + 1]] for run in np.unique(runs)]
    known, counts = np.unique(np.concatenate(holders), return_counts=True)
    return int(known[counts.argmax()])


def _longest_stretch(starts: np.ndarray) -> tuple[int, int]:
    """First and length of the longest stretch of consecutive numbers, the first among equals. starts : ascending."""
    breaks = np.flatnonzero(np.diff(starts) != 1) + 1
    parts = np.split(starts, breaks)
    longest = max(parts, key=len)
    return int(longest[0]), len(longest)
