"""The command that shows one sample as a model reads it, and how well the model expects its response."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console
from backend.cli.command_pool import preset_of, read_pool, tell_rows, with_edits
from backend.cli.options import AsJson, Preset, RunsDir, with_settings
from backend.config import RunConfig, config_from
from backend.errors import PoolError

if TYPE_CHECKING:
    from rich.console import Console

    from backend.model.readable import ModelText, TokenLosses
    from backend.records import Pool

READING = ("system_prompt", "max_length", "precision", "threads")
HEADS = {
    "prompt": "prompt",
    "response": "response",
    "mark": "closes the turn",
    "cut": "left out by max_length",
}
STYLES = {"prompt": "dim", "response": "bold", "mark": "cyan", "cut": "red strike"}
# nats of a token from which each colour holds: the model gave it a probability of 61 %, 14 %, 2 % or 0.2 %
SHADES = ((6.0, "black on red"), (4.0, "black on yellow"), (2.0, "black on green"), (0.5, "green"), (0.0, ""))


@with_settings(("mapping", *READING))
def read(
    pool: Annotated[
        list[str],
        typer.Argument(
            metavar="POOL", help="Files, folders, a hub dataset id, 'demo', or a stored pool's id."
        ),
    ],
    sample: Annotated[str, typer.Argument(metavar="ID", help="A sample's id, or its row number (from 0).")],
    model: Annotated[
        str, typer.Option("--model", help="Folder of a causal language model, a hub id, or 'demo'.")
    ],
    settings: dict[str, Any],
    losses: Annotated[
        bool, typer.Option("--losses", help="Also the loss of each token, with and without the prompt.")
    ] = False,
    runs_dir: RunsDir = Path("runs"),
    preset: Preset = None,
    as_json: AsJson = False,
) -> None:
    """Show a sample exactly as a model reads it: the response marked, what is cut, token counts, token losses."""
    from backend.model.readable import to_json

    config = config_from(
        {**settings, "pool": pool, "model": model, "epochs": 0}, preset=preset_of(preset, tuple(pool), model)
    )
    samples = _pool(pool, runs_dir.resolve(), config.mapping)
    row = find_row(samples, sample)
    text, found = _read(config, samples, row, losses)
    if as_json:
        about = {"pool": samples.id, "sample": samples.ids[row], "row": row, "model": model}
        segments = [part._asdict() for part in text.segments]
        console.print_json(
            {**about, **to_json(text), "segments": segments, "losses": to_json(found) if found else None}
        )
        return
    _print_text(text, f"{samples.name}, row {row:,} ({samples.ids[row]}), read with {model}")
    if found is not None:
        _print_losses(found)


def find_row(pool: Pool, name: str) -> int:
    """The row of the sample that a person means: its id, or its row number.

    Raises
    ------
    PoolError : the pool has no such sample.
    """
    row = pool.row_of.get(name)
    if row is None and name.isdecimal() and int(name) < len(pool):
        row = int(name)
    if row is None:
        raise PoolError(
            f"{pool.name} has no sample {name!r} (allowed: an id such as {pool.ids[0]}, or a row from 0 to {len(pool) - 1:,})"
        )
    return row


def _pool(names: list[str], home: Path, mapping: dict[str, str]) -> Pool:
    """A stored pool by its id, or the pool that the files make."""
    from backend import store

    if len(names) == 1 and store.is_stored(home, names[0]):
        stored = store.edited_pool(home, names[0])
        tell_rows(stored)
        return stored
    return with_edits(home, read_pool(names, mapping))


def _read(config: RunConfig, pool: Pool, row: int, losses: bool) -> tuple[ModelText, TokenLosses | None]:
    """The text, and the losses where they are asked for and there are any."""
    with console.progress_bar() as bar:
        bar.show("loading the model" if losses else "loading the tokenizer", 0, 0)
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read once, when torch is loaded
        import numpy as np
        import torch

        from backend import complexity, prompts
        from backend.model import load as model

        if config.threads:
            torch.set_num_threads(config.threads)
        tokenizer, positions = model.load_tokenizer(config.model)
        given: dict[str, Any] = {
            "system_prompt": config.system_prompt,
            "max_length": min(config.max_length, positions or config.max_length),
        }
        (sample,) = pool.conversations(np.array([row]))
        text = prompts.show(sample, tokenizer, **given)
        if not losses or text.reason:
            return text, None
        language_model, _ = model.load(config.model, precision=config.precision)
        bar.show("reading", 0, 0)
        return text, complexity.token_losses(
            language_model, tokenizer, sample, precision=config.precision, **given
        )


def _print_text(text: ModelText, title: str) -> None:
    from rich.text import Text

    out = _stdout()
    out.print(Text(title, style="bold"))
    out.print(counts(text))
    for note in text.notes:
        out.print(Text(note, style="yellow"))
    for part in text.segments:
        out.print(Text(f"--- {HEADS[part.kind]} ---", style="dim"))
        # the terminal wraps lines itself, so that what is copied from it has no line breaks of ours
        out.print(Text(visible(part.text), style=STYLES[part.kind]), soft_wrap=True)


def counts(text: ModelText) -> str:
    """How many tokens there are, and why the sample cannot be scored where it cannot."""
    if not text.text:
        return f"cannot be scored: {text.reason}"
    said = f"{text.tokens:,} tokens"
    if text.tokens < text.whole_tokens:
        said = f"{text.tokens:,} of {text.whole_tokens:,} tokens (cut after {text.max_length:,})"
    said += f", {text.response_tokens:,} of them the response with what closes its turn"
    said += f"; {text.alone_tokens:,} tokens without the prompt"
    return f"{said}; cannot be scored: {text.reason}" if text.reason else said


def _print_losses(found: TokenLosses) -> None:
    from rich.table import Table
    from rich.text import Text

    out = _stdout()
    out.print()
    shaded = Text()
    for piece, tokens, nats in zip(found.pieces, found.tokens, found.conditioned, strict=True):
        shaded.append(visible(piece), style=shade(nats / max(1, tokens)))
    out.print(shaded, soft_wrap=True)
    out.print()
    table = Table(
        title="Nats of each piece (log is natural)", title_justify="left", title_style="bold", box=None
    )
    table.add_column("piece", overflow="fold")
    for name in ("tokens", "with prompt", "without", "difference"):
        table.add_column(name, justify="right")
    for piece, tokens, with_prompt, without in zip(
        found.pieces, found.tokens, found.conditioned, found.alone, strict=True
    ):
        word = Text(repr(piece)[1:-1], style=shade(with_prompt / max(1, tokens)))
        numbers = [console.number(nats) for nats in (with_prompt, without, with_prompt - without)]
        table.add_row(word, str(tokens), *numbers)
    out.print(table)
    means = f"mean per token: {console.number(found.loss_cond, 4)} with the prompt, {console.number(found.loss_prior, 4)} without"
    out.print(
        f"{means}; complexity {console.number(found.complexity, 4)}{found.reason and f' ({found.reason})'}"
    )


def _stdout() -> Console:
    """What is written there is data: nothing in it is markup, no number is coloured."""
    from rich.console import Console

    out = Console(highlight=False, markup=False)
    if not out.is_terminal:
        out.width = 200  # a pipe has no width; folding a table for it would only break it
    return out


def shade(nats: float) -> str:
    """The style of a token that cost so many nats; none where that is not known."""
    return next((style for least, style in SHADES if nats >= least), "")


def visible(text: str) -> str:
    """A text with its control characters as symbols: what is in a data set must not steer a terminal."""
    return "".join(_symbol(letter) for letter in text)


def _symbol(letter: str) -> str:
    code = ord(letter)
    if letter in "\n\t" or (32 <= code < 127) or code > 159:
        return letter
    return chr(0x2400 + code) if code < 32 else "\u2421" if code == 127 else f"\\x{code:02x}"
