"""The command that brings scores along that were computed elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli import console, outputs
from backend.cli.curating import Who, login_name
from backend.cli.options import AsJson, RunsDir, with_settings


@with_settings(("mapping",))
def import_scores(
    pool: Annotated[
        str,
        typer.Argument(
            metavar="POOL",
            help="A stored pool's id, or a file, folder, hub dataset id (owner/name) or 'demo'.",
        ),
    ],
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help='What `score` wrote (for shards \'part-*.parquet\'), {"index": [...], "score": [...]} of the authors\' trainer, '
            'Superfiltering\'s lines with "ppl", or a JSON list of {"id" or "row", "complexity"}.',
        ),
    ],
    settings: dict[str, Any],
    name: Annotated[str, typer.Option("--name", help="What to call them. [default: the file's name]")] = "",
    model: Annotated[
        str,
        typer.Option("--model", help="Whose scores they are. [default: what the file says, where it does]"),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Also write them to this .parquet or .jsonl file, which `select` reads."),
    ] = None,
    who: Who = "",
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Import scores that were computed elsewhere: matched by sample id or row, and kept with the pool in the runs folder.

    Curate lists them under "Complexity from". Says what did not match, and which samples have no score and why.
    """
    from backend.cli.pool_findings import stored_pool
    from backend.store import foreign_scores, imported_scores, scores_file

    if out is not None:
        scores_file.check_ending(out)
        outputs.check_file(out)
    home = runs_dir.resolve()
    samples = stored_pool(home, [pool], settings.get("mapping") or None)
    found = foreign_scores.read_foreign_scores(files, samples)
    for sentence in found.sentences:
        console.say(sentence)
    kept = imported_scores.keep_imported(
        home, samples, found, name=name or Path(files[0]).stem, model=model, who=who or login_name()
    )
    if out is not None:
        scores_file.write_scores(out, samples, found.scores)
    also = f", and written to {out}" if out is not None else ""
    console.say(f'kept as "{kept.name}" with pool {samples.root}{also}')
    if as_json:
        console.print_json(
            {
                "key": kept.key,
                "name": kept.name,
                "pool": samples.root,
                "format": found.format,
                "by": found.by,
                "samples": len(samples),
                "sentences": found.sentences,
                "matched": found.matched,
                "scored": int((found.scores.reason == "").sum()),
                "without": {"count": found.without[0], "examples": found.without[1]},
                "unmatched": {"count": found.strange[0], "examples": found.strange[1]},
                "unscorable": found.scores.unscored(),
                "out": None if out is None else str(out),
            }
        )
