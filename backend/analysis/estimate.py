"""How long training on a selection will take, from what earlier runs of the same model measured; else unknown.

A run's metrics count every token that the model read, prompts included, while a selection knows the tokens of its
responses. So two things are measured: tokens per second, and how many tokens were read per response token.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from backend import store
from backend.analysis.epoch_tables import load_epoch
from backend.records import Metrics

EXACT = 1e-6  # of an epoch: closer to a whole number than any step is


@dataclass(frozen=True)
class Estimate:
    """Training time of a selection; scoring, selecting and held-out losses come on top.

    seconds : NaN where nothing was measured. tokens : all that the model will read, NaN likewise.
    tokens_per_second : of these, as measured; NaN likewise.
    source : what it was measured on, or why there is no figure.
    """

    seconds: float
    tokens: float
    tokens_per_second: float
    source: str


@dataclass(frozen=True)
class Speed:
    """What one run measured. per_response_token : tokens read per response token; NaN before an epoch was full."""

    tokens_per_second: float
    per_response_token: float


def training_time(
    home: Path,
    model: str,
    *,
    response_tokens: float,
    epochs: int = 1,
    tokens: float | None = None,
    pool_id: str = "",
) -> Estimate:
    """How long `epochs` passes over a selection take, at the speed of the newest run of this model that has measured it.

    model : as a run's configuration names it; "" where none is chosen.
    response_tokens : of the whole selection. tokens : of its whole conversations, where they are known.
    pool_id : a run on this pool is preferred, because its prompts are as long.
    """
    unknown = math.nan, math.nan, math.nan
    if not model:
        return Estimate(*unknown, "no model is chosen")
    if tokens is None and not (math.isfinite(response_tokens) and response_tokens >= 0):
        return Estimate(*unknown, "the responses' lengths are not known")
    runs = [run for run in store.runs(home) if run.model == model]
    for run in sorted(runs, key=lambda run: run.pool_id != pool_id):  # newest first within each
        speed = measured_speed(home, run.id)
        per_response = 1.0 if tokens is not None else speed.per_response_token
        if not (math.isfinite(speed.tokens_per_second) and math.isfinite(per_response)):
            continue
        read = epochs * per_response * (response_tokens if tokens is None else tokens)
        where = f" on {run.host}" if run.host else ""
        other = "" if run.pool_id == pool_id else ", which trained on another pool"
        ratio = "" if tokens is not None else f", {per_response:.1f} tokens read for each response token"
        return Estimate(
            read / speed.tokens_per_second,
            read,
            speed.tokens_per_second,
            f"measured in the run {run.name}{where}{other}: {speed.tokens_per_second:,.0f} tokens a second{ratio}",
        )
    return Estimate(*unknown, f"no run of {Path(model).name} in this runs folder has measured a full epoch")


def measured_speed(home: Path, run_id: str) -> Speed:
    """What a run has measured so far; read anew when its metrics grow."""
    path = store.run_folder(home, run_id) / "metrics.jsonl"
    return _measured(home, run_id, path.stat().st_mtime_ns if path.exists() else 0)


@lru_cache(maxsize=64)
def _measured(home: Path, run_id: str, written: int) -> Speed:
    metrics = store.read_metrics(home, run_id)
    read = responses = 0.0
    ends = _tokens_at_ends(metrics)
    for epoch in store.epochs(home, run_id):
        if epoch + 1 in ends and (epoch == 0 or epoch in ends):
            record = load_epoch(home, run_id, epoch)
            lengths = record.scores.response_tokens[record.selection.rows]
            if (lengths >= 0).all():
                read += ends[epoch + 1] - ends.get(epoch, 0)
                responses += float(lengths.sum())
    return Speed(training_speed(metrics), read / responses if responses and read > 0 else math.nan)


def training_speed(metrics: Sequence[Metrics]) -> float:
    """Tokens per second while the model was training; NaN where fewer than two steps of one epoch were measured.

    Tokens and seconds are running totals of a run, and between two epochs its seconds go on while it scores. So only
    steps inside an epoch count, and not its last: the held-out loss is measured before that line is written.
    """
    tokens = seconds = 0.0
    former: Metrics | None = None
    for line in metrics:
        if line.loss is None or line.tokens is None or line.seconds is None:
            continue
        if former is not None and not _ends_epoch(line) and not _ends_epoch(former):
            assert former.tokens is not None and former.seconds is not None
            took, read = line.seconds - former.seconds, line.tokens - former.tokens
            if took > 0 and read > 0 and math.floor(line.epoch) == math.floor(former.epoch):
                tokens, seconds = tokens + read, seconds + took
        former = line
    return tokens / seconds if seconds else math.nan


def _ends_epoch(line: Metrics) -> bool:
    return abs(line.epoch - round(line.epoch)) < EXACT


def _tokens_at_ends(metrics: Sequence[Metrics]) -> dict[int, int]:
    """Tokens read by the end of each epoch that was trained in full, by the number of epochs."""
    return {
        round(line.epoch): line.tokens
        for line in metrics
        if line.loss is not None and line.tokens is not None and _ends_epoch(line)
    }
