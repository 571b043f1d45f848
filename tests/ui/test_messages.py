"""What is said in answer to an event that does not wait in Gradio's queue reaches the page in a header of the answer."""

from __future__ import annotations

import contextvars
import json
import threading
from collections.abc import Callable

import gradio as gr
import pytest
from gradio.context import LocalContext

from iterit_ui.shared import messages


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What goes through Gradio's queue."""
    said: list[str] = []
    monkeypatch.setattr(gr, "Info", said.append)
    monkeypatch.setattr(gr, "Warning", said.append)
    return said


def alone(work: Callable[[], object]) -> None:
    """Do this in a context of its own, as each request has one, and in another thread, as callbacks run."""
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(work,))
    thread.start()
    thread.join()


def test_what_is_said_beside_the_queue_is_heard_by_the_request(queued: list[str]) -> None:
    def request() -> None:
        heard = messages.listen()
        alone(lambda: (messages.info("Saved as <b>."), messages.warning("Not done.")))
        assert heard == [("info", "Saved as <b>."), ("warning", "Not done.")]

    alone(request)
    assert queued == []


def test_what_waits_in_the_queue_is_said_by_gradio(queued: list[str]) -> None:
    def request() -> None:
        heard = messages.listen()
        LocalContext.event_id.set("an event")
        messages.info("Saved as <b>.")
        assert heard == []

    alone(request)
    assert queued == ["Saved as &lt;b&gt;."]


def test_a_header_is_short_and_ascii() -> None:
    value = messages.as_header([("info", "é" * 1000), ("info", "1"), ("warning", "2"), ("info", "3")])
    assert value.isascii() and len(value) < 8000
    assert json.loads(value) == [["info", "1"], ["warning", "2"], ["info", "3"]]
    assert json.loads(messages.as_header([("info", "é" * 1000)]))[0][1] == "é" * 399 + "…"
