"""Commands on what is in a pool: health and search."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console
from backend.cli.command_pool import say_what_fits
from backend.cli.options import AsJson, RunsDir, with_settings
from backend.cli.pool_findings import (
    READING,
    Inputs,
    PresetName,
    content_of,
    find_pool,
    lengths_of,
    near_of,
    reading_of,
    stored_pool,
)
from backend.cli.pool_overlaps import AGAINST_HELP, compared, split_mapping
from backend.data.scripts import unspaced_share
from backend.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np

    from backend.findings import ContentFindings, Finding, Overlaps
    from backend.records import Pool
    from backend.store import Against

# spelt out: the help needs them before anything is imported
LISTED = (
    *(
        "exact",
        "near",
        "same_response",
        "refusal",
        "no_content",
        "cut_off",
        "loop",
        "markup",
        "encoding",
        "open_fence",
    ),
    *("language", "rare_language", "email", "phone", "secret", "too_long", "unscorable"),
    *("overlap_exact", "overlap_near", "overlap_run", "overlap"),
)


@with_settings(("mapping", "words", *READING))
def health(
    pool: Inputs,
    settings: dict[str, Any],
    near: Annotated[
        float | None,
        typer.Option(
            "--near",
            metavar="SIMILARITY",
            help="Count near-duplicates of at least this similarity, 0.5 to 1; they are searched for first where needed.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", help="Count tokens under this model's tokenizer: over length, unscorable and why."
        ),
    ] = None,
    against: Annotated[str | None, typer.Option("--against", metavar="FILE", help=AGAINST_HELP)] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--list",
            metavar="FINDING",
            help="List the samples of one finding instead: " + ", ".join(LISTED) + ", or opening:WORDS.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Samples listed.")] = 20,
    ids: Annotated[
        bool,
        typer.Option(
            "--ids", help="With --list: print the ids of all its samples, one a line, for --exclude @FILE."
        ),
    ] = False,
    preset: PresetName = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """What is in a pool, and what is worth a look: duplicates, refusals, responses without content, cut off, in a loop or
    in another language, markup, broken characters, open code blocks, personal data, keys and passwords (shown masked),
    how responses begin, what is too long, and what overlaps with evaluation data (--against).

    Files are only read. For a stored pool, what was found before is used, and what is found now is kept.
    """
    from backend import data, store
    from backend import findings as look
    from backend.findings import LOWEST, THRESHOLD

    if near is not None and not LOWEST <= near <= 1:
        raise ConfigError(f"--near {near:g}: expected a similarity from {LOWEST} to 1")
    if ids and kind is None:
        raise ConfigError("--ids prints the ids of one list: name it with --list FINDING")
    home = runs_dir.resolve()
    chosen = settings.pop("words", None)
    mapping, other = split_mapping(settings.pop("mapping", None), against or "")
    config = reading_of(settings, pool, model, preset) if model else None
    samples, is_stored = find_pool(home, pool, mapping, tell=as_json)
    words = chosen or (store.pool_words(home, samples.id) if is_stored else "paper")
    pairs = store.load_near(home, samples.id, words=words, whole=True) if is_stored else None
    if pairs is None and near is not None:
        pairs = near_of(samples, words)
        if is_stored:
            store.save_near(home, samples.id, pairs, words=words)
    counted = lengths_of(home, samples, config, keep=is_stored) if config else None
    # what was only carried over when somebody edited the pool is looked for anew
    whole = is_stored and store.has_content(home, samples.id)
    read = store.load_content(home, samples.id) if whole else None
    if read is None:
        read = content_of(samples)
        if is_stored:
            store.save_content(home, samples.id, read)
    overlaps = store.load_overlaps(home, samples.id) if is_stored else []
    if against is not None:
        now = compared(samples, against, other, words, known=overlaps)
        if is_stored and words == store.pool_words(home, samples.id):
            store.save_overlaps(home, samples.id, *now, words=words)
        overlaps = [one for one in overlaps if one[0].id != now[0].id] + [now]
    if kind is not None:
        known: dict[str, Any] = {"near": pairs, "lengths": counted, "content": read, "words": words}
        known["overlaps"] = [found for _, found in overlaps]
        rows = look.rows_of_finding(samples, kind, threshold=THRESHOLD if near is None else near, **known)
        if ids:
            print("\n".join(samples.ids[rows]))
            return
        list_samples(samples, kind, rows, pieces_of(kind, read, overlaps), limit=limit, as_json=as_json)
        return
    found = look.report(
        samples,
        near=pairs,
        lengths=counted,
        content=read,
        overlaps=[found for _, found in overlaps],
        threshold=THRESHOLD if near is None else near,
        words=words,
    )
    share = unspaced_share(samples.responses())
    say_what_fits(share, words)
    counts = data.health(samples)
    if as_json:
        lines = [{**dataclasses.asdict(finding), "known": finding.known} for finding in found]
        about = {
            "id": samples.id,
            "name": samples.name,
            "rows": counts["rows"],
            "sources": counts["sources"],
            "unspaced_share": share,
            "words": words,
        }
        if samples.about is not None:
            about["read"] = {**dataclasses.asdict(samples.about), "told": samples.about.sentence}
        console.print_json(
            {"pool": about, "findings": lines, "against": [about_of(*one) for one in overlaps]}
        )
        return
    if samples.about is not None:
        print(samples.about.sentence)
    for one in overlaps:
        print(compared_with(*one))
    sources = "; ".join(f"{name} {count:,}" for name, count in counts["sources"].items())
    console.print_table(
        f"{samples.name}: {counts['rows']:,} samples ({sources})",
        ["what", "samples", "groups", "beyond the first", ""],
        [_line(finding) for finding in found],
        left=["what", ""],
    )


def pieces_of(kind: str, read: ContentFindings, overlaps: list[tuple[Against, Overlaps]]) -> dict[int, str]:
    """What was found in each sample of a finding, or what it overlaps with, by row."""
    from backend.findings import OVERLAPS, told_of_all

    named = [(against.name, found) for against, found in overlaps]
    return told_of_all(kind, named) if kind in (*OVERLAPS, "overlap") else read.found_of(kind)


def about_of(against: Against, found: Overlaps) -> dict[str, Any]:
    """Evaluation data that a pool was compared with, for a program to read."""
    return {**dataclasses.asdict(against), "samples": len(found.all_rows), "common_runs": len(found.common)}


def compared_with(against: Against, found: Overlaps) -> str:
    """The same as a sentence."""
    told = f"{len(found.all_rows):,} samples overlap with {against.name} ({against.rows:,} rows"
    told += f"; prompts only, from column {against.prompts_only!r})" if against.prompts_only else ")"
    if len(found.common):
        told += f"; {len(found.common):,} more share only set phrases, which more than ten samples have"
    return told + "."


def list_samples(
    samples: Pool, kind: str, rows: np.ndarray, pieces: dict[int, str], *, limit: int, as_json: bool
) -> None:
    """Print a finding's first samples with what was found in them; keys and passwords masked."""
    from backend import analysis
    from backend.findings import masked

    lines = [
        {
            "row": row,
            "id": str(samples.ids[row]),
            "found": pieces.get(row, ""),
            "response": analysis.beginning(masked(samples.response(row))),
        }
        for row in rows[:limit].tolist()
    ]
    if as_json:
        console.print_json({"pool": samples.id, "finding": kind, "count": len(rows), "samples": lines})
        return
    console.print_table(
        f"{samples.name}: {len(rows):,} samples, the first {len(lines)}",
        ["row", "id", "found", "response begins"],
        [[str(value) for value in line.values()] for line in lines],
        left=["id", "found", "response begins"],
    )


