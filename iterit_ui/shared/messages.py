"""Messages that the page shows for a moment.

Gradio brings them to the page with what waits in its queue only. What is answered at once brings its messages in a header
of the answer, which the page's own script reads (assets/web/page/messages.js).
"""

from __future__ import annotations

import html
import json
from contextvars import ContextVar
from typing import Literal

import gradio as gr
from gradio.context import LocalContext

Level = Literal["info", "warning"]
HEADER = b"x-messages"
LONGEST = 400  # characters of a message in a header, whose size proxies limit
MOST = 3  # messages of one answer

_heard: ContextVar[list[tuple[Level, str]] | None] = ContextVar("_heard", default=None)


def info(words: str) -> None:
    """Say something in passing. Gradio reads messages as HTML, and names that people gave are text."""
    if not _hear("info", words):
        gr.Info(html.escape(words, quote=False))


def warning(words: str) -> None:
    """Say that something was not done, and why."""
    if not _hear("warning", words):
        gr.Warning(html.escape(words, quote=False))


def listen() -> list[tuple[Level, str]]:
    """A list that gets what is said from now on in answer to this request, where it does not go through Gradio's queue."""
    heard: list[tuple[Level, str]] = []
    _heard.set(heard)
    return heard


def as_header(heard: list[tuple[Level, str]]) -> bytes:
    """Messages encoded for an HTTP header: ASCII JSON."""
    return json.dumps([(level, _cut(words)) for level, words in heard[-MOST:]]).encode("ascii")


def sentence(words: str) -> str:
    """An error's words as a sentence of their own."""
    return f"{words[0].upper()}{words[1:].rstrip('.')}." if words else ""


def _hear(level: Level, words: str) -> bool:
    heard = _heard.get()
    if heard is None or LocalContext.event_id.get(None) is not None:
        return False
    heard.append((level, words))
    return True


def _cut(words: str) -> str:
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
