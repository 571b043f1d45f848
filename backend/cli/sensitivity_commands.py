"""Commands for sensitivity studies: start one, and show how much the settings matter."""

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

if TYPE_CHECKING:
    from backend.jobs.sensitivity_start import Study

SHARED = settings_without("seed", "name")

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="How much the settings matter: budget, update ratio, decay and the two weights, with several seeds.",
)


@app.command("start")
@with_settings(SHARED)
def start(
    pool: PoolArgument,
    model: Model,
    settings: dict[str, Any],
    vary: Annotated[
        list[str],
        typer.Option(
            "--vary",
            metavar="SETTING=VALUE,VALUE",
            help="Values of one setting: budget, update_ratio, decay, complexity_weight (or a), diversity_weight (or b). "
            "Repeat it for each setting. The base is what the other options say, and is always run too.",
        ),
    ],
    seeds: Annotated[
        str,
        typer.Option(
            "--seeds",
            help="Every value is run once per seed: 0,1,2 or 0-2. With one seed there is no spread.",
        ),
    ] = "0-2",
    cross: Annotated[
        bool,
        typer.Option(
            "--cross", help="Run every combination of the values, not one setting at a time around the base."
        ),
    ] = False,
    references: Annotated[
        str,
        typer.Option(
            "--references",
            help="Strategies to run beside it with the base's settings, separated by commas, such as random-each-epoch.",
        ),
    ] = "",
    name: Annotated[str, typer.Option("--name", help="What to call the study.")] = "",
    preset: Preset = None,
    config: ConfigFile = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Queue a run for each value and seed, all else as in the base. Prints the study's id.

    One setting is varied at a time, unless --cross is given. The runs are ordinary ones: they go on when this command has
    ended, `runs` and the page show them, `stop` and `resume` work as with any run.
    """
    from backend.jobs import comparison_start, sensitivity_start

    base = read_base(pool, model, settings, preset=preset, config=config, runs_dir=runs_dir)
    samples, home = base.samples, base.home
    chosen = comparison_start.seeds_of(seeds)
    study = sensitivity_start.study(
        base.config,
        sensitivity_start.vary_of(vary),
        len(samples),
        cross=cross,
        references=[word.strip() for word in references.split(",") if word.strip()],
    )
    configs = sensitivity_start.configurations(base.config, study, chosen)
    planned = comparison_start.plan(home, configs, samples.id, len(samples))
    remember = study.remembered(chosen)
    told = {
        "runs": [one.name for one in configs],
        "steps": planned.steps,
        "seconds": planned.seconds,
        **remember,
    }
    lines = [
        *study_lines(study, chosen),
        *cost_lines(planned),
        *(f"note: {w}" for w in planned.warnings),
    ]
    if not may_start(planned, lines, told, dry_run=dry_run, yes=yes, as_json=as_json):
        return
    title = name or f"{', '.join(n.replace('_', ' ') for n in study.vary)} on {samples.name}"
    made = comparison_start.start(
        home, title, configs, samples, who=login_name(), kind="sensitivity", remember=remember
    )
    if as_json:
        console.print_json(dataclasses.asdict(find_comparison(home, made)))
        return
    say_started(made, "sensitivity show", home)


def study_lines(study: Study, seeds: list[int]) -> list[str]:
    """What a study will run, for a person."""
    from backend.analysis.sensitivity import value_words

    count = len(study.variants)
    how = "every combination" if study.cross else "one setting at a time"
    lines = [
        f"{count * len(seeds)} runs: {count} variants, {how}, with {len(seeds)} seed{'s' if len(seeds) != 1 else ''} "
        f"({', '.join(map(str, seeds))}), one after the other"
    ]
    for setting, values in study.vary.items():
        words = [f"{value_words(setting, v)}{' (base)' if v == study.base[setting] else ''}" for v in values]
        lines.append(f"{setting.replace('_', ' ')}: {', '.join(words)}")
    if study.references:
        lines.append(f"for comparison, with the base's settings: {', '.join(study.references)}")
    return lines


@app.command("show")
def show(
    which: Annotated[
        str, typer.Argument(metavar="[NAME|last]", help="A study's id, its beginning, its name, or 'last'.")
    ] = "last",
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print tables in Markdown, for a document.")
    ] = False,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Show how much the settings matter: held-out loss at the end by value, and its difference to the base."""
    from backend.analysis.sensitivity import sensitivity
    from backend.cli import sensitivity_text
    from backend.jobs import lifecycle

    home = runs_dir.resolve()
    lifecycle.refresh(home)
    info = find_comparison(home, which, "sensitivity")
    found = sensitivity(home, info)
    if as_json:
        console.print_json(sensitivity_text.as_values(info.name, found))
    elif markdown:
        print(sensitivity_text.as_markdown(info.name, found))
    else:
        sensitivity_text.print_all(info.name, found)
