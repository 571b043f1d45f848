"""The command that takes samples along, and the options that it shares with `select`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from backend.cli import console, outputs
from backend.cli.comparison_lookup import find_comparison
from backend.cli.curating import login_name
from backend.cli.options import AsJson, RunsDir, ids_of, with_settings
from backend.cli.showing import find_run_or_folder
from backend.errors import PoolError, RunError

if TYPE_CHECKING:
    from backend.analysis.export_files import ExportOptions
    from backend.analysis.picks_export import Picks

Format = Annotated[
    Literal["messages", "prompt_completion", "sharegpt", "alpaca"],
    typer.Option(
        "--format",
        help="messages: roles and contents, for Axolotl. prompt_completion: the same with the response set apart, "
        "with which TRL trains on the response alone, as the studio does. sharegpt: from and value, for LLaMA-Factory. "
        "alpaca: instruction, input, output.",
    ),
]
Kind = Annotated[
    Literal["jsonl", "json", "parquet"],
    typer.Option("--kind", help="Kind of the files in a folder; a single file's ending says its kind."),
]
SCORES_HELP = "Also write with each sample its id, file, row, rank, gain, complexity, diversity and why it was picked, in words."
HeldOut = Annotated[
    bool,
    typer.Option(
        "--with-held-out",
        help="Also write the samples that were held out to measure on, as a second split, test.",
    ),
]
Recipe = Annotated[
    bool,
    typer.Option(
        "--recipe",
        help="Also write NAME.recipe.json beside the file: settings, pins, exclusions, model, pool and the command "
        "that picks the same samples again. A folder has it always.",
    ),
]
OUT_HELP = (
    "File to write: .jsonl (lines), .json (one array) or .parquet. Or a name without an ending: a folder with the samples, a "
    "dataset card, the recipe, and what LLaMA-Factory and Axolotl need in their configuration; load_dataset opens it."
)


@with_settings(("mapping",))
def export(
    settings: dict[str, Any],
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="A run's id, its beginning, its name, its folder, or 'last'."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help=OUT_HELP)] = None,
    epoch: Annotated[
        int | None, typer.Option("--epoch", min=0, help="Which epoch's selection; the last by default.")
    ] = None,
    all_epochs: Annotated[
        bool,
        typer.Option(
            "--all-epochs",
            help="Every sample that any epoch selected, once each, in the order in which they were first trained on.",
        ),
    ] = False,
    comparison: Annotated[
        str | None,
        typer.Option(
            "--comparison", help="Instead of RUN: a comparison, of which the run that ended lowest is meant."
        ),
    ] = None,
    pool: Annotated[
        list[str] | None,
        typer.Option(
            "--pool",
            metavar="POOL",
            help="Instead of RUN: samples of a pool, those of --ids and --search; may be repeated.",
        ),
    ] = None,
    ids: Annotated[
        list[str] | None,
        typer.Option(
            "--ids",
            metavar="ID",
            help="With --pool: a sample's id; may be repeated. @FILE: one id per line, or a recipe.",
        ),
    ] = None,
    search: Annotated[
        str,
        typer.Option("--search", help="With --pool: samples that this search finds; see the command search."),
    ] = "",
    format: Format = "messages",
    kind: Kind = "jsonl",
    with_scores: Annotated[bool, typer.Option("--with-scores", "--scores", help=SCORES_HELP)] = False,
    with_held_out: HeldOut = False,
    recipe: Recipe = False,
    push: Annotated[
        str | None,
        typer.Option(
            "--push",
            metavar="OWNER/NAME",
            help="Also send the folder to the Hugging Face hub; --out may then be left out.",
        ),
    ] = None,
    private: Annotated[
        bool,
        typer.Option(
            "--private/--public", help="With --push: whether nobody but its owner may read the dataset."
        ),
    ] = True,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Write the samples that an epoch selected, or all epochs together, in pick order, in a format that trainers read.

    Also what a comparison's lowest run selected (--comparison), or any samples of a pool (--pool).
    """
    from backend.analysis.export_files import ExportOptions

    if out is None and push is None:
        raise PoolError("--out or --push is missing: where should the samples go?")
    options = ExportOptions(format, kind, with_scores, with_held_out, recipe, elsewhere=push is not None)
    home = runs_dir.resolve()
    if pool:
        if run or comparison:
            raise RunError(f"--pool and {'RUN' if run else '--comparison'} contradict each other; give one")
        picks = _of_pool(home, pool, settings.get("mapping") or {}, ids or [], search)
    elif ids or search:
        raise PoolError(f"{'--ids' if ids else '--search'} needs --pool POOL")
    else:
        home, picks = _of_run(home, run, comparison, epoch, all_epochs)
    said = written(out, picks, options, push=push, private=private)
    told: dict[str, Any] = {}
    if picks.run:
        _note(home, picks, out, push)
        told = {"run": picks.run, "epoch": "all" if all_epochs else picks.epoch}
    if as_json:
        console.print_json({**said, **told})


