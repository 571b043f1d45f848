"""Commands for what a run was made from and selected: print it, and hold a run against it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli import console, outputs
from backend.cli.options import AsJson, RunsDir
from backend.cli.showing import find_run_or_folder

MARKS = {"same": "same", "other": "DIFFERS", "missing": "not checked", "note": "note"}


def receipt(
    run: Annotated[
        str,
        typer.Argument(metavar="RUN", help="A run's id, its beginning, its name, its folder, or 'last'."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write it to; else it is printed.")
    ] = None,
    runs_dir: RunsDir = Path("runs"),
) -> None:
    """Print what a run was made from and what it selected: hashes of data and model, versions, settings, ids of each epoch.

    A run that is done has it as receipt.json in its folder; of any other run with an epoch it is made now.
    """
    from backend import store
    from backend.analysis.receipt import stored_or_made

    home, run_id = find_run_or_folder(runs_dir.resolve(), run)
    if out is not None:
        outputs.check_file(out)
    made = stored_or_made(home, run_id)
    if out is None:
        console.print_json(made)
        return
    store.write_json(out, made)
    console.say(f"the receipt of {run_id} ({len(made['epochs'])} epochs) is in {out}")


def replay(
    file: Annotated[Path, typer.Argument(metavar="RECEIPT", help="A receipt.json.")],
    run: Annotated[
        str | None,
        typer.Option(
            "--run", help="Hold it against this run, as named for receipt; the receipt's own by default."
        ),
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Repeat a run's selections from its stored scores with a receipt's settings, and say whether they are identical.

    No model is needed. Ends with 0 where every epoch is identical and nothing that was checked differs, else with 1.
    """
    from backend.analysis.receipt import read_receipt
    from backend.analysis.replay import replay as repeated

    home, run_id = runs_dir.resolve(), None
    told = read_receipt(file)
    if run is not None:
        home, run_id = find_run_or_folder(home, run)
    made = repeated(home, told, run_id)
    if as_json:
        console.print_json(
            {
                "run": made.run,
                "identical": made.identical,
                "checks": [vars(one) for one in made.checks],
                "epochs": [
                    {
                        "epoch": one.epoch,
                        "samples": one.samples,
                        "identical": one.identical,
                        "differences": list(one.differences),
                    }
                    for one in made.epochs
                ],
            }
        )
    else:
        for check in made.checks:
            print(f"{check.what}: {MARKS[check.state]} ({check.text})")
        for one in made.epochs:
            what = f"{one.samples:,} samples, identical" if one.identical else "; ".join(one.differences)
            print(f"epoch {one.epoch}: {what if one.identical else f'DIFFERS: {what}'}")
        print(f"run {made.run}: {'identical' if made.identical else 'not identical'} with the receipt")
    if not made.identical:
        raise typer.Exit(1)
