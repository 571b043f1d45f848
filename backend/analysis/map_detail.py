"""What stands on a map that somebody has zoomed into: names of the areas in sight, or the samples themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.diversity import NgramCounts
from backend.diversity.area_terms import area_labels, area_terms

COLUMNS, ROWS = 4, 3  # areas that the part in sight is cut into
LEAST = 12  # points of an area that gets a name
MARGIN = 0.1  # of an area's room on the map, left free around its points
MOST_SAMPLES = 30  # in sight, up to which each is named by its own response

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Area:
    """A part of the map: its name, the point nearest to its middle, sides around its points (x0, x1, y0, y1), and how many."""

    label: str
    at: tuple[float, float]
    box: Box
    points: int


def rows_in_sight(xy: np.ndarray, box: Box) -> np.ndarray:
    """(m,) int: the rows of the points in a box (x0, x1, y0, y1). xy : (n, 2) float, NaN where a sample has no place."""
    x0, x1, y0, y1 = box
    inside = (xy[:, 0] >= x0) & (xy[:, 0] <= x1) & (xy[:, 1] >= y0) & (xy[:, 1] <= y1)
    return np.flatnonzero(inside)


def areas_in_sight(xy: np.ndarray, box: Box, counts: NgramCounts) -> list[Area]:
    """The parts of a box that hold enough points, by what sets each apart from the others in sight; the largest first.

    xy : (n, 2) float, NaN where a sample has no place. box : x0, x1, y0, y1. counts : of the n responses.
    """
    rows = rows_in_sight(xy, box)
    x0, x1, y0, y1 = box
    if not len(rows) or x1 <= x0 or y1 <= y0:
        return []
    column = np.minimum((xy[rows, 0] - x0) / (x1 - x0) * COLUMNS, COLUMNS - 1).astype(np.int64)
    line = np.minimum((xy[rows, 1] - y0) / (y1 - y0) * ROWS, ROWS - 1).astype(np.int64)
    cell = line * COLUMNS + column
    sizes = np.bincount(cell, minlength=COLUMNS * ROWS)
    named = [int(c) for c in np.argsort(-sizes, kind="stable") if sizes[c] >= LEAST]
    codes = np.full(len(xy), -1, dtype=np.int64)
    for number, c in enumerate(named):
        codes[rows[cell == c]] = number
    labels = area_labels(area_terms(codes, len(named), counts)) if named else []
    room = np.array([(x1 - x0) / COLUMNS, (y1 - y0) / ROWS]) * MARGIN
    found = []
    for number, (c, label) in enumerate(zip(named, labels, strict=True)):
        points = xy[codes == number].astype(np.float64)
        middle = points[np.abs(points - np.median(points, axis=0)).sum(axis=1).argmin()]
        low, high = (points.min(axis=0) - room).tolist(), (points.max(axis=0) + room).tolist()
        sides = (low[0], high[0], low[1], high[1])
        found.append(Area(label, (float(middle[0]), float(middle[1])), sides, int(sizes[c])))
    return found
