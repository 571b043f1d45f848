"""The interface of IterIT Studio: a folder for each screen, and what they share.

Importing it imports Gradio without the type stubs (`.pyi`) that Gradio writes beside the source of each component, its
own and ours: reading the sources for them is half of the import.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def _no_stubs() -> Iterator[None]:
    """Within the block Gradio takes every component for one without a source file, of which it writes no stub."""
    file_of = inspect.getfile

    def file_of_no_class(thing: Any) -> str:
        if isinstance(thing, type):
            raise OSError("no stub of this class is wanted")
        return file_of(thing)

    inspect.getfile = file_of_no_class  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = file_of


with _no_stubs():
    from gradio import component_meta

component_meta.create_or_modify_pyi = lambda *_: None
