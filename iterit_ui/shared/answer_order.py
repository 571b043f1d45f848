"""Answers in the order of their questions.

Callbacks of one page run beside each other, and Gradio hands each the states as they were when it was asked. One that
takes long may answer after a later one has, with what the page no longer lists; one that is asked while another is under
way reads states that the other is about to change. (What a visitor does is done one after another, see
`access/act_order.py`; what is drawn because of it, or because somebody else did something, is not.) So each asks here
first: it learns what the page lists by now, and gets a number that its answer carries. A component draws no answer with a
smaller number than that of the one which it shows (`studio.mount` in assets/web/page/core.js).
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

View = dict[str, Any]
MOST_SESSIONS = 1000  # sessions whose newest view is known; others go on with their states
MOST_OPENED = 100  # samples that a session has opened one after another and that a state may still name
MOST_TURNS = 50  # changes of a session's states that a callback asked meanwhile may not have read

# from the clock, so that a page that was open when the app was started anew does not take every answer for an old one;
# microseconds are numbers that JavaScript still tells apart
_numbers = itertools.count(time.time_ns() // 1000)


@dataclass
class _Session:
    pool_id: str
    view: View
    lock: threading.Lock = field(default_factory=threading.Lock)
    opened: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_OPENED))


class Newest:
    """What each session's page lists by now, a view of a pool, and the sample that is open beside the list.

    first : the view of a pool that was opened a moment ago.
    """

    def __init__(self, first: View) -> None:
        self._first = first
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def opened(self, session: str, pool_id: str) -> tuple[View, int]:
        """The view of a pool that the page has opened, and the answer's number."""
        known = self._known(session, pool_id, self._first)
        with known.lock:
            if known.pool_id != pool_id:
                known.pool_id, known.view = pool_id, dict(self._first)
                known.opened.clear()
            return known.view, next(_numbers)

    def read(self, session: str, pool_id: str, view: View) -> tuple[View, int] | None:
        """What the page lists, and the answer's number; None where it has opened another pool since.

        view : the session's state, for one that nothing is known of.
        """
        known = self._known(session, pool_id, view)
        with known.lock:
            return None if known.pool_id != pool_id else (known.view, next(_numbers))

    def change(
        self, session: str, pool_id: str, view: View, change: Callable[[View], Any]
    ) -> tuple[Any, int] | None:
        """What `change` makes of the newest view, which then is the newest, and the answer's number.

        What is no view (`gr.skip()` where nothing changes) is given back and changes nothing. None as in `read`.
        """
        known = self._known(session, pool_id, view)
        with known.lock:
            if known.pool_id != pool_id:
                return None
            made = change(known.view)
            if isinstance(made, dict) and "which" in made:
                known.view = made
            return made, next(_numbers)

    def open(
        self, session: str, pool_id: str, view: View, state: str, sample: str
    ) -> tuple[View, int] | None:
        """`sample` was opened from the list. What the page lists, and the answer's number.

        state : the session's, the sample that was open before. None as in `read`.
        """
        known = self._known(session, pool_id, view)
        with known.lock:
            if known.pool_id != pool_id:
                return None
            known.opened.extend([sample] if known.opened else [state, sample])
            return known.view, next(_numbers)

    def sample(self, session: str, pool_id: str, view: View, state: str) -> str:
        """The sample that is open by now. state : the session's, which may still name one that was opened before it.

        A sample that was not opened from the list was opened elsewhere, and is the newest.
        """
        known = self._known(session, pool_id, view)
        with known.lock:
            return known.opened[-1] if known.pool_id == pool_id and state in known.opened else state

    def left(self, session: str) -> None:
        """The visitor switched tabs: from now on the sample in the session's state is the open one."""
        with self._lock:
            known = self._sessions.get(session)
        if known is not None:
            with known.lock:
                known.opened.clear()

    def _known(self, session: str, pool_id: str, view: View) -> _Session:
        with self._lock:
            known = self._sessions.setdefault(session, _Session(pool_id, dict(view)))
            self._sessions.move_to_end(session)
            if len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)
            return known


@dataclass
class Turn:
    """One callback among those of its page.

    number : the answer's. missed : states that others have changed since this one's were read, by name.
    changes : for the callback to fill in, what it changes; nothing is kept of a callback that fails.
    """

    number: int
    missed: dict[str, Any]
    changes: dict[str, Any] = field(default_factory=dict)


class InOrder:
    """A lock that those who wait for it get in the order in which they came. One of `threading` goes to whoever is there
    first when it is let go: of what was clicked during a long answer, an undo could come before what it was meant for."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._held = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            mine = threading.Event()
            self._waiting.append(mine)
        mine.wait()

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()  # it stays held: by the next
            else:
                self._held = False


@dataclass
class _Turns:
    lock: InOrder = field(default_factory=InOrder)
    past: deque[tuple[int, dict[str, Any]]] = field(default_factory=lambda: deque(maxlen=MOST_TURNS))


class Turns:
    """Callbacks of a page one after another, each with what the ones before it have changed.

    A state of the page holds the number of the last answer that has reached the states; what answers with larger numbers
    have changed is told, so that no callback goes on from states that are about to be replaced.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, _Turns] = OrderedDict()

    @contextmanager
    def take(self, session: str, reached: int) -> Iterator[Turn]:
        """The next turn of a session. reached : the number that its states hold. Waits while another has its turn."""
        known = self._known(session)
        with known.lock:
            missed: dict[str, Any] = {}
            for number, changes in known.past:
                if number > reached:
                    missed |= changes
            turn = Turn(next(_numbers), missed)
            yield turn
            if turn.changes:
                known.past.append((turn.number, turn.changes))

    def _known(self, session: str) -> _Turns:
        if not session:
            return _Turns()  # nobody's page
        with self._lock:
            known = self._sessions.setdefault(session, _Turns())
            self._sessions.move_to_end(session)
            if len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)
            return known


class HalfTime:
    """A lock for background work. After each block it stays closed for as long as the block took, so that this work uses at
    most half of one core and the rest is free for what a visitor is waiting for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = self._rested = 0.0

    def __enter__(self) -> None:
        self._lock.acquire()
        time.sleep(max(0.0, self._rested - time.monotonic()))
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        now = time.monotonic()
        self._rested = now + (now - self._began)
        self._lock.release()


def next_number() -> int:
    """The number for an answer requested now."""
    return next(_numbers)


def all_numbered(components: Sequence[Any], values: Sequence[Any], number: int) -> list[Any]:
    """Component values tagged with the answer's number. Only components drawn by assets/web are tagged."""
    return [
        numbered(value, number) if isinstance(component, gr.HTML) else value
        for component, value in zip(components, values, strict=True)
    ]


def numbered(value: Any, number: int) -> Any:
    """A component's value as the answer with this number; what leaves the component alone stays as it is."""
    if isinstance(value, dict) and "__type__" in value:
        return value
    return {"seq": number, "value": value}
