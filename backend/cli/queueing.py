"""Commands that show and change the queue of runs, and stop a run."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend.cli import console
from backend.cli.options import AsJson, RunsDir
from backend.cli.running import info_line
from backend.cli.showing import RunArgument, find_run

if TYPE_CHECKING:
    from backend.analysis.queue_state import Queue
    from backend.store import RunInfo


def queue(
    move: Annotated[str | None, typer.Option("--move", metavar="RUN", help="A queued run to move.")] = None,
    to: Annotated[
        int | None,
        typer.Option(
            "--to", min=1, metavar="PLACE", help="Its new position: 1 is next; beyond the end is last."
        ),
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """List the runs that are at work and those that wait, in their order; move one that waits."""
    from backend import store
    from backend.analysis.queue_state import queue_of
    from backend.jobs import lifecycle

    if (move is None) != (to is None):
        raise typer.BadParameter("--move and --to belong together: --move RUN --to PLACE")
    home = runs_dir.resolve()
    lifecycle.refresh(home)
    if move is not None and to is not None:
        store.move_in_queue(home, find_run(home, move), to - 1)
    found = queue_of(store.runs(home))
    if as_json:
        console.print_json(
            {
                "at_work": [dataclasses.asdict(info) for info in found.at_work],
                "waiting": [dataclasses.asdict(info) for info in found.waiting],
                "held_by_review": [info.id for info in found.reviews],
            }
        )
        return
    if not found.at_work and not found.waiting:
        console.say(f"no run in {home} is running or queued")
        return
    rows = [
        *(["at work", info.id, info.name, info.state, _doing(info)] for info in found.at_work),
        *(
            [f"{place:,}", info.id, info.name, _kind(info), f"launched {console.moment(info.created)}"]
            for place, info in enumerate(found.waiting, start=1)
        ),
    ]
    console.print_table(
        f"Queue in {home}", ["place", "run", "name", "state", ""], rows, left=["run", "name", "state", ""]
    )
    for line in why_it_waits(found):
        console.say(line)


def stop(
    run: RunArgument,
    now: Annotated[
        bool,
        typer.Option("--now", help="Kill its worker at once; progress since the last checkpoint is lost."),
    ] = False,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Stop a run after its current step, with a checkpoint, or take it out of the queue; `resume` goes on with it.

    Returns at once; while the step and its checkpoint are under way the run's state is "stopping".
    """
    from backend import store
    from backend.jobs import lifecycle

    home = runs_dir.resolve()
    run_id = find_run(home, run)
    waited = store.run_info(home, run_id).state == "queued"
    if now and not waited:
        lifecycle.kill(home, run_id)
    else:
        lifecycle.stop(home, run_id)
    info = store.run_info(home, run_id)
    if as_json:
        console.print_json({"id": info.id, "state": info.state})
        return
    said = (
        "taken out of the queue"
        if waited and info.state == "stopped"
        else "stopped"
        if info.state == "stopped"
        else f"asked to stop; it ends after its current step (it is {info.state})"
    )
    console.say(
        f"run {run_id} is {said}; resume it with: python -m backend resume {run_id} --runs-dir {home}"
    )


def why_it_waits(queue: Queue) -> list[str]:
    """Why the first in the queue does not start, a sentence each; nothing where nothing waits or nothing holds it."""
    if not queue.waiting:
        return []
    if queue.reviews:
        return [
            f"run {info.id} waits for a review and holds the queue until it is answered: "
            f"python -m backend review {info.id}"
            for info in queue.reviews
        ]
    if queue.at_work:
        return ["the first in the queue starts when the current runs have ended"]
    return [
        "nothing is running: the queue advances while the page is open or a run is watched (`tune`, `resume`)"
    ]


def _doing(info: RunInfo) -> str:
    from backend.jobs import lifecycle

    if info.state == "running" and not lifecycle.alive(info):
        return "no heartbeat"
    return "waits for a review" if info.state == "waiting" else info_line(info)


def _kind(info: RunInfo) -> str:
    """What a waiting run will do once its turn has come."""
    what = "goes on" if info.resume else "starts"
    return f"{what} in parallel" if info.allow_parallel else what
