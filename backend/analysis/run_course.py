"""A run's course as tables: losses, held-out losses, and where the time went."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from backend.records import EpochRecord, Metrics

LOSS_COLUMNS = ["step", "epoch", "loss", "learning_rate", "grad_norm", "tokens", "seconds", "memory_gib"]


def loss_table(metrics: Sequence[Metrics]) -> pd.DataFrame:
    """Training losses by step: columns of LOSS_COLUMNS, NaN where a value was not measured.

    epoch counts finished passes (1.5 is half way through the second); loss in nats per response token.
    A run that was resumed wrote some steps twice: the later line counts.
    """
    rows = [[getattr(m, name) for name in LOSS_COLUMNS] for m in metrics if m.loss is not None]
    table = pd.DataFrame(rows, columns=LOSS_COLUMNS).astype(np.float64)
    return table.drop_duplicates("step", keep="last").sort_values("step").reset_index(drop=True)


def held_out_table(metrics: Sequence[Metrics]) -> pd.DataFrame:
    """Held-out losses: epoch (epochs trained when measured, 0 for the untouched model), held_out, change.

    change : difference to the untouched model, NaN where that was not measured.
    """
    whole = [m for m in metrics if m.held_out is not None and m.held_out_epoch is not None]
    last = {m.held_out_epoch: m.held_out for m in whole}
    table = pd.DataFrame(
        {"epoch": list(last), "held_out": [np.nan if value is None else value for value in last.values()]}
    ).astype(np.float64)
    table = table.dropna().sort_values("epoch").reset_index(drop=True)
    base = table.loc[table["epoch"] == 0, "held_out"]
    table["change"] = table["held_out"] - (base.iloc[0] if len(base) else np.nan)
    return table


def held_out_points(metrics: Sequence[Metrics]) -> pd.DataFrame:
    """Every measurement on the held-out samples: step, epoch (epochs trained by then), held_out, whole.

    whole : it was made after a whole number of epochs (0: the untouched model), and not within one.
    """
    rows = {
        (m.step, m.held_out_epoch is not None): [m.step, m.epoch, m.held_out, m.held_out_epoch is not None]
        for m in metrics
        if m.held_out is not None
    }
    table = pd.DataFrame(list(rows.values()), columns=["step", "epoch", "held_out", "whole"])
    return table.astype({"step": float, "epoch": float, "held_out": float, "whole": bool}).sort_values("step")


def stage_table(records: Sequence[EpochRecord]) -> pd.DataFrame:
    """Where the time went: epoch, stage, seconds."""
    rows = [(r.epoch, stage, float(seconds)) for r in records for stage, seconds in r.seconds.items()]
    return pd.DataFrame(rows, columns=["epoch", "stage", "seconds"])


def tokens_per_second(metrics: Sequence[Metrics], window: int = 5) -> float:
    """Training tokens per second over the last `window` lines that carry both counts; NaN where unknown.

    tokens and seconds are running totals of the run.
    """
    pairs = [
        (m.seconds, m.tokens)
        for m in metrics
        if m.loss is not None and m.tokens is not None and m.seconds is not None
    ]
    pairs = pairs[-(window + 1) :]
    if len(pairs) < 2 or pairs[-1][0] <= pairs[0][0]:
        return float("nan")
    return (pairs[-1][1] - pairs[0][1]) / (pairs[-1][0] - pairs[0][0])
