"""What is done on a page is done in that order, in whichever order Gradio starts it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

import app
from iterit_ui.access import act_order
from iterit_ui.access.act_order import ActOrder, act_of
from iterit_ui.access.guarded_page import acts, event_names


def test_acts_are_done_in_the_order_of_their_numbers():
    order, done = ActOrder(), []

    async def act(number: int) -> None:
        async with order.turn("page", number):
            await asyncio.sleep(0)
            done.append(number)

    async def all_at_once() -> None:
        for number in (1, 2, 3):
            order.arrive("page", number)
        await asyncio.gather(act(3), act(1), act(2))

    asyncio.run(all_at_once())
    assert done == [1, 2, 3]
    assert not order._pages  # nothing is kept of a page that rests


def test_pages_do_not_wait_for_each_other_nor_for_what_is_no_act():
    order, done = ActOrder(), []

    async def act(page: str, number: int | None) -> None:
        async with order.turn(page, number):
            done.append((page, number))

    async def other_pages() -> None:
        order.arrive("page", 1)
        order.arrive("other", 2)
        await asyncio.wait_for(asyncio.gather(act("other", 2), act("page", None), act("", None)), 5)

    asyncio.run(other_pages())
    assert done == [("other", 2), ("page", None), ("", None)]


def test_an_act_that_fails_or_will_not_be_done_holds_nobody_up():
    order, done = ActOrder(), []

    async def failed() -> None:
        async with order.turn("page", 1):
            raise ValueError("refused")

    async def act() -> None:
        async with order.turn("page", 3):
            done.append(3)

    async def one_after_another() -> None:
        for number in (1, 2, 3):
            order.arrive("page", number)
        waiting = asyncio.create_task(act())
        with pytest.raises(ValueError, match="refused"):
            await failed()
        await asyncio.sleep(0)
        assert not done  # act 2 is still expected
        order.finish("page", 2)
        await asyncio.wait_for(waiting, 5)

    asyncio.run(one_after_another())
    assert done == [3]
    assert not order._pages


def test_an_act_does_not_wait_for_ever(capsys):
    order = ActOrder(patience=0.05)

    async def alone() -> None:
        order.arrive("page", 1)
        order.arrive("page", 2)
        async with order.turn("page", 2):
            pass

    asyncio.run(alone())
    assert "act 2 of a page goes on without those before it" in capsys.readouterr().err


def test_what_is_never_done_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(act_order, "MOST_PAGES", 3)
    monkeypatch.setattr(act_order, "MOST_ACTS", 2)
    order = ActOrder()
    for page in "abcd":
        for number in (1, 2, 3):
            order.arrive(page, number)
    assert {page: list(acts) for page, acts in order._pages.items()} == {page: [2, 3] for page in "bcd"}


@pytest.mark.parametrize(
    ("headers", "number"),
    [
        ({"x-act": "7"}, 7),
        ({}, None),
        ({"x-act": "-1"}, None),
        ({"x-act": "9" * 16}, None),
        ({"x-act": "٣"}, None),
    ],
)
def test_the_number_of_an_act(headers, number):
    assert act_of(SimpleNamespace(session_hash="s", headers=headers))[1] == number


def test_what_is_no_page_has_no_acts():
    assert act_of(None) == act_of(SimpleNamespace(session_hash=None, headers={"x-act": "1"})) == ("", None)


def test_marks_undo_and_settings_are_acts_and_what_is_drawn_is_none(tmp_path: Path):
    async def built() -> app.GuardedPage:
        return app.build(tmp_path.resolve())

    page = asyncio.run(built())
    told = page.get_config_file()["acts"]
    assert told == acts(page)
    (unasked,) = page.get_config_file()["unasked"]
    assert event_names(page, page.fns[unasked]) == ["on_refresh"]
    names = {name for number in told for name in event_names(page, page.fns[number])}
    for tab in ("data", "curate"):
        for event in ("sample.pin", "sample.exclude", "sample.unmark", "keys.mark", "keys.undo", "keys.redo"):
            assert f"{tab}-{event}" in names
    assert {"data-table.pick", "data-table.search", "settings.set", "settings.undo"} <= names
    assert {"review-table.act", "review-settings.set", "tune-queue.act"} <= names
    assert not names & {
        "tab-curate.select",
        "load-pool.click",
        "on_refresh",
        "curate-export.export",
        "tune-form.look",
    }
