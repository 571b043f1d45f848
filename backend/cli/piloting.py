"""Commands for a pilot: try strategies on a share of a run's steps, and read what it says."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console
from backend.cli.comparison_lookup import find_comparison
from backend.cli.comparison_options import (
    ConfigFile,
    DryRun,
    Model,
    Yes,
    may_start,
    read_base,
    say_started,
    settings_without,
    time_line,
)
from backend.cli.curating import login_name
from backend.cli.options import AsJson, PoolArgument, Preset, RunsDir, with_settings
from backend.config.trial_rules import PILOT_RULE

if TYPE_CHECKING:
    from backend.analysis.pilot_result import PilotResult
    from backend.jobs.comparison_start import Plan
    from backend.jobs.pilot import Pilot

SETTINGS = settings_without("strategy")

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Before a long run: try strategies on a share of its steps, and see whether any beats a random draw.",
)


@app.command(
    "start",
    help="Queue a pilot of a run: each strategy, and the two random draws, on a share of the run's budget with each seed; "
    "all other settings are the run's. Prints the pilot's id; `pilot show` says which strategy to launch.\n\n"
    + PILOT_RULE,
)
@with_settings(SETTINGS)
def start(
    pool: PoolArgument,
    model: Model,
    settings: dict[str, Any],
    strategies: Annotated[
        str | None,
        typer.Option(
            "--strategies",
            help="What is tried, separated by commas; random and random-each-epoch are always in. [default: iterit, or "
            "the strategy of --config]",
            show_default=False,
        ),
    ] = None,
    share: Annotated[
        float,
        typer.Option("--share", help="Share of the run's budget, and so of its steps: 0.05 to 1."),
    ] = 0.25,
    seeds: Annotated[
        str,
        typer.Option("--seeds", help="Each strategy is run once with each: 0,1 or 0-2. Two at the least."),
    ] = "0,1",
    preset: Preset = None,
    config: ConfigFile = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Queue a pilot; its help is above, with the rule."""
    from backend.jobs import comparison_start, pilot

    base = read_base(pool, model, settings, preset=preset, config=config, runs_dir=runs_dir)
    samples, home = base.samples, base.home
    asked = base.config.strategy if strategies is None else strategies
    made = pilot.pilot_of(
        base.config,
        len(samples),
        [word.strip() for word in asked.split(",") if word.strip()],
        share=share,
        seeds=comparison_start.seeds_of(seeds),
    )
    planned = pilot.plan(home, made, samples.id, len(samples))
    told = _plan_values(made, planned)
    if not may_start(planned, plan_lines(made, planned), told, dry_run=dry_run, yes=yes, as_json=as_json):
        return
    done = pilot.start(home, made, samples, samples.id, who=login_name())
    if as_json:
        console.print_json({"id": done, **told})
        return
    what = "which strategy to launch, and the command for it, once they have ended"
    say_started(done, "pilot show", home, what=what)


@app.command(
    "show",
    help="Show a pilot: its verdict, its table, and the command that launches what it says.\n\n" + PILOT_RULE,
)
def show(
    which: Annotated[
        str, typer.Argument(metavar="[PILOT]", help="A pilot's id, its beginning, its name, or 'last'.")
    ] = "last",
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Show a pilot; its help is above, with the rule."""
    from backend.analysis.pilot_result import pilot_result
    from backend.jobs import lifecycle

    home = runs_dir.resolve()
    lifecycle.refresh(home)
    result = pilot_result(home, find_comparison(home, which, "pilot"))
    if as_json:
        console.print_json(_values(home, result))
        return
    print(result.info.name)
    for line in result_lines(result):
        print(line)
    print()
    columns = ["strategy", "seeds", "held-out loss", "spread (sd)", "against random-each-epoch"]
    rows = [
        [
            row.strategy,
            str(row.n),
            console.number(row.mean, 4),
            console.number(row.sd, 4),
            f"{row.difference:+.4f}" if row.difference == row.difference else "-",
        ]
        for row in result.verdict.rows
    ]
    console.print_table("", columns, rows, left=["strategy"])
    if result.measured:
        print(
            f"Nats per response token after the last epoch, mean over seeds, measured on {result.measured}."
        )
    print(PILOT_RULE)
    if result.verdict.strategy:
        print()
        print(f"launch {result.verdict.strategy} with:")
        print(launch_command(home, result))


def plan_lines(made: Pilot, planned: Plan) -> list[str]:
    """What a pilot will run, for a person."""
    from backend.jobs.pilot import notes

    return [
        f"{len(made.configs)} runs: {', '.join(made.strategies)} with seeds {', '.join(map(str, made.seeds))}, one after "
        "the other",
        f"each trains {made.steps:,} of the run's {made.whole_steps:,} optimizer steps, {made.budget:,} samples an epoch; "
        f"{sum(planned.steps):,} steps in all, {made.times:.1f} times those of the run itself",
        time_line(planned),
        f"held-out loss: on {planned.measured_on}",
        *(f"note: {text}" for text in (*notes(made), *planned.warnings)),
    ]


def result_lines(result: PilotResult) -> list[str]:
    """What a pilot says, for a person."""
    from backend.analysis.pilot_result import length_words, progress_words
    from backend.analysis.pilot_verdict import verdict_words

    words = verdict_words(result.verdict)
    return [words or progress_words(result), length_words(result)]


def launch_command(home: Path, result: PilotResult) -> str:
    """The command that launches what a pilot says; "" before it says anything."""
    from backend.config.command_line import shortest_command

    chosen = result.verdict.strategy
    return shortest_command(result.launch(chosen), home=home) if chosen else ""


def _plan_values(made: Pilot, planned: Plan) -> dict[str, Any]:
    return {
        "runs": [one.name for one in made.configs],
        "strategies": made.strategies,
        "seeds": made.seeds,
        "share": made.share,
        "budget": made.budget,
        "steps": made.steps,
        "run_steps": made.whole_steps,
        "steps_in_all": sum(planned.steps),
        "seconds": planned.seconds,
        "source": planned.source,
    }


def _values(home: Path, result: PilotResult) -> dict[str, Any]:
    return {
        "id": result.info.id,
        "name": result.info.name,
        "share": result.share,
        "steps": result.steps,
        "run_steps": result.whole_steps,
        "done": result.done,
        "runs": [dataclasses.asdict(run) for run in result.runs],
        "verdict": dataclasses.asdict(result.verdict),
        "words": result_lines(result),
        "measured_on": result.measured,
        "launch": launch_command(home, result),
    }
