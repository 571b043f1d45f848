"""A process that is asked, and says, JSON lines: this side starts it, writes to it, listens to it and ends it.

The other side is `backend.line_server`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ENDING_SECONDS = 5.0
LAST_LINES = 3


class LineProcess(ABC):
    """One process, and what it says.

    It ends with this process, however that ends: it reads a pipe whose other end only this process holds.
    It is listened to from the start, so what `_take` and `_gone` need is set before this is made.

    name : of the thread that listens.
    asked_to_end : whether `end` was called.

    Raises
    ------
    OSError : it could not be started.
    """

    def __init__(self, command: Sequence[str], *, name: str) -> None:
        self.asked_to_end = False
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
        except OSError:
            self._log.close()
            raise
        self._listener = threading.Thread(target=self._listen, name=name, daemon=True)
        self._listener.start()

    def send(self, request: dict[str, Any]) -> None:
        """Write a request; where the process has ended, nothing happens."""
        assert self.process.stdin is not None
        # a pipe that is broken or closed: the listener has seen or will see the end
        with self._writing, contextlib.suppress(BrokenPipeError, ValueError):
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()

    def end(self) -> None:
        """End it, wherever it is; returns when it is gone and `_gone` has returned."""
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

    @abstractmethod
    def _take(self, said: dict[str, Any]) -> None:
        """Gets each line it says, on the thread that listens."""

    @abstractmethod
    def _gone(self, code: int) -> None:
        """Called once, after the last line, on the same thread; code : as `subprocess` has it, negative for a signal."""

    def _obituary(self, code: int, *, who: str, doing: str, silent: str = "") -> str:
        """How it ended and what it printed last, for a person; only within `_gone`.

        silent : a sentence for the end, where it printed nothing.
        """
        how = f"ended (exit code {code})"
        if code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
            if -code == signal.SIGKILL:
                how += " (somebody killed it, or the machine ran out of memory)"
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - 4096))
        lines = [line.strip() for line in self._log.read().decode(errors="replace").splitlines()]
        last = "; ".join([line for line in lines if line][-LAST_LINES:])
        rest = f"It printed last: {last}" if last else silent
        return f"{who} {how} while {doing}" + (f". {rest}" if rest else "")

    def _listen(self) -> None:
        assert self.process.stdout is not None and self.process.stdin is not None
        with self.process.stdout as lines:
            for line in lines:
                self._take(json.loads(line))
        code = self.process.wait()
        with self._writing, contextlib.suppress(BrokenPipeError):  # a request that it never read
            self.process.stdin.close()
        with self._log:
            self._gone(code)
