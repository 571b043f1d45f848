"""Names of what is in sight on a map that somebody has zoomed into."""

from __future__ import annotations

import numpy as np
import pytest

from backend.analysis import areas_in_sight, rows_in_sight
from backend.analysis.map_detail import COLUMNS, LEAST, MARGIN, ROWS
from backend.diversity import count_ngrams
from backend.diversity.area_terms import area_labels, area_terms

SIGHT = (0.0, 4.0, 0.0, 3.0)  # a cell is one wide and one high


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, list[str]]:
    """Three crowds in sight, one of them too small for a name, one out of sight, one without a place."""
    rng = np.random.default_rng(0)
    crowds = [
        ("bread", (0.5, 0.5), 40),
        ("chess", (2.5, 1.5), 30),
        ("snow", (3.5, 2.5), LEAST - 1),
        ("wool", (9.0, 9.0), 50),
    ]
    xy, texts = [], []
    for theme, middle, size in crowds:
        xy.append(np.array(middle) + rng.uniform(-0.4, 0.4, size=(size, 2)))
        texts += [f"the {theme} and the {theme} house of {theme} number {i} it is" for i in range(size)]
    texts += ["no place at all"] * 5
    return np.vstack([*xy, np.full((5, 2), np.nan)]).astype(np.float32), texts


def test_crowds_in_sight_are_named_by_what_sets_them_apart(drawn: tuple[np.ndarray, list[str]]) -> None:
    xy, texts = drawn
    counts = count_ngrams(texts)
    bread, chess = areas_in_sight(xy, SIGHT, counts)
    assert ("bread" in bread.label, bread.points) == (True, 40)
    assert ("chess" in chess.label, chess.points) == (True, 30)
    for area, rows in ((bread, slice(0, 40)), (chess, slice(40, 70))):
        x0, x1, y0, y1 = area.box
        np.testing.assert_allclose([x0, y0], xy[rows].min(axis=0) - MARGIN, atol=1e-6)
        np.testing.assert_allclose([x1, y1], xy[rows].max(axis=0) + MARGIN, atol=1e-6)
        assert x0 <= area.at[0] <= x1 and y0 <= area.at[1] <= y1
        assert np.any(np.all(xy == np.float32(area.at), axis=1))
    # plainly: the words of these two groups of samples, and of nobody else
    codes = np.array([0] * 40 + [1] * 30 + [-1] * (len(texts) - 70))
    assert [bread.label, chess.label] == area_labels(area_terms(codes, 2, counts))


def test_rows_in_sight_have_a_place_within_the_box(drawn: tuple[np.ndarray, list[str]]) -> None:
    xy, _ = drawn
    found = rows_in_sight(xy, SIGHT)
    assert found.tolist() == list(range(40 + 30 + LEAST - 1))
    assert rows_in_sight(xy, (20, 21, 20, 21)).tolist() == []


def test_nothing_is_named_where_nothing_is(drawn: tuple[np.ndarray, list[str]]) -> None:
    xy, texts = drawn
    counts = count_ngrams(texts)
    assert areas_in_sight(xy, (20, 21, 20, 21), counts) == []
    assert areas_in_sight(xy, (1, 1, 0, 3), counts) == []
    # all in one part: there is nobody to be set apart from, and it is named by what it is full of
    (only,) = areas_in_sight(xy, (8, 8 + 2 * COLUMNS, 8, 8 + 2 * ROWS), counts)
    assert "wool" in only.label
