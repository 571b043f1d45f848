"""Callbacks as events call them: an answer that comes late neither wins nor loses what came between."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from backend import store
from iterit_ui import layout
from iterit_ui.curate import tab
from iterit_ui.curate.state import CurateState
from iterit_ui.data import callbacks as answers
from iterit_ui.data import draw, events
from iterit_ui.data import sample_panel as reading
from iterit_ui.data.bulk_marks import NOTHING_DONE
from iterit_ui.data.lists import VIEW
from iterit_ui.shared import address
from iterit_ui.shared.answer_order import MOST_SESSIONS, Newest, Turns, all_numbered, next_number, numbered
from iterit_ui.shared.session import bound, demo_pool, prepare


@pytest.fixture
def newest(monkeypatch: pytest.MonkeyPatch) -> Newest:
    """Nothing is known of any page."""
    monkeypatch.setattr(answers, "NEWEST", Newest(VIEW))
    return answers.NEWEST


@pytest.fixture
def pool(tmp_path: Path) -> str:
    prepare(tmp_path)
    return demo_pool().id


def page(name: str = "a page") -> Any:
    return SimpleNamespace(session_hash=name)


def brings(**data: Any) -> Any:
    return SimpleNamespace(_data=data)


def test_a_list_that_was_asked_for_earlier_has_the_smaller_number(
    tmp_path: Path, pool: str, newest: Newest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow drawing of the list that was open answers after the click on another list."""
    asked, go = threading.Event(), threading.Event()
    turned = draw.page_values

    def slow(*values: Any) -> list[Any]:
        asked.set()
        assert go.wait(30)
        return turned(*values)

    late: list[Any] = []
    drawn = answers.numbered_call(bound(slow, tmp_path))
    thread = threading.Thread(target=lambda: late.extend(drawn(page(), pool, VIEW, "", NOTHING_DONE)))
    thread.start()
    assert asked.wait(30)
    click = answers.listed(tmp_path, events.picked_card)
    view, *shown = click(brings(key="refusal"), page(), pool, VIEW, "", NOTHING_DONE)
    go.set()
    thread.join(30)
    assert view["which"] == "refusal" and len(shown) == 4
    assert late[1]["value"]["total"] > shown[1]["value"]["total"]
    assert late[1]["seq"] < shown[1]["seq"]
    # asked after it, with the states of before it: what is drawn is the click's list
    again = answers.numbered_call(bound(turned, tmp_path))(page(), pool, VIEW, "", NOTHING_DONE)
    assert again[1]["value"] == shown[1]["value"] and again[1]["seq"] > shown[1]["seq"]


def test_two_changes_at_once_are_both_kept(tmp_path: Path, pool: str, newest: Newest) -> None:
    """The second is asked before the first has set the state that both are given."""
    click = answers.listed(tmp_path, events.picked_card)
    search = answers.listed(tmp_path, events.searched)
    click(brings(key="refusal"), page(), pool, VIEW, "", NOTHING_DONE)
    view = search(brings(text="help"), page(), pool, VIEW, "", NOTHING_DONE)[0]
    assert (view["which"], view["text"]) == ("refusal", "help")
    # another page has a view of its own, and what changes nothing is not answered
    assert search(brings(text="x"), page("other"), pool, VIEW, "", NOTHING_DONE)[0]["which"] == "all"
    assert click(brings(key="nonsense"), page(), pool, VIEW, "", NOTHING_DONE) == gr.skip()
    assert newest.read("a page", pool, {})[0] == view  # type: ignore[index]


def test_an_answer_about_a_pool_that_was_left_is_none(tmp_path: Path, pool: str, newest: Newest) -> None:
    newest.change("a page", "left", VIEW, lambda view: {**view, "which": "near"})
    view, *_, listed = answers.opened(bound(draw.opened_pool, tmp_path), kept=4)(page(), pool)
    assert view == VIEW and listed["value"]["total"] == len(demo_pool())
    drawn = answers.numbered_call(bound(draw.page_values, tmp_path))
    assert drawn(page(), "left", VIEW, "", NOTHING_DONE) == gr.skip()
    assert answers.on_step(tmp_path)(brings(by=1), page(), "left", VIEW, "") == gr.skip()
    # a step is one from the list that is open by now
    newest.change("a page", pool, VIEW, lambda view: {**view, "page": 1})
    sample, view = answers.on_step(tmp_path)(brings(by=1), page(), pool, VIEW, "")
    assert sample == str(demo_pool().ids[50]) and view == gr.skip()


def test_a_state_that_names_an_earlier_sample_draws_the_one_that_is_open(
    tmp_path: Path, pool: str, newest: Newest
) -> None:
    """Of two rows that are clicked one after the other, the states may name the first when the second is drawn."""
    before, first, second = (str(i) for i in demo_pool().ids[:3])
    click = answers.picked(tmp_path)
    assert click(brings(id=first), page(), pool, VIEW, before, False)[0] == first
    sample, shown = click(brings(id=second), page(), pool, VIEW, before, False)
    assert sample == second and shown["value"]["id"] == second
    panel = answers.numbered_call(bound(reading.opened, tmp_path), view=2, sample=1)
    for state in (before, first, second):
        drawn = panel(page(), pool, state, VIEW, False, "demo", None)
        assert drawn["value"] == shown["value"] and drawn["seq"] > shown["seq"]
    # a step goes on from it, and a key marks it
    assert answers.on_step(tmp_path)(brings(by=1), page(), pool, VIEW, first)[0] == str(demo_pool().ids[3])
    answers.marked(tmp_path)(brings(kind="pin"), page(), pool, "me", VIEW, first)
    assert store.marks(tmp_path, pool) == {str(demo_pool().ids[3]): "pinned"}
    assert click(brings(id=second), page(), pool, VIEW, first, False)[0] == second
    assert panel(page(), pool, first, VIEW, False, "demo", None)["value"]["id"] == second
    # on another tab any sample may have been opened since, this one too
    answers.NEWEST.left(page().session_hash or "")
    assert panel(page(), pool, first, VIEW, False, "demo", None)["value"]["id"] == first
    assert click(brings(id="nobody"), page(), pool, VIEW, first, False) == gr.skip()


