"""A reader that was started (see `backend.reader`): what is asked of it, what it says, and how it ends."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from typing import Any, Literal

from backend.errors import ReaderError
from backend.line_process import LineProcess

State = Literal["off", "starting", "loading model", "ready"]


class ReaderProcess(LineProcess):
    """One process, and who waits for it.

    changed : guards everything here but `send` and `end`, and is notified of every change; not held where `end` is
        called.
    state, since : as the process last said, and when (`time.monotonic`).
    died : why it ended, where nobody asked it to and it had not merely been idle.
    """

    def __init__(self, command: Sequence[str], model: str, changed: threading.Condition) -> None:
        self.model, self.changed = model, changed
        self.state: State = "starting"
        self.since = time.monotonic()
        self.waiting: set[int] = set()
        self.ended = False
        self.died = ""
        self._answers: dict[int, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self._failure = ""
        try:
            super().__init__(command, name="reader")
        except OSError as error:
            raise ReaderError(f"the reader of model {model} could not be started: {error}") from error

    def expect(self) -> int:
        """A number under which an answer will be waited for; `changed` is held."""
        number = next(self._numbers)
        self.waiting.add(number)
        return number

    def answer(self, number: int, request: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """Ask, and wait for the answer; None where there is none after so long, or because the process has ended."""
        self.send({"id": number, **request})
        with self.changed:
            self.changed.wait_for(lambda: number in self._answers or self.ended, seconds)
            self.waiting.discard(number)
            self.changed.notify_all()
            return self._answers.pop(number, None)

    def _take(self, said: dict[str, Any]) -> None:
        with self.changed:
            if said.get("state") == "failed":
                self._failure = said["error"]
            elif "state" in said:
                self.state, self.since = said["state"], time.monotonic()
            elif said["id"] in self.waiting:  # else nobody waits any longer
                self._answers[said["id"]] = said
            self.changed.notify_all()

    def _gone(self, code: int) -> None:
        with self.changed:
            self.ended, self.since = True, time.monotonic()
            if code != 0 and not self.asked_to_end:
                doing = {"starting": "starting", "loading model": "loading the model"}
                self.died = self._failure or self._obituary(
                    code, who=f"the reader of model {self.model}", doing=doing.get(self.state, "reading")
                )
            self.changed.notify_all()
