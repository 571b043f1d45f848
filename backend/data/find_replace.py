"""Find and replace in texts, plain or by a regular expression, with where each place is; nothing is changed here.

A regular expression of a visitor may take for ever ("(a+)+$"), and Python cannot interrupt one: it runs in a process
of its own (`pattern_process`) that is ended when its time is up.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.data.response_edits import refusal
from backend.errors import PoolError
from backend.records import Pool

SECONDS = 5.0
MOST_FIND = 1000  # characters of what is looked for, and of what replaces it
_PROCESS = Path(__file__).with_name("pattern_process.py")

# (begin, end) in the old text and (begin, end) in the new one
Place = tuple[int, int, int, int]


@dataclass(frozen=True)
class Replaced:
    """One text with replacements. index : its number among those given. new : the text afterwards. places : in order."""

    index: int
    new: str
    places: tuple[Place, ...]


def replacements(
    texts: Sequence[str],
    find: str,
    replacement: str,
    *,
    regex: bool = False,
    case: bool = True,
    seconds: float = SECONDS,
) -> list[Replaced]:
    """What replacing makes of the texts: those that change, in order.

    regex : `find` is a regular expression as Python's `re` reads it (^ and $ at each line), and \\1 or \\g<name> in
        `replacement` are its groups. case : whether capital and small letters differ.
    seconds : that a regular expression may take over all texts.

    Raises
    ------
    PoolError : nothing to find, a broken expression, one that finds the empty text, or one that takes too long.
    """
    if not find:
        raise PoolError("type what to find")
    for name, text in (("text to find", find), ("replacement", replacement)):
        if len(text) > MOST_FIND:
            raise PoolError(f"the {name} has {len(text):,} characters; the limit is {MOST_FIND:,}")
    if not regex:
        flags = re.NOFLAG if case else re.IGNORECASE
        return _plain(texts, re.compile(re.escape(find), flags), replacement)
    try:
        re.compile(find)
    except (re.error, RecursionError, OverflowError) as error:
        raise PoolError(f"{find!r} is not a regular expression: {error}") from error
    return _in_process(texts, find, replacement, case, seconds)


def _plain(texts: Sequence[str], pattern: re.Pattern[str], replacement: str) -> list[Replaced]:
    found = []
    for index, text in enumerate(texts):
        places, longer = [], 0
        for match in pattern.finditer(text):
            begin, end = match.span()
            places.append((begin, end, begin + longer, begin + longer + len(replacement)))
            longer += len(replacement) - (end - begin)
        if places:
            new = pattern.sub(lambda match: replacement, text)
            if new != text:
                found.append(Replaced(index, new, tuple(places)))
    return found


def _in_process(
    texts: Sequence[str], find: str, replacement: str, case: bool, seconds: float
) -> list[Replaced]:
    asked = json.dumps({"texts": list(texts), "find": find, "replacement": replacement, "case": case})
    try:
        # -I: nothing of this folder or of the environment stands in for one of Python's modules
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(_PROCESS)],
            input=asked,
            capture_output=True,
            text=True,
            encoding="ascii",
            timeout=seconds + len(asked) / 20e6,  # and what reading and writing the texts takes
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PoolError(
            f"the regular expression {find!r} takes more than {seconds:g} seconds on these {len(texts):,} samples; "
            "make it simpler, or list fewer samples"
        ) from error
    if done.returncode:
        raise PoolError(
            f"the regular expression {find!r} could not be used: it took too much memory, or its process was ended"
        )
    answer = json.loads(done.stdout)
    if answer["error"]:
        raise PoolError(answer["error"])
    return [Replaced(index, new, tuple(map(tuple, places))) for index, new, places in answer["found"]]


@dataclass(frozen=True)
class ReplacePlan:
    """What find and replace would do to a pool.

    changes : the new response by sample id, in the order asked for. places : of each, where.
    refused : samples that would change and stay as they are, with the reason.
    """

    changes: dict[str, str]
    places: dict[str, tuple[Place, ...]]
    refused: dict[str, str]

    @property
    def count(self) -> int:
        """Places in all samples that change."""
        return sum(map(len, self.places.values()))


def plan_replacements(
    pool: Pool,
    rows: np.ndarray,
    find: str,
    replacement: str,
    *,
    regex: bool = False,
    case: bool = True,
    seconds: float = SECONDS,
) -> ReplacePlan:
    """What replacing does to the responses of some samples ((m,) int64 rows); see `replacements`.

    Raises
    ------
    PoolError : as `replacements`, and where nothing is found or nothing may change; says which.
    """
    texts = pool.take(rows, ["response"])["response"].to_pylist()
    found = replacements(texts, find, replacement, regex=regex, case=case, seconds=seconds)
    if not found:
        what = f"the regular expression {find!r}" if regex else repr(find)
        raise PoolError(f"{what} changes none of these {len(rows):,} responses")
    at = np.array([rows[one.index] for one in found], dtype=np.int64)
    changes: dict[str, str] = {}
    places: dict[str, tuple[Place, ...]] = {}
    refused: dict[str, str] = {}
    for one, row, sample in zip(found, at.tolist(), pool.conversations(at)):
        name = str(pool.ids[row])
        reason = refusal(sample, one.new)
        if reason:
            refused[name] = reason
        else:
            changes[name], places[name] = one.new, one.places
    if not changes:
        raise PoolError(
            f"{len(refused):,} {'sample' if len(refused) == 1 else 'samples'} would change, and none may: {next(iter(refused.values()))}"
        )
    return ReplacePlan(changes, places, refused)
