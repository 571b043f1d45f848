"""The pool that a command was given: read, corrected as people corrected it, and what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backend.cli import console
from backend.config import Words
from backend.data.scripts import fitting_words

if TYPE_CHECKING:
    from backend.records import Pool


def preset_of(preset: str | None, pool: tuple[str, ...], model: str) -> str:
    """The requested preset, or the default for this pool and model."""
    return preset or ("demo" if pool == ("demo",) and model == "demo" else "paper")


def read_pool(inputs: list[str], mapping: dict[str, str] | None = None, *, tell: bool = True) -> Pool:
    """Read the pool named on the command line, showing progress, and report how its rows were read."""
    from backend import data

    with console.progress_bar() as bar:
        pool = data.load_outside(
            inputs,
            mapping=mapping or None,
            on_progress=lambda done, total: bar.show("reading", done >> 10, total >> 10, "KiB"),
        )
    if tell:
        tell_rows(pool)
    return pool


def with_edits(home: Path, pool: Pool, *, tell: bool = True) -> Pool:
    """A pool with the responses that people corrected in this runs folder, and a line that says so."""
    from backend import store

    found = store.with_stored_edits(home, pool)
    if tell and found.base:
        count = len(found.edits)
        console.say(
            f"with {count:,} edited {'response' if count == 1 else 'responses'} (the command edits lists them)"
        )
    return found


def tell_rows(pool: Pool) -> None:
    """Report how a pool's rows were read, and the first row that was left out."""
    if pool.about is not None:
        console.say(f"{pool.name}: {pool.about.sentence}")
    if pool.rejected:
        first = pool.rejected[0]
        console.say(f"the first left out: {first.file} row {first.row}: {first.reason}")


def say_what_fits(share: float, words: Words) -> None:
    """Say in one line where another cutting into words fits a pool better.

    share : of its letters that are of scripts without spaces.
    """
    if words == "paper" and fitting_words(share) == "unicode":
        console.say(
            f"{share:.0%} of the letters in the responses are of scripts written without spaces between words: --words unicode fits better"
        )
