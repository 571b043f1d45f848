"""What a program may ask a running app: its runs, what one of them did, and what it selected. Nothing is changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import gradio as gr

from backend import analysis, store
from backend.analysis.picks_export import picks_of_run
from backend.cli.console import without_nan
from backend.cli.showing import find_run
from backend.cli.showing import summary as run_summary
from backend.errors import StudioError
from backend.jobs import lifecycle

P = ParamSpec("P")
T = TypeVar("T")


def offer(home: Path) -> None:
    """Name these calls in the app that is being built; all its other events are its own."""
    for call in (runs_of(home), summary_of(home), selection_of(home)):
        gr.api(call, api_name=call.__name__, queue=False)


def runs_of(home: Path) -> Callable[..., list[dict[str, Any]]]:
    """`runs`."""

    @_told
    def runs(search: str = "") -> list[dict[str, Any]]:
        """The runs, newest first: id, name, state, pool, model, how far it is, and more, as `runs --json` has them.

        search: words that a run must hold in its name, tags, notes, strategy, state, model, pool, id or day.
        """
        lifecycle.refresh(home)
        found = analysis.matching_runs(store.runs(home), search or "")
        return without_nan([dataclasses.asdict(info) for info in found])

    return runs


def summary_of(home: Path) -> Callable[..., dict[str, Any]]:
    """`summary`."""

    @_told
    def summary(run: str) -> dict[str, Any]:
        """What a run did: its settings, what each epoch selected, its held-out losses (nats per token), as `show --json`.

        run: its id, the beginning of it, its name, or "last".
        """
        lifecycle.refresh(home)
        return without_nan(run_summary(home, store.run_info(home, find_run(home, run))))

    return summary


def selection_of(home: Path) -> Callable[..., list[dict[str, Any]]]:
    """`selection`."""

    @_told
    def selection(run: str, epoch: int = -1) -> list[dict[str, Any]]:
        """What an epoch of a run selected, in the order of the picks: id, file, row, rank, gain, complexity, diversity, why.

        run: as for summary. epoch: the last where it is -1.
        """
        picks = picks_of_run(home, find_run(home, run), None if epoch == -1 else epoch)
        return without_nan(picks.columns())

    return selection


def _told(call: Callable[P, T]) -> Callable[P, T]:
    """The call, whose errors are the program's to read."""

    @wraps(call)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except StudioError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return told
