"""Commands that look at runs."""

from __future__ import annotations

import dataclasses
import itertools
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console
from backend.cli.options import AsJson, RunsDir, option_name
from backend.config import RunConfig, to_json
from backend.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.records import EpochRecord
    from backend.store import RunInfo

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its beginning, or 'last'.")]


def find_run(home: Path, name: str) -> str:
    """The id of the run that a person means: its id or the beginning of it, its name, or "last".

    Raises
    ------
    RunError : no run, or several, are meant.
    """
    from backend import store

    infos = store.runs(home)
    if not infos:
        raise RunError(f"there are no runs in {home}")
    if name == "last":
        return infos[0].id
    found = [info.id for info in infos if info.id.startswith(name)] or [
        info.id for info in infos if info.name == name
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise RunError(f"{name!r} is the beginning or name of {len(found)} runs: {', '.join(found[:5])}")
    raise RunError(f"run {name!r} not found in {home} (the newest: {', '.join(i.id for i in infos[:5])})")


def find_run_or_folder(home: Path, name: str) -> tuple[Path, str]:
    """The runs folder and the id of the run that a person means, who may also name the run's own folder.

    Raises
    ------
    RunError : no run, or several, are meant.
    """
    folder = Path(name)
    if (folder / "config.json").is_file() and (folder / "pool.json").is_file():
        folder = folder.resolve()
        return folder.parent, folder.name
    return home, find_run(home, name)


def unlisted_words(found: list[str]) -> list[str]:
    """A message about runs that have a folder but are not in the database; empty where there are none."""
    if not found:
        return []
    names = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
    return [f"these runs have a folder but are not in the database: {names}; `repair` lists them again"]


def runs(
    search: Annotated[
        str,
        typer.Option(
            "--search",
            help="Only runs in which every word occurs: in name, tags, notes, strategy, state, model, pool, id or day.",
        ),
    ] = "",
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="Only runs with this tag; may be repeated.")
    ] = None,
    deleted: Annotated[
        bool, typer.Option("--deleted", help="Those that were deleted and can be restored.")
    ] = False,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """List the runs, newest first."""
    from backend import analysis, store
    from backend.jobs import lifecycle

    home = runs_dir.resolve()
    lifecycle.refresh(home)
    every = store.runs(home, deleted=deleted)
    for said in [*store.damaged_files(home), *unlisted_words(store.unlisted_runs(home))]:
        console.say(said)
    infos = analysis.matching_runs(every, search, tags=tag or ())
    if as_json:
        console.print_json([dataclasses.asdict(info) for info in infos])
        return
    if every and not infos:
        console.say(f"none of the {len(every):,} runs in {home} fits")
        return
    if not infos and deleted:
        console.say(f"no run in {home} is deleted")
        return
    if not infos:
        console.say(f"no runs in {home} yet; start one with: python -m backend tune POOL --model MODEL")
        return
    rows = [
        [
            info.id,
            info.name,
            info.state,
            info.pool_name,
            Path(info.model).name,
            _progress(info),
            console.duration(info.eta),
            ", ".join(info.tags),
            info.error or "",
        ]
        for info in infos
    ]
    console.print_table(
        f"Runs in {home}",
        ["run", "name", "state", "pool", "model", "progress", "time left", "tags", "error"],
        rows,
        left=["run", "name", "state", "pool", "model", "tags", "error"],
    )


def show(run: RunArgument, runs_dir: RunsDir = Path("runs"), as_json: AsJson = False) -> None:
    """Show a run: its settings, what each epoch selected, and the held-out losses."""
    from backend import store
    from backend.jobs import lifecycle

    home = runs_dir.resolve()
    run_id = find_run(home, run)
    lifecycle.refresh(home)
    info = store.run_info(home, run_id)
    shown = summary(home, info)
    if as_json:
        console.print_json(shown)
        return
    print(f"{info.id}  {info.name}  {info.state}")
    print(f"pool {info.pool_name} ({info.pool_rows:,} samples, {info.pool_id}), model {info.model}")
    print(f"created {console.moment(info.created)}, ended {console.moment(info.ended)}, {_progress(info)}")
    if info.error:
        print(f"error: {info.error}")
    changed = shlex.join(word for name, value in shown["changed"].items() for word in as_options(name, value))
    print(f"settings that differ from the paper's: {changed or 'none'}")
    print(f"held-out loss measured on: {shown['measured_on'] or 'nothing'}")
    print()
    console.print_table(
        "Selections (overlap: share that was also selected for the epoch before)",
        ["epoch", "selected", "overlap", "rescored", "mean complexity", "mean tokens", "distinct so far", "held-out loss before", "after"],
        [
            [
                str(epoch["epoch"]),
                console.number(epoch["selected"], 0),
                console.share(epoch["overlap"]),
                console.number(epoch["rescored"], 0),
                console.number(epoch["mean_complexity"]),
                console.number(epoch["mean_tokens"], 0),
                console.number(epoch["distinct"], 0),
                console.number(epoch["held_out_before"], 4),
                console.number(epoch["held_out_after"], 4),
            ]
            for epoch in shown["epochs"]
        ],
    )  # fmt: skip
    print_moved(shown["moved"])


