"""A reader that was started (see `backend.reader`): what is asked of it, what it says, and how it ends."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from backend.errors import ReaderError

ROOT = Path(__file__).resolve().parent.parent
ENDING_SECONDS = 5.0
LAST_LINES = 3

State = Literal["off", "starting", "loading model", "ready"]


class ReaderProcess:
    """One process, and who waits for it.

    It ends with this process, however that ends: it reads a pipe whose other end only this process holds.

    changed : guards everything here but `send` and `end`, and is notified of every change.
    state, since : as the process last said, and when (`time.monotonic`).
    died : why it ended, where nobody asked it to and it had not merely been idle.
    """

    def __init__(self, command: Sequence[str], model: str, changed: threading.Condition) -> None:
        self.model, self.changed = model, changed
        self.state: State = "starting"
        self.since = time.monotonic()
        self.waiting: set[int] = set()
        self.ended = self.asked_to_end = False
        self.died = ""
        self._answers: dict[int, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self._failure = ""
        self._writing = threading.Lock()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it has no name: nothing to clear away, whoever is killed
        # threads that spin while they wait make each other slow where the cores are shared
        environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "TOKENIZERS_PARALLELISM": "false"}
        try:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                encoding="utf-8",
            )
        except OSError as error:
            self._log.close()
            raise ReaderError(f"the reader of model {model} could not be started: {error}") from error
        self._listener = threading.Thread(target=self._listen, name="reader", daemon=True)
        self._listener.start()

    def expect(self) -> int:
        """A number under which an answer will be waited for; `changed` is held."""
        number = next(self._numbers)
        self.waiting.add(number)
        return number

    def answer(self, number: int, request: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """Ask, and wait for the answer; None where there is none after so long, or because the process has ended."""
        assert self.process.stdin is not None
        # a pipe that is broken or closed: the listener has seen or will see the end
        with self._writing, contextlib.suppress(BrokenPipeError, ValueError):
            self.process.stdin.write(json.dumps({"id": number, **request}) + "\n")
            self.process.stdin.flush()
        with self.changed:
            self.changed.wait_for(lambda: number in self._answers or self.ended, seconds)
            self.waiting.discard(number)
            self.changed.notify_all()
            return self._answers.pop(number, None)

    def end(self) -> None:
        """End it, wherever it is; returns when it is gone. `changed` is not held."""
        assert self.process.stdin is not None
        self.asked_to_end = True
        with contextlib.suppress(BrokenPipeError):  # it was gone, with a request on the way
            self.process.stdin.close()
        try:
            self.process.wait(timeout=ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._listener.join()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                said = json.loads(line)
                with self.changed:
                    self._take(said)
                    self.changed.notify_all()
        code = self.process.wait()
        with self.changed:
            self.ended, self.since = True, time.monotonic()
            if code != 0 and not self.asked_to_end:
                self.died = self._failure or self._obituary(code)
            self._log.close()
            self.changed.notify_all()

    def _take(self, said: dict[str, Any]) -> None:
        if said.get("state") == "failed":
            self._failure = said["error"]
        elif "state" in said:
            self.state, self.since = said["state"], time.monotonic()
        elif said["id"] in self.waiting:  # else nobody waits any longer
            self._answers[said["id"]] = said

    def _obituary(self, code: int) -> str:
        """How it ended and what it printed last, for a person."""
        how = f"ended (exit code {code})"
        if code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
            if -code == signal.SIGKILL:
                how += " (somebody killed it, or the machine ran out of memory)"
        doing = {"starting": "starting", "loading model": "loading the model"}.get(self.state, "reading")
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - 4096))
        lines = [line.strip() for line in self._log.read().decode(errors="replace").splitlines()]
        last = "; ".join([line for line in lines if line][-LAST_LINES:])
        text = f"the reader of model {self.model} {how} while {doing}"
        return f"{text}. It printed last: {last}" if last else text
