"""Commands that label runs, show in what they differ, and delete, restore and erase them."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend.cli import console
from backend.cli.curating import login_name
from backend.cli.options import AsJson, RunsDir
from backend.cli.showing import RunArgument, find_run
from backend.errors import RunError

if TYPE_CHECKING:
    from backend.store import RunInfo

Runs = Annotated[
    list[str], typer.Argument(metavar="RUN...", help="Runs by id, the beginning of one, name, or 'last'.")
]
DeletedRun = Annotated[str, typer.Argument(metavar="RUN", help="A deleted run's id, or the beginning of it.")]


def label(
    run: RunArgument,
    name: Annotated[str | None, typer.Option("--name", help="Another name.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="A tag to add; may be repeated.")] = None,
    untag: Annotated[
        list[str] | None, typer.Option("--untag", help="A tag to remove; may be repeated.")
    ] = None,
    note: Annotated[
        str | None,
        typer.Option("--note", help="A note; an empty text removes it."),
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Rename, tag or annotate a run; without options, show its labels."""
    from backend import store

    home = runs_dir.resolve()
    run_id = find_run(home, run)
    tags = None
    if tag or untag:
        before = store.run_info(home, run_id).tags
        absent = [word for word in untag or () if word not in before]
        if absent:
            raise RunError(f"run {run_id} has no tag {absent[0]!r} (it has: {', '.join(before) or 'none'})")
        tags = [word for word in (*before, *(tag or ())) if word not in (untag or ())]
    store.label_run(home, run_id, name=name, tags=tags, notes=note)
    info = store.run_info(home, run_id)
    if as_json:
        console.print_json({"id": info.id, "name": info.name, "tags": info.tags, "notes": info.notes})
        return
    print(f"{info.id}  {info.name}")
    print(f"tags: {', '.join(info.tags) or 'none'}")
    print(f"note: {info.notes or 'none'}")


def diff(run: Runs, runs_dir: RunsDir = Path("runs"), as_json: AsJson = False) -> None:
    """Show the settings and versions in which runs differ; what they have in common is left out."""
    from backend import analysis

    home = runs_dir.resolve()
    ids = [find_run(home, name) for name in run]
    if len(ids) < 2:
        raise RunError("name at least two runs")
    found = analysis.run_differences(home, ids)
    if as_json:
        console.print_json({"runs": ids, "differences": [dataclasses.asdict(item) for item in found]})
        return
    if not found:
        console.say("no difference: the same settings, pool, versions and machine")
        return
    rows = [
        [
            item.name.replace("_", " "),
            *("not known" if value is None else value or "-" for value in item.values),
        ]
        for item in found
    ]
    console.print_table("Differences", ["", *ids], rows, left=["", *ids])


def delete(
    run: Runs,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    exported_too: Annotated[
        bool,
        typer.Option("--exported-too", help="With --yes, also delete runs whose selection was exported."),
    ] = False,
    runs_dir: RunsDir = Path("runs"),
) -> None:
    """Delete runs; `restore` brings them back until they are erased.

    A run whose selection was exported is the only record of which samples those were: that is asked for on its own.
    """
    from backend import store
    from backend.jobs import lifecycle

    home = runs_dir.resolve()
    lifecycle.refresh(home)
    for run_id in dict.fromkeys(find_run(home, name) for name in run):
        info = store.run_info(home, run_id)
        exported = store.exports(home, run_id)
        console.say(f"{info.id}  {info.name}: {what_is_lost(home, info)}")
        for export in exported:
            console.say(
                f"  exported: {store.export_words(export.epoch)}, {export.rows:,} samples, to {export.file} "
                f"by {export.who or 'somebody'}, {console.moment(export.at)}"
            )
        if exported:
            console.say("  this run is the only record of which samples those were and why")
        if not yes:
            _confirmed("Delete it?")
            if exported:
                _confirmed("Its selection was exported. Delete the only record of it?")
        elif exported and not exported_too:
            raise RunError(
                f"run {run_id} was exported and is the only record of that selection; add --exported-too to delete it"
            )
        store.delete_run(home, run_id, who=login_name())
        console.say(f"deleted; restore it with: python -m backend restore {run_id}")


def restore(run: DeletedRun, runs_dir: RunsDir = Path("runs")) -> None:
    """Bring a deleted run back."""
    from backend import store

    home = runs_dir.resolve()
    info = _deleted(home, run)
    store.restore_run(home, info.id)
    console.say(f"{info.name} restored: {info.id}")


def erase(
    run: DeletedRun,
    yes: Annotated[bool, typer.Option("--yes", help="Erase without asking.")] = False,
    runs_dir: RunsDir = Path("runs"),
) -> None:
    """Erase a deleted run for good: its model, records and log."""
    from backend import store

    home = runs_dir.resolve()
    info = _deleted(home, run)
    console.say(f"{info.id}  {info.name}: model, selections, metrics and log are erased for good")
    exported = store.exports(home, info.id)
    if exported:
        console.say(
            f"  its selection was exported {len(exported)} times; there is no other record of which samples these were"
        )
    if not yes:
        _confirmed("Erase it? This cannot be undone.")
    store.erase_run(home, info.id)
    console.say("erased")


def what_is_lost(home: Path, info: RunInfo) -> str:
    """What goes with a run, in words: its records, its model, and how much room they take."""
    from backend import analysis

    return analysis.holding(home, info).words


def _deleted(home: Path, name: str) -> RunInfo:
    from backend import store

    infos = store.runs(home, deleted=True)
    found = [info for info in infos if info.id.startswith(name)]
    if len(found) != 1:
        there = ", ".join(info.id for info in infos[:5]) or "none"
        raise RunError(f"{name!r} means {len(found)} deleted runs (there are: {there})")
    return found[0]


def _confirmed(question: str) -> None:
    if not sys.stdin.isatty():
        raise RunError("cannot ask for confirmation without a terminal; add --yes")
    if not typer.confirm(question, err=True):
        raise typer.Exit(1)
