"""Commands that start a run and watch it from the terminal."""

from __future__ import annotations

import dataclasses
import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console, estimating, outputs
from backend.cli.command_pool import preset_of, read_pool, say_what_fits, with_edits
from backend.cli.options import AsJson, Preset, RunsDir, with_settings
from backend.cli.showing import find_run, summary
from backend.config import RunConfig, config_from
from backend.data.scripts import unspaced_share
from backend.errors import ConfigError, RunError, Stopped

if TYPE_CHECKING:
    from backend.records import Metrics
    from backend.store import RunInfo

Watch = Annotated[
    bool,
    typer.Option(
        "--watch/--detach",
        help="Watch the run until it ends (Ctrl-C stops it), or return at once.",
    ),
]
TUNING = tuple(f.name for f in dataclasses.fields(RunConfig) if f.name != "pool")


@with_settings(TUNING)
def tune(
    settings: dict[str, Any],
    pool: Annotated[
        list[str] | None,
        typer.Argument(metavar="POOL", help="Files, folders, a hub dataset id (owner/name), or 'demo'."),
    ] = None,
    preset: Preset = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="config.json of a run to start from; options override it.")
    ] = None,
    scores: Annotated[
        list[str] | None,
        typer.Option(
            "--scores",
            metavar="FILE",
            help="Scores that `score` wrote for this pool with the same model and settings, for example on another machine; epoch 0 "
            "uses them instead of scoring. For shards: 'part-*.parquet'. Refused if anything differs.",
        ),
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    allow_parallel: Annotated[
        bool, typer.Option("--allow-parallel", help="Start at once, in parallel with other runs.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Print what would go wrong and what the run would cost, and start nothing."
        ),
    ] = False,
    watch: Watch = True,
    as_json: AsJson = False,
) -> None:
    """Fine-tune a model, selecting again before every epoch. Prints the run's id.

    Marks made by `mark` or on the page hold for a run where they are given as --pinned and --excluded; edited responses are
    trained on as they are when the run is started.
    """
    from backend.jobs import run_launch
    from backend.jobs.overlap_checks import overlap_problems
    from backend.store.score_shards import read_own_scores

    values = {**read_config_file(config), **settings}
    if pool:
        values["pool"] = tuple(pool)
    inputs, model = tuple(values.get("pool", ())), values.get("model", "")
    if not inputs:
        raise typer.BadParameter(
            "name a pool: files, a folder, a hub dataset id, or 'demo'", param_hint="POOL"
        )
    if not model:
        raise typer.BadParameter("name a model: a folder, a hub id, or 'demo'", param_hint="--model")
    complete = config_from(values, preset=preset_of(preset, inputs, model))
    if scores and complete.rescore:
        raise ConfigError("--scores and --rescore contradict each other; give one")
    home = runs_dir.resolve()
    outputs.check_folder(home)
    samples = with_edits(home, read_pool(list(inputs), complete.mapping))
    say_what_fits(unspaced_share(samples.responses()), complete.words)
    given = read_own_scores(scores, samples) if scores else None
    if dry_run:
        if given is not None:
            console.say("this estimate includes scoring before epoch 0, which a run with --scores skips")
        estimating.dry_run(home, run_launch.with_absolute_paths(complete), samples, as_json=as_json)
        return
    for problem in overlap_problems(home, run_launch.with_absolute_paths(complete), samples):
        console.say(f"note: {problem.text}")
    run_id = run_launch.launch(home, complete, pool=samples, allow_parallel=allow_parallel, given=given)
    _follow(home, run_id, watch=watch, as_json=as_json)


def resume(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its beginning, or 'last'.")],
    runs_dir: RunsDir = Path("runs"),
    watch: Watch = True,
    as_json: AsJson = False,
) -> None:
    """Go on with a stopped or failed run after its last checkpoint."""
    from backend import store
    from backend.jobs import lifecycle

    home = runs_dir.resolve()
    run_id = find_run(home, run)
    told = len(store.events(home, run_id))
    measured = len(_held_out(home, run_id))
    lifecycle.resume(home, run_id)
    _follow(home, run_id, watch=watch, as_json=as_json, told=told, measured=measured)


def again(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its beginning, or 'last'.")],
    runs_dir: RunsDir = Path("runs"),
    watch: Watch = True,
    as_json: AsJson = False,
) -> None:
    """Run a run's configuration again on the same samples, as a new run. Prints the new run's id."""
    from backend.jobs import run_launch

    home = runs_dir.resolve()
    _follow(home, run_launch.run_again(home, find_run(home, run)), watch=watch, as_json=as_json)


