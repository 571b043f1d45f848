"""Commands that correct responses of a pool: edit one, find and replace in many, list the edits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console
from backend.cli.curating import Pool, Who, known_pool, login_name, stored_pool_id
from backend.cli.options import AsJson, RunsDir, ids_of
from backend.errors import PoolError

if TYPE_CHECKING:
    from backend.data.find_replace import ReplacePlan

SHOWN = 10  # samples of a preview


def edit(
    pool: Pool,
    sample: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The sample's id; left out with --find.")
    ] = None,
    response: Annotated[
        str | None, typer.Option("--response", metavar="TEXT", help="What its response is to be.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="The same from a text file (UTF-8).")
    ] = None,
    original: Annotated[bool, typer.Option("--original", help="Take the sample's edit back.")] = False,
    find: Annotated[
        str | None,
        typer.Option("--find", metavar="TEXT", help="Replace this in the responses of the whole pool."),
    ] = None,
    replace: Annotated[
        str | None,
        typer.Option("--replace", metavar="TEXT", help="With --find: what to put there; '' for nothing."),
    ] = None,
    regex: Annotated[
        bool,
        typer.Option(
            "--regex",
            help="Treat --find as a regular expression; \\1 in --replace inserts its first group.",
        ),
    ] = False,
    ignore_case: Annotated[
        bool, typer.Option("--ignore-case", help="With --find: capital and small letters are the same.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="ID", help="With --find: in these samples alone; @FILE: one id per line."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --find: show what would change, and change nothing.")
    ] = False,
    who: Who = "",
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Correct the response of a sample, or find and replace in the responses of a pool.

    The original stays in the stored pool. Edits are kept with marks and notes in the runs folder: `undo` takes the last
    one back, and export, search, health, score and new runs use the edited responses. A run that has been started keeps
    the responses that it was started with. An edited sample has no score until it is scored again.
    """
    from backend import store

    home = runs_dir.resolve()
    ways = [response is not None, file is not None, original, find is not None]
    if sum(ways) != 1:
        raise typer.BadParameter("give one of --response TEXT, --file FILE, --original and --find TEXT")
    if (find is None) != (sample is not None):
        raise typer.BadParameter(
            "--find needs no ID (--only names samples)" if sample else "name the sample: POOL ID"
        )
    if (find is None) and (replace is not None or regex or ignore_case or only or dry_run):
        raise typer.BadParameter("--replace, --regex, --ignore-case, --only and --dry-run belong to --find")
    pool_id = stored_pool_id(home, pool)
    who = who or login_name()
    if find is None:
        assert sample is not None
        text = None if original else response if file is None else _read(file)
        count = store.set_responses(home, pool_id, {sample: text}, who)
        held = sample in store.edits(home, pool_id)
        words = "edited" if held else "as it was read"
        console.say(
            f"sample {sample} is {words}" if count else f"nothing changes: sample {sample} is {words}"
        )
        return
    if replace is None:
        raise typer.BadParameter("--find needs --replace TEXT ('' to take what is found out)")
    _replace(
        home,
        pool_id,
        find,
        replace,
        regex=regex,
        case=not ignore_case,
        only=only,
        dry_run=dry_run,
        who=who,
        as_json=as_json,
    )


def edits(pool: Pool, runs_dir: RunsDir = Path("runs"), as_json: AsJson = False) -> None:
    """List the edited responses of a pool, with who edited them and when."""
    from backend import analysis, store
    from backend.findings import masked

    home = runs_dir.resolve()
    pool_id = known_pool(home, pool)
    found = store.edits(home, pool_id)
    before: dict[str, str] = {}
    if found:
        original = store.load_pool_from_store(home, store.root_of(home, pool_id))
        before = {sample: original.response(original.row_of[sample]) for sample in found}
    if as_json:
        lines = [
            {"id": sample, "response": edit.text, "original": before[sample], "who": edit.who, "at": edit.at}
            for sample, edit in found.items()
        ]
        console.print_json(
            {
                "pool": pool_id,
                "edited_pool": store.edited_pool_id(home, pool_id) if found else pool_id,
                "edits": lines,
            }
        )
        return
    rows = [
        [
            sample,
            edit.who or "-",
            console.moment(edit.at or None),
            analysis.beginning(masked(before[sample])),
            analysis.beginning(masked(edit.text)),
        ]
        for sample, edit in found.items()
    ]
    columns = ("sample", "who", "when", "original", "edited")
    console.print_table(f"Edited responses of pool {pool_id}", columns, rows, left=columns)


def _replace(
    home: Path,
    pool_id: str,
    find: str,
    replace: str,
    *,
    regex: bool,
    case: bool,
    only: list[str] | None,
    dry_run: bool,
    who: str,
    as_json: bool,
) -> None:
    import numpy as np

    from backend import store
    from backend.data.find_replace import plan_replacements

    samples = store.edited_pool(home, pool_id)
    rows = np.arange(len(samples), dtype=np.int64)
    if only:
        wanted = ids_of(only)
        unknown = [sample for sample in wanted if sample not in samples.row_of]
        if unknown:
            raise PoolError(f"sample {unknown[0]!r} is not in pool {pool_id}")
        rows = np.array([samples.row_of[sample] for sample in wanted], dtype=np.int64)
    plan = plan_replacements(samples, rows, find, replace, regex=regex, case=case)
    changed = 0 if dry_run else store.set_responses(home, pool_id, dict(plan.changes), who)
    told = {
        "pool": pool_id,
        "samples": len(plan.changes),
        "places": plan.count,
        "changed": changed,
        "refused": plan.refused,
    }
    if as_json:
        console.print_json(told)
        return
    many = f"{plan.count:,} {'place' if plan.count == 1 else 'places'} in {len(plan.changes):,} {'sample' if len(plan.changes) == 1 else 'samples'}"
    if dry_run:
        _print_preview(samples, plan)
    console.say(
        f"{many} {'would be' if dry_run else 'were'} replaced" + ("" if dry_run else "; undo takes it back")
    )
    for sample, reason in list(plan.refused.items())[:SHOWN]:
        console.say(f"left as it is: {sample}: {reason}")


def _print_preview(samples: Any, plan: ReplacePlan) -> None:
    from backend.analysis import replace_preview

    rows = [
        [
            one["id"],
            str(one["places"]),
            *(" ".join("".join(one[name]).split()) for name in ("before", "after")),
        ]
        for one in replace_preview(samples, plan, SHOWN)
    ]
    console.print_table(
        f"{len(plan.changes):,} samples" + (f", the first {SHOWN}" if len(plan.changes) > SHOWN else ""),
        ["sample", "places", "first place now", "afterwards"],
        rows,
        left=["sample", "first place now", "afterwards"],
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PoolError(f"{path} cannot be read ({error})") from error
