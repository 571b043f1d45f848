"""What the components take from a browser is checked; their templates are constant."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from backend.errors import StudioError
from backend.records import Status
from iterit_ui import theme
from iterit_ui.components import cards, chart, map_view, row_of_pick, rows_of_lasso, sample_view, table
from iterit_ui.components.base import STYLES
from iterit_ui.map_points import spread


def bits(rows: list[int], n: int) -> str:
    mask = np.zeros(n, dtype=bool)
    mask[rows] = True
    return base64.b64encode(np.packbits(mask, bitorder="little").tobytes()).decode()


def test_rows_of_a_lasso() -> None:
    assert rows_of_lasso({"n": 20, "bits": bits([0, 7, 8, 19], 20)}, 20).tolist() == [0, 7, 8, 19]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"n": 19, "bits": bits([1], 20)},
        {"n": 20, "bits": "!"},
        {"n": 20, "bits": bits([1], 8)},
        {"n": 20, "bits": None},
    ],
)
def test_a_lasso_that_does_not_fit_is_refused(data: dict) -> None:
    with pytest.raises(StudioError):
        rows_of_lasso(data, 20)


@pytest.mark.parametrize("row", [-1, 20, 1.5, "1", None, True])
def test_a_row_that_does_not_fit_is_refused(row: object) -> None:
    with pytest.raises(StudioError):
        row_of_pick({"row": row}, 20)


def test_templates_hold_no_expression() -> None:
    # outside of gr.Blocks, which leaves an event loop open
    made = [chart(), cards(), table(), sample_view(), map_view(functions=[])]
    for component in made:
        assert "${" not in component.html_template and "{{" not in component.html_template


def test_events_stand_where_gradio_looks_for_them() -> None:
    for made, names in (
        (chart(), ("pick", "brush", "clear")),
        (map_view(functions=[]), ("pick", "lasso", "clear", "mode", "cluster")),
    ):
        for name in names:
            assert f"'{name}'" in made.js_on_load
            assert callable(getattr(made, name))  # no property of Gradio's own has that name


def test_crowded_points_are_spread_a_little_and_the_same_way() -> None:
    xy = np.array([[0, 0]] * 200 + [[10, 10], [np.nan, np.nan]], dtype=np.float32)
    drawn = spread(xy)
    assert len(np.unique(drawn[:200], axis=0)) == 200
    assert np.abs(drawn[:200]).max() < 1
    assert drawn[200].tolist() == [10, 10] and np.isnan(drawn[201]).all()
    assert np.array_equal(drawn, spread(xy), equal_nan=True)


def test_every_colour_is_a_variable_of_the_page() -> None:
    css = STYLES[0].read_text()
    names = [
        *theme.SOURCES,
        *theme.SERIES,
        *theme.SEQUENTIAL,
        *theme.STATUS_COLOUR.values(),
        theme.LINE,
        theme.ADDED,
        theme.DROPPED,
    ]
    assert set(theme.STATUS_COLOUR) == set(Status) == set(theme.STATUS_LABEL)
    for name in names:
        assert f"{name}:" in css


@pytest.mark.parametrize(("value", "words"), [(12345, "12,345"), (None, "–"), (float("nan"), "–"), (0, "0")])
def test_numbers(value: float | None, words: str) -> None:
    assert theme.number(value) == words


@pytest.mark.parametrize(("value", "words"), [(0.1, "10 %"), (0.015, "1.5 %"), (1, "100 %"), (None, "–")])
def test_shares(value: float | None, words: str) -> None:
    assert theme.share(value) == words