def print_moved(moved: list[dict[str, Any]]) -> None:
    """What training changed between the first epoch and each later one, as a table; why there is nothing to tell."""
    from backend.analysis.quadrants import QUADRANTS

    if moved:
        print()
    if not any(one["compared"] for one in moved):
        for reason in dict.fromkeys(one["reason"] for one in moved):
            print(f"complexity since epoch 0: {reason}")
        return
    console.print_table(
        "Complexity since epoch 0, of the samples scored before both (hard: at or above their median before epoch 0; "
        "rejected: at or above max_complexity)",
        [
            "epoch",
            "scored before both",
            *QUADRANTS,
            "new among the hardest since the epoch before",
            "since epoch 0",
        ],
        [
            [
                str(one["epoch"]),
                console.number(one["compared"], 0),
                *(console.number(one["quadrants"][name], 0) for name in QUADRANTS),
                console.share(one["hardest_new"]["share"]),
                console.share(one["hardest_new_since_first"]["share"]),
            ]
            for one in moved
        ],
    )
    for one in moved:
        reason = one["reason"] or one["hardest_new"]["reason"] or one["hardest_new_since_first"]["reason"]
        if reason:
            print(f"epoch {one['epoch']}: {reason}")


def moved_since(records: Sequence[EpochRecord], *, ceiling: float) -> list[dict[str, Any]]:
    """By epoch after the first: quadrants of complexity since the first one, and the new among the hardest."""
    from backend.analysis.hardest import hardest
    from backend.analysis.quadrants import QUADRANTS, quadrants

    def newest(then: EpochRecord, now: EpochRecord) -> dict[str, Any]:
        found = hardest(then, now, ceiling=ceiling)
        return {
            "earlier": found.earlier, "compared": found.compared, "k": found.k, "new": len(found.new_rows),
            "share": found.share, "chance": found.chance, "whole_pool": found.whole_pool, "reason": found.reason,
        }  # fmt: skip

    told = []
    for before, now in itertools.pairwise(records):
        found = quadrants(records[0], now, ceiling=ceiling)
        told.append(
            {
                "epoch": now.epoch,
                "earlier": records[0].epoch,
                "compared": len(found),
                "line": found.line,
                "quadrants": dict.fromkeys(QUADRANTS) if found.reason else found.counts(),
                "reason": found.reason,
                "hardest_new": newest(before, now),
                "hardest_new_since_first": newest(records[0], now),
            }
        )
    return told


def summary(home: Path, info: RunInfo) -> dict[str, Any]:
    """All that `show` tells about a run, as JSON values."""
    from backend import analysis, store
    from backend.analysis.held_out_words import held_out_words

    config = store.read_config(home, info.id)
    epochs = [store.read_epoch(home, info.id, epoch) for epoch in store.epochs(home, info.id)]
    metrics = store.read_metrics(home, info.id)
    table = analysis.epoch_table(epochs, metrics, store.load_pool_from_store(home, info.pool_id))
    return {
        **dataclasses.asdict(info),
        "folder": str(store.run_folder(home, info.id)),
        "config": to_json(config),
        "changed": changed_settings(config),
        "epochs": table.to_dict("records"),
        "moved": moved_since(epochs, ceiling=config.max_complexity),
        "measured_on": held_out_words(home, info.id),
        "held_out": [
            {"epochs_trained": m.epoch, "step": m.step, "loss": m.held_out}
            for m in metrics
            if m.held_out is not None
        ],
        "events": [dataclasses.asdict(event) for event in store.events(home, info.id)],
    }


def changed_settings(config: RunConfig) -> dict[str, Any]:
    """The settings that differ from the defaults, apart from what is read."""
    default = to_json(RunConfig())
    return {
        name: value
        for name, value in to_json(config).items()
        if value != default[name] and name not in ("pool", "model", "name")
    }


def as_options(name: str, value: Any) -> list[str]:
    """A setting as it is written on the command line."""
    option = option_name(name)
    if isinstance(value, bool):
        return [option if value else option.replace("--", "--no-", 1)]
    if isinstance(value, dict):
        return [word for key, item in value.items() for word in (option, f"{key}={item}")]
    if isinstance(value, list):
        return [word for item in value for word in (option, str(item))]
    return [option, str(value)]


def _progress(info: RunInfo) -> str:
    """How far a run is, in a few words."""
    if info.state == "queued":
        return f"{info.ahead} ahead"
    if info.state == "done":
        return "1 epoch" if info.epochs == 1 else f"{info.epochs} epochs"
    if info.stage is None:
        return "-"
    of = f" {info.done:,}/{info.total:,}" if info.total else ""
    return f"{console.STAGES[info.stage]}, epoch {info.epoch}{of}"
