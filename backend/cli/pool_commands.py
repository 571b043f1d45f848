"""Commands on a pool: score it, select from it, lay out its map."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console, outputs
from backend.cli.exporting import OUT_HELP, SCORES_HELP, Format, HeldOut, Kind, Recipe, check_export, written
from backend.cli.options import Ahead, AsJson, PoolArgument, Preset, RunsDir, ScoresFiles, with_settings
from backend.config import SelectionSettings, Words, config_from, selection_settings, to_json
from backend.data.scripts import fitting_words, unspaced_share
from backend.errors import ConfigError, ModelError, PoolError, ScoresError
from backend.records import Status

if TYPE_CHECKING:
    from backend.records import Pool, Selection
    from backend.store import PoolMap
    from backend.store.scores_file import StoredScores

SCORING = (
    "system_prompt", "max_length", "precision", "batch_tokens", "threads", "processes", "accelerate_config", "rescore",
)  # fmt: skip
SELECTING = tuple(
    f.name for f in dataclasses.fields(SelectionSettings) if f.name not in ("update_ratio", "ranking")
)


def preset_of(preset: str | None, pool: tuple[str, ...], model: str) -> str:
    """The preset that was asked for, or the one for this pool and model."""
    return preset or ("demo" if pool == ("demo",) and model == "demo" else "paper")


def read_pool(inputs: list[str], mapping: dict[str, str] | None = None, *, tell: bool = True) -> Pool:
    """Read the pool that the command line names, with a progress bar, and say what was done to its rows."""
    from backend import data

    with console.progress_bar() as bar:
        pool = data.load_outside(
            inputs,
            mapping=mapping or None,
            on_progress=lambda done, total: bar.show("reading", done >> 10, total >> 10, "KiB"),
        )
    if tell:
        tell_rows(pool)
    return pool


def with_edits(home: Path, pool: Pool, *, tell: bool = True) -> Pool:
    """A pool with the responses that people corrected in this runs folder, and a line that says so."""
    from backend import store

    found = store.with_stored_edits(home, pool)
    if tell and found.base:
        count = len(found.edits)
        console.say(
            f"with {count:,} edited {'response' if count == 1 else 'responses'} (the command edits lists them)"
        )
    return found


def tell_rows(pool: Pool) -> None:
    """Say what was done to the rows that a pool was read from."""
    if pool.about is not None:
        console.say(f"{pool.name}: {pool.about.sentence}")
    if pool.rejected:
        first = pool.rejected[0]
        console.say(f"the first left out: {first.file} row {first.row}: {first.reason}")


def say_what_fits(share: float, words: Words) -> None:
    """Say in one line where another cutting into words fits a pool better.

    share : of its letters that are of scripts without spaces.
    """
    if words == "paper" and fitting_words(share) == "unicode":
        console.say(
            f"{share:.0%} of the letters in the responses are of scripts written without spaces between words: --words unicode fits better"
        )


@with_settings(("mapping", *SCORING))
def score(
    pool: PoolArgument,
    model: Annotated[
        str, typer.Option("--model", help="Folder of a causal language model, a hub id, or 'demo'.")
    ],
    out: Annotated[Path, typer.Option("--out", help="File to write: .parquet or .jsonl.")],
    settings: dict[str, Any],
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard",
            metavar="K/N",
            help="Score part K of N alone, every Nth sample: one job of an array. Each writes a .parquet file of its own, which "
            "`select --scores 'part-*.parquet'` reads together.",
        ),
    ] = None,
    preset: Preset = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Score every sample of a pool with a model: complexity, both losses, response tokens.

    Writes row, id, complexity, loss_cond, loss_prior, response_tokens and, where complexity is undefined, the reason.
    What is scored is kept in the runs folder as it goes: started again after it was killed, the command goes on where it
    was, less than a minute before; and runs with this model take the scores from there (--rescore makes them anew).
    """
    from backend.analysis.unknown_language import unknown_languages
    from backend.cli.scoring import score_pool
    from backend.preflight.checks import accelerate_processes
    from backend.store import score_shards, scores_file

    scores_file.check_ending(out)
    part = None if shard is None else score_shards.shard_of(shard)
    if part is not None and out.suffix.lower() != ".parquet":
        raise ScoresError(
            f"{out.name}: a shard is written as .parquet, which says what it is of; end the name so"
        )
    outputs.check_file(out)
    config = config_from(
        {**settings, "pool": pool, "model": model, "epochs": 0}, preset=preset_of(preset, tuple(pool), model)
    )
    if config.accelerate_config:
        accelerate_processes(Path(config.accelerate_config))  # of other machines it would wait for ever
    home = runs_dir.resolve()
    outputs.check_folder(home)
    whole = with_edits(home, read_pool(pool, config.mapping))
    samples = whole if part is None else part.of(whole)
    scores, taken, depends_on = score_pool(home, config, samples)
    scores_file.write_scores(
        out,
        samples,
        scores,
        rows=None if part is None else part.rows(len(whole)),
        about=score_shards.about_value(whole, model, depends_on, part),
    )
    defined = int((scores.reason == "").sum())
    high = int((scores.complexity >= 1).sum())
    console.say(
        f"{defined:,} of {len(samples):,} samples{f' (shard {part})' if part else ''} scored, {high:,} with complexity 1 or above; written to {out}"
    )
    if taken is not None:
        console.say(f"scores {taken.words}, and not computed again (--rescore does)")
    for language in unknown_languages(samples, scores, SelectionSettings()):
        console.say(language.title)
    reasons = scores.unscored()
    for reason, count in reasons.items():
        console.say(f"{count:,} not scored: {reason}")
    if as_json:
        console.print_json(
            {
                "out": str(out),
                "shard": None if part is None else str(part),
                "samples": len(samples),
                "scored": defined,
                "unscorable": reasons,
                "high": high,
                "taken": taken.samples if taken else 0,
            }
        )
    if reasons and not defined:
        raise ModelError(
            f"no sample of {samples.name} could be scored with model {model}: {next(iter(reasons))}"
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


@with_settings(("mapping",))
def pool_map(
    pool: Annotated[
        list[str],
        typer.Argument(
            metavar="POOL", help="Files, folders, a hub dataset id, 'demo', or a stored pool's id."
        ),
    ],
    settings: dict[str, Any],
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write row, id, x and y to this .parquet file.")
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Lay out a pool's map: similar responses near each other. Done once per pool and kept in the runs folder."""
    from backend import store
    from backend.store.maps import has_whole_map

    if out is not None:
        if out.suffix.lower() != ".parquet":
            raise PoolError(f"{out.name}: a map is written as .parquet; end the name so")
        outputs.check_file(out)
    home = runs_dir.resolve()
    outputs.check_folder(home)
    if len(pool) == 1 and store.is_stored(home, pool[0]):
        samples = store.load_pool_from_store(home, store.root_of(home, pool[0]))
    else:
        samples = read_pool(pool, settings.get("mapping"))
        store.save_pool(home, samples, inputs=pool)
    pool_map = store.load_map(home, samples.id)
    if pool_map is None or not has_whole_map(home, samples.id):
        pool_map = _lay_out(home, samples)
    if out is not None:
        store.write_map(out, pool_map, id=samples.ids)
    where = out or store.pool_folder(home, samples.id) / "map.parquet"
    placed = int(pool_map.placed.sum())
    console.say(
        f"{placed:,} of {len(samples):,} samples have a place ({pool_map.method}); written to {where}"
    )
    if as_json:
        console.print_json(
            {
                "out": str(where),
                "pool": samples.id,
                "samples": len(samples),
                "placed": placed,
                "method": pool_map.method,
                "seconds": pool_map.seconds,
            }
        )


def _lay_out(home: Path, pool: Pool) -> PoolMap:
    """Compute and store a pool's map and its clusters, whichever is missing, and tell whoever waits elsewhere.

    A first picture is stored as soon as there is one.
    """
    from backend import projection, store
    from backend.jobs import pool_work

    with pool_work.reporting(home, pool.id, "map") as report, console.progress_bar() as bar:

        def on_stage(stage: str, done: int = 0, total: int = 0) -> None:
            report(stage, done, total)
            bar.show(f"{console.STAGES['map']}: {stage}", done, total)

        def stored(laid_out: projection.Projection, *, final: bool) -> PoolMap:
            pool_map = store.PoolMap(laid_out.xy, laid_out.method, laid_out.seconds, final)
            store.save_map(home, pool.id, pool_map)
            return pool_map

        on_stage("n-grams")
        # the picture is one for all, so it goes by the scripts and not by what somebody chose
        words = fitting_words(store.pool_unspaced_share(home, pool))
        counts = store.ngram_counts(home, pool, words=words)
        pool_map = store.load_map(home, pool.id)
        if pool_map is None or not pool_map.final:
            vectors = projection.response_vectors(counts, on_stage=on_stage)
            stored(projection.first_picture(vectors), final=False)
            pool_map = stored(projection.project(vectors, on_stage=on_stage), final=True)
        on_stage("clusters")
        store.save_clusters(home, pool.id, projection.clusters(pool_map.xy, counts))
    return pool_map
