"""What a map asks for while somebody looks at it: its points, the sample under the pointer, and names of what is in sight."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from backend import analysis, store
from backend.errors import StudioError
from backend.store.shelf import keep_last
from iterit_ui.components import encode_bytes
from iterit_ui.shared.map_points import spread
from iterit_ui.shared.session import beginning, get_counts, get_map, get_pool, map_key

HOVERED, NAMED = 220, 42  # characters of a response in the box at the pointer, and beside its point
Function = Callable[[list[Any]], dict[str, Any]]


def map_functions(home: Path) -> list[Function]:
    """`coordinates`, `hover` and `detail` for a `map_view` whose keys are pool ids, or those of `map_key`."""

    def coordinates(asked: list[Any]) -> dict[str, Any]:
        try:
            xy = drawn_points(home, _pool_id(asked))
        except StudioError as error:
            return {"error": str(error)}
        if xy is None:
            return {"error": "This pool has no map yet."}
        return {"n": len(xy), "x": encode_bytes(xy[:, 0]), "y": encode_bytes(xy[:, 1])}

    def hover(asked: list[Any]) -> dict[str, Any]:
        try:
            pool, row = get_pool(home, _pool_id(asked)), int(asked[1])
        except (StudioError, TypeError, ValueError, IndexError) as error:
            return {"error": str(error)}
        if not 0 <= row < len(pool):
            return {"error": f"row {row} is not in this pool"}
        source = pool.sources[pool.source_codes[row]]
        return {"title": f"{source}, row {row:,}", "text": beginning(pool.response(row), HOVERED)}

    def detail(asked: list[Any]) -> dict[str, Any]:
        try:
            pool_id, box = _pool_id(asked), _box(asked)
            xy = drawn_points(home, pool_id)
            return {"labels": [] if xy is None else _labels(home, pool_id, xy, box)}
        except (StudioError, TypeError, ValueError, IndexError) as error:
            return {"error": str(error)}

    return [coordinates, hover, detail]


def _pool_id(asked: list[Any]) -> str:
    return str(asked[0]).partition("/")[0]


def _box(asked: list[Any]) -> tuple[float, float, float, float]:
    x0, x1, y0, y1 = (float(side) for side in asked[1:5])
    if not all(map(math.isfinite, (x0, x1, y0, y1))):
        raise ValueError("the sides of what is in sight are no numbers")
    return x0, x1, y0, y1


def drawn_points(home: Path, pool_id: str) -> np.ndarray | None:
    """(n, 2) float32: where the points are drawn, None where there is no map."""
    return _spread(home, pool_id, map_key(home, pool_id))


@keep_last(4)
def _spread(home: Path, pool_id: str, key: str) -> np.ndarray | None:
    xy = get_map(home, pool_id)
    return None if xy is None else spread(xy)


def _labels(
    home: Path, pool_id: str, xy: np.ndarray, box: tuple[float, float, float, float]
) -> list[dict[str, Any]]:
    """Names for what is in sight: few samples by their responses {x, y, text, row}, more by areas {x, y, text, box, n}."""
    pool = get_pool(home, pool_id)
    rows = analysis.rows_in_sight(xy, box)
    if len(rows) <= analysis.MOST_SAMPLES:
        return [
            {
                "x": float(xy[row, 0]),
                "y": float(xy[row, 1]),
                "text": beginning(pool.response(row), NAMED),
                "row": row,
            }
            for row in rows.tolist()
        ]
    counts = get_counts(home, pool_id, store.pool_words(home, pool_id))
    return [
        {"x": area.at[0], "y": area.at[1], "text": area.label, "box": list(area.box), "n": area.points}
        for area in analysis.areas_in_sight(xy, box, counts)
    ]
