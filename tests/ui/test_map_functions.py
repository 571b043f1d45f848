"""What a map asks for while somebody looks at it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend import analysis
from iterit_ui.shared import map_functions as functions
from iterit_ui.shared.session import demo_pool, prepare


@pytest.fixture
def asked(tmp_path: Path) -> dict[str, functions.Function]:
    prepare(tmp_path)
    return {function.__name__: function for function in functions.map_functions(tmp_path)}


def test_few_samples_in_sight_are_named_by_their_responses(
    tmp_path: Path, asked: dict[str, functions.Function]
) -> None:
    key = demo_pool().id
    xy = functions.drawn_points(tmp_path, key)
    assert xy is not None
    x, y = (float(v) for v in xy[7])
    near = np.abs(xy - xy[7]).max(axis=1)
    half = float(np.sort(near)[analysis.MOST_SAMPLES - 1])
    labels = asked["detail"]([key, x - half, x + half, y - half, y + half])["labels"]
    assert {label["row"] for label in labels} == set(np.flatnonzero(near <= half).tolist())
    own = next(label for label in labels if label["row"] == 7)
    assert own["text"].rstrip("…") in " ".join(demo_pool().response(7).split())
    half = float(np.sort(near)[len(near) // 2])
    areas = asked["detail"]([key, x - half, x + half, y - half, y + half])["labels"]
    assert areas and all("row" not in area and area["n"] >= 12 and area["text"] for area in areas)


@pytest.mark.parametrize(
    "sent", [[], ["no such pool", 0, 1, 0, 1], [None, 1], ["{}", "a", 1, 2, 3], ["x", float("nan"), 1, 2, 3]]
)
def test_what_a_page_made_up_is_answered(asked: dict[str, functions.Function], sent: list) -> None:
    key = demo_pool().id
    assert set(asked["detail"](sent)) in ({"error"}, {"labels"})
    assert asked["detail"]([key, *sent[1:3]])["error"]
