"""Who came, stayed, went and came back, between every two epochs of a run: the bands of an alluvial diagram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from backend.records import EpochRecord

Kind = Literal["kept", "new", "back", "dropped", "away"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Side = Literal["selected", "gone"]
SIDES: tuple[Side, ...] = get_args(Side)


@dataclass(frozen=True)
class Column:
    """Where the samples that a run has ever selected are at one epoch.

    selected : (k,) int64, rows of this epoch's selection, in pick order.
    gone : (m,) int64 ascending, rows that an earlier epoch selected and this one did not.
    """

    epoch: int
    selected: np.ndarray
    gone: np.ndarray


@dataclass(frozen=True)
class Band:
    """Rows that did the same between two epochs that follow each other.

    kind : kept (selected at both), new (selected at `end` for the first time), back (selected at `end`, not at
        `start`, but at an earlier epoch), dropped (selected at `start`, not at `end`), away (selected at an earlier
        epoch, neither at `start` nor at `end`).
    rows : (m,) int64, in the pick order of the epoch that selected them; ascending where neither did.
    """

    start: int
    end: int
    kind: Kind
    rows: np.ndarray


@dataclass(frozen=True)
class Alluvial:
    """A run's epochs as columns with bands between them. What flows in at a column is what stands in it:
    kept + new + back = selected, dropped + away = gone."""

    columns: tuple[Column, ...]
    bands: tuple[Band, ...]

    def band(self, start: int, kind: str) -> Band | None:
        """The band of this kind that begins at an epoch; None where there is none."""
        return next((band for band in self.bands if band.start == start and band.kind == kind), None)

    def column(self, epoch: int) -> Column | None:
        """An epoch's column; None where the run has no such epoch."""
        return next((column for column in self.columns if column.epoch == epoch), None)


def alluvial(records: Sequence[EpochRecord]) -> Alluvial:
    """The columns and bands of a run's epochs, given in their order; bands without a row are left out."""
    columns: list[Column] = []
    bands: list[Band] = []
    seen: np.ndarray = np.empty(0, dtype=np.int64)  # rows that any epoch so far selected, ascending
    for record in records:
        picked = record.selection.rows
        if columns:
            bands += _between(columns[-1], picked, record.epoch, seen)
        seen = np.union1d(seen, picked)
        columns.append(Column(record.epoch, picked, np.setdiff1d(seen, picked)))
    return Alluvial(tuple(columns), tuple(bands))


def _between(before: Column, picked: np.ndarray, epoch: int, seen: np.ndarray) -> list[Band]:
    """The bands from a column to the next selection. seen : rows selected at any epoch up to the column's."""
    stayed = np.isin(picked, before.selected)
    known = np.isin(picked, seen)
    parts: dict[Kind, np.ndarray] = {
        "kept": picked[stayed],
        "new": picked[~known],
        "back": picked[known & ~stayed],
        "dropped": before.selected[~np.isin(before.selected, picked)],
        "away": before.gone[~np.isin(before.gone, picked)],
    }
    return [Band(before.epoch, epoch, kind, rows) for kind, rows in parts.items() if len(rows)]
