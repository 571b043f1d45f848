"""A pool compared with evaluation data: the work in the background, and what `health --against` needs of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console
from backend.cli.options import RunsDir, with_settings
from backend.cli.pool_findings import Inputs, stored_pool

if TYPE_CHECKING:
    from backend.config import Words
    from backend.findings import Overlaps
    from backend.records import Pool
    from backend.store import Against

AGAINST_HELP = (
    "Evaluation data that the samples must not overlap with: a file (columns of prompts alone will do), a folder, or a hub "
    "dataset id. What a stored pool was compared with before is known without it."
)


@with_settings(("mapping",))
def overlaps(
    pool: Inputs,
    settings: dict[str, Any],
    against: Annotated[str, typer.Option("--against", metavar="FILE", help=AGAINST_HELP)],
    runs_dir: RunsDir = Path("runs"),
) -> None:
    """Find the samples of a pool that overlap with evaluation data, by prompt, by response and by runs of 13 words. Kept in the runs folder; a launch warns of those that are not excluded."""
    from backend import store
    from backend.jobs import pool_work

    home = runs_dir.resolve()
    own, other = split_mapping(settings.pop("mapping", None), against)
    samples = stored_pool(home, pool, own)
    words = store.pool_words(home, samples.id)
    with pool_work.reporting(home, samples.id, "overlaps", ("--against", against)) as report:
        about, found = compared(
            samples, against, other, words, known=store.load_overlaps(home, samples.id), report=report
        )
        store.save_overlaps(home, samples.id, about, found, words=words)
    console.say(
        f"{len(found.all_rows):,} of {len(samples):,} samples overlap with {about.name} ({about.rows:,} rows)"
    )


def split_mapping(mapping: dict[str, str] | None, against: str) -> tuple[dict[str, str], dict[str, str]]:
    """What a mapping says of the pool, and what of the evaluation data, whose keys begin with its name ("eval.csv:prompt")."""
    from backend.data import mapping as mappings

    general, single = mappings.by_source(mapping or {})
    own = single.pop(against, None) or single.pop(Path(against).name, None)
    return mappings.flat(general, single), own or {}


def compared(
    samples: Pool,
    against: str,
    mapping: dict[str, str],
    words: Words,
    *,
    known: Sequence[tuple[Against, Overlaps]] = (),
    report: Any = None,
) -> tuple[Against, Overlaps]:
    """The evaluation data, and what a pool has in common with them; with a progress bar.

    known : what the pool was compared with before; the same data are not compared again. report : called with stage, done and total, where somebody follows the work.
    """
    from backend import findings as look
    from backend.data import inputs, load_against
    from backend.store import Against

    with console.progress_bar() as bar:

        def at(stage: str, done: int, total: int) -> None:
            if report is not None:
                report(stage, done, total)
            bar.show(stage, done, total, "samples")

        bar.show("reading evaluation data", 0, 0)
        rows, column = load_against(against, mapping=mapping or None)
        texts = [(look.prompt_texts(one, system=False), look.response_texts(one)) for one in (samples, rows)]
        # what was read says which data they are: a pool's id also hashes the file's name, as its source
        own = sha256(json.dumps(texts[1]).encode()).hexdigest()[:16]
        before = [found for about, found in known if about.id == own]
        about = Against(own, Path(against).name, inputs.absolute(against), len(rows), column)
        if before:
            return about, before[0]
        found = look.contamination(
            *texts[0],
            *texts[1],
            words=words,
            # three steps a sample
            on_progress=lambda done, total: at("comparing with evaluation data", done // 3, total // 3),
        )
    return about, found
