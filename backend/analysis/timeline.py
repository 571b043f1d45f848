"""A run's stages, epoch by epoch: what is done and how long it took, what it is at, and what is still to come."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from backend import store
from backend.analysis.epoch_tables import load_epoch
from backend.config import RunConfig, held_out_share
from backend.records import Metrics, Stage, Taken
from backend.selection import keeps_selection, scores_needed
from backend.store import Event, Review, RunInfo, StageTime

State = Literal["done", "now", "ended", "next", "none"]
NAN = float("nan")


@dataclass(frozen=True)
class Cell:
    """A stage of an epoch.

    state : "ended" where the run broke off in it, "none" where it is no part of this epoch.
    seconds : that it took, or has taken so far. done, total : in `unit`s, total 0 where not known.
    speed : tokens per second that the model read, NaN where it read none.
    left : seconds left of it, None where it is not the present one or its speed is not known yet.
    """

    state: State
    seconds: float = NAN
    done: int = 0
    total: int = 0
    speed: float = NAN
    left: float | None = None


@dataclass(frozen=True)
class EpochLine:
    """An epoch of a run, as far as it has come.

    cells : by stage: score, select, review, train, evaluate.
    selected, came, went : samples; None until it has been selected for, came and went None in the first epoch.
    changes : settings that a person changed for this epoch alone, by name.
    taken : the scores that were kept before and not computed again; None where there were none.
    review : the wait for a person before it, None where there was none (yet).
    held_out : loss after it, nats per token, NaN where it was not measured (yet).
    attempts : numbers of the attempts that went on with this epoch.
    """

    epoch: int
    cells: dict[str, Cell]
    selected: int | None = None
    came: int | None = None
    went: int | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    taken: Taken | None = None
    review: Review | None = None
    held_out: float = NAN
    attempts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Attempt:
    """One worker's time with a run. began, ended : seconds since 1970; outcome : the kind of event that ended it."""

    number: int
    began: float
    ended: float | None
    outcome: str


@dataclass(frozen=True)
class Timeline:
    """All of a run, planned epochs too.

    load, untouched, save : the stages outside the epochs; `untouched` measures the model before it is trained.
    """

    load: Cell
    untouched: Cell
    untouched_loss: float
    epochs: tuple[EpochLine, ...]
    save: Cell
    attempts: tuple[Attempt, ...]


def timeline(home: Path, info: RunInfo, config: RunConfig, metrics: Sequence[Metrics]) -> Timeline:
    """What a run has done, does and will do, from what lies on disk about it."""
    times = {(t.stage, t.epoch): t for t in store.stage_times(home, info.id)}
    events = store.events(home, info.id)
    reviews = {review.epoch: review for review in store.reviews(home, info.id)}
    there = store.epochs(home, info.id)
    tries = attempts(events)
    here = _place(info, config)
    held_out = {m.held_out_epoch: m.held_out for m in metrics if m.held_out is not None}
    starts = _starts(times.values(), tries)
    lines = []
    for epoch in range(max(config.epochs, 1)):
        done = _decided(home, info.id, epoch, there) if epoch in there else {}
        cells = {
            stage: _cell(stage, epoch, times, info, config, here, epoch in there, reviews.get(epoch))
            for stage in ("score", "select", "review", "train", "evaluate")
        }
        lines.append(
            EpochLine(
                epoch,
                cells,
                review=reviews.get(epoch),
                held_out=_loss(held_out.get(epoch + 1)),
                attempts=tuple(number for number, first in starts.items() if first == epoch),
                **done,
            )
        )
    others = {
        stage: _cell(stage, epoch, times, info, config, here, False, None)
        for stage, epoch in (("load", 0), ("untouched", 0), ("save", config.epochs))
    }
    return Timeline(
        _load(others["load"], times.values(), tries),
        others["untouched"],
        _loss(held_out.get(0)),
        tuple(lines),
        others["save"],
        tries,
    )


def _load(cell: Cell, times: Iterable[StageTime], tries: Sequence[Attempt]) -> Cell:
    """The loading of the last attempt, which reports no beginning and no end: from its start to its next stage."""
    began = tries[-1].began if tries else NAN
    after = [t.begun for t in times if t.stage != "load" and t.begun >= began]
    if cell.state == "done":
        return replace(cell, seconds=min(after, default=NAN) - began, speed=NAN)
    return replace(cell, seconds=time.time() - began, speed=NAN) if cell.state == "now" else cell


def attempts(events: Sequence[Event]) -> tuple[Attempt, ...]:
    """The workers that have been started for a run, from its events."""
    found: list[Attempt] = []
    for event in events:
        if event.kind in ("started", "resumed"):
            found.append(Attempt(len(found) + 1, event.at, None, ""))
        elif event.kind in ("stopped", "failed", "done") and found and found[-1].ended is None:
            found[-1] = Attempt(found[-1].number, found[-1].began, event.at, event.kind)
    return tuple(found)