def test_numbers_rise_and_what_is_left_alone_has_none() -> None:
    newest = Newest(VIEW)
    numbers = [newest.read("a", "p", VIEW)[1], newest.opened("b", "p")[1], newest.read("a", "p", VIEW)[1]]  # type: ignore[index]
    assert numbers == sorted(set(numbers)) and numbers[-1] < 2**53
    assert numbered(None, 3) == {"seq": 3, "value": None}
    assert numbered(gr.skip(), 3) == gr.skip()


def test_only_what_assets_web_draws_has_a_number() -> None:
    components = [gr.HTML(), gr.Textbox(), gr.HTML()]
    made = all_numbered(components, [{"a": 1}, gr.update(visible=True), gr.skip()], 7)
    assert made == [{"seq": 7, "value": {"a": 1}}, gr.update(visible=True), gr.skip()]
    assert next_number() < next_number()


def test_what_is_worked_out_of_a_sample_is_not_drawn_over_another(
    tmp_path: Path, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Curate the answer may come after another sample has been opened."""
    monkeypatch.setattr(tab, "OPEN", Newest({}))
    first, second = (str(i) for i in demo_pool().ids[:2])
    values = [getattr(CurateState(pool=pool, sample=first), name) for name in tab.NAMES]
    read = tab._answering(tmp_path, "reach")
    (answer,) = read(page(), *values)
    assert answer[1]["value"]["id"] == first and answer[1]["seq"] < next_number()
    tab.OPEN.open("a page", "", {}, first, second)
    assert list(read(page(), *values)) == []
    assert len(list(read(page("other"), *values))) == 1
    tab.OPEN.left(page().session_hash or "")
    assert len(list(read(page(), *values))) == 1


def test_sessions_that_were_not_heard_of_for_long_are_forgotten() -> None:
    newest = Newest(VIEW)
    newest.change("first", "p", VIEW, lambda view: {**view, "which": "near"})
    for i in range(MOST_SESSIONS):
        newest.read(str(i), "p", VIEW)
    assert newest.read("first", "p", VIEW)[0] == VIEW  # type: ignore[index]


def test_a_look_for_news_does_not_draw_the_settings_of_before(
    tmp_path: Path, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two callbacks of a Curate page the second was asked before the first one's settings had reached the states."""
    monkeypatch.setattr(tab, "TURNS", Turns())
    read = CurateState(pool=pool, settings={"budget": 0.1})
    asked, go, shown = threading.Event(), threading.Event(), []

    def reset(here: CurateState) -> CurateState:
        asked.set()
        assert go.wait(30)
        return replace(here, settings={})

    def drawn(home: Path, here: CurateState) -> list[Any]:
        shown.append(here.settings)
        return [here.settings]

    def ask(change: Any, at: CurateState = read) -> list[Any]:
        return tab.in_turn(tmp_path, "a page", at, change, drawn, [gr.HTML()])

    first: list[Any] = []
    slow = threading.Thread(target=lambda: first.extend(ask(reset)))
    slow.start()
    assert asked.wait(30)
    second: list[Any] = []
    late = threading.Thread(target=lambda: second.extend(ask(lambda here: replace(here, marked=7))))
    late.start()
    # somebody goes elsewhere meanwhile, with Back: the address of that is not replaced by the answer that was waited for
    held = {name: getattr(read, name) for name in address.NAMES}
    elsewhere = layout.mirrored(1, *{**held, "run": "20260101-000000-abcdef"}.values())
    go.set()
    slow.join(30)
    late.join(30)
    assert first[-1]["seq"] < elsewhere["seq"] and "run" not in first[-1]["value"]
    assert elsewhere["value"]["run"] == "20260101-000000-abcdef"
    assert shown == [{}, {}]
    before, after = first[len(tab.NAMES)], second[len(tab.NAMES)]
    assert before["seq"] < after["seq"] and after["value"] == {}
    # whichever answer reaches the states last, they hold what both have changed
    states = dict(zip(tab.NAMES, second[: len(tab.NAMES)], strict=True))
    assert states["settings"] == {} and states["marked"] == 7 and states["turn"] == after["seq"]
    # once that has reached them, settings that were chosen elsewhere since are the newest
    ask(lambda here: replace(here, marked=8), replace(read, turn=after["seq"], settings={"budget": 0.2}))
    assert shown[-1] == {"budget": 0.2}


def test_a_callback_that_fails_changes_nothing_for_the_next(tmp_path: Path) -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="drawing"), turns.take("a page", 0) as turn:
        turn.changes = {"settings": {}}
        raise ValueError("drawing")
    with turns.take("a page", 0) as turn:
        assert turn.missed == {}
        turn.changes = {"settings": {"budget": 0.1}}
    with turns.take("another page", 0) as other:
        assert other.missed == {}
    with turns.take("a page", 0) as stale, turns.take("another page", 0):
        assert stale.missed == {"settings": {"budget": 0.1}}
