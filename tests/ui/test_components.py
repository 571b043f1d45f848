"""What the components take from a browser is checked; their templates are constant."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette

from backend.errors import StudioError
from backend.records import Status
from iterit_ui.components import (
    act_of,
    cards,
    chart,
    keys,
    map_view,
    row_of_pick,
    rows_of_lasso,
    sample_view,
    settings_panel,
    table,
    toolbar,
)
from iterit_ui.components.page_files import PLOTLY_JS, SCRIPTS, STYLES, WEB, routes, script_tag
from iterit_ui.shared import theme
from iterit_ui.shared.map_points import spread


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
    made = [
        chart(),
        cards(),
        keys(),
        table(),
        toolbar(),
        sample_view(),
        settings_panel(),
        map_view(functions=[]),
    ]
    for component in made:
        assert "${" not in component.html_template and "{{" not in component.html_template


def test_events_stand_where_gradio_looks_for_them() -> None:
    for made, names in (
        (chart(), ("pick", "brush", "clear")),
        (map_view(functions=[]), ("pick", "lasso", "clear", "mode", "cluster")),
        (cards(), ("pick",)),
        (keys(), ("step", "mark", "undo", "redo")),
        (toolbar(), ("act",)),
        (table(), ("pick", "turn", "sort", "filter", "search", "chip", "chips_clear", "act")),
        (sample_view(), ("pin", "exclude", "unmark", "note", "open", "read", "losses", "reach", "step")),
        (settings_panel(), ("set", "weigh", "reset", "undo", "redo", "save", "recall", "forget", "compare")),
    ):
        assert "'load'" not in made.js_on_load  # Gradio fires every event of that name when the page starts
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


ACTIONS = ("pin", "note")
KNOWN = {f"s-{i}": i for i in range(20)}


def act(**changes: object) -> dict:
    return {"action": "pin", "ids": ["s-1", "s-2"], "all": False, **changes}


def test_ticked_rows() -> None:
    asked = act_of(act(), ACTIONS, known=KNOWN, limit=20)
    assert (asked.action, asked.ids, asked.all, asked.text) == ("pin", ("s-1", "s-2"), False, "")
    assert act_of(act(action="note", text="why?"), ACTIONS, known=KNOWN, limit=20).text == "why?"


def test_rows_that_are_not_in_the_pool_are_left_out() -> None:
    assert act_of(act(ids=["x", "s-3", 7, None]), ACTIONS, known=KNOWN, limit=20).ids == ("s-3",)


def test_all_rows_of_a_list_are_meant_by_the_list_not_by_ids() -> None:
    asked = act_of(act(ids=["s-1"], all=True), ACTIONS, known=KNOWN, limit=20)
    assert asked.all and asked.ids == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"action": "drop"}, "note, pin are known"),
        ({"action": None}, "are known"),
        ({"ids": "s-1"}, "a list of at most 20 ids"),
        ({"ids": ["s-1"] * 21}, "a list of at most 20 ids"),
        ({"text": 3}, "cannot be read"),
        ({"ids": []}, "no row of this pool is ticked"),
        ({"ids": ["x"]}, "no row of this pool is ticked"),
        ({"ids": [], "all": "yes"}, "no row of this pool is ticked"),
    ],
)
def test_an_action_that_does_not_fit_is_refused(changes: dict, words: str) -> None:
    with pytest.raises(StudioError, match=words):
        act_of(act(**changes), ACTIONS, known=KNOWN, limit=20)


def test_every_style_and_script_is_there_and_no_other() -> None:
    # the report is no page of the app, and who logs in does not see it yet
    others = {WEB / name for name in ("present/report.css", "page/login.css", "present/report.js")}
    assert sorted([*STYLES, *SCRIPTS]) == sorted(
        {*WEB.rglob("*.css"), *WEB.rglob("*.js")} - others - {PLOTLY_JS}
    )


def test_all_scripts_come_as_one_file_whose_name_changes_with_what_it_holds() -> None:
    tags = re.findall(r'<script src="([^"]+)"></script>', script_tag())
    assert len(tags) == 1 and map_view(functions=[]).head == script_tag()
    content = asyncio.run(_get(tags[0]))
    assert content == asyncio.run(_get(tags[0], behind="/studio"))
    assert hashlib.sha256(content).hexdigest()[:16] in tags[0]
    places = [content.index(path.read_bytes()) for path in SCRIPTS]
    assert places == sorted(places)
    library = re.findall(r"chartLibrary: '(.+)'", content.decode())
    for place in ("", "/studio"):
        assert [asyncio.run(_get(path, behind=place)) for path in library] == [PLOTLY_JS.read_bytes()]


async def _get(path: str, *, behind: str = "") -> bytes:
    """What the app answers. behind : where a proxy shows it, which takes that away again before it asks."""
    transport = httpx.ASGITransport(Starlette(routes=routes()), root_path=behind)
    async with httpx.AsyncClient(transport=transport, base_url="http://studio") as browser:
        return (await browser.get(f"/{path}")).raise_for_status().content


def test_no_script_of_ours_reads_text_as_html() -> None:
    for path in set(WEB.rglob("*.js")) - {PLOTLY_JS}:
        found = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", path.read_text()
        )
        assert not found, path.name


def test_every_variable_of_the_styles_has_a_value() -> None:
    css = "".join(path.read_text() for path in STYLES)
    code = "".join(path.read_text() for path in WEB.rglob("*.js"))
    given = set(re.findall(r"(--[\w-]+):", css)) | set(re.findall(r"setProperty\('(--[\w-]+)'", code))
    # with a fallback, or Gradio's own
    needed = set(re.findall(r"var\((--[\w-]+)\)", css)) - {"--font-mono", "--range_progress"}
    assert needed <= given
