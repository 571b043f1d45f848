"""The table of commands, and how an error becomes a message and an exit code."""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from backend.cli import budgeting, comparing, console, keeping, piloting, sensitivity_commands
from backend.cli.asking import ask
from backend.cli.curating import mark, marks, note, redo, undo
from backend.cli.editing import edit, edits
from backend.cli.evaluating import evaluate
from backend.cli.exporting import export
from backend.cli.importing import import_scores
from backend.cli.map_command import pool_map
from backend.cli.passwords import password
from backend.cli.pool_contents import health, search
from backend.cli.pool_findings import findings, lengths
from backend.cli.pool_overlaps import overlaps
from backend.cli.queueing import queue, stop
from backend.cli.reading import read
from backend.cli.receipts import receipt, replay
from backend.cli.repair_command import repair
from backend.cli.report_command import report
from backend.cli.reviewing import review
from backend.cli.running import again, resume, tune
from backend.cli.score_command import score
from backend.cli.select_command import select
from backend.cli.serving import open_app
from backend.cli.showing import runs, show
from backend.cli.why import frontier, why
from backend.errors import Stopped, StudioError

STOPPED = 130


class Group(TyperGroup):
    """Ends with the exit codes that the package's docstring names."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (Stopped, KeyboardInterrupt) as error:
            print(str(error) or "stopped", file=sys.stderr)
            raise typer.Exit(STOPPED) from error
        except StudioError as error:
            print(f"error: {error}", file=sys.stderr)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Pick the samples worth fine-tuning on, iteratively, and show why.",
)
app.command()(score)
app.command("import-scores")(import_scores)
app.command()(select)
app.command()(why)
app.command()(frontier)
app.command("map")(pool_map)
app.command()(health)
app.command()(search)
app.command()(findings)
app.command()(lengths)
app.command()(overlaps)
app.command()(mark)
app.command()(note)
app.command()(marks)
app.command()(edit)
app.command()(edits)
app.command()(undo)
app.command()(redo)
app.command()(read)
app.command()(tune)
app.command()(resume)
app.command()(again)
app.command()(queue)
app.command()(stop)
app.command()(runs)
app.command()(review)
app.command()(show)
app.command()(ask)
app.command()(evaluate)
app.command()(export)
app.command()(report)
app.command()(receipt)
app.command()(replay)
app.command()(keeping.label)
app.command()(keeping.diff)
app.command()(keeping.delete)
app.command()(keeping.restore)
app.command()(keeping.erase)
app.command()(repair)
app.add_typer(comparing.app, name="compare")
app.add_typer(piloting.app, name="pilot")
app.add_typer(budgeting.app, name="budget")
app.add_typer(sensitivity_commands.app, name="sensitivity")
app.command("app")(open_app)
app.command()(password)


def main(words: list[str] | None = None, *, name: str = "python -m backend") -> None:
    """Run a command line and exit with its code. name : what the command is called in its help."""
    console.take_every_character()
    app(args=words, prog_name=name)
