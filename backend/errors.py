"""What can go wrong, as one tree: each message says where, what was found and what is allowed.

StudioError
|- PoolError      a file, a row or a column mapping cannot be read
|- ConfigError    a setting is out of range, unknown, or contradicts another
|- ModelError     a model or tokenizer cannot be loaded or does not fit the pool
|- ScoresError    stored scores are missing or belong to another pool
|- RunError       a run folder is missing, broken, or in the wrong state
|- SearchError    a search that cannot be made, or a pool whose index is not there
|- ModelProcessError  the process that has the models died, takes too long, or could not do what was asked
|- AskingError    models cannot be asked this
|- DiskError      a disk is full, or the folder of runs can only be read
|- EvaluationError  a model cannot be evaluated, or an evaluation is not in the state that was asked for
|- AnotherFailed  another process of this run failed, and says why itself
|- ProcessGone    another process of this run exited without an error message
`- Stopped        somebody asked this work to stop (not a failure)
"""

from __future__ import annotations

import errno
import re
import sqlite3
from pathlib import Path, PurePath
from typing import ClassVar

_FULL_WORDS = (
    "no space left on device",
    "disk is full",
    "disk quota exceeded",
    "(os error 28)",
    "(os error 122)",
)
# an absolute path, of Windows too; what stands before its first slash tells it from "and/or", an address, a closing tag
_PATH = re.compile(r"""(?<![\w.:/<~%-])(?:~|[A-Za-z]:(?=\\))?(?:[/\\][^\s/\\:'"<>|,;()\[\]{}]+)+[/\\]?""")


def without_folders(words: str) -> str:
    """A text with each path cut to its last part, for readers who need not know where the server keeps its files."""
    for folder in StudioError.hidden:  # these may hold blanks
        if PurePath(folder).name:  # not the root of all, which some containers have for a home
            words = words.replace(f"{folder}/", "").replace(folder, PurePath(folder).name)
    return _PATH.sub(lambda found: re.split(r"[/\\]", found[0].rstrip("/\\"))[-1] or found[0], words)


def first_line(error: BaseException) -> str:
    """The first line of an error's text; its kind where it has none."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def in_a_line(error: BaseException) -> str:
    """An error for the person at the screen: of one that nobody expected, its kind and the first line of its text."""
    if isinstance(error, StudioError):
        return str(error)
    if is_full(error):
        return disk_full(error)
    kind, first = type(error).__name__, first_line(error)
    return first if first == kind else f"{kind}: {first}"


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that led to it, says that a disk has no room left: of Python, SQLite, Arrow, safetensors or torch."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        speaks = isinstance(error, (OSError, sqlite3.Error)) or type(error).__name__ == "SafetensorError"
        if speaks and any(words in str(error).lower() for words in _FULL_WORDS):
            return True
        if isinstance(error, RuntimeError) and "inline_container" in str(
            error
        ):  # torch.save says no more than that
            return True
        error = error.__cause__ or error.__context__
    return False


def disk_full(error: BaseException, home: Path | None = None) -> str:
    """What to do where a disk is full, and what is lost: nothing that was written before."""
    name = getattr(error, "filename", None) or home
    return (
        f"the disk is full{f' ({name})' if name else ''}. Make room: `erase` deleted runs, remove scores/ (kept losses, "
        "computed again when needed) or checkpoints/ of runs that are done. What was written before is kept; `resume` goes on "
        "from the last checkpoint"
    )


class StudioError(Exception):
    """Base of every error that is shown to a person as its message alone.

    hidden : folders that no message names; set in a process that answers visitors, who then read no folder's name at all.
    """

    hidden: ClassVar[tuple[str, ...]] = ()

    def __str__(self) -> str:
        words = super().__str__()
        return without_folders(words) if StudioError.hidden else words


class PoolError(StudioError):
    """A pool's file, row or column mapping cannot be read."""


class ConfigError(StudioError):
    """A setting is out of its range, unknown, or contradicts another."""


class ModelError(StudioError):
    """A model or tokenizer cannot be loaded, or does not fit what it is asked to score."""


class ScoresError(StudioError):
    """Stored scores are missing, unreadable, or belong to another pool."""


class RunError(StudioError):
    """A run folder is missing, broken, or in a state that does not allow what was asked."""


class SearchError(StudioError):
    """A search holds nothing to look for or is too long, or the pool's index is not there."""


class ModelProcessError(StudioError):
    """The process that has the models could not be started, died, takes too long, or could not do what was asked."""


class AskingError(StudioError):
    """A prompt is empty or too long, or a setting for generating its answer is invalid."""


class DiskError(StudioError):
    """The disk is full, or the runs folder is read-only."""


class EvaluationError(StudioError):
    """What evaluates models is not installed, or an evaluation is missing or in another state than was asked for."""


class AnotherFailed(StudioError):
    """Another process of this run failed, and says why itself."""


class ProcessGone(StudioError):
    """Another process of this run exited without an error message."""


class Stopped(StudioError):
    """Somebody asked this work to stop; what was finished before is kept."""