def _follow(home: Path, run_id: str, *, watch: bool, as_json: bool, told: int = 0, measured: int = 0) -> None:
    """Print the run's id and, where asked to, watch it until it ends; see `_watch`."""
    from backend import store

    if not as_json:
        print(run_id, flush=True)
    if watch:
        info = _watch(home, run_id, told=told, measured=measured)
        if info.state == "failed":
            raise RunError(f"run {run_id} failed: {info.error}")
        if info.state == "stopped":
            again = f"python -m backend resume {run_id} --runs-dir {home}"
            raise Stopped(f"run {run_id} is stopped; resume it with: {again}")
    if as_json:
        info = store.run_info(home, run_id)
        console.print_json(summary(home, info) if watch else {"id": run_id, "state": info.state})
    elif not watch:
        console.say(
            f"{info_line(store.run_info(home, run_id))}; watch it with: python -m backend show {run_id}"
        )


def _watch(home: Path, run_id: str, *, told: int, measured: int) -> RunInfo:
    """Show a run's events and progress until it has ended; Ctrl-C stops it, a second one kills its worker.

    told, measured : events and held-out losses that are known already.
    """
    from backend import store
    from backend.analysis.held_out_words import words_or_none
    from backend.jobs import lifecycle

    with _interrupts() as asked, console.progress_bar() as bar:
        answered = 0
        while True:
            lifecycle.pump(home)
            info = store.run_info(home, run_id)
            events = store.events(home, run_id)
            for event in events[told:]:
                if event.kind not in ("done", "failed"):
                    console.say(f"{console.moment(event.at)[11:]} {event.text}")
            told = len(events)
            losses = _held_out(home, run_id)
            if losses[measured:]:
                where = words_or_none(home, run_id)
            for metrics in losses[measured:]:
                console.say(
                    f"{' ' * 8} held-out loss {console.number(metrics.held_out, 4)} {trained(metrics)}"
                    + (f", on {where}" if where else "")
                )
            measured = max(measured, len(losses))
            if not info.active and info.state != "queued":
                return info
            bar.show(info_line(info), info.done, info.total, info.unit)
            if asked.wait(0.5) and asked.count > answered:
                answered = asked.count
                _interrupt(home, run_id, first=answered == 1)
                asked.clear()


def _held_out(home: Path, run_id: str) -> list[Metrics]:
    """A run's measurements on its held-out samples."""
    from backend import store

    return [metrics for metrics in store.read_metrics(home, run_id) if metrics.held_out is not None]


def trained(metrics: Metrics) -> str:
    """When a held-out loss was measured, in words."""
    epochs = metrics.held_out_epoch
    if epochs is None:
        return f"after {metrics.epoch:.2f} epochs (step {metrics.step:,})"
    if epochs == 0:
        return "before training"
    return "after 1 epoch" if epochs == 1 else f"after {epochs} epochs"


def _interrupt(home: Path, run_id: str, *, first: bool) -> None:
    """Ask a run to stop, or, the second time, kill its worker."""
    from backend.jobs import lifecycle

    try:
        if first:
            console.say("stopping after the current step; Ctrl-C again ends the worker at once")
            lifecycle.stop(home, run_id)
        else:
            lifecycle.kill(home, run_id)
    except RunError as error:  # it has ended in the meantime
        console.say(str(error))


class _Asked(threading.Event):
    """Set by Ctrl-C, a termination signal, or the terminal's end; counts how often."""

    count = 0

    def note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        self.set()


@contextmanager
def _interrupts() -> Iterator[_Asked]:
    """Within the block, signals that end a program are noted instead."""
    asked = _Asked()
    numbers = [signal.SIGINT, signal.SIGTERM]
    numbers += [signal.SIGHUP] if hasattr(signal, "SIGHUP") else []  # Windows has none
    before = [signal.signal(number, asked.note) for number in numbers]
    try:
        yield asked
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def info_line(info: RunInfo) -> str:
    """What a run does at the moment."""
    if info.state == "queued":
        runs = "run is" if info.ahead == 1 else "runs are"
        return f"waiting, {info.ahead} {runs} ahead"
    if info.stage is None:
        return "starting"
    text = console.STAGES[info.stage]
    if info.stage in ("score", "select", "train"):
        text += f", epoch {info.epoch}"
    if info.state == "stopping":
        text = f"stopping ({text})"
    return text + (f", {console.duration(info.eta)} left in all" if info.eta is not None else "")


def read_config_file(path: Path | None) -> dict[str, Any]:
    """The settings of a config.json."""
    if path is None:
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as a configuration ({error})") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds a {type(values).__name__}; expected an object with settings by name")
    return values
