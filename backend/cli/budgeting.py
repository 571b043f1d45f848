"""Commands that search for the smallest budget that does as well as the full pool."""

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
from backend.config.trial_rules import BUDGET_RULE

if TYPE_CHECKING:
    from backend.jobs.budget_search import Search
    from backend.jobs.comparison_start import Plan

SETTINGS = settings_without("budget", "seed", "name", "max_steps")

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Find the smallest budget that does as well as the full pool.",
)


@app.command(
    "start",
    help="Queue the full pool, half of it, a quarter and so on, each with every seed, as ordinary runs; all of them together "
    "take at most twice the steps of the full pool's. The search ends early: runs that cannot change the verdict any more leave "
    "the queue. Prints the search's id; `budget show` says what was found.\n\n" + BUDGET_RULE,
)
@with_settings(SETTINGS)
def start(
    pool: PoolArgument,
    model: Model,
    settings: dict[str, Any],
    smallest: Annotated[
        float,
        typer.Option("--smallest", help="Least budget to try: a share of the pool up to 1, else samples."),
    ] = 0.02,
    seeds: Annotated[
        str, typer.Option("--seeds", help="Each budget is run once with each: 0,1 or 0-2. Two at the least.")
    ] = "0,1",
    preset: Preset = None,
    config: ConfigFile = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Queue a search; its help is above, with the rule."""
    from backend.jobs import budget_search, comparison_start

    base = read_base(pool, model, settings, preset=preset, config=config, runs_dir=runs_dir, max_steps=0)
    samples, home = base.samples, base.home
    search = budget_search.search_of(
        base.config, len(samples), smallest=smallest, seeds=comparison_start.seeds_of(seeds)
    )
    planned = budget_search.plan(home, search, samples.id, len(samples))
    told = {
        "budgets": search.budgets,
        "seeds": search.seeds,
        "runs": len(search.configs),
        "steps": sum(planned.steps),
        "seconds": planned.seconds,
        "source": planned.source,
    }
    if not may_start(planned, plan_lines(search, planned), told, dry_run=dry_run, yes=yes, as_json=as_json):
        return
    made = budget_search.start(home, search, samples, who=login_name())
    if as_json:
        console.print_json({"id": made, **told})
        return
    more = "; the search ends early by itself where it can"
    say_started(made, "budget show", home, what="what was found", more=more)


@app.command(
    "show",
    help="Show a search: what was found so far, by budget, and how far it is.\n\n" + BUDGET_RULE,
)
def show(
    which: Annotated[
        str, typer.Argument(metavar="[SEARCH]", help="A search's id, its beginning, its name, or 'last'.")
    ] = "last",
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Show a search; its help is above, with the rule."""
    from backend.analysis.budget_result import budget_result, course_words, figures_words, headline
    from backend.jobs import budget_end, lifecycle

    home = runs_dir.resolve()
    lifecycle.refresh(home)
    info = find_comparison(home, which, "budget")
    stopped = budget_end.end_early(home, budget_result(home, info))
    result = budget_result(home, info)
    if as_json:
        console.print_json(
            {
                "id": result.info.id,
                "strategy": result.strategy,
                "words": f"{headline(result)}. {figures_words(result)}",
                "course": result.course,
                "course_words": course_words(result),
                "verdict": dataclasses.asdict(result.verdict),
                "done": result.done,
                "runs": [dataclasses.asdict(run) for run in result.runs],
                "stopped": stopped,
                "measured_on": result.measured,
            }
        )
        return
    print(result.info.name)
    print(f"{headline(result)}. {figures_words(result)}")
    print(course_words(result))
    print()
    rows = [
        [
            f"{row.budget:,}" if row.budget else "full pool",
            str(row.n),
            console.number(row.mean, 4),
            console.number(row.sd, 4),
            f"{row.difference:+.4f}" if row.difference == row.difference else "-",
            {True: "yes", False: "no", None: "-"}[row.within if row.budget else None],
        ]
        for row in result.verdict.rows
    ]
    columns = ["samples an epoch", "seeds", "held-out loss", "spread (sd)", "against the full pool", "within the spread"]  # fmt: skip
    console.print_table("", columns, rows)
    if result.measured:
        print(
            f"Nats per response token after the last epoch, mean over seeds, measured on {result.measured}."
        )
    print(BUDGET_RULE)


def plan_lines(search: Search, planned: Plan) -> list[str]:
    """What a search will run, for a person."""
    seeds = len(search.seeds)
    return [
        f"{len(search.configs)} runs: the full pool, then {', '.join(f'{n:,}' for n in search.budgets)} samples an epoch by "
        f"{search.base.strategy}, with seeds {', '.join(map(str, search.seeds))}, one after the other",
        f"at most {sum(planned.steps):,} optimizer steps in all, {sum(planned.steps[:seeds]):,} of them on the full pool; fewer where "
        "a budget turns out to be too small",
        time_line(planned, "at most "),
        f"held-out loss: on {planned.measured_on}",
        *(f"note: {text}" for text in planned.warnings),
    ]
