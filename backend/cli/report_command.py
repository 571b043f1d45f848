"""The command that writes a run's report, of which the page has a button."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer

from backend.cli import console, outputs
from backend.cli.options import AsJson, RunsDir
from backend.cli.showing import find_run_or_folder

REPORT = "iterit_ui.present.run_report"


def report(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run's id, its beginning, its name, its folder, or 'last'.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="HTML file to write. [default: report-RUN.html here]"),
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Write a report of a run for others: one HTML file with pictures that opens without a network, and prints.

    What the data is and what was wrong with it, what was selected and why, how the epochs changed that, whether it helped,
    and what the way of choosing cannot see: the stories of Present, of the last epoch, in plain words. Keys and passwords
    are masked; other text of the samples is shown as it is.
    """
    home, run_id = find_run_or_folder(runs_dir.resolve(), run)
    file = out if out is not None else Path(f"report-{run_id}.html")
    outputs.check_file(file)
    # the stories are the page's own, so the command opens that as `app` does: no other command needs it
    size = importlib.import_module(REPORT).write_report(home, run_id, file)
    console.say(f"the report of {run_id} is in {file} ({size / 1e6:.1f} MB)")
    if as_json:
        console.print_json({"run": run_id, "out": str(file), "bytes": size})
