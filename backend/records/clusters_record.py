"""Areas of a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Clusters:
    """Areas of a map of n responses, the largest first.

    codes : (n,) int16, each response's cluster, -1 where it has no place or lies in none.
    labels : of each of the c clusters, its first terms; no two the same.
    xy : (c, 2) float32, where on the map the label belongs: a point in the cluster's middle.
    terms : of each cluster up to 8 (n-gram, weight), the heaviest first; weights are c-TF-IDF, no unit.
    method : how they were found and labelled, in words.
    """

    codes: np.ndarray
    labels: list[str]
    xy: np.ndarray
    terms: list[list[tuple[str, float]]]
    method: str
