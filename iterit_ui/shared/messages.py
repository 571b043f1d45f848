"""Messages that the page shows for a moment."""

from __future__ import annotations

import html

import gradio as gr


def info(words: str) -> None:
    """Say something in passing. Gradio reads messages as HTML, and names that people gave are text."""
    gr.Info(html.escape(words, quote=False))


def warning(words: str) -> None:
    """Say that something was not done, and why."""
    gr.Warning(html.escape(words, quote=False))


def sentence(words: str) -> str:
    """An error's words as a sentence of their own."""
    return f"{words[0].upper()}{words[1:].rstrip('.')}." if words else ""
