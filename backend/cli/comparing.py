"""Commands that compare: start strategies with several seeds, and show runs side by side."""

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
    cost_lines,
    may_start,
    read_base,
    say_started,
    settings_without,
)
from backend.cli.curating import login_name
from backend.cli.options import AsJson, PoolArgument, Preset, RunsDir, with_settings
from backend.cli.showing import find_run
from backend.errors import RunError

if TYPE_CHECKING:
    pass

ALL = (
    "iterit",
    "iterit-cumulative",
    "iterit-static",
    "superfiltering",
    "diversity",
    "longest",
    "random",
    "random-each-epoch",
    "full",
)
SHARED = settings_without("strategy", "seed", "name", "max_steps")

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Compare strategies on one pool, or any runs with each other.",
)
WhichComparison = Annotated[
    str, typer.Argument(metavar="COMPARISON", help="A comparison's id, its beginning, its name, or 'last'.")
]
Reference = Annotated[
    str,
    typer.Option(
        "--reference",
        help="Strategy that the others are measured against. [default: random where it is there]",
    ),
]


@app.command("start")
@with_settings(SHARED)
def start(
    pool: PoolArgument,
    model: Model,
    settings: dict[str, Any],
    strategies: Annotated[
        str,
        typer.Option(
            "--strategies", help=f"What is compared, separated by commas: {', '.join(ALL)}, complexity."
        ),
    ] = ",".join(ALL),
    seeds: Annotated[
        str,
        typer.Option(
            "--seeds", help="Each strategy is run once with each: 0,1,2 or 0-4. One seed gives no spread."
        ),
    ] = "0-4",
    equal_steps_full: Annotated[
        bool,
        typer.Option(
            "--equal-steps-full",
            help="Also the whole pool, stopped after as many optimizer steps as the others take.",
        ),
    ] = False,
    equal_tokens_of: Annotated[
        str,
        typer.Option(
            "--equal-tokens-of",
            metavar="RUN",
            help="Also random-each-epoch and full for as many response tokens as this finished run trained on.",
        ),
    ] = "",
    random_ladder: Annotated[
        bool,
        typer.Option(
            "--random-ladder",
            help="Also random-each-epoch for a quarter, half, once, twice and four times the steps, each a run of its own: "
            "`show` then says how many steps of fresh random draws a selection is worth.",
        ),
    ] = False,
    name: Annotated[str, typer.Option("--name", help="What to call the comparison.")] = "",
    preset: Preset = None,
    config: ConfigFile = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Queue several strategies with several seeds as ordinary runs, alike in everything else. Prints the comparison's id.

    They go on when this command has ended; `runs` and the page show them, and the page stops them.
    """
    from backend.jobs import comparison_start, equal_tokens

    base = read_base(pool, model, settings, preset=preset, config=config, runs_dir=runs_dir, max_steps=0)
    samples, home = base.samples, base.home
    others = (
        equal_tokens.equal_token_variants(
            base.config, equal_tokens.trained(home, find_run(home, equal_tokens_of))
        )
        if equal_tokens_of
        else []
    )
    configs = comparison_start.configurations(
        base.config,
        len(samples),
        strategies=[word.strip() for word in strategies.split(",") if word.strip()],
        seeds=comparison_start.seeds_of(seeds),
        equal_steps_full=equal_steps_full,
        ladder=random_ladder,
        others=others,
    )
    planned = comparison_start.plan(home, configs, samples.id, len(samples))
    told = {"runs": [one.name for one in configs], "steps": planned.steps, "seconds": planned.seconds}
    if not may_start(planned, plan_lines(planned), told, dry_run=dry_run, yes=yes, as_json=as_json):
        return
    title = name or f"{len(configs)} runs on {samples.name}"
    made = comparison_start.start(home, title, configs, samples, who=login_name())
    if as_json:
        console.print_json(dataclasses.asdict(find_comparison(home, made)))
        return
    say_started(made, "compare show", home)


def plan_lines(planned: Any) -> list[str]:
    """What a comparison will run, for a person."""
    strategies = list(dict.fromkeys(one.name.rpartition(" seed ")[0] for one in planned.configs))
    seeds = sorted({one.seed for one in planned.configs})
    ladder = (
        f", {planned.ladder_steps:,} of them in the {planned.ladder_runs} runs of the random ladder"
        if planned.ladder_runs
        else ""
    )
    lines = [
        f"{len(planned.configs)} runs: {len(strategies)} strategies ({', '.join(strategies)}) with "
        f"{len(seeds)} seed{'s' if len(seeds) != 1 else ''} ({', '.join(map(str, seeds))}), one after the other",
        *cost_lines(planned, ladder),
    ]
    return [*lines, *(f"note: {text}" for text in planned.warnings)]


@app.command("show")
def show(
    which: Annotated[
        list[str],
        typer.Argument(
            metavar="COMPARISON|RUN...",
            help="A comparison (id, beginning, name, 'last'), or runs by id or name.",
        ),
    ],
    reference: Reference = "",
    epoch: Annotated[
        int | None,
        typer.Option(
            "--epoch",
            min=0,
            help="Overlap, lengths and noise of this epoch's selections. [default: all epochs]",
        ),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print tables in Markdown, for a document.")
    ] = False,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Show runs side by side: held-out loss by strategy with its spread over seeds, differences, and what was selected."""
    from backend import analysis
    from backend.cli import comparison_text
    from backend.jobs import lifecycle

    home = runs_dir.resolve()
    lifecycle.refresh(home)
    title, ids = _meant(home, which)
    found = analysis.compare(home, ids, reference=reference)
    if as_json:
        console.print_json(comparison_text.as_values(home, title, found, epoch))
    elif markdown:
        print(comparison_text.as_markdown(home, title, found, epoch))
    else:
        comparison_text.print_all(home, title, found, epoch)


@app.command("add")
def add(
    comparison: WhichComparison,
    run: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Runs by id, the beginning of one, or name.")
    ],
    new: Annotated[bool, typer.Option("--new", help="Make a comparison with this name first.")] = False,
    runs_dir: RunsDir = Path("runs"),
) -> None:
    """Put runs into a comparison; one that is in another moves. Prints the comparison's id."""
    from backend import store

    home = runs_dir.resolve()
    ids = [find_run(home, name) for name in run]
    chosen = (
        store.create_comparison(home, comparison, who=login_name())
        if new
        else find_comparison(home, comparison).id
    )
    store.add_to_comparison(home, chosen, ids)
    print(chosen)