def _line(finding: Finding) -> list[str]:
    numbers = (finding.count, finding.groups, finding.extra)
    return [
        finding.label,
        *("" if value is None else f"{value:,}" for value in numbers),
        finding.hint if finding.known else finding.why_unknown,
    ]


@with_settings(("mapping",))
def search(
    pool: Inputs,
    settings: dict[str, Any],
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="CONDITION",
            help="Only samples whose other columns hold this: judge>=3, judge<=5, topic=law, comment~words, topic= (has no "
            "value); = again adds a value. May be repeated, and then the query may be left out.",
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort", metavar="COLUMN", help="Order by a column of the data; -COLUMN: largest first."
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Samples shown.")] = 20,
    ids: Annotated[
        bool,
        typer.Option("--ids", help="Print the ids of all that are found, one a line, for --exclude @FILE."),
    ] = False,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Search a pool's prompts and responses, and its other columns; the last argument is the query.

    Words that all must occur, "phrases", begin* for words that begin so, and -word for what must not occur (put --
    before a query that begins with -). A pool given as files is stored and indexed first.
    """
    import numpy as np

    from backend import analysis, store
    from backend.analysis.own_filter import PREFIX, own_conditions, own_mask, own_text
    from backend.records import Scores

    *inputs, query = pool
    if where and (not inputs or Path(query).exists()):
        inputs, query = pool, ""
    if not inputs:
        raise typer.BadParameter("expected a pool and the words to search for")
    home = runs_dir.resolve()
    if query:
        store.parse_query(query)  # a mistake shows before anything is read
    samples = stored_pool(home, inputs, settings.get("mapping"))
    conditions = own_conditions(samples, where or [])
    column = (sort or "").removeprefix("-")
    if sort and column not in samples.own_columns:
        raise ConfigError(
            f"--sort {sort}: no such column in this pool (there are: {', '.join(samples.own_columns) or 'none'})"
        )
    if query:
        with console.progress_bar() as bar:
            store.build_search(
                home, samples, on_progress=lambda done, total: bar.show("indexing", done, total, "samples")
            )
        rows = store.search(home, samples.id, query)
    else:
        rows = np.arange(len(samples))
    rows = rows[own_mask(samples, conditions)[rows]]
    if sort:
        order = PREFIX + column
        rows = analysis.ordered_rows(
            samples, Scores.unknown(len(samples)), None, rows, sort=order, descending=sort.startswith("-")
        )
    if ids:
        for row in rows.tolist():
            print(samples.ids[row])
        return
    named = list(dict.fromkeys([*conditions, *([column] if column else [])]))
    shown: list[dict[str, Any]] = [
        {
            "row": int(row),
            "id": str(samples.ids[row]),
            "prompt": analysis.beginning("\n".join(turn["content"] for turn in samples.turns(row))),
            "response": analysis.beginning(samples.response(row)),
            "own": analysis.sample_text(samples, row)["own"],
        }
        for row in rows[:limit].tolist()
    ]
    if as_json:
        document = {"pool": samples.id, "query": query, "count": len(rows), "rows": shown}
        console.print_json({**document, "where": conditions} if conditions else document)
        return
    console.print_table(
        f"{len(rows):,} of {len(samples):,} samples" + (f", the first {limit}" if len(rows) > limit else ""),
        ["row", "id", *named, "prompt", "response"],
        [
            [
                f"{one['row']:,}",
                one["id"],
                *(own_text(samples.own(name)[one["row"]]) for name in named),
                one["prompt"],
                one["response"],
            ]
            for one in shown
        ],
        left=["id", "prompt", "response", *(name for name in named if samples.own_columns[name] == "text")],
    )
