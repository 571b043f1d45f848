"""The work behind health and search: findings and lengths, done once per pool and kept in the runs folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console, outputs
from backend.cli.command_pool import preset_of, read_pool, tell_rows, with_edits
from backend.cli.options import AsJson, RunsDir, with_settings
from backend.config import RunConfig, config_from

if TYPE_CHECKING:
    from backend.config import Words
    from backend.findings import ContentFindings, Lengths, NearPairs
    from backend.jobs.pool_work import Report
    from backend.records import Pool

Inputs = Annotated[
    list[str],
    typer.Argument(metavar="POOL", help="Files, folders, a hub dataset id, 'demo', or a stored pool's id."),
]
PresetName = Annotated[str | None, typer.Option("--preset", help="Base for the other settings.")]
READING = ("system_prompt", "max_length")


@with_settings(("mapping", "words"))
def findings(pool: Inputs, settings: dict[str, Any], runs_dir: RunsDir = Path("runs")) -> None:
    """Index a pool for searching, read its texts for what is wrong with them, and look for near-duplicates. Done once per pool and kept in the runs folder."""
    from backend import store
    from backend.jobs import pool_work

    home = runs_dir.resolve()
    samples = stored_pool(home, pool, settings.get("mapping"))
    with pool_work.reporting(home, samples.id, "findings") as report, console.progress_bar() as bar:

        def at(stage: str, done: int, total: int) -> None:
            report(stage, done, total)
            bar.show(stage, done, total, "samples")

        store.build_search(home, samples, on_progress=lambda done, total: at("indexing texts", done, total))
        if not store.has_content(home, samples.id):
            read = content_of(samples, on_progress=lambda done, total: at("reading texts", done, total))
            store.save_content(home, samples.id, read)
        words = settings.get("words") or store.pool_words(home, samples.id)
        if store.load_near(home, samples.id, words=words, whole=True) is None:
            report("near-duplicates")
            pairs = near_of(
                samples, words, on_progress=lambda done, total: at("near-duplicates", done, total)
            )
            store.save_near(home, samples.id, pairs, words=words)
    console.say(f"{samples.name} ({samples.id}) can be searched, and its findings are known")


@with_settings(("mapping", *READING))
def lengths(
    pool: Inputs,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            help="Folder of a causal language model, a hub id, or 'demo'; only its tokenizer is read.",
        ),
    ],
    settings: dict[str, Any],
    preset: PresetName = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Count a pool's tokens under a model's tokenizer, without loading the model; kept in the runs folder."""
    from backend import findings as look
    from backend.jobs import pool_work

    # a process that was started by the app is told to keep to one thread, lest it fork beside them: this one never forks
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    home = runs_dir.resolve()
    mapping = settings.pop("mapping", None)
    config = reading_of(settings, pool, model, preset)
    samples = stored_pool(home, pool, mapping)
    arguments = (
        "--model",
        model,
        "--max-length",
        str(config.max_length),
        "--system-prompt",
        config.system_prompt,
    )
    with pool_work.reporting(home, samples.id, "lengths", arguments) as report:
        counted = lengths_of(home, samples, config, keep=True, report=report)
    unscorable = [
        finding for finding in look.report(samples, lengths=counted, top=0) if "unscorable" in finding.key
    ]
    too_long = int(counted.too_long.sum())
    console.say(
        f"{too_long:,} of {len(samples):,} samples have more than {counted.limit:,} tokens; "
        + "; ".join(f"{finding.label.lower()} {finding.count:,}" for finding in unscorable)
    )
    if as_json:
        reasons = {finding.key.partition(":")[2]: finding.count for finding in unscorable[1:]}
        known = counted.tokens[counted.tokens >= 0]
        console.print_json(
            {
                "pool": samples.id,
                "samples": len(samples),
                "model": model,
                "limit": counted.limit,
                "tokens": int(known.sum()),
                "response_tokens": int(counted.response_tokens.sum()),
                "too_long": too_long,
                "unscorable": reasons,
            }
        )


def reading_of(settings: dict[str, Any], pool: list[str], model: str, preset: str | None) -> RunConfig:
    """How a model reads the pool: max_length and system prompt."""
    values = {**settings, "pool": pool, "model": model, "epochs": 0}
    return config_from(values, preset=preset_of(preset, tuple(pool), model))


def find_pool(
    home: Path, inputs: list[str], mapping: dict[str, str] | None, *, tell: bool = True
) -> tuple[Pool, bool]:
    """The pool, and whether it is in the runs folder."""
    from backend import store

    if len(inputs) == 1 and store.is_stored(home, inputs[0]):
        stored = store.edited_pool(home, inputs[0])
        if tell:
            tell_rows(stored)
        return stored, True
    samples = with_edits(home, read_pool(inputs, mapping, tell=tell), tell=tell)
    return samples, store.is_stored(home, samples.id)


def stored_pool(home: Path, inputs: list[str], mapping: dict[str, str] | None) -> Pool:
    """The pool, stored where it is not yet."""
    from backend import store

    outputs.check_folder(home)
    samples, is_stored = find_pool(home, inputs, mapping)
    if not is_stored:
        store.save_pool(home, samples, inputs=inputs)
    return samples


def near_of(samples: Pool, words: Words, on_progress: Any = None) -> NearPairs:
    """The pool's near-duplicates under one cutting into words, with a progress bar where nobody else reports."""
    from backend import findings as look

    prompts, responses = look.prompt_texts(samples, system=False), look.response_texts(samples)
    if on_progress is not None:
        return look.near_pairs(prompts, responses, words=words, on_progress=on_progress)
    with console.progress_bar() as bar:
        return look.near_pairs(
            prompts,
            responses,
            words=words,
            on_progress=lambda done, total: bar.show("near-duplicates", done, total, "samples"),
        )


def content_of(samples: Pool, on_progress: Any = None) -> ContentFindings:
    """What the pool's texts hold, with a progress bar where nobody else reports."""
    from backend import findings as look

    prompts, responses = look.prompt_texts(samples, system=False), look.response_texts(samples)
    if on_progress is not None:
        return look.content_findings(prompts, responses, on_progress=on_progress)
    with console.progress_bar() as bar:
        return look.content_findings(
            prompts,
            responses,
            on_progress=lambda done, total: bar.show("reading texts", done, total, "samples"),
        )


def lengths_of(
    home: Path, samples: Pool, config: RunConfig, *, keep: bool, report: Report | None = None
) -> Lengths:
    """The pool's lengths: those that are stored, or counted now."""
    from backend import store

    asked = {"model": config.model, "max_length": config.max_length, "system_prompt": config.system_prompt}
    known = store.load_lengths(home, samples.id, **asked) if keep else None  # type: ignore[arg-type]
    if known is not None:
        return known
    with console.progress_bar() as bar:
        bar.show("loading the tokenizer", 0, 0)
        if report is not None:
            report("loading the tokenizer")
        from backend import prompts
        from backend.model import load as models

        tokenizer, positions = models.load_tokenizer(config.model)

        def show(progress: Any) -> None:
            if report is not None:
                report("counting tokens", progress.done, progress.total)
            bar.show("counting tokens", progress.done, progress.total, "samples")

        counted = prompts.count_lengths(samples, tokenizer, positions=positions, on_progress=show, **asked)  # type: ignore[arg-type]
    if keep:
        store.save_lengths(home, samples.id, counted)
    return counted
