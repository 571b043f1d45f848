"""The command that takes a run's selection along, and the options that it shares with `select`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from backend.cli import console, outputs
from backend.cli.curating import login_name
from backend.cli.options import AsJson, RunsDir
from backend.cli.showing import RunArgument, find_run
from backend.errors import PoolError, RunError

if TYPE_CHECKING:
    from backend.analysis.picks_export import Picks

Format = Annotated[
    Literal["alpaca", "messages", "sharegpt"], typer.Option("--format", help="What the trainer reads.")
]
SCORES_HELP = "Also write with each sample its id, file, row, rank, gain, complexity, diversity and why it was picked, in words."
Recipe = Annotated[
    bool,
    typer.Option(
        "--recipe",
        help="Also write NAME.recipe.json beside the file: settings, pins, exclusions, model, pool and the command "
        "that picks the same samples again.",
    ),
]


def export(
    run: RunArgument,
    out: Annotated[Path, typer.Option("--out", help="File to write: .json (one array) or .jsonl (lines).")],
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
    format: Format = "messages",
    with_scores: Annotated[bool, typer.Option("--with-scores", "--scores", help=SCORES_HELP)] = False,
    recipe: Recipe = False,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Write the samples that an epoch selected, or all epochs together, in pick order, in a format that trainers read."""
    from backend import store
    from backend.analysis.picks_export import picks_of_run

    home = runs_dir.resolve()
    run_id = find_run(home, run)
    if all_epochs and epoch is not None:
        raise RunError(f"--epoch {epoch} and --all-epochs contradict each other; give one")
    picks = picks_of_run(home, run_id, store.ALL_EPOCHS if all_epochs else epoch)
    said = write(out, picks, format, with_scores=with_scores, recipe=recipe)
    store.note_export(home, run_id, picks.epoch, rows=len(picks), file=str(out.resolve()), who=login_name())
    console.say(f"{len(picks):,} samples of {store.export_words(picks.epoch)} written to {out}")
    if as_json:
        console.print_json({**said, "run": run_id, "epoch": "all" if all_epochs else picks.epoch})


def write(out: Path, picks: Picks, format: Any, *, with_scores: bool, recipe: bool) -> dict[str, Any]:
    """Write picked samples, and their recipe; what `--json` tells of that."""
    from backend.analysis.picks_export import write_picks

    check_export(out)
    written = write_picks(out, picks, format, with_scores=with_scores, with_recipe=recipe)
    if recipe:
        console.say(f"how they were picked is in {written[-1]}")
    return {
        "out": str(out),
        "format": format,
        "samples": len(picks),
        "with_scores": with_scores,
        "recipe": str(written[-1]) if recipe else None,
    }


def check_export(out: Path) -> None:
    """Raise a StudioError where samples cannot be written under this name."""
    if out.suffix.lower() not in (".json", ".jsonl"):
        raise PoolError(
            f'{out.name}: the name ends in "{out.suffix}"; use .json (one array) or .jsonl (lines)'
        )
    outputs.check_file(out)
