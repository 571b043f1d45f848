"""What a comparison needs to know of one run: settings, held-out losses, and what it selected."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from backend import store
from backend.analysis.held_out_words import held_out_words
from backend.config import RunConfig, held_out_share
from backend.errors import StudioError
from backend.records import Metrics
from backend.store import RunInfo
from backend.store.shelf import keep_last

UNFINISHED = {
    "queued": "still queued",
    "running": "still running",
    "waiting": "waits for a review",
    "stopping": "is being stopped",
    "stopped": "stopped before its end",
}
DRAWN = " (drawn with seed "  # before the seed, in the words for held-out samples
WHOLE = 1e-6  # of an epoch: closer to a whole number than any step is


@dataclass(frozen=True)
class HeldOut:
    """One measurement on the held-out samples.

    epoch : passes trained by then, 0 for the untouched model. step : optimizer steps. tokens : read in training by
    then, NaN where unknown. loss : nats per response token.
    """

    epoch: float
    step: int
    tokens: float
    loss: float

    @property
    def whole(self) -> int | None:
        """The number of epochs where it was measured at the end of one, else None."""
        return round(self.epoch) if abs(self.epoch - round(self.epoch)) < WHOLE else None


@dataclass(frozen=True)
class ComparedRun:
    """A run as a comparison sees it.

    held_out : measurements in the order of their steps. measured_on : names the held-out samples and how they are
        rendered; two runs with the same name measured on the very same text. "" where nothing is held out, or it is not
        known yet. held_out_words : the same for a person.
    steps : optimizer steps done. tokens : read in training, prompts included; NaN where unknown.
    epochs : that a selection was made for.
    changed_by_hand : epochs for which somebody changed settings in a review.
    """

    home: Path
    info: RunInfo
    config: RunConfig
    held_out: tuple[HeldOut, ...]
    measured_on: str
    held_out_words: str
    steps: int
    tokens: float
    epochs: tuple[int, ...]
    changed_by_hand: tuple[int, ...]
    environment: dict[str, Any]

    @property
    def id(self) -> str:
        return self.info.id

    @property
    def seed(self) -> int:
        return self.config.seed

    @property
    def done(self) -> bool:
        return self.info.state == "done"

    @property
    def final(self) -> float:
        """Held-out loss after the last epoch; NaN where the run is not done, or measured nothing after training."""
        if not self.done or not self.held_out or (self.config.epochs and self.held_out[-1].step == 0):
            return math.nan
        return self.held_out[-1].loss

    @property
    def untouched(self) -> float:
        """Held-out loss of the model before training; NaN where it was not measured."""
        return self.held_out[0].loss if self.held_out and self.held_out[0].step == 0 else math.nan

    def after(self, epoch: int) -> float:
        """Held-out loss at the end of so many epochs; NaN where it was not measured."""
        return next((m.loss for m in reversed(self.held_out) if m.whole == epoch), math.nan)

    @property
    def missing(self) -> str:
        """Why its result is not there; "" where it is."""
        if not self.done:
            error = f": {self.info.error}" if self.info.error else ""
            return f"{UNFINISHED.get(self.info.state, self.info.state)}{error}"
        if not math.isfinite(self.final):
            return "measured no held-out loss after training"
        return ""

    def picks(self, epoch: int | None) -> list[np.ndarray]:
        """Rows selected for an epoch, or for each of the epochs where it is None; none where there is no such epoch."""
        wanted = self.epochs if epoch is None else tuple(e for e in self.epochs if e == epoch)
        return [_picks(self.home, self.id, e, _written(self.home, self.id, e)) for e in wanted]

    @cached_property
    def response_tokens(self) -> np.ndarray | None:
        """(n,) int32: response tokens of every sample of the pool, -1 where unknown; None before the first epoch."""
        if not self.epochs:
            return None
        first = self.epochs[0]
        return _lengths(self.home, self.id, first, _written(self.home, self.id, first))

    @property
    def distinct(self) -> float:
        """Samples that were trained on at least once. NaN where a run that trains several selections ended amid one."""
        if not self.epochs or not self.steps:
            return math.nan
        chosen = self.picks(None)
        each = max(1, math.ceil(len(chosen[0]) / self.config.batch_size))
        begun = math.ceil(self.steps / each)
        if self.steps % each == 0:
            return float(len(np.unique(np.concatenate(chosen[:begun]))))
        if begun == 1:
            return float(min(len(chosen[0]), self.steps * self.config.batch_size))
        before = np.unique(np.concatenate(chosen[: begun - 1]))
        return float(len(before)) if np.isin(chosen[begun - 1], before).all() else math.nan

    @cached_property
    def scored_tokens(self) -> tuple[float, str]:
        """(tokens that scoring for its selections reads, why they are not known).

        Both readings of every sample scored, whether the scores were computed or taken from kept ones; NaN and a reason
        where that was not counted, "" else.
        """
        found = 0.0
        for epoch in self.epochs:
            meta = _meta(self.home, self.id, epoch)
            tokens = meta.get("scored_tokens")
            if tokens is None:
                tokens, why = self._read_in(epoch, meta)
                if why:
                    return math.nan, why
            found += tokens
        return found, ""

    def _read_in(self, epoch: int, meta: dict[str, Any]) -> tuple[float, str]:
        """What the model read while it scored for an epoch, of a run that did not count what scoring takes."""
        if not meta.get("rescored"):
            return 0.0, ""
        if meta.get("taken"):
            return math.nan, "scores were taken from kept ones, and their tokens were not counted then"
        if self.info.attempt > 1:
            return math.nan, "it was interrupted, and the tokens of its scoring were not counted then"
        for time in store.stage_times(self.home, self.id):
            if (time.stage, time.epoch) == ("score", epoch) and 0 < time.total <= time.done and time.tokens:
                return float(time.tokens), ""
        return math.nan, "the tokens of its scoring were not counted"


def compared_run(home: Path, info: RunInfo) -> ComparedRun:
    """Read what a comparison needs of a run.

    Raises
    ------
    StudioError : its folder or files are missing or cannot be read.
    """
    config = store.read_config(home, info.id)
    metrics = store.read_metrics(home, info.id)
    epochs = tuple(store.epochs(home, info.id))
    measured_on, words = _measured_on(home, info.id, config, epochs)
    trained = [m for m in metrics if m.loss is not None]
    tokens = [float(m.tokens) for m in trained if m.tokens is not None]
    return ComparedRun(
        home=home,
        info=info,
        config=config,
        held_out=tuple(measurements(metrics)),
        measured_on=measured_on,
        held_out_words=words,
        steps=max((m.step for m in trained), default=0),
        tokens=tokens[-1] if tokens else math.nan,
        epochs=epochs,
        changed_by_hand=tuple(e for e in epochs if _meta(home, info.id, e).get("changes")),
        environment=environment_of(home, info.id),
    )


def measurements(metrics: Sequence[Metrics]) -> list[HeldOut]:
    """Held-out losses in the order of their steps, each with what had been trained by then."""
    by_step = {m.step: m for m in metrics if m.loss is not None}
    found: dict[int, HeldOut] = {}
    for m in metrics:
        if m.held_out is None:
            continue
        # the line of the same step knows how far the epoch really was where max_steps ended it early
        line = by_step.get(m.step)
        tokens = line.tokens if line is not None else (0 if m.step == 0 else m.tokens)
        found[m.step] = HeldOut(
            epoch=line.epoch if line is not None else m.epoch,
            step=m.step,
            tokens=math.nan if tokens is None else float(tokens),
            loss=m.held_out,
        )
    return [found[step] for step in sorted(found)]


def environment_of(home: Path, run_id: str) -> dict[str, Any]:
    """Versions, machine and device that a run was computed with; empty where it was not written yet."""
    path = store.run_folder(home, run_id) / "environment.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StudioError(f"{path} cannot be read ({error})") from error
    return found if isinstance(found, dict) else {}


def _measured_on(home: Path, run_id: str, config: RunConfig, epochs: tuple[int, ...]) -> tuple[str, str]:
    """A name for the held-out samples as the model reads them, and words for a person."""
    how = f"{config.max_length} {config.system_prompt!r}"
    pools = store.read_run_pool(home, run_id)
    if pools.held_out_id:
        return f"{pools.held_out_id} {how}", held_out_words(home, run_id)
    if not held_out_share(config):
        return "", "nothing held out"
    words = held_out_words(home, run_id)
    if not epochs:
        return "", words
    words = f"{words}{DRAWN}{config.seed})"
    rows = store.read_kept_aside(home, run_id, epochs[0])
    return f"{pools.id} {sha256(rows.tobytes()).hexdigest()[:16]} {how}", words


def _written(home: Path, run_id: str, epoch: int) -> int:
    """Changes when a run decides an epoch again."""
    path = store.run_folder(home, run_id) / "epochs" / str(epoch) / "meta.json"
    return path.stat().st_mtime_ns if path.exists() else 0


def _meta(home: Path, run_id: str, epoch: int) -> dict[str, Any]:
    return _read_meta(home, run_id, epoch, _written(home, run_id, epoch))


@lru_cache(maxsize=2048)
def _read_meta(home: Path, run_id: str, epoch: int, written: int) -> dict[str, Any]:
    path = store.run_folder(home, run_id) / "epochs" / str(epoch) / "meta.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise StudioError(f"{path} cannot be read ({error})") from error


@keep_last(1024)
def _picks(home: Path, run_id: str, epoch: int, written: int) -> np.ndarray:
    return store.read_picks(home, run_id, epoch)


@keep_last(64)
def _lengths(home: Path, run_id: str, epoch: int, written: int) -> np.ndarray:
    return store.read_lengths(home, run_id, epoch)
