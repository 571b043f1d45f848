"""Who only looks changes nothing: every event of the page is in one of the lists, and those that change something are refused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from gradio.state_holder import SessionState

import app
from backend import store
from iterit_ui.access.guarded_page import GuardedPage, event_names, questions
from iterit_ui.access.logins import Login
from iterit_ui.access.roles import CHANGING, DRAWING, LOOKING, LOOKING_KEYS, changes
from iterit_ui.access.visitors import Access
from iterit_ui.components.page_files import WEB
from iterit_ui.shared.session import first_pool

ADA, EVE = Login("ada", "s3cret"), Login("eve", "s3cret", "look")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home").resolve()


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture(scope="module")
def page(home: Path, loop: asyncio.AbstractEventLoop) -> GuardedPage:
    async def made() -> GuardedPage:
        return app.build(home)  # where no loop runs, Gradio makes one that nobody closes

    found = loop.run_until_complete(made())
    found.access = Access([ADA, EVE])
    return found


@pytest.fixture(scope="module")
def sent(page: GuardedPage, loop: asyncio.AbstractEventLoop) -> Callable[..., Any]:
    """Sends an event as Gradio passes it on, from a page with no values."""

    state = SessionState(page)

    def send(name: str, who: str | None, data: Any = None) -> Any:
        called = events(page)[name]
        request = SimpleNamespace(username=who, session_hash="s", headers={})
        values = [None] * len(called.inputs)
        event = gr.EventData(None, data)
        return loop.run_until_complete(page.process_api(called, values, state, request, event_data=event))

    return send


def events(page: GuardedPage) -> dict[str, Any]:
    """Every event that has a callback, by each of its names."""
    return {name: one for one in page.fns.values() if one.fn is not None for name in event_names(page, one)}


def test_every_event_is_known_to_look_or_to_change(page: GuardedPage) -> None:
    """A new event has to be put into one of the lists of `iterit_ui/access/roles`; until then it is refused to those who look."""
    known = LOOKING | CHANGING | DRAWING
    named = {*events(page), *(name for name, _, _ in questions(page))}
    assert named - known == set()
    assert known - named == set()  # nor is anything there that is gone
    assert not (LOOKING & CHANGING or LOOKING & DRAWING or CHANGING & DRAWING)
    assert set(LOOKING_KEYS) <= CHANGING


def test_what_is_in_no_list_is_refused() -> None:
    assert changes("something.new") and changes("data-sample.pin") and not changes("data-sample.step")
    assert changes("compare-runs.act", {"action": "delete", "key": "compare"})
    assert not changes("compare-runs.act", {"action": "compare"}) and changes(
        "compare-runs.act", {"action": ["compare"]}
    )


@pytest.mark.parametrize("name", sorted(CHANGING))
def test_whoever_looks_is_refused_with_a_sentence(page: GuardedPage, sent: Any, name: str) -> None:
    asked = {name: (part, function) for name, part, function in questions(page)}
    if name in asked:
        part, function = asked[name]
        request = SimpleNamespace(
            cookies={"access-token-x": "t"}, app=SimpleNamespace(cookie_id="x", tokens={"t": "eve"})
        )
        answer = getattr(part, function)({}, request)
        assert answer == {"error": "You can look; ada may change."}
        return
    for who in ("eve", None, "nobody"):
        with pytest.raises(gr.Error, match=r"You can look; ada may change\."):
            sent(name, who)


def test_the_other_role_changes_and_looking_stays_open(sent: Any, home: Path) -> None:
    sample, pool = next(iter(store.load_pool_from_store(home, first_pool()).ids)), first_pool()
    before = store.curation_revision(home, pool)
    with pytest.raises(gr.Error, match="ada may change"):
        sent("data-sample.pin", "eve", {"id": str(sample)})
    assert store.curation_revision(home, pool) == before
    sent("data-keys.step", "eve", {"by": 1})
    assert "data" in sent("header.name", "ada", {"name": "Ada"})


def test_read_only_holds_for_everybody() -> None:
    shown = Access(None, read_only=True)
    assert not shown.may_change(None) and not Access([ADA], read_only=True).may_change("ada")
    assert Access().may_change(None) and Access([ADA, EVE]).may_change("ada")
    assert shown.refusal == "You can look; this app is open for looking only."
    assert Access([ADA, Login("bob", "x"), EVE]).refusal == "You can look; ada and bob may change."


def test_every_button_of_gradio_that_changes_something_is_hidden_from_who_looks(page: GuardedPage) -> None:
    """The style sheet names it, or something around it; our own scripts give theirs the class `changes`."""
    hidden = set(re.findall(r"body\.st-looks #([\w-]+) *[,{]", (WEB / "page/look.css").read_text()))
    parts = {part.elem_id: part for part in page.blocks.values() if getattr(part, "elem_id", None)}
    assert hidden <= set(parts)
    for name in CHANGING:
        part: Any = parts[name.partition(".")[0]]
        if isinstance(part, gr.HTML):
            continue
        around = []
        while part is not None:
            around += [part.elem_id, *(part.elem_classes or [])] if hasattr(part, "elem_id") else []
            part = getattr(part, "parent", None)
        assert hidden & set(around) or "changes" in around, name


# what a page of ours never sends: names that are numbers, numbers that are texts, lists that are neither
ODD: dict[str, Any] = {
    **dict.fromkeys(("id", "key", "text", "action", "column", "kind", "list_key", "which", "n", "index"), 5),
    **dict.fromkeys(("page", "row", "by", "seq", "bits", "weight", "low", "high", "epoch", "name"), "x"),
    **{
        key: [1]
        for key in ("ids", "value", "export", "form", "carried", "pilot", "pool", "comparison", "from")
    },
}


@pytest.mark.filterwarnings(
    "ignore::UserWarning"
)  # what the page would show for a moment, where there is no page
def test_odd_data_are_answered_with_a_sentence(page: GuardedPage, sent: Any) -> None:
    """No event of a component fails in a way of its own, which would be a traceback in the log for whatever somebody sends."""
    for name, called in events(page).items():
        if name in DRAWING or not called.inputs or name in ("load-pool.click", "tune-form.launch"):
            continue
        try:
            sent(name, "ada", dict(ODD))
        except gr.Error as error:
            assert not error.print_exception, f"{name}: {error.__cause__!r}"
    for name, part, function in questions(page):
        request = SimpleNamespace(
            cookies={"access-token-x": "t"}, app=SimpleNamespace(cookie_id="x", tokens={"t": "ada"})
        )
        for asked in (None, {}, [], 5, [None, None, None], [[], {}, "x"]):
            assert isinstance(getattr(part, function)(asked, request), dict), name
