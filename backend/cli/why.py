"""Commands that say why: one sample's fate in a selection, and what a larger budget would bring."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console
from backend.cli.command_pool import read_pool, say_what_fits, with_edits
from backend.cli.options import Ahead, AsJson, PoolArgument, RunsDir, ScoresFiles, with_settings
from backend.cli.select_command import SELECTING, check_ahead
from backend.config import SelectionSettings, budget_of, selection_settings, to_json
from backend.data.scripts import unspaced_share
from backend.errors import PoolError

if TYPE_CHECKING:
    import numpy as np

    from backend.analysis import Reach, TfidfCache, Why
    from backend.diversity import NgramCounts
    from backend.records import Pool, Scores


@dataclasses.dataclass(frozen=True)
class _Given:
    """What both commands read. rows : (m,) int64, those that the scores file names."""

    pool: Pool
    scores: Scores
    rows: np.ndarray
    settings: SelectionSettings
    counts: NgramCounts
    cache: TfidfCache

    @property
    def budget(self) -> int:
        return budget_of(self.settings.budget, len(self.pool))

    @property
    def parts(self) -> tuple[Pool, NgramCounts, Scores, SelectionSettings]:
        return self.pool, self.counts, self.scores, self.settings


def _read(pool: list[str], scores: list[str], settings: dict[str, Any], home: Path) -> _Given:
    from backend import analysis, diversity
    from backend.store import score_shards

    mapping = settings.pop("mapping", None)
    chosen = selection_settings(SelectionSettings(), **settings)
    score_shards.check_pool_names(pool)
    samples = with_edits(home, read_pool(pool, mapping))
    say_what_fits(unspaced_share(samples.responses()), chosen.words)
    stored = score_shards.read_score_files(scores, samples)
    counts = diversity.count_ngrams(samples.responses(), suffix=chosen.response_suffix, words=chosen.words)
    return _Given(samples, stored.scores, stored.rows, chosen, counts, analysis.TfidfCache())


@with_settings(("mapping", *SELECTING))
def why(
    pool: PoolArgument,
    sample: Annotated[
        str, typer.Argument(metavar="ID", help="A sample's id, or its row in the pool, from 0.")
    ],
    scores: ScoresFiles,
    settings: dict[str, Any],
    ahead: Ahead = 0,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Say why a sample is in a selection or not, and what it would take for it to be in.

    Prints its status, pick and gain, the n-grams that earned it or the earlier picks that had covered them, and the
    budget and weights from which on it would be picked. Takes the settings that `select` takes.
    """
    from backend import analysis, selection

    given = _read(pool, scores, settings, runs_dir.resolve())
    row = _row(given.pool, sample)
    check_ahead(given.settings, ahead)
    among: dict[str, Any] = {"rows": given.rows}
    earlier = None
    if ahead:
        found = analysis.look_ahead(
            *given.parts, epoch=ahead, budget=given.budget, cache=given.cache, rows=given.rows
        )
        earlier = found.earlier
        among = {"rows": found.candidates, "earlier": earlier.times(len(given.pool))}
    _, tfidf = analysis.weighed(*given.parts, cache=given.cache, **among)
    made = selection.select_of_pool(*given.parts, budget=given.budget, tfidf=tfidf, **among)
    told = analysis.why(
        given.pool, given.scores, made, row, settings=given.settings, tfidf=tfidf, earlier=earlier
    )
    reach = analysis.reach(*given.parts, row, cache=given.cache, **among)
    if as_json:
        console.print_json(_document(given.pool, told, reach, given.settings))
    else:
        _print(given.pool, told, reach)


def _row(pool: Pool, sample: str) -> int:
    """The row that an id or a row number names."""
    if sample in pool.row_of:
        return pool.row_of[sample]
    if sample.isdecimal() and int(sample) < len(pool):
        return int(sample)
    raise PoolError(
        f"no sample {sample!r} in {pool.name}: expected an id, or a row from 0 to {len(pool) - 1:,}"
    )


def _document(pool: Pool, told: Why, reach: Reach, settings: SelectionSettings) -> dict[str, Any]:
    from backend.analysis import sample_text

    return {
        "id": told.id,
        "row": told.row,
        "status": told.status.name.lower(),
        "pick": told.rank,
        "headline": told.headline,
        "own": sample_text(pool, told.row)["own"],
        "facts": {name: value for name, value, _ in told.facts},
        "terms": [list(pair) for pair in told.terms],
        "covered": [{**term._asdict(), "id": str(pool.ids[term.row])} for term in told.covered],
        "reach": dataclasses.asdict(reach),
        "settings": to_json(settings),
    }


def _print(pool: Pool, told: Why, reach: Reach) -> None:
    print(f"sample {told.id} (row {told.row:,})")
    print(told.headline)
    console.print_table("", ["what", "value"], [[n, v] for n, v, _ in told.facts], left=["what"])
    if told.terms:
        print("\nN-grams that earned the pick")
        console.print_table(
            "",
            ["n-gram", "adds"],
            [[term, console.number(part)] for term, part in told.terms],
            left=["n-gram"],
        )
    if told.covered:
        print("\nN-grams that earlier picks cover")
        console.print_table(
            "",
            ["n-gram", "would add", "adds still", "covered by pick", "which is"],
            [
                [
                    c.term,
                    console.number(c.part),
                    console.number(c.left),
                    f"{c.pick:,}" if c.epoch is None else f"{c.pick:,} of epoch {c.epoch}",
                    str(pool.ids[c.row]),
                ]
                for c in told.covered
            ],
            left=["n-gram", "which is"],
        )
    print("\nIt would be picked, each changed alone, from this budget on or at this weight")
    names = ("budget", "complexity_weight", "diversity_weight", "source_weight")
    rows = []
    for name in names:
        value = getattr(reach, name)
        shown = "-" if value is None else f"{value:,} samples" if name == "budget" else f"{value:g}"
        rows.append([name.replace("_", " "), shown, reach.notes.get(name, "")])
    console.print_table(
        "",
        ["setting", "value", "note"],
        rows,
        left=["setting", "note"],
    )


@with_settings(("mapping", *SELECTING))
def frontier(
    pool: PoolArgument,
    scores: ScoresFiles,
    settings: dict[str, Any],
    points: Annotated[int, typer.Option("--points", min=2, help="About how many budgets to print.")] = 24,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Say what a larger or smaller budget would bring: the last pick's gain and the vocabulary covered.

    The vocabulary covered is the share of the pool's TF-IDF mass whose n-grams occur in a pick. Bounds on sources' shares
    are not read.
    """
    from backend import analysis

    given = _read(pool, scores, settings, runs_dir.resolve())
    order = analysis.full_order(
        *given.parts, vocabulary=analysis.vocabulary(given.counts), cache=given.cache, rows=given.rows
    )
    table = analysis.frontier(order, given.budget, points=points)
    if as_json:
        console.print_json(
            {
                "candidates": len(order),
                "budget": given.budget,
                "points": table.to_dict("records"),
                "settings": to_json(given.settings),
            }
        )
        return
    print(f"Budget frontier of {given.pool.name} ({len(order):,} candidates)")
    if given.settings.source_shares:
        print("Made without the bounds on sources' shares.")
    console.print_table(
        "",
        ["budget", "gain of the last pick", "vocabulary covered", ""],
        [
            [
                f"{int(row['budget']):,}",
                console.number(row["gain"]),
                "-" if row["covered"] != row["covered"] else f"{row['covered']:.1%}",
                "current budget" if row["present"] else "",
            ]
            for row in table.to_dict("records")
        ],
        left=[""],
    )
