"""What somebody does on a page is done in that order, whichever events it takes.

The page numbers what its visitor does and sends one act after another (assets/web/page/acts.js). Gradio starts what waits
in its queues in any order, and what needs no queue at once; so an act waits here for those that have arrived before it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

HEADER = "x-act"
PATIENCE = 20.0  # seconds after which an act goes on without those before it
# what waits in Gradio's queue of a page that is closed is never done; of these the oldest are forgotten
MOST_PAGES, MOST_ACTS = 1000, 100


class ActOrder:
    """The acts that have arrived from each page and are not done. All of it runs in the server's event loop."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._pages: dict[str, dict[int, asyncio.Event]] = {}

    def arrive(self, page: str, number: int) -> None:
        """An act of a page, by its session, has come in: later ones wait until it is done."""
        acts = self._pages.setdefault(page, {})
        acts.setdefault(number, asyncio.Event())
        if len(acts) > MOST_ACTS:
            self.finish(page, min(acts))
        if len(self._pages) > MOST_PAGES:
            oldest = next(iter(self._pages))
            for one in list(self._pages[oldest]):
                self.finish(oldest, one)

    def finish(self, page: str, number: int) -> None:
        """An act is done, or will not be done."""
        acts = self._pages.get(page, {})
        done = acts.pop(number, None)
        if done is not None:
            done.set()
        if not acts:
            self._pages.pop(page, None)

    @asynccontextmanager
    async def turn(self, page: str, number: int | None) -> AsyncIterator[None]:
        """Do an act: begins when those of the page with smaller numbers are done. None is no act, and waits for nothing."""
        if number is None:
            yield
            return
        earlier = [done for other, done in self._pages.get(page, {}).items() if other < number]
        try:
            try:
                async with asyncio.timeout(self._patience):
                    for done in earlier:
                        await done.wait()
            except TimeoutError:
                print(f"app.py: act {number} of a page goes on without those before it", file=sys.stderr)
            yield
        finally:
            self.finish(page, number)


def act_of(request: Any) -> tuple[str, int | None]:
    """(session of the page, number of the act) of a request as Gradio passes it on; None for a request that is no act."""
    page = getattr(request, "session_hash", None)
    number = number_of(getattr(request, "headers", {}))
    return (page, number) if isinstance(page, str) else ("", None)


def number_of(headers: Mapping[str, str]) -> int | None:
    """The number that a page gave to an act; None where there is none."""
    text = headers.get(HEADER, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None