def _starts(times: Iterable[StageTime], tries: Sequence[Attempt]) -> dict[int, int]:
    """The epoch with which each later attempt went on, by its number; those that came to no epoch are left out."""
    found: dict[int, int] = {}
    for i, one in enumerate(tries[1:], start=1):
        until = tries[i + 1].began if i + 1 < len(tries) else float("inf")
        epochs = [
            t.epoch - 1 if t.stage == "evaluate" and t.epoch else t.epoch
            for t in times
            if t.stage in ("score", "select", "review", "train", "evaluate") and one.began <= t.begun < until
        ]
        if epochs:
            found[one.number] = min(epochs)
    return found


def _order(stage: str, epoch: int) -> tuple[int, float]:
    """Where a stage comes in a run. epoch : that the cell belongs to."""
    places = {"load": -1.0, "score": 0.0, "select": 1.0, "review": 2.0, "untouched": 3.0, "train": 4.0, "evaluate": 5.0, "save": 6.0}  # fmt: skip
    return epoch, places[stage]


def _place(info: RunInfo, config: RunConfig) -> tuple[int, float] | None:
    """Where a run is, or was when it ended; None before it has reached anything in this attempt."""
    if info.stage is None or info.stage == "map":
        return None
    epoch = info.epoch or 0
    if info.stage == "load":
        return None if info.attempt > 1 else (0, -1.0)
    if info.stage == "evaluate":
        return _order("evaluate", epoch - 1) if epoch else _order("untouched", 0)
    return _order(info.stage, config.epochs if info.stage == "save" else epoch)


def _cell(
    stage: str,
    epoch: int,
    times: dict[tuple[Stage, int], StageTime],
    info: RunInfo,
    config: RunConfig,
    here: tuple[int, float] | None,
    decided: bool,
    review: Review | None,
) -> Cell:
    """How far one stage of one epoch is."""
    if not _planned(stage, epoch, config) and not (stage == "review" and review):
        return Cell("none")
    key: tuple[Any, int] = {"evaluate": ("evaluate", epoch + 1), "untouched": ("evaluate", 0)}.get(stage, (stage, epoch))  # fmt: skip
    found = times.get(key)
    order = _order(stage, epoch)
    present = here == order or (stage == "load" and info.stage == "load")
    if present and info.state in ("running", "waiting", "stopping"):
        begun = review.asked if stage == "review" and review else found.begun if found else time.time()
        return Cell(
            "now", time.time() - begun, info.done, info.total, found.tokens_per_second if found else NAN, info.stage_eta
        )  # fmt: skip
    if found is None and not decided:
        passed = info.state == "done" or (here is not None and order < here)
        return Cell("none" if passed else "next")
    seconds = found.last - found.begun if found else NAN
    if stage == "review":
        seconds = (review.answered or NAN) - review.asked if review else NAN
    complete = _complete(stage, found, decided, review)
    state: State
    if here is not None and info.state != "done" and order > here:
        state = "next"  # an attempt before this one came here; it will be done again
    elif present and not complete and info.state != "queued":
        state = "ended"
    else:
        state = "done" if complete or info.state == "done" or (here is not None and order < here) else "ended"
    if state == "next":
        return Cell("next")
    done, total, speed = (found.done, found.total, found.tokens_per_second) if found else (0, 0, NAN)
    return Cell(state, seconds, done, total, speed)


def _complete(stage: str, found: StageTime | None, decided: bool, review: Review | None) -> bool:
    if stage == "review":
        return decided or bool(review and review.answered)
    if stage in ("score", "select"):
        return decided or bool(found and found.total and found.done >= found.total)
    return bool(found and found.total and found.done >= found.total)


def _planned(stage: str, epoch: int, config: RunConfig) -> bool:
    """Whether a stage is part of a run at all."""
    if stage in ("untouched", "evaluate"):
        return config.epochs > 0 and held_out_share(config) != 0
    if stage in ("train", "save"):
        return config.epochs > 0
    if stage == "load":
        return True
    if epoch and keeps_selection(config.strategy):
        return False
    if stage == "score":
        return scores_needed(config.strategy, epoch) != "none"
    return config.review if stage == "review" else True


def _decided(home: Path, run_id: str, epoch: int, there: Sequence[int]) -> dict[str, Any]:
    """What an epoch's record says about the members."""
    record = load_epoch(home, run_id, epoch)
    before = load_epoch(home, run_id, epoch - 1) if epoch - 1 in there else None
    if before is None:
        return {"selected": len(record.selection), "changes": record.changes, "taken": record.taken}
    moved = _moved(record.selection.rows.tobytes(), before.selection.rows.tobytes())
    return {"selected": len(record.selection), "came": moved[0], "went": moved[1], "changes": record.changes}


@lru_cache(maxsize=64)
def _moved(now: bytes, before: bytes) -> tuple[int, int]:
    """How many rows came and went."""
    rows, former = np.frombuffer(now, dtype=np.int64), np.frombuffer(before, dtype=np.int64)
    return int((~np.isin(rows, former)).sum()), int((~np.isin(former, rows)).sum())


def _loss(value: float | None) -> float:
    return NAN if value is None else value
