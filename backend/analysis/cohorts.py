"""Loss by cohort: did training help what it was given more than what it was not?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from backend.records import EpochRecord, Status

COHORTS = ("kept", "added", "dropped", "gone earlier", "never selected")
COLUMNS = ["cohort", "members", "epoch", "scored", "loss", "loss_first", "change"]


def cohorts(records: Sequence[EpochRecord], epoch: int) -> dict[str, np.ndarray]:
    """Rows by cohort as one epoch's selection makes them; every sample that could be selected is in one of them.

        kept             selected at this epoch and at the one before; at the first epoch all that it selected
        added            selected at this epoch, not at the one before
        dropped          selected at the epoch before, not at this one
        gone earlier     selected at an epoch before that, at neither of these two
        never selected   at no epoch up to this one

    Samples that are held out are in none. records : the run's epochs in their order, `epoch` among them.
    """
    at = [record.epoch for record in records].index(epoch)
    now = records[at].selection
    seen: np.ndarray = np.zeros(len(now.status), dtype=bool)
    for record in records[: at + 1]:
        seen[record.selection.rows] = True
    before = records[at - 1].selection.rows if at else now.rows
    return {
        "kept": now.rows[np.isin(now.rows, before)],
        "added": now.rows[~np.isin(now.rows, before)],
        "dropped": before[~np.isin(before, now.rows)],
        "gone earlier": np.setdiff1d(np.flatnonzero(seen), np.union1d(now.rows, before)),
        "never selected": np.flatnonzero(~seen & (now.status != Status.HELD_OUT)),
    }


def cohort_losses(records: Sequence[EpochRecord], epoch: int) -> pd.DataFrame:
    """Mean response loss of the cohorts of one epoch, at every epoch of the run; cohorts without a member are left out.

    After epoch 0 only part of the pool is rescored, and a different part each time, so a mean of what was scored
    before an epoch says nothing beside the mean of another part. Each row therefore compares the same samples with
    themselves:

    epoch : scores from before this epoch's training, so after `epoch` epochs of it.
    members : samples of the cohort. scored : those with a loss from before both this epoch and the first.
    loss : mean of their `loss_cond` before this epoch, nats per response token, each sample counting the same.
    loss_first : mean of the same samples before the first epoch. change : loss - loss_first.
    NaN where no member was scored.
    """
    first = records[0]
    known_first = first.rescored & np.isfinite(first.scores.loss_cond)
    rows = []
    for name, members in cohorts(records, epoch).items():
        if not len(members):
            continue
        for record in records:
            known = known_first & record.rescored & np.isfinite(record.scores.loss_cond)
            scored = members[known[members]]
            loss, loss_first = _mean(record.scores.loss_cond[scored]), _mean(first.scores.loss_cond[scored])
            rows.append((name, len(members), record.epoch, len(scored), loss, loss_first, loss - loss_first))
    return pd.DataFrame(rows, columns=COLUMNS)


def _mean(values: np.ndarray) -> float:
    return float(values.mean(dtype=np.float64)) if len(values) else float("nan")
