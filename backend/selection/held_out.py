"""Samples held out to measure the held-out loss."""

from __future__ import annotations

import math

import numpy as np

STREAM = 1  # so that the split and a random strategy with the same seed draw different numbers


def split(share: float, *, ids: np.ndarray, usable: np.ndarray, kept: set[str], seed: int) -> np.ndarray:
    """(n,) bool: the rows to keep aside, floor(share * n) of them by a seeded draw.

    All samples of the same content are kept aside together, so that none is measured on and trained on: the ids
    of such samples differ in what follows the last "-" only.

    ids : (n,) object. usable : (n,) bool, rows with a response token.
    kept : ids that stay in the pool (pinned, or excluded by a person as not worth measuring on).
    """
    held_out = np.zeros(len(ids), dtype=bool)
    wanted = math.floor(round(share * len(ids), 9))
    if not wanted:
        return held_out
    content = [str(sample_id).rpartition("-")[0] or str(sample_id) for sample_id in ids]
    rows_of: dict[str, list[int]] = {}
    for row, name in enumerate(content):
        rows_of.setdefault(name, []).append(row)
    count = 0
    for row in np.random.default_rng((seed, STREAM)).permutation(len(ids)).tolist():
        group = rows_of[content[row]]
        if held_out[row] or not usable[row] or any(ids[other] in kept for other in group):
            continue
        if count + len(group) > wanted:
            continue  # a large group of copies must not take more than the share
        held_out[group] = True
        count += len(group)
        if count == wanted:
            break
    return held_out
