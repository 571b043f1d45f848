"""A run's epochs with everything that is worked out from them, read and reckoned once as long as the files stay what they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from backend import analysis, store
from backend.analysis.alluvial import Alluvial, alluvial
from backend.analysis.cohorts import cohort_losses, cohorts
from backend.analysis.hardest import Hardest, hardest
from backend.analysis.quadrants import Quadrants, quadrants
from backend.config import RunConfig
from backend.records import EpochRecord, Metrics, Pool, Status
from backend.store.shelf import keep_last
from iterit_ui.shared.session import exact_pool

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class RunHistory:
    """A run's epochs in their order, at least one, and what follows from them."""

    run: str
    pool: Pool
    settings: RunConfig
    records: tuple[EpochRecord, ...]
    _known: dict[Any, Any] = field(default_factory=dict)

    @property
    def epochs(self) -> list[int]:
        return [record.epoch for record in self.records]

    @property
    def first(self) -> EpochRecord:
        return self.records[0]

    @property
    def scored(self) -> bool:
        """Whether a model has read the pool at all."""
        return bool(np.isfinite(self.first.scores.complexity).any())

    def nearest(self, epoch: int) -> int:
        """The epoch, or the last one before it that the run has."""
        return max([e for e in self.epochs if e <= epoch], default=self.epochs[0])

    def record(self, epoch: int) -> EpochRecord:
        """The record of an epoch that the run has."""
        return self.records[self.epochs.index(epoch)]

    def before(self, epoch: int) -> EpochRecord | None:
        """The record of the epoch before; None at the first."""
        at = self.epochs.index(epoch)
        return self.records[at - 1] if at else None

    def since(self, epoch: int, wanted: int) -> int:
        """The earlier epoch that one is compared with: the one that is wanted where it is earlier, else the first."""
        return wanted if wanted in self.epochs and wanted < epoch else self.epochs[0]

    @cached_property
    def flow(self) -> Alluvial:
        """Who came, stayed and went between all epochs."""
        return alluvial(self.records)

    @cached_property
    def edges(self) -> dict[str, np.ndarray]:
        """Bins from the first epoch, for all of them, so that a change is seen and no axis that moved."""
        scores = self.first.scores
        return {
            "complexity": analysis.complexity_edges(scores.complexity),
            "diversity": analysis.diversity_edges(self.first.diversity),
            "lengths": analysis.length_edges(scores.response_tokens),
        }

    @cached_property
    def baselines(self) -> dict[str, np.ndarray]:
        """What simpler strategies would pick, from the first epoch's scores and the same held-out rows."""
        held_out = self.first.selection.status == Status.HELD_OUT
        found = analysis.baselines(self.pool, self.first.scores, self.settings, held_out=held_out)
        return {name: rows for name, rows in found.items() if name != "superfiltering"}

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Ends of both axes of complexity then and now, the same for every pair of epochs."""
        parts = [self.quadrants(self.epochs[0], epoch) for epoch in self.epochs[1:]]
        values = [part.before for part in parts] + [part.after for part in parts]
        known = np.concatenate(values) if values else np.empty(0)
        if not len(known):
            return 0.0, 1.2
        low, high = np.quantile(known, [0.005, 0.995])
        high = max(float(high), self.settings.max_complexity)
        room = 0.06 * (high - float(low)) + 0.001
        return float(low) - room, high + room

    def quadrants(self, since: int, epoch: int) -> Quadrants:
        """Complexity at an earlier epoch against complexity before this one."""
        return self._once(
            ("quadrants", since, epoch),
            lambda: quadrants(self.record(since), self.record(epoch), ceiling=self.settings.max_complexity),
        )

    def hardest(self, since: int, epoch: int) -> Hardest:
        """Which of the hardest before this epoch were not among the hardest at an earlier one."""
        return self._once(
            ("hardest", since, epoch),
            lambda: hardest(self.record(since), self.record(epoch), ceiling=self.settings.max_complexity),
        )

    def cohorts(self, epoch: int) -> dict[str, np.ndarray]:
        """Rows by cohort as this epoch's selection makes them."""
        return self._once(("cohorts", epoch), lambda: cohorts(self.records, epoch))

    def losses(self, epoch: int) -> pd.DataFrame:
        """Mean response loss of those cohorts, at every epoch."""
        return self._once(("losses", epoch), lambda: cohort_losses(self.records, epoch))

    def table(self, held_out: Sequence[Metrics]) -> pd.DataFrame:
        """The epochs in figures, as `analysis.epoch_table` gives them."""
        key = ("table", *((line.held_out_epoch, line.held_out) for line in held_out))
        return self._once(key, lambda: analysis.epoch_table(self.records, held_out, self.pool))

    def _once(self, key: Any, make: Callable[[], T]) -> T:
        if key not in self._known:
            self._known[key] = make()
        found: T = self._known[key]
        return found


def read_history(home: Path, run: str) -> RunHistory | None:
    """A run's epochs as they are on disk now; None where it has no selection yet.

    Raises
    ------
    StudioError : no such run, or files of it that cannot be read.
    """
    epochs = store.epochs(home, run)
    if not epochs:
        store.run_info(home, run)  # says where there is no such run
        return None
    folder = store.run_folder(home, run) / "epochs"
    return _read_history(home, run, tuple((e, _written(folder / str(e) / "meta.json")) for e in epochs))


@keep_last(4)
def _read_history(home: Path, run: str, written: tuple[tuple[int, int], ...]) -> RunHistory:
    records = tuple(analysis.load_epoch(home, run, epoch) for epoch, _ in written)
    pool = exact_pool(home, store.read_run_pool(home, run).id)
    return RunHistory(run, pool, store.read_config(home, run), records)


def held_out_losses(home: Path, run: str) -> list[Metrics]:
    """What a run has measured on its held-out samples; the lines of training steps are left out."""
    return _held_out_losses(home, run, _written(store.run_folder(home, run) / "metrics.jsonl"))


@keep_last(8)
def _held_out_losses(home: Path, run: str, written: int) -> list[Metrics]:
    return [line for line in store.read_metrics(home, run) if line.held_out is not None]


def _written(path: Path) -> int:
    """When a file was last written, in nanoseconds; 0 where it is not there."""
    return path.stat().st_mtime_ns if path.exists() else 0
