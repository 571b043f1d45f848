"""The early end of a search for the smallest budget: what is queued and cannot change its verdict is not run."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from pathlib import Path

from backend import store
from backend.analysis.budget_result import BudgetResult, budget_result
from backend.errors import StudioError

NOTE = "not needed: a larger budget turned out to be too small"


def end_early(home: Path, result: BudgetResult) -> int:
    """Take the queued runs that cannot change a search's verdict out of the queue; how many these were.

    What has begun, or was resumed by somebody, stays.
    """
    return sum(
        store.set_state(home, run, "stopped", expect=("queued",), note=NOTE) for run in result.needless
    )


def end_early_all(home: Path) -> int:
    """The same for every search that has queued runs; see `lifecycle.pump`.

    A search that cannot be read keeps its runs: `budget show` and the page say what is wrong with it.
    """
    searches = [info for info in store.comparisons(home) if info.kind == "budget"]
    if not searches:
        return 0
    infos = {info.id: info for info in store.runs(home)}
    stopped = 0
    for info in searches:
        there = tuple((run, infos[run].state, infos[run].resume) for run in info.runs if run in infos)
        if any(state == "queued" and not resumed for _, state, resumed in there):
            with contextlib.suppress(StudioError):
                stopped += end_early(home, _result(home, info.id, there))
    return stopped


@lru_cache(maxsize=16)
def _result(home: Path, search: str, states: tuple[tuple[str, str, bool], ...]) -> BudgetResult:
    """The result of a search, kept for as long as its runs stay in these states (run, state, resumed)."""
    return budget_result(home, store.comparison_info(home, search))