def _of_run(
    home: Path, run: str | None, comparison: str | None, epoch: int | None, all_epochs: bool
) -> tuple[Path, Picks]:
    """The runs folder, and what a run of it picked."""
    from backend import analysis, store
    from backend.analysis.comparison import lowest_run
    from backend.analysis.picks_export import picks_of_run

    if all_epochs and epoch is not None:
        raise RunError(f"--epoch {epoch} and --all-epochs contradict each other; give one")
    if (run is None) == (comparison is None):
        given = "none" if run is None else "two"
        raise RunError(f"name a RUN, a --comparison or a --pool to export from ({given} of them are given)")
    if comparison is not None:
        lowest = lowest_run(analysis.compare(home, find_comparison(home, comparison).runs))
        run_id = lowest.info.id
        console.say(f"the run that ended lowest: {run_id}, {lowest.info.name or lowest.info.strategy}")
    else:
        home, run_id = find_run_or_folder(home, str(run))
    return home, picks_of_run(home, run_id, store.ALL_EPOCHS if all_epochs else epoch)


def _of_pool(home: Path, inputs: list[str], mapping: dict[str, str], ids: list[str], search: str) -> Picks:
    """Samples of a pool: those of a search, or those that are named, or those of both; all where neither is given."""
    import numpy as np

    from backend import store
    from backend.analysis.picks_export import picks_of_rows
    from backend.cli.pool_findings import stored_pool

    samples = stored_pool(home, inputs, mapping or None)
    rows = np.arange(len(samples))
    if search:
        store.build_search(home, samples)
        rows = np.sort(store.search(home, samples.id, search))
    if ids:
        named = ids_of(ids, "ids")
        unknown = [one for one in named if one not in samples.row_of]
        if unknown:
            told = f"{len(unknown):,} ids are" if len(unknown) > 1 else "1 id is"
            raise PoolError(f"{told} not in {samples.name}, the first is {unknown[0]}")
        found = set(rows.tolist())
        rows = np.array(
            [row for row in (samples.row_of[one] for one in named) if row in found], dtype=np.int64
        )
    if not len(rows):
        asked = " ".join(filter(None, (f"--search {search!r}" if search else "", "--ids" if ids else "")))
        raise PoolError(f"no sample of {samples.name} matches {asked}, so there is nothing to export")
    return picks_of_rows(samples, rows, inputs=tuple(inputs), mapping=mapping)


def _note(home: Path, picks: Picks, out: Path | None, push: str | None) -> None:
    from backend import store

    where = str(out.resolve()) if out is not None else f"{push} on the hub"
    store.note_export(home, picks.run, picks.epoch, rows=len(picks), file=where, who=login_name())


def written(
    out: Path | None, picks: Picks, options: ExportOptions, *, push: str | None = None, private: bool = True
) -> dict[str, Any]:
    """Write samples and push them where that is asked for, and say so; what `--json` tells of that."""
    from backend.analysis.export_files import export_picks, is_folder
    from backend.analysis.hub_push import check_push, push_folder

    if push is not None:
        check_push(push)
        if out is not None and not is_folder(out):
            raise PoolError(
                f"--push sends a folder; name one with --out, without an ending (it is {out.name})"
            )
    if out is not None:
        check_export(out)
    with tempfile.TemporaryDirectory() as scratch:
        target = out if out is not None else Path(scratch) / str(push).rpartition("/")[2].replace(".", "-")
        made = export_picks(target, picks, options)
        address = None if push is None else push_folder(target, push, private=private)
    held_out = f" and {made.held_out:,} held-out ones" if made.held_out else ""
    what = f" of {_which(picks)}" if picks.run else ""
    console.say(
        f"{made.samples:,} {'sample' if made.samples == 1 else 'samples'}{what}{held_out} written to {out or address}"
    )
    if address is not None and out is not None:
        console.say(f"and sent to {address}")
    for note in made.notes:
        console.say(note)
    recipe = next((path for path in made.files if path.name.endswith("recipe.json")), None)
    if recipe is not None and out is not None and not is_folder(out):
        console.say(f"how they were picked is in {recipe}")
    return {
        "out": None if out is None else str(out),
        "files": [] if out is None else [str(path) for path in made.files],
        "format": options.format,
        "samples": made.samples,
        "rest": made.rest,
        "held_out": made.held_out,
        "notes": list(made.notes),
        "with_scores": options.scores,
        "recipe": None if recipe is None or out is None else str(recipe),
        "pushed": address,
    }


def _which(picks: Picks) -> str:
    from backend import store

    return store.export_words(picks.epoch)


def check_export(out: Path) -> None:
    """Raise a StudioError where samples cannot be written under this name."""
    from backend.analysis.export_files import check_out

    if check_out(out):
        outputs.check_folder(out.parent)
    else:
        outputs.check_file(out)
