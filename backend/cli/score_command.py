"""The command that scores a pool with a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli import console, outputs
from backend.cli.command_pool import preset_of, read_pool, with_edits
from backend.cli.options import AsJson, PoolArgument, Preset, RunsDir, with_settings
from backend.config import SelectionSettings, config_from
from backend.errors import ModelError, ScoresError

SCORING = (
    "system_prompt", "max_length", "precision", "batch_tokens", "threads", "processes", "accelerate_config", "rescore",
)  # fmt: skip


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
            help="Score only part K of N (every Nth sample), as one job of an array. Each writes a .parquet file of its own, which "
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
