"""The command that makes a new database where the present one is damaged or lost."""

from __future__ import annotations

import time
from pathlib import Path

from backend.cli.options import RunsDir

NAMES = {
    "runs": "run",
    "marks": "mark",
    "notes": "note",
    "edits": "edited response",
    "saved_settings": "saved setting",
    "comparisons": "comparison",
    "exports": "export",
}
"""The tables named in the report, and what one row of each is called."""


def repair(runs_dir: RunsDir = Path("runs")) -> None:
    """Make a new database where a runs folder's is damaged or lost, and list runs again whose folders are there.

    Close the app and wait for runs to end before. The new database gets what can be read of the damaged one, which is kept
    beside it, then what the daily copy (studio.copy.sqlite) has of tables that could not be read whole, then every run whose
    folder is there.
    """
    from backend import store

    home = runs_dir.resolve()
    done = store.repair(home)
    if done.aside is not None:
        why = f" ({done.why})" if done.why else ""
        print(f"studio.sqlite was damaged{why}; it lies in {done.aside.name} now")
        print(f"taken from it: {_rows(done.saved)}")
    if done.copy_made is not None:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(done.copy_made))
        print(f"taken from its copy of {when}: {_rows(done.copied)}")
    elif done.incomplete and (done.aside or done.listed):
        print("there is no copy of it from before")
    if done.listed:
        print(f"listed again from their folders: {', '.join(done.listed)}")
        print("their tags, notes and comparisons are not known")
    for run, why in done.not_listed.items():
        print(f"not listed: {run} ({why})")
    if not (done.aside or done.listed or done.not_listed or done.copy_made):
        print(f"nothing is wrong with the database of {home}")


def _rows(found: dict[str, int]) -> str:
    parts = [
        f"{found[table]:,} {name}{'' if found[table] == 1 else 's'}"
        for table, name in NAMES.items()
        if found.get(table)
    ]
    return ", ".join(parts) or "nothing"
