"""What is running and what is queued, and why the first in the queue does not start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.store import RunInfo


@dataclass(frozen=True)
class Queue:
    """Runs at work, oldest start first, and runs that wait, next one first."""

    at_work: tuple[RunInfo, ...]
    waiting: tuple[RunInfo, ...]

    @property
    def reviews(self) -> tuple[RunInfo, ...]:
        """Runs at work that do nothing until a person has answered their review; they hold the queue meanwhile."""
        return tuple(info for info in self.at_work if info.state == "waiting")

    def place(self, run_id: str) -> int | None:
        """A waiting run's place, 0 for the next one; None where it does not wait."""
        return next((i for i, info in enumerate(self.waiting) if info.id == run_id), None)


def queue_of(infos: Sequence[RunInfo]) -> Queue:
    """The queue among all runs, as `store.runs` gives them."""
    at_work = sorted((info for info in infos if info.active), key=lambda info: (info.started or 0, info.id))
    queued = (info for info in infos if info.state == "queued")
    return Queue(tuple(at_work), tuple(sorted(queued, key=lambda info: (info.queued or 0, info.id))))
