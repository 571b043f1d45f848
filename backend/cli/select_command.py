"""The command `select`: picks samples from a pool, using stored scores."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console, outputs
from backend.cli.command_pool import read_pool, say_what_fits, with_edits
from backend.cli.exporting import OUT_HELP, SCORES_HELP, Format, HeldOut, Kind, Recipe, check_export, written
from backend.cli.options import Ahead, AsJson, PoolArgument, RunsDir, ScoresFiles, with_settings
from backend.config import SelectionSettings, selection_settings, to_json
from backend.data.scripts import unspaced_share
from backend.errors import ConfigError
from backend.records import Status

if TYPE_CHECKING:
    from backend.records import Pool, Selection
    from backend.store.scores_file import StoredScores

SELECTING = tuple(
    f.name for f in dataclasses.fields(SelectionSettings) if f.name not in ("update_ratio", "ranking")
)


@with_settings(("mapping", *SELECTING))
def select(
    pool: PoolArgument,
    scores: ScoresFiles,
    settings: dict[str, Any],
    ahead: Ahead = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="JSON file to write; stdout where neither this nor --export is given."),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", help=f"Also write the selected samples themselves. {OUT_HELP}"),
    ] = None,
    format: Format = "messages",
    kind: Kind = "jsonl",
    with_scores: Annotated[bool, typer.Option("--with-scores", help=f"With --export: {SCORES_HELP}")] = False,
    with_held_out: HeldOut = False,
    recipe: Recipe = False,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Select from a pool by stored scores; needs no model.

    Writes {"selected": [row numbers in pick order], ...} with ids, gains, the n-grams that earned each pick, and how
    many samples were not selected for which reason. Rows that the scores file does not name are not candidates.
    Marks made by `mark` or on the page hold where they are given as --pinned and --excluded. Responses that were edited in
    the runs folder are used as edited; one that was edited since it was scored has no score until `score` is run again.
    """
    import numpy as np

    from backend.analysis.export_files import ExportOptions
    from backend.analysis.picks_export import picks_of_settings
    from backend.analysis.quota_words import share_notes
    from backend.analysis.unknown_language import unknown_languages
    from backend.store import score_shards, scores_file, write_json

    mapping = settings.pop("mapping", None)
    chosen = selection_settings(SelectionSettings(), **settings)
    if out is not None:
        outputs.check_file(out)
    if export is not None:
        check_export(export)
    elif recipe or with_scores or with_held_out:
        given = "--recipe" if recipe else "--with-scores" if with_scores else "--with-held-out"
        raise ConfigError(f"{given} needs --export FILE")
    score_shards.check_pool_names(pool)
    samples = with_edits(runs_dir.resolve(), read_pool(pool, mapping))
    say_what_fits(unspaced_share(samples.responses()), chosen.words)
    stored = score_shards.read_score_files(scores, samples)
    check_ahead(chosen, ahead)
    selection = _select(samples, stored, chosen, ahead)
    for language in unknown_languages(samples, stored.scores, chosen):
        console.say(language.title)
    notes = share_notes(samples, selection, chosen)
    for note in notes:
        console.say(f"shares of sources: {note}")
    document = console.without_nan(_picks(samples, stored, chosen, selection, scores))
    if chosen.source_shares:
        document["share_notes"] = notes
    if out is not None:
        write_json(out, document)
        console.say(f"{len(selection):,} of {len(samples):,} samples selected; written to {out}")
    if export is not None:
        picks = picks_of_settings(
            samples,
            stored.scores,
            selection,
            chosen,
            inputs=tuple(pool),
            mapping=mapping or {},
            scores_files=tuple(scores),
            ahead=ahead,
            held_out=np.flatnonzero(stored.scores.reason == scores_file.HELD_OUT),
        )
        console.say(f"{len(selection):,} of {len(samples):,} samples selected")
        written(export, picks, ExportOptions(format, kind, with_scores, with_held_out, recipe))
    if as_json or (out is None and export is None):
        console.print_json(document)


def check_ahead(settings: SelectionSettings, ahead: int) -> None:
    """Refuse to look ahead with a strategy whose epochs do not build on each other.

    Raises
    ------
    ConfigError : such a strategy.
    """
    if ahead and settings.strategy != "iterit-cumulative":
        raise ConfigError(
            f"--ahead {ahead} needs the strategy iterit-cumulative, whose epochs build on each other; it is {settings.strategy}"
        )


def _select(pool: Pool, stored: StoredScores, settings: SelectionSettings, ahead: int) -> Selection:
    from backend import analysis, diversity, selection
    from backend.config import budget_of
    from backend.selection.choose import exponents

    counts = None
    if exponents(settings)[1] > 0 or ahead:
        counts = diversity.count_ngrams(
            pool.responses(), suffix=settings.response_suffix, words=settings.words
        )
    budget = budget_of(settings.budget, len(pool))
    if not ahead:
        return selection.select_of_pool(
            pool, counts, stored.scores, settings, budget=budget, rows=stored.rows
        )
    assert counts is not None
    found = analysis.look_ahead(
        pool,
        counts,
        stored.scores,
        settings,
        epoch=ahead,
        budget=budget,
        cache=analysis.TfidfCache(),
        rows=stored.rows,
    )
    return selection.select_of_pool(
        pool,
        counts,
        stored.scores,
        settings,
        budget=budget,
        rows=found.candidates,
        earlier=found.earlier.times(len(pool)),
    )


def _picks(
    pool: Pool, stored: StoredScores, settings: SelectionSettings, selection: Selection, names: list[str]
) -> dict[str, Any]:
    """A selection as JSON values."""
    from backend.store.scores_file import NOT_SCORED

    reasons: Counter[str] = Counter()
    for row, code in enumerate(selection.status.tolist()):
        if code == Status.NOT_CANDIDATE:
            reasons[NOT_SCORED] += 1
        elif code == Status.UNSCORABLE:
            reasons[f"unscorable: {stored.scores.reason[row]}"] += 1
        else:
            reasons[Status(code).name.lower().replace("_", " ")] += 1
    own = {name: pool.own(name)[selection.rows].tolist() for name in pool.own_columns}
    return {
        **({"own": own} if own else {}),
        "selected": selection.rows,
        "ids": pool.ids[selection.rows],
        "gain": selection.gain,
        "diversity": selection.diversity,
        "terms": [
            [[term, float(part)] for term, part in zip(terms, parts, strict=True) if term]
            for terms, parts in zip(selection.terms, selection.parts, strict=True)
        ],
        "counts": dict(reasons.most_common()),
        "pool": {"id": pool.id, "name": pool.name, "rows": len(pool)},
        "scores": names[0] if len(names) == 1 else names,
        "settings": to_json(settings),
    }
