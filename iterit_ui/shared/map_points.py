"""Where the points of a map are drawn: as they were laid out, but apart enough to be seen one by one."""

from __future__ import annotations

import numpy as np

CELLS = 150  # of a side of the picture
CROWDED = 20_000  # points from which the picture is full enough to leave most of them where they are


def spread(xy: np.ndarray, seed: int = 0) -> np.ndarray:
    """(n, 2) float32: the coordinates with crowded points moved by up to a few cells, the same way every time.

    Responses that read alike share a place, often hundreds of them. A point among c others of its cell is moved by at
    most 0.8 sqrt(c) cells, so a crowd covers an area in proportion to its size; who is near whom stays.

    xy : (n, 2) float32, NaN where a sample has no place.
    """
    placed = np.isfinite(xy).all(axis=1)
    drawn = np.array(xy, dtype=np.float32)
    if not placed.any():
        return drawn
    known = xy[placed].astype(np.float64)
    low, extent = known.min(axis=0), np.ptp(known, axis=0)
    cell = np.where(extent > 0, extent, 1.0) / CELLS
    _, where, counts = np.unique(
        np.floor((known - low) / cell), axis=0, return_inverse=True, return_counts=True
    )
    crowd = counts[where.ravel()]
    reach = (0.8 if len(known) < CROWDED else 0.1) * np.sqrt(crowd) * (crowd > 1)
    rng = np.random.default_rng(seed)
    angle, radius = rng.uniform(0, 2 * np.pi, len(known)), np.sqrt(rng.uniform(0, 1, len(known)))
    offset = np.column_stack([np.cos(angle), np.sin(angle)]) * (radius * reach)[:, None] * cell
    drawn[placed] = known + offset
    return drawn
