"""Commands for what people decide about samples of a pool: mark, note, marks, undo, redo."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console, outputs
from backend.cli.options import AsJson, RunsDir, ids_of
from backend.errors import PoolError

if TYPE_CHECKING:
    from backend.store import Change

Pool = Annotated[
    str,
    typer.Argument(
        metavar="POOL", help="A stored pool's id, or a file, folder, hub dataset id (owner/name) or 'demo'."
    ),
]
Who = Annotated[
    str,
    typer.Option("--who", metavar="NAME", help="Who decides. [default: the name you are logged in by]"),
]


def mark(
    pool: Pool,
    pin: Annotated[
        list[str] | None,
        typer.Option("--pin", metavar="ID", help="Sample that is always in; @FILE: one id per line."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="ID", help="Sample that is never in; @FILE: one id per line."),
    ] = None,
    clear: Annotated[
        list[str] | None,
        typer.Option("--clear", metavar="ID", help="Sample to clear; @FILE: one id per line."),
    ] = None,
    who: Who = "",
    runs_dir: RunsDir = Path("runs"),
) -> None:
    """Pin or exclude samples of a pool, or take their mark away; each option may be repeated.

    The ids of one option are one step of undo.
    """
    from backend import store

    options = {"--pin": pin, "--exclude": exclude, "--clear": clear}
    given = {option: ids_of(values or []) for option, values in options.items()}
    if not any(given.values()):
        raise typer.BadParameter("name a sample: --pin ID, --exclude ID or --clear ID")
    seen: dict[str, str] = {}
    for option, ids in given.items():
        for sample in ids:
            if seen.setdefault(sample, option) != option:
                raise PoolError(f"sample {sample!r} is in {seen[sample]} and in {option}")
    home = runs_dir.resolve()
    pool_id = stored_pool_id(home, pool)
    who = who or login_name()
    # all ids are looked at before the first of them is marked: a mistake changes nothing
    unknown = store.unknown_samples(home, pool_id, list(seen))
    if unknown:
        raise PoolError(f"sample {unknown[0]!r} is not in pool {pool_id}")
    words = {"--pin": "pinned", "--exclude": "excluded", "--clear": "cleared"}
    kinds: dict[str, store.Mark | None] = {"--pin": "pinned", "--exclude": "excluded", "--clear": None}
    changed = {
        words[option]: store.set_mark(home, pool_id, ids, kinds[option], who)
        for option, ids in given.items()
        if ids
    }
    console.say("; ".join(f"{count:,} {word}" for word, count in changed.items()))


def note(
    pool: Pool,
    sample: Annotated[str, typer.Argument(metavar="ID", help="A sample's id; @FILE: one id per line.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to write; '' removes the note.")],
    who: Who = "",
    runs_dir: RunsDir = Path("runs"),
) -> None:
    """Write a note to a sample, in place of the one it has."""
    from backend import store

    home = runs_dir.resolve()
    count = store.set_note(home, stored_pool_id(home, pool), ids_of([sample]), text, who or login_name())
    console.say(f"{count:,} {'noted' if text.strip() else 'without a note now'}")


def marks(pool: Pool, runs_dir: RunsDir = Path("runs"), as_json: AsJson = False) -> None:
    """Show the marks and notes of a pool, with who made them and when; `edits` lists edited responses.

    With --json, "pinned" and "excluded" are lists of ids in the order of marking, for --pinned and --excluded of tune
    and select.
    """
    from backend import store

    home = runs_dir.resolve()
    pool_id = known_pool(home, pool)
    kinds, by, noted = store.marks(home, pool_id), store.marked_by(home, pool_id), store.notes(home, pool_id)
    if as_json:
        console.print_json(
            {
                "pool": pool_id,
                "pinned": [sample for sample, kind in kinds.items() if kind == "pinned"],
                "excluded": [sample for sample, kind in kinds.items() if kind == "excluded"],
                "marks": [
                    {"id": sample, "mark": kind, "who": by[sample][0], "at": by[sample][1]}
                    for sample, kind in kinds.items()
                ],
                "notes": [
                    {"id": sample, "text": note.text, "who": note.who, "at": note.at}
                    for sample, note in noted.items()
                ],
            }
        )
        return
    rows = [
        [sample, kind, *_by(*by[sample]), noted[sample].text if sample in noted else ""]
        for sample, kind in kinds.items()
    ]
    rows += [
        [sample, "", *_by(note.who, note.at), note.text]
        for sample, note in noted.items()
        if sample not in kinds
    ]
    columns = ("sample", "mark", "who", "when", "note")
    console.print_table(f"Marks and notes of pool {pool_id}", columns, rows, left=columns)


def undo(pool: Pool, who: Who = "", runs_dir: RunsDir = Path("runs")) -> None:
    """Take back the last decision about a pool's samples."""
    from backend import store

    home = runs_dir.resolve()
    _told(store.undo(home, known_pool(home, pool), who or login_name()), "undo", "taken back")


def redo(pool: Pool, who: Who = "", runs_dir: RunsDir = Path("runs")) -> None:
    """Bring again what undo took back last."""
    from backend import store

    home = runs_dir.resolve()
    _told(store.redo(home, known_pool(home, pool), who or login_name()), "redo", "done again")


def login_name() -> str:
    """The name of whoever sits at this terminal; "" where the machine knows none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # which of them depends on the version of Python
        return ""


def stored_pool_id(home: Path, pool: str) -> str:
    """The id of a pool, which is put in the store where it is not there yet."""
    from backend import store

    outputs.check_folder(home)
    if _is_stored(home, pool):
        return pool
    samples = _read(pool)
    store.save_pool(home, samples, inputs=[pool])
    return str(samples.id)


def known_pool(home: Path, pool: str) -> str:
    """The id of a pool; nothing is written."""
    return pool if _is_stored(home, pool) else str(_read(pool).id)


def _is_stored(home: Path, pool: str) -> bool:
    from backend import store

    return store.is_stored(home, pool)


def _read(pool: str) -> Any:
    from backend.cli.command_pool import read_pool

    return read_pool([pool])


def _told(change: Change | None, what: str, done: str) -> None:
    """Say what undo or redo turned."""
    if change is None:
        raise PoolError(f"there is nothing to {what}")
    after = f"{change.kind} taken away"
    if change.kind == "edit":
        after = "edited" if any(text is not None for text in change.afters) else "edits taken back"
    elif change.after is not None:
        after = "noted" if change.kind == "note" else change.after
    few = ", ".join(change.samples[:3]) + (", ..." if len(change.samples) > 3 else "")
    console.say(f"{done}: {len(change.samples):,} {after} by {change.who or 'somebody'} ({few})")


def _by(who: str, at: float) -> tuple[str, str]:
    """Who and when, for a table."""
    return who or "-", console.moment(at or None)