@app.command("remove")
def remove(
    comparison: WhichComparison,
    run: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN...]", help="Runs to remove; without any, the comparison itself is removed."
        ),
    ] = None,
    runs_dir: RunsDir = Path("runs"),
) -> None:
    """Take runs out of a comparison, or the comparison off the list; the runs themselves stay."""
    from backend import store

    home = runs_dir.resolve()
    info = find_comparison(home, comparison)
    if run:
        store.remove_from_comparison(home, info.id, [find_run(home, name) for name in run])
        console.say(f"{len(run)} removed from {info.name}")
    else:
        store.delete_comparison(home, info.id)
        console.say(f"{info.name} is off the list; its {len(info.runs)} runs are still there")


@app.command("list")
def listed(runs_dir: RunsDir = Path("runs"), as_json: AsJson = False) -> None:
    """List the comparisons, newest first."""
    from backend import store

    home = runs_dir.resolve()
    infos = store.comparisons(home)
    if as_json:
        console.print_json([dataclasses.asdict(info) for info in infos])
        return
    if not infos:
        console.say("no comparison yet; start one with: python -m backend compare start POOL --model MODEL")
        return
    states = {info.id: info.state for info in store.runs(home)}
    console.print_table(
        f"Comparisons in {home}",
        ["comparison", "name", "runs", "done", "made", "by"],
        [
            [
                info.id,
                info.name,
                str(len(info.runs)),
                str(sum(states[run] == "done" for run in info.runs)),
                console.moment(info.created),
                info.who or "-",
            ]
            for info in infos
        ],
        left=["comparison", "name", "by"],
    )


def _meant(home: Path, names: list[str]) -> tuple[str, list[str]]:
    """A title and the run ids of what was named: one comparison, or runs."""
    if len(names) == 1:
        try:
            info = find_comparison(home, names[0])
        except RunError as error:
            if names[0] == "last" or names[0].startswith("c"):
                raise
            try:
                return names[0], [find_run(home, names[0])]
            except RunError:
                raise error from None
        if not info.runs:
            raise RunError(f"the comparison {info.name} has no runs")
        return info.name, list(info.runs)
    return f"{len(names)} runs", [find_run(home, name) for name in names]
