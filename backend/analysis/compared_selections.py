"""What the strategies of a comparison selected: overlap, response lengths, sources and planted noise."""

from __future__ import annotations

import numpy as np
import pandas as pd

from backend.analysis.comparison import Comparison
from backend.analysis.epoch_tables import NOT_NOISE
from backend.analysis.overlap import by_arm, jaccard
from backend.analysis.paired import mean_and_sd
from backend.records import Pool

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def overlap_table(comparison: Comparison, pool: Pool, epoch: int | None) -> np.ndarray:
    """(a, a) float64: mean Jaccard overlap between the arms, as `overlap.by_arm` defines it; NaN where unknown.

    epoch : which epoch's selections; None for all samples that a run selected for any of its epochs.
    """
    sets, arms, seeds = [], [], []
    for at, arm in enumerate(comparison.arms):
        for run in arm.runs:
            picks = run.picks(epoch)
            if picks and run.info.pool_id == pool.id:
                sets.append(np.unique(np.concatenate(picks)))
                arms.append(at)
                seeds.append(run.seed)
    if not sets:
        return np.full((len(comparison.arms),) * 2, np.nan)
    return by_arm(jaccard(sets, len(pool)), arms, seeds, len(comparison.arms))


def length_table(comparison: Comparison, pool: Pool, epoch: int | None) -> pd.DataFrame:
    """Response tokens of the selected: arm, n, unknown, p5, q1, median, q3, p95; the whole pool is the arm "pool".

    n : selected samples over all seeds (and epochs, where epoch is None), those of unknown length left out.
    """
    rows = []
    known = next(
        (run.response_tokens for run in comparison.runs if run.epochs and run.info.pool_id == pool.id), None
    )
    if known is not None:
        rows.append(_lengths("pool", known))
    for arm in comparison.arms:
        parts = [
            run.response_tokens[picks]
            for run in arm.runs
            if run.response_tokens is not None and run.info.pool_id == pool.id
            for picks in run.picks(epoch)
        ]
        if parts:
            rows.append(_lengths(arm.label, np.concatenate(parts)))
    return pd.DataFrame(rows, columns=["arm", "n", "unknown", "p5", "q1", "median", "q3", "p95"])


def _lengths(name: str, tokens: np.ndarray) -> list[object]:
    known = tokens[tokens >= 0]
    cut = np.quantile(known, QUANTILES).tolist() if len(known) else [np.nan] * 5
    return [name, len(known), int((tokens < 0).sum()), *cut]


def source_table(comparison: Comparison, pool: Pool, epoch: int | None) -> pd.DataFrame:
    """Share of each source in what was selected, mean over seeds: arm, source, share; the whole pool is the arm "pool"."""
    return _shares(comparison, pool, epoch, pool.source_codes, pool.sources, "source")


def noise_table(comparison: Comparison, pool: Pool, epoch: int | None) -> pd.DataFrame:
    """Share of selected samples whose label names a planted fault: arm, n (seeds), mean, sd; and of the arm "pool".

    Empty where the pool brings no labels. Nothing in the method reads them.
    """
    columns = ["arm", "n", "mean", "sd"]
    if pool.labels is None:
        return pd.DataFrame(columns=columns)
    noisy = np.array([bool(label) and label not in NOT_NOISE for label in pool.labels])
    rows: list[list[object]] = [["pool", 1, float(noisy.mean()), np.nan]]
    for arm in comparison.arms:
        shares = [
            float(noisy[np.concatenate(picks)].mean())
            for run in arm.runs
            if run.info.pool_id == pool.id and (picks := run.picks(epoch)) and len(picks[0])
        ]
        mean, sd, n = mean_and_sd(np.array(shares))
        if n:
            rows.append([arm.label, n, mean, sd])
    return pd.DataFrame(rows, columns=columns)


def label_shares(comparison: Comparison, pool: Pool, epoch: int | None) -> pd.DataFrame:
    """Share of each label in what was selected, mean over seeds: arm, label, share; empty where there are no labels."""
    if pool.labels is None:
        return pd.DataFrame(columns=["arm", "label", "share"])
    labels = np.array([label or "no label" for label in pool.labels], dtype=object)
    names = tuple(sorted(set(labels)))
    return _shares(
        comparison, pool, epoch, np.searchsorted(np.array(names, dtype=object), labels), names, "label"
    )


def _shares(
    comparison: Comparison,
    pool: Pool,
    epoch: int | None,
    codes: np.ndarray,
    names: tuple[str, ...],
    what: str,
) -> pd.DataFrame:
    shares = {"pool": np.bincount(codes, minlength=len(names)) / max(len(pool), 1)}
    for arm in comparison.arms:
        found = [
            np.bincount(codes[np.concatenate(picks)], minlength=len(names)) / sum(map(len, picks))
            for run in arm.runs
            if run.info.pool_id == pool.id and (picks := run.picks(epoch)) and len(picks[0])
        ]
        if found:
            shares[arm.label] = np.mean(found, axis=0)
    rows = [
        (arm, name, float(value))
        for arm, values in shares.items()
        for name, value in zip(names, values, strict=True)
    ]
    return pd.DataFrame(rows, columns=["arm", what, "share"])
