"""What the commands that queue several runs at once share: their options, the runs' base, and the question before the start."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console, outputs
from backend.cli.command_pool import preset_of, read_pool, with_edits
from backend.cli.running import TUNING, read_config_file
from backend.config import RunConfig, config_from
from backend.errors import StudioError

if TYPE_CHECKING:
    from backend.jobs.comparison_start import Plan
    from backend.records import Pool

Model = Annotated[
    str, typer.Option("--model", help="Folder of a causal language model, a hub id, or 'demo'.")
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="config.json of a run to start from; options override it.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only print what would run.")]
Yes = Annotated[bool, typer.Option("--yes", help="Start without asking.")]


def settings_without(*names: str) -> tuple[str, ...]:
    """The settings that a command has an option for: all of a run's but the model, which has its own, and these."""
    return tuple(name for name in TUNING if name not in ("model", *names))


@dataclass(frozen=True)
class Base:
    """What all runs share. home : the folder of runs, which can be written to."""

    config: RunConfig
    samples: Pool
    home: Path


def read_base(
    pool: Sequence[str],
    model: str,
    settings: dict[str, Any],
    *,
    preset: str | None,
    config: Path | None,
    runs_dir: Path,
    **fixed: Any,
) -> Base:
    """Read what all runs share from a command's options. fixed : settings that nobody may change.

    Raises
    ------
    StudioError : the configuration, the pool or the folder of runs cannot be used.
    """
    values = {**read_config_file(config), **settings, "pool": tuple(pool), "model": model, **fixed}
    made = config_from(values, preset=preset_of(preset, tuple(pool), model))
    home = runs_dir.resolve()
    outputs.check_folder(home)
    return Base(made, with_edits(home, read_pool(list(pool), made.mapping)), home)


def may_start(
    planned: Plan, lines: Sequence[str], told: dict[str, Any], *, dry_run: bool, yes: bool, as_json: bool
) -> bool:
    """Say what would run and what it costs, and ask; False where the command was only to say so.

    lines : for a person. told : the same for a program.

    Raises
    ------
    StudioError : a run would fail. typer.Exit : the answer was no.
    """
    for line in lines:
        console.say(line)
    if planned.problems:
        raise StudioError("nothing was started: " + "; ".join(planned.problems))
    if dry_run:
        if as_json:
            console.print_json(told)
        return False
    if not yes and not as_json and not typer.confirm("Queue these runs?", default=True, err=True):
        raise typer.Exit(1)
    return True


def say_started(
    made: str, command: str, home: Path, *, what: str = "follow them with", more: str = ""
) -> None:
    """Print a comparison's id, and say what happens now. command : that shows it, such as "pilot show". more : behind it."""
    print(made, flush=True)
    console.say("they run one after the other, even if this terminal is closed")
    console.say(f"{what}: python -m backend {command} {made} --runs-dir {shlex.quote(str(home))}{more}")


def cost_lines(planned: Plan, besides: str = "") -> list[str]:
    """What the runs of a plan take and measure, for a person. besides : what is said behind the steps."""
    seeds = {one.seed for one in planned.configs}
    lines = [
        f"{sum(planned.steps):,} optimizer steps in all{besides}",
        time_line(planned),
        f"held-out loss: on {planned.measured_on}",
    ]
    if len(seeds) == 1:
        lines.append("with one seed there is no spread, so differences cannot be judged")
    return lines


def time_line(planned: Plan, before: str = "") -> str:
    """What the runs of a plan take in time, where that is known. before : "at most " where some may not be needed."""
    known = planned.seconds == planned.seconds
    time = f"{before}{console.duration(planned.seconds)}" if known else "not known"
    return f"time in all: {time} ({planned.source})"
